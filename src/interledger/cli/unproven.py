"""`ilp unproven`: what was fulfilled for peers that do not count it, and what is decided about that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from interledger.cli.console import Console
from interledger.cli.ledger import decide, who
from interledger.cli.money import duration, money
from interledger.cli.output import Column, cut_middle, render_table
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["add", "list_unproven", "resolve", "unproven_lines"]

Document = Mapping[str, Any]


@command("list")
@click.pass_obj
def list_unproven(state: State) -> None:
    """What was fulfilled for peers that do not count it: they say that they heard so too late.

    \b
      ilp unproven list

    It is not part of what they owe us, and goes on using their credit.
    """
    items = state.call(lambda api: api.unproven())
    state.emit_list(items, lambda: unproven_lines(items, state.console, exact=state.exact))


@command("add")
@click.argument("account", metavar="ACCOUNT")
@click.argument("condition", metavar="CONDITION")
@click.option("--reason", required=True, metavar="TEXT", help="What it rests on: what the peer said.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def add(state: State, account: str, condition: str, reason: str, yes: bool, dry_run: bool) -> None:
    """Set a packet aside that was fulfilled for a peer which does not count it, by the packet's condition.

    \b
      ilp unproven add kivu 9f2c…d1 --reason 'kivu says it heard too late'

    For peers that exchange no statements; the others say so themselves. Conditions:  ilp ledger export --by packet
    """
    decision = state.call(lambda api: api.propose_claim(account, condition, reason, who()))
    decide(state, decision, yes=yes, dry_run=dry_run)


@command("resolve")
@click.argument("item", metavar="ITEM|ACCOUNT")
@click.argument("outcome", type=click.Choice(("owed", "lost")))
@click.option("--reason", required=True, metavar="TEXT", help="What it rests on: what the peer said, or paid.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def resolve(state: State, item: str, outcome: str, reason: str, yes: bool, dry_run: bool) -> None:
    """Decide about a claim, or about all on an account: the peer owes it after all, or it is our loss.

    \b
      ilp unproven resolve kivu lost --reason 'kivu does not count it'

    A peer that comes to count it says so by its next statement, and then nothing need be decided.
    """
    decision = state.call(lambda api: api.propose_claim_end(item, outcome, reason, who()))
    decide(state, decision, yes=yes, dry_run=dry_run)


def unproven_lines(items: Sequence[Document], console: Console, *, exact: bool = False) -> list[str]:
    """A line a claim."""
    if not items:
        return [f"{console.mark('✓')} Peers count all that was fulfilled for them, as far as they said."]
    columns = (
        Column("ITEM", lambda row: row["id"], keep=5),
        Column("PEER", lambda row: row["account"], keep=4),
        Column("AMOUNT", lambda row: money(row["amount"], exact=exact), right=True, keep=4),
        Column("FOR", lambda row: duration(row["age_ms"]), right=True, keep=3),
        Column("PROOF", lambda row: cut_middle(row["proof"], 14), keep=1),
    )
    return [
        *render_table(items, columns, console),
        "Their fulfillments are proof:  ilp unproven list --json  shows them to whoever asks.",
    ]
