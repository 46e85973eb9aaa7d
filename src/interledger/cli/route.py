"""`ilp route`: where packets go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import duration, parse_moment
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.routing.table import Origin, Route
from interledger.routing.targets import format_targets

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["learned_lines", "list_routes", "pairs_of", "route_lines", "set_routes"]


@command("list")
@click.option("--learned", is_flag=True, help="Those that peers announced: how old, by which path, who said so.")
@click.option("--via", metavar="ACCOUNT", help="Those that lead to this account.")
@click.pass_obj
def list_routes(state: State, learned: bool, via: str | None) -> None:
    """All routes of the node, longest prefix wins: who is next, and who said so.

    \b
      ilp route list --via bob
    """
    routes = [
        row
        for row in state.call(lambda api: api.routes())
        if (not learned or row["origin"] == "learned") and via in (None, row["account"])
    ]
    lines = learned_lines if learned else route_lines
    state.emit_list(routes, lambda: lines(state, routes), identifier="prefix")


def learned_lines(state: State, routes: Sequence[Any], now: datetime | None = None) -> list[str]:
    """A table of routes that peers announced."""
    if not routes:
        return ["No peer announces routes. Which peers there are:  ilp account list"]
    at = now or datetime.now(UTC)
    columns = (
        Column("PREFIX", lambda row: row["prefix"], keep=2),
        Column("ACCOUNT", lambda row: row["account"] or "", keep=1),
        Column("HOPS", lambda row: str(len(row["path"] or ())), right=True),
        Column("AGE", lambda row: _age(row["since"], at), right=True),
        Column("SAID BY", lambda row: row["speaker"] or ""),
        Column("PATH", lambda row: " ".join(row["path"] or ())),
    )
    return render_table(routes, columns, state.console)


def _age(since: str | None, now: datetime) -> str:
    return "" if since is None else duration(max(int((now - parse_moment(since)).total_seconds() * 1000), 0))


def route_lines(state: State, routes: Sequence[Any]) -> list[str]:
    """A table of routes; the empty prefix is everything. What says the same as a line above it is left out."""
    ways: dict[tuple[str, str], Any] = {}
    for row in routes:
        ways.setdefault((row["prefix"], row["account"] or ""), row)
    routes = list(ways.values())
    columns = (
        Column("PREFIX", lambda row: row["prefix"] or "(everything)", keep=2),
        Column("ACCOUNT", lambda row: row["account"] or "(this node)", keep=1),
        Column("ORIGIN", lambda row: row["origin"]),
        Column("SHARE", lambda row: _share(row, routes)),
    )
    return render_table(routes, columns, state.console)


def _share(row: Mapping[str, Any], routes: Sequence[Any]) -> str:
    """Of several routes to a prefix: how packets are shared, and which are only used when others cannot be."""
    same = [other for other in routes if other["prefix"] == row["prefix"]]
    sharing = [other for other in same if _rank(other) == _rank(row)]
    total = sum(other.get("weight", 1) for other in sharing)
    share = f"{row['weight']} of {total}" if len(sharing) > 1 else ""
    place = "" if _rank(same[0]) == _rank(row) else "stands in"
    return ", ".join(part for part in (share, place) if part)


@command("set", would="set static routes")
@click.argument("pairs", metavar="PREFIX ACCOUNT ...", nargs=-1)
@click.option("--replace", is_flag=True, help="Remove all other static routes.")
@click.option("--remove", multiple=True, metavar="PREFIX", help="Remove the static route of this prefix.")
@click.pass_obj
def set_routes(state: State, pairs: tuple[str, ...], replace: bool, remove: tuple[str, ...]) -> None:
    """Set static routes: packets whose destination begins with PREFIX go to ACCOUNT. Other static routes stay.

    Several accounts may share the packets, by weight; and others stand in while those cannot take one.

    \b
      ilp route set test.bob bob
      ilp route set test.far bob:3,carol/dave
      ilp route set --remove test.bob
    """
    wanted = pairs_of(pairs, "PREFIX ACCOUNT")
    if not wanted and not remove and not replace:
        raise CliError(ExitCode.USAGE, "PREFIX ACCOUNT is missing.", "Write  ilp route set test.bob bob")

    async def ask(api: ApiClient) -> Any:
        static: dict[str, str] = {}
        if not replace:
            static = _static(await api.routes())
        for prefix in remove:
            if prefix not in static:
                raise CliError(ExitCode.NOT_FOUND, f"There is no static route “{prefix}”. All:  ilp route list")
            del static[prefix]
        return await api.set_routes(static | wanted)

    routes = state.call(ask)
    state.emit_list(routes, lambda: route_lines(state, routes), identifier="prefix")


def _rank(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["origin"], row.get("priority", 0)


def _static(routes: Sequence[Any]) -> dict[str, str]:
    """The static ones, as `set` takes them."""
    by_prefix: dict[str, list[Route]] = {}
    for row in routes:
        if row["origin"] == Origin.STATIC:
            route = Route(row["prefix"], row["account"], Origin.STATIC, row["weight"], row["priority"])
            by_prefix.setdefault(route.prefix, []).append(route)
    return {prefix: format_targets(several) for prefix, several in by_prefix.items()}


def pairs_of(words: Sequence[str], what: str) -> dict[str, str]:
    """`a 1 b 2` -> {a: 1, b: 2}. Raises `CliError`."""
    if len(words) % 2:
        raise CliError(ExitCode.USAGE, f"“{words[-1]}” has no second half. Write pairs:  {what}")
    return dict(zip(words[::2], words[1::2], strict=True))
