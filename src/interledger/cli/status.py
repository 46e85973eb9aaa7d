"""`ilp status`: the node in one look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import time_of_day
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["risk_lines", "status", "status_lines"]


@command("status")
@click.pass_obj
def status(state: State) -> int:
    """The node in one look: whether it takes packets, what it did since its start, and what somebody should see to.

    \b
      ilp status
      ilp status --node bob -o json
    """
    target = state.target()
    document = state.call(lambda api: api.status(), target)
    shown = {**document, "url": target.url}
    state.emit(shown, lambda: status_lines(shown, state.console), identifier="ilp_address")
    return ExitCode.DONE if document["ready"] and not document["read_only"] else ExitCode.FAILED


def status_lines(status: Mapping[str, Any], console: Console) -> list[str]:
    """Four lines, and one for each alarm."""
    if status["read_only"]:
        how = console.mark("✗", "read-only: the books cannot be written")
    else:
        how = console.mark("✓", "ready") if status["ready"] else console.mark("·", "starting")
    packets = status["packets"]
    words = (("fulfilled", "fulfilled"), ("rejected", "rejected"), ("refused", "refused here"))
    comma = "," if console.is_terminal else ""
    counts = [
        f"{packets[key]:{comma}} {word}" for key, word in words if key in packets and (packets[key] or key != "refused")
    ]
    text = ", ".join(counts)
    unknown = status["unknown"]
    lines = [
        f"{status['ilp_address']}   {how}   {status['url']}   version {status['version']}",
        f"  Since      {time_of_day(status['started_at'])}",
        f"  Accounts   {status['accounts']}, {status['links_up']} up",
        f"  Packets    {text}   {status['in_flight']} in flight",
    ]
    if unknown:
        what = f"{unknown} amount{'' if unknown == 1 else 's'} set aside"
        lines.append(f"  Unknown    {console.mark('?')} {what}   (ilp unknown list)")
    lines += risk_lines(status["at_risk"], console)
    return [*lines, *(f"  Alarm      {console.mark('!')} {alarm}" for alarm in status["alarms"])]


def risk_lines(risks: Sequence[Mapping[str, Any]], console: Console) -> list[str]:
    """What could be lost with each peer now: what it owes us, what is on its way to it, what nobody has proved."""
    lines: list[str] = []
    for risk in risks:
        asset = Asset(risk["asset_code"], int(risk["asset_scale"]))
        words = (("owed", "owed to us"), ("in_flight", "in flight"), ("unknown", "unknown"), ("unproven", "unproven"))
        parts = [
            f"{format_amount(int(risk[key]), asset, thousands=console.is_terminal)} {word}"
            for key, word in words
            if risk.get(key, "0") != "0"
        ]
        head = "At risk" if not lines else ""
        lines.append(f"  {head:<9}  {risk['account']}  {asset.code}  {', '.join(parts)}")
    return lines
