"""`ilp webhook`: programs that are told of events, each by a signed HTTP request, until they take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from interledger.cli.money import time_of_day
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["create", "delete", "deliveries", "list_webhooks", "replay", "test"]

_MARKS = {"delivered": "✓", "failed": "✗", "waiting": "·"}


@command("create", would="send events to {url}")
@click.argument("url", metavar="URL")
@click.option(
    "--event", "events", multiple=True, metavar="KIND", help="A kind or topic of events; all, if none is said."
)
@click.option("--private", is_flag=True, help="The URL may be on a private network, or on this machine.")
@click.pass_obj
def create(state: State, url: str, events: tuple[str, ...], private: bool) -> None:
    """Send events to a URL. The secret that signs them is shown now and never again.

    \b
      ilp webhook create https://shop.example/ilp --event payment --event limit.near
      ilp webhook create http://127.0.0.1:8000/ilp --private
    """
    made = state.call(lambda api: api.create_webhook(url, events or None, private=private))

    def render() -> list[str]:
        return [
            f"{state.console.mark('✓')} {made['id']} sends {_kinds(made)} to {made['url']}",
            "",
            f"  {made['secret']}",
            "",
            "  Give it to the program there now: it is not shown again.",
            f"  Try it:  ilp webhook test {made['id']}",
        ]

    state.emit(made, render)


@command("list")
@click.pass_obj
def list_webhooks(state: State) -> None:
    """Where events are sent.

    \b
      ilp webhook list
    """
    hooks = state.call(lambda api: api.webhooks())

    def render() -> list[str]:
        if not hooks:
            return ["  Nobody is told of events. Tell a program:  ilp webhook create URL"]
        return [
            f"  {hook['id']}  {hook['created_at'][:16].replace('T', ' ')}  {hook['url']}  {_kinds(hook)}"
            for hook in hooks
        ]

    state.emit_list(hooks, render)


@command("deliveries")
@click.argument("webhook", metavar="WEBHOOK")
@click.option("--limit", type=click.IntRange(1), default=20, metavar="COUNT", help="How many, the newest first.")
@click.option(
    "--state", "only", type=click.Choice(tuple(_MARKS)), help="Those that wait, were taken, or were given up."
)
@click.pass_obj
def deliveries(state: State, webhook: str, limit: int, only: str | None) -> None:
    """What was sent to a webhook and what waits, with the last answer.

    \b
      ilp webhook deliveries whk_7aa61d631e --state failed
    """
    found = state.call(lambda api: api.deliveries(webhook))
    shown = [one for one in found if only in (None, one["state"])][:limit]

    def render() -> list[str]:
        return [_line(state, one) for one in shown] or ["  Nothing was sent there."]

    state.emit_list(shown, render)


@command("replay", would="send {delivery} once more")
@click.argument("webhook", metavar="WEBHOOK")
@click.argument("delivery", metavar="DELIVERY")
@click.pass_obj
def replay(state: State, webhook: str, delivery: str) -> None:
    """Send a delivery once more: the same id and body, a new signature.

    \b
      ilp webhook replay whk_7aa61d631e dlv_9669d4f2981e55a7
    """
    sent = state.call(lambda api: api.replay_delivery(webhook, delivery))
    state.emit(sent, lambda: [f"{state.console.mark('✓')} {sent['id']} is sent again."])


@command("test", would="send a delivery that means nothing")
@click.argument("webhook", metavar="WEBHOOK")
@click.pass_obj
def test(state: State, webhook: str) -> None:
    """Send a delivery that means nothing, to see whether it comes.

    \b
      ilp webhook test whk_7aa61d631e
    """
    sent = state.call(lambda api: api.test_webhook(webhook))
    look = f"  What came of it:  ilp webhook deliveries {webhook}"
    state.emit(sent, lambda: [f"{state.console.mark('✓')} {sent['id']} is on its way.", look])


@command("delete", would="send nothing more to {webhook}")
@click.argument("webhook", metavar="WEBHOOK")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(state: State, webhook: str, yes: bool) -> None:
    """Send nothing more; what waits is forgotten.

    \b
      ilp webhook delete whk_7aa61d631e
    """
    state.confirm(f"Send nothing more to {webhook}, and forget what waits?", yes=yes)
    gone = state.call(lambda api: api.delete_webhook(webhook))
    state.emit(gone, lambda: [f"{state.console.mark('✓')} Nothing more is sent to {gone['url']}."])


def _kinds(hook: Mapping[str, Any]) -> str:
    return "all events" if hook["events"] is None else ", ".join(hook["events"])


def _line(state: State, one: Mapping[str, Any]) -> str:
    """`12:00:27  ✓ dlv_9669d4f2981e55a7  outgoing_payment.completed  204`"""
    line = f"{time_of_day(one['made_at'])}  {state.console.mark(_MARKS[one['state']])} {one['id']}  {one['type']}"
    if one["state"] == "delivered":
        return f"{line}  {one['status']}"
    said = one["error"] or "not sent yet"
    tries = f" ({one['tries']} tries)" if one["tries"] > 1 else ""
    later = f", again at {time_of_day(one['next_at'])}" if one["next_at"] and one["tries"] else ""
    return f"{line}  {said}{tries}{later}"
