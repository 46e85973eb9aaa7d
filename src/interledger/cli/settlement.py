"""`ilp settlement`: what is settled, what came in, and what is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from interledger.accounts.asset import Asset, format_amount, parse_amount, parse_money
from interledger.cli.ledger import decide, who
from interledger.cli.output import Column, render_table
from interledger.cli.pages import first
from interledger.cli.route import pairs_of
from interledger.cli.settlement_view import settlement_lines, settlements_lines
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient
    from interledger.api.types import SettlementDocument

__all__ = ["approve", "create", "engines", "list_settlements", "resume", "retry", "show", "void"]

Document = Mapping[str, Any]


@command("list")
@click.argument("account", metavar="[ACCOUNT]", required=False)
@click.option("--limit", type=click.IntRange(1), default=20, metavar="COUNT", help="How many, the newest first.")
@click.pass_obj
def list_settlements(state: State, account: str | None, limit: int) -> None:
    """Settlements of the node or of ACCOUNT, newest first.

    \b
      ilp settlement list bob
      ilp settlement list --limit 5000 -o tsv --fields id,account,amount.amount,done_at
    """

    async def ask(api: ApiClient) -> list[SettlementDocument]:
        return [one async for one in first(api.all_settlements(account), limit)]

    items = state.call(ask)
    state.emit_list(items, lambda: settlements_lines(items, state.console, exact=state.exact))


@command("show")
@click.argument("settlement", metavar="SETTLEMENT")
@click.pass_obj
def show(state: State, settlement: str) -> None:
    """One settlement: its key, its engine, what went wrong and when it is tried again.

    \b
      ilp settlement show set_4H2
    """
    document = state.call(lambda api: api.settlement(settlement))
    state.emit(document, lambda: settlement_lines(document, state.console, exact=state.exact))


@command("create", would="settle with {account}")
@click.argument("account", metavar="ACCOUNT")
@click.argument("amount", metavar="[AMOUNT]", required=False)
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.pass_obj
def create(state: State, account: str, amount: str | None, yes: bool) -> None:
    """Settle with ACCOUNT now: AMOUNT ('10 USD'), or all that is above its settle_to.

    \b
      ilp settlement create bob --dry-run
      ilp settlement create bob '10 EUR'

    More than is owed is paid in advance. What is settled cannot be taken back.
    """
    found = state.call(lambda api: api.account(account))
    asset = Asset(found["asset_code"], found["asset_scale"])
    if amount is None:
        units = int(found["position"]["payable"]) - int(found["settle_to"] or 0)
    else:
        number, code = parse_money(amount) if not amount.replace(".", "").isdecimal() else (amount, asset.code)
        if code != asset.code:
            raise click.UsageError(f"{account} is in {asset.code}")
        units = parse_amount(number, asset.scale)
    if not yes and state.is_table:
        state.console.note(f"  Settle {format_amount(units, asset)} {asset.code} with {account}")
    state.confirm("Do it?", yes=yes)
    document = state.call(lambda api: api.create_settlement(account, str(units), who()))
    state.emit(document, lambda: settlement_lines(document, state.console, exact=state.exact))


@command("retry", would="ask the engine of {settlement} again")
@click.argument("settlement", metavar="SETTLEMENT")
@click.pass_obj
def retry(state: State, settlement: str) -> None:
    """Ask the engine now, not later. With the same key: it cannot pay twice.

    \b
      ilp settlement retry set_4H2
    """
    document = state.call(lambda api: api.retry_settlement(settlement))
    state.emit(document, lambda: settlement_lines(document, state.console, exact=state.exact))


@command("void")
@click.argument("settlement", metavar="SETTLEMENT")
@click.option("--reason", required=True, metavar="TEXT", help="How you know that the engine will not pay it.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def void(state: State, settlement: str, reason: str, yes: bool, dry_run: bool) -> None:
    """Take back a settlement that its engine never took, or refuse one that is held.

    \b
      ilp settlement void set_4H2 --reason 'the bank refused it for good'

    Look at the engine first: if it has paid all the same, it is paid twice. Nothing is ever taken back by itself.
    """
    decide(state, state.call(lambda api: api.propose_void(settlement, reason, who())), yes=yes, dry_run=dry_run)


@command("approve")
@click.argument("settlement", metavar="SETTLEMENT")
@click.option("--reason", required=True, metavar="TEXT", help="How you know that the money is there.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def approve(state: State, settlement: str, reason: str, yes: bool, dry_run: bool) -> None:
    """Credit what came in beyond the account's settle_in_max.

    \b
      ilp settlement approve set_4H2 --reason 'seen on the statement'
    """
    decide(state, state.call(lambda api: api.propose_approval(settlement, reason, who())), yes=yes, dry_run=dry_run)


@command("resume")
@click.option("--reason", required=True, metavar="TEXT", help="How you know that nothing is paid twice.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@click.pass_obj
def resume(state: State, reason: str, yes: bool, dry_run: bool) -> None:
    """Settle again from books that were restored from a backup.

    \b
      ilp settlement resume --reason 'compared with the bank: nothing since the backup'

    What was settled after the backup is not in them. Look at the engines and at the peers first (ilp ledger compare),
    and correct the books; until then settlement is off.
    """
    decide(state, state.call(lambda api: api.propose_resume(reason, who())), yes=yes, dry_run=dry_run)


@command("engines", would="set the engines of assets")
@click.argument("pairs", metavar="CODE URL ...", nargs=-1)
@click.option("--replace", is_flag=True, help="Forget the engines of all other assets.")
@click.pass_obj
def engines(state: State, pairs: tuple[str, ...], replace: bool) -> None:
    """The settlement engines of accounts that name none, by asset; or set some. Others stay.

    \b
      ilp settlement engines
      ilp settlement engines EUR http://127.0.0.1:3000
    """
    wanted = pairs_of(pairs, "CODE URL")

    async def ask(api: ApiClient) -> dict[str, str]:
        old = {} if replace else await api.asset_engines()
        return await api.set_asset_engines(old | wanted) if wanted or replace else old

    items = [{"asset_code": code, "url": url} for code, url in state.call(ask).items()]
    columns = (Column("ASSET", lambda row: row["asset_code"]), Column("ENGINE", lambda row: row["url"]))
    none = ["No asset has an engine. Give one:  ilp settlement engines EUR http://127.0.0.1:3000"]
    state.emit_list(
        items, lambda: render_table(items, columns, state.console) if items else none, identifier="asset_code"
    )
