"""`ilp unknown`: amounts whose delivery nobody has proved, and what is decided about them."""

from __future__ import annotations

from typing import Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.ledger import decide, who
from interledger.cli.ledger_view import item_lines, unknown_lines
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["list_unknown", "prove", "resolve", "show"]


OUTCOMES: Final = ("delivered", "not-delivered")


@command("list")
@click.pass_obj
def list_unknown(state: State) -> None:
    """Amounts whose delivery nobody has proved: the next node never answered, or this one was killed.

    \b
      ilp unknown list
    """
    items = state.call(lambda api: api.unknown())
    state.emit_list(items, lambda: unknown_lines(items, state.console, exact=state.exact))


@command("show")
@click.argument("item", metavar="ITEM")
@click.pass_obj
def show(state: State, item: str) -> None:
    """One item: condition, proof, when it was sent, and for whom.

    \b
      ilp unknown show unk_19
    """
    document = state.call(lambda api: api.unknown_item(item))
    state.emit(document, lambda: item_lines(document, state.console, exact=state.exact))


@command("prove", would="keep the fulfillment of {item} as proof")
@click.argument("item", metavar="ITEM")
@click.argument("fulfillment", metavar="FULFILLMENT")
@click.pass_obj
def prove(state: State, item: str, fulfillment: str) -> None:
    """Keep the fulfillment of an item (64 hex digits, from the peer or a log) as proof that it was delivered.

    \b
      ilp unknown prove unk_19 9c1f04…e2
    """
    document = state.call(lambda api: api.prove_unknown(item, fulfillment))
    state.emit(document, lambda: item_lines(document, state.console, exact=state.exact))


@command("resolve")
@click.argument("item", metavar="ITEM|ACCOUNT")
@click.argument("outcome", type=click.Choice(OUTCOMES), required=False)
@click.option("--as", "named", type=click.Choice(OUTCOMES), help="The same as the second word.")
@click.option("--reason", required=True, metavar="TEXT", help="What it rests on: a statement of the peer, a log.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def resolve(
    state: State, /, item: str, outcome: str | None, named: str | None, reason: str, yes: bool, dry_run: bool
) -> None:
    """Decide what became of an item, or of all items of an account.

    Delivered: we owe it, and it is our loss. Not delivered: it is released.

    \b
      ilp unknown resolve unk_19 --as delivered --reason "kivu's statement of today"

    What is proven cannot be called not delivered. The decision is kept in the journal, with who and why.
    """
    decided = outcome or named
    if decided is None or (named is not None and named != decided):
        raise CliError(ExitCode.USAGE, "Say what became of it:  --as delivered  or  --as not-delivered")
    decision = state.call(lambda api: api.propose_resolution(item, decided, reason, who()))
    decide(state, decision, yes=yes, dry_run=dry_run)
