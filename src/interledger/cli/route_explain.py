"""`ilp route explain`: which route wins for an address, what the others lost by, and what would become of a packet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from interledger.accounts.asset import parse_amount, parse_money
from interledger.cli.account import find_account
from interledger.cli.account_view import asset_of
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import duration, money
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.ilp.error_codes import ErrorCode

__all__ = ["explain", "explanation_lines"]

Document = Mapping[str, Any]


@command("explain")
@click.argument("address", metavar="ADDRESS")
@click.option("--from", "account", metavar="ACCOUNT", help="Whose packet; without it, one of the node itself.")
@click.option("--amount", metavar="'5 USD'", help="What the packet carries; one whole unit unless said.")
@click.pass_obj
def explain(state: State, address: str, account: str | None, amount: str | None) -> int:
    """Which route wins for an address, what the others lost by, and what would become of a packet. Nothing is sent.

    \b
      ilp route explain test.bob
      ilp route explain test.bob --from alice --amount '5 USD'
    """
    target = state.target(account)
    units = None
    if account is not None:
        document = find_account(state, account, target)
        account = document["id"]
        units = _units(amount, document) if amount is not None else None
    elif amount is not None:
        raise CliError(ExitCode.USAGE, "--amount needs --from: in whose asset is it?", "Write  --from ACCOUNT")
    found = state.call(lambda api: api.explain_route(address, account=account, amount=units), target)
    state.emit(found, lambda: explanation_lines(found, state), identifier="outcome")
    return ExitCode.REJECTED if found["outcome"] == "refused" else ExitCode.DONE


def _units(text: str, account: Document) -> str:
    asset = asset_of(account)
    number, code = (text, asset.code) if text.replace(".", "").isdecimal() else parse_money(text)
    if code != asset.code:
        raise CliError(ExitCode.USAGE, f"--amount is in {code}, {account['id']} is in {asset.code}.")
    return str(parse_amount(number, asset.scale))


def explanation_lines(found: Document, state: State) -> list[str]:
    """The verdict in a few words, then every route that was considered."""
    if found["outcome"] == "answered":
        return [f"  {state.console.mark('✓')} This node answers packets to {found['destination']} itself."]
    lines = _refused(found, state) if found["outcome"] == "refused" else _forwarded(found, state)
    if not found["candidates"]:
        return lines
    # Who said it is in the number of hops, where peers have said something: none for what is set here.
    by = Column("ORIGIN", lambda row: row["origin"])
    if any(row["speaker"] for row in found["candidates"]):
        by = Column("HOPS", _hops, right=True)
    columns = (
        Column(
            "  CONSIDERED", lambda row: f"  {state.console.mark('✓' if row['chosen'] else '·')} {_name(row)}", keep=2
        ),
        Column("PREFIX", lambda row: row["prefix"] or "(everything)", keep=1),
        by,
        Column("WHY NOT", lambda row: row["why_not"] or _why(found, row), gap="   "),
    )
    return [*lines, "", *render_table(found["candidates"], columns, state.console)]


def _forwarded(found: Document, state: State) -> list[str]:
    chosen = next((row for row in found["candidates"] if row["chosen"]), None)
    onward = found["next"]
    by = "" if chosen is None else f"   by {chosen['prefix'] or 'the default route'}, {_said_by(chosen)}"
    who = "a receiver on this node" if chosen is not None and chosen["account"] is None else onward["account"]
    lines = [f"  {state.console.encode('→')} {who}{by}"]
    if onward["amount"] is not None:
        parts = [
            f"{money(found['amount'], exact=state.exact)} leaves as {money(onward['amount'], exact=state.exact)}",
            f"{_seconds(onward['less_ms'])} less to expiry",
        ]
        if onward["room"] is not None:
            parts.append(f"room {money(onward['room'], thousands=state.console.is_terminal)}")
        lines.append(f"    {'':{len(who)}}   {', '.join(parts)}")
    return lines


def _refused(found: Document, state: State) -> list[str]:
    refusal = found["refusal"]
    name = f" ({refusal['name']})" if refusal["name"] else ""
    cross = state.console.mark("✗")
    if refusal["code"] == ErrorCode.F02_UNREACHABLE and refusal["step"] == "route":
        lines = [f"  {cross} No route. A packet would be rejected {refusal['code']}."]
        return [*lines, f"    Nearest: {', '.join(found['nearest'])}."] if found["nearest"] else lines
    lines = [
        f"  {cross} A packet would be rejected {refusal['code']}{name}, at the step “{refusal['step']}”.",
        f"    Why      {refusal['message']}.",
    ]
    if refusal["step"] == "hold":
        lines += _rooms(found)
    if refusal["amount_max"] is not None:
        lines.append(f"    At most  {money(refusal['amount_max'])}")
    if found["nearest"]:
        lines.append(f"    Nearest  {', '.join(found['nearest'])}")
    lines.append(f"    More     ilp explain {refusal['code']}")
    return lines


def _rooms(found: Document) -> list[str]:
    """Whose limit it was: what either side has left."""
    lines = []
    onward = found["next"]
    if found["room"] is not None:
        lines.append(f"    Room     {found['account']} may still owe us {money(found['room'])}")
    if onward is not None and onward["room"] is not None:
        lines.append(f"    Room     we may still owe {onward['account']} {money(onward['room'])}")
    return lines


def _seconds(ms: int) -> str:
    return duration(ms) if ms % 1000 else f"{ms // 1000} s"


def _hops(row: Document) -> str:
    """Behind the link. The default route leads to everything, however far."""
    return str(len(row["path"])) if row["speaker"] else "–" if row["origin"] == "default" else "0"


def _said_by(row: Document) -> str:
    if not row["speaker"]:
        return str(row["origin"])
    hops = len(row["path"])
    return f"learned from {row['account']}, {hops} hop{'' if hops == 1 else 's'}"


def _name(row: Document) -> str:
    return row["account"] or "(this node)"


def _why(found: Document, row: Document) -> str:
    same = [other for other in found["candidates"] if other["prefix"] == row["prefix"]]
    shares = [other for other in same if (other["origin"], other["priority"]) == (row["origin"], row["priority"])]
    if len(shares) > 1:
        return f"chosen: its turn, {row['weight']} of {sum(other['weight'] for other in shares)} packets"
    is_longest = len({other["prefix"] for other in found["candidates"]}) > 1 and row is found["candidates"][0]
    chosen = "chosen" if found["outcome"] == "forwarded" else "this would be the way"
    reasons = ["longest prefix"] if is_longest else []
    if row["path"] and any(len(other["path"] or ()) > len(row["path"]) for other in same):
        reasons.append("nearest")
    return f"{chosen}: {', '.join(reasons)}" if reasons else chosen
