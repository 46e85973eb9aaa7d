"""`ilp payment`: payments this node sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import money
from interledger.cli.pages import first
from interledger.cli.pay import cost_of
from interledger.cli.payment_view import payment_lines, payments_lines
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["cancel", "list_payments", "show"]

PREFIX = "pay_"


@command("list")
@click.option("--limit", type=click.IntRange(1), default=20, metavar="COUNT", help="How many, the newest first.")
@click.option("--from", "account", metavar="ACCOUNT", help="In the development network: whose node to ask.")
@click.pass_obj
def list_payments(state: State, limit: int, account: str | None) -> None:
    """Payments of the node, newest first.

    \b
      ilp payment list
      ilp payment list --limit 100 -o ndjson
    """

    async def ask(api: ApiClient) -> list[Any]:
        return [one async for one in first(api.all_payments(), limit)]

    items: list[Any] = []
    for target in state.sending_targets(account):
        items += state.call(ask, target)
    items.sort(key=lambda item: str(item["started_at"]), reverse=True)
    state.emit_list(items[:limit], lambda: payments_lines(items[:limit], state.console, exact=state.exact))


@command("show")
@click.argument("payment_id", metavar="PAYMENT")
@click.option("--all", "whole", is_flag=True, help="Every packet; without it, those that are alike are counted.")
@click.pass_obj
def show(state: State, payment_id: str, whole: bool) -> None:
    """One payment: what was sent, what arrived, and its packets as they went, each as long as it took.

    \b
      ilp payment show 7QX4
      ilp payment show 7QX4 --all
    """
    full = _whole(payment_id)
    document: Any = state.first_found(lambda api: api.payment(full))

    def render() -> list[str]:
        cost = cost_of(state, document)
        return payment_lines(document, state.console, cost=cost, exact=state.exact, whole_trace=whole)

    state.emit(document, render)


@command("cancel", would="send no more of payment {payment_id}")
@click.argument("payment_id", metavar="PAYMENT")
@click.pass_obj
def cancel(state: State, payment_id: str) -> None:
    """Send no more of a payment that is under way. What is in flight may still arrive, and is waited for.

    \b
      ilp payment cancel 7QX4
    """
    full = _whole(payment_id)
    found: Any = state.first_found(lambda api: api.payment(full))
    if found["ended_at"] is not None:
        raise CliError(ExitCode.FAILED, f"{full} has ended: {found['state']}.", f"Look:  ilp payment show {payment_id}")
    document: Any = state.first_found(lambda api: api.cancel_payment(full))
    sent = money(document["sent"], exact=state.exact)
    state.emit(
        document,
        lambda: [
            f"{state.console.mark('✓')} {full} sends no more. Sent so far {sent}.",
            f"  What became of it  ilp payment show {full.removeprefix(PREFIX)}",
        ],
    )


def _whole(payment_id: str) -> str:
    """With the letters that people leave out."""
    return payment_id if payment_id.startswith(PREFIX) else PREFIX + payment_id.upper()
