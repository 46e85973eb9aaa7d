"""What `ilp dev` prints. Functions of data: what they say is what dev.json says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from interledger.accounts.asset import parse_asset
from interledger.cli.console import Console
from interledger.cli.dev_settlement import example_amount, settlement_lines
from interledger.cli.money import rate_text, time_of_day
from interledger.daemon.topology import DEV_VALUES

__all__ = ["already_running_lines", "node_lines", "port_taken_lines", "started_lines", "status_lines"]

Document = Mapping[str, Any]


def node_lines(document: Document, console: Console, *, mark: str = "✓") -> list[str]:
    """A line a node, holders and hubs in the order of the topology, and one for the links."""
    nodes: Mapping[str, Document] = document["nodes"]
    names = max(len("settlement" if document.get("settlement") else "links"), *(len(name) for name in nodes))
    addresses = max(len(node["address"]) for node in nodes.values())
    keeps = {name: _keeps(name, node, document) for name, node in nodes.items()}
    widest = max(len(text) for text in keeps.values())
    lines = []
    for name, node in nodes.items():
        what = f"wallet {node['wallet']}" if node["wallet"] else _terms(name, document)
        lines.append(
            f"  {console.mark(mark)} {name:<{names}}  {node['address']:<{addresses}}  {keeps[name]:<{widest}}"
            f"  {node['url']}   {what}".rstrip()
        )
    links = ", ".join(f"{left} ─ {right} by {kind}" for left, right, kind, _ in document["links"])
    lines.append(f"  {console.mark(mark)} {'links':<{names}}  {links}")
    return [*lines, *settlement_lines(document, console, names)]


def _assets_of(name: str, document: Document) -> list[str]:
    """The codes a node keeps accounts in, in the order of its links."""
    codes = [asset.partition("/")[0] for left, right, _, asset in document["links"] if name in (left, right)]
    return list(dict.fromkeys(codes))


def _keeps(name: str, node: Document, document: Document) -> str:
    """`USD/9` for a holder, `USD ↔ EUR` for a hub."""
    return str(node["asset"]) if node["asset"] else " ↔ ".join(_assets_of(name, document))


def _terms(name: str, document: Document) -> str:
    """`rate 0.9213, margin 0.30 %`"""
    margin = Fraction(document["margin"]) * 100
    text = f"margin {margin.numerator * 100 // margin.denominator / 100:.2f} %"
    codes = _assets_of(name, document)
    if len(codes) == 2 and all(code in DEV_VALUES for code in codes):
        rate = Fraction(DEV_VALUES[codes[0]]) / Fraction(DEV_VALUES[codes[1]])
        return f"rate {rate_text(rate)}, {text}"
    return text


def started_lines(
    document: Document,
    console: Console,
    *,
    seconds: float,
    directory: str,
    detached: bool = False,
    dashboard: str | None = None,
) -> list[str]:
    """After a start: what runs, how long it took, and what to do next."""
    lines = [*node_lines(document, console), f"  Ready in {seconds:.1f} s. State in {directory}", ""]
    example = _example(document["nodes"])
    if dashboard is not None:
        lines.append(f"  Dashboard  {dashboard}  (works once)")
    if example:
        lines.append(f"  Try        {example}")
    return [*lines, f"  Stop       {'' if detached else 'Ctrl-C, or  '}ilp dev down"]


def _example(nodes: Mapping[str, Document]) -> str | None:
    holders = [(name, node) for name, node in nodes.items() if node["wallet"]]
    if len(holders) < 2:
        return None
    (source, first), (_, last) = holders[0], holders[-1]
    return f"ilp pay --from {source} '{last['wallet']}' '{example_amount(parse_asset(first['asset']))}'"


def already_running_lines(document: Document | None) -> list[str]:
    """For a second start."""
    since = f" since {time_of_day(document['started_at'])} (pid {document['pid']})" if document else ""
    return [f"  Already running{since}.", "  Status  ilp dev status      Start again  ilp dev up --fresh"]


def port_taken_lines(port: int, program: str | None, pid: int | None, other: int) -> list[str]:
    """For `CliError`: somebody else has a port."""
    who = f" ({program}, pid {pid})" if program else ""
    return [
        f"Port {port} is taken by another program{who}.",
        f"Nothing was started. Use other ports:  ilp dev up --port {other}",
    ]


def status_lines(document: Document, console: Console, up: Sequence[str]) -> list[str]:
    """`ilp dev status`: the same lines, with how each node answers now."""
    lines = node_lines(document, console)
    for i, name in enumerate(document["nodes"]):
        if name not in up:
            lines[i] = lines[i].replace(console.mark("✓"), console.mark("✗"), 1)
    return [*lines, f"  Running since {time_of_day(document['started_at'])} (pid {document['pid']})."]
