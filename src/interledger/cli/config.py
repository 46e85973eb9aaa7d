"""`ilp config`: settings, without a running node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.node.settings_load import SettingsReport

__all__ = ["check", "fault_lines", "show"]

_CONFIG = click.option("--config", metavar="FILE", help="The TOML file; without it ./ilp.toml, where there is one.")


@command("check")
@_CONFIG
@click.pass_obj
def check(state: State, config: str | None) -> int:
    """Look for faults in the file and the environment: unknown names, values that cannot be used, readable secrets.

    \b
      ilp config check --config ilp.toml
    """
    from interledger.node.settings_load import read_settings

    report = read_settings({}, state.environ, config)
    document = {
        "faults": [fault._asdict() for fault in report.faults],
        "settings_read": report.read_count,
        "file": None if report.path is None else str(report.path),
    }
    state.emit(document, lambda: fault_lines(report, state), identifier="file")
    return ExitCode.FAULT_FOUND if report.faults else ExitCode.DONE


def fault_lines(report: SettingsReport, state: State) -> list[str]:
    """A line a fault, with its place; what to do below it."""
    lines: list[str] = []
    for fault in report.faults:
        lines.append(f"{state.console.mark('✗')} {fault.where}  {fault.problem}")
        if fault.advice:
            lines.append(" " * (len(fault.where) + 4) + fault.advice)
    count, read = len(report.faults), report.read_count
    settings = f"{read} setting{'' if read == 1 else 's'} read. The running node is not changed."
    if not count:
        return [f"{state.console.mark('✓')} No faults, {settings}"]
    return [*lines, f"{count} fault{'' if count == 1 else 's'}, {settings}"]


@command("show")
@_CONFIG
@click.pass_obj
def show(state: State, config: str | None) -> None:
    """Every setting: its value, and whether a flag, the environment, the file or nobody gave it. No secret is shown.

    \b
      ilp config show -o tsv --fields key,value
    """
    from interledger.node.settings import SETTINGS
    from interledger.node.settings_load import MADE_SECRETS, read_settings

    report = read_settings({}, state.environ, config)
    if report.faults and not report.values:
        raise CliError(ExitCode.FAULT_FOUND, str(report.faults[0]))
    items: list[dict[str, Any]] = []
    for row in SETTINGS:
        text = report.texts.get(row.key, row.default)
        given = row.key in report.texts
        if row.secret:
            text = "(set)" if given else "(made at the first start)" if row.attribute in MADE_SECRETS else None
        items.append({"key": row.key, "value": text, "from": report.origins.get(row.key, "default"), "flag": row.flag})
    items += [
        {"key": f"accounts.{a.id}", "value": str(a.asset), "from": _place(report), "flag": ""} for a in report.accounts
    ]
    items += [{"key": f"routes.{p}", "value": a, "from": _place(report), "flag": ""} for p, a in report.routes.items()]
    items += [{"key": f"rates.{c}", "value": v, "from": _place(report), "flag": ""} for c, v in report.rates.items()]
    columns = (
        Column("SETTING", lambda row: row["key"], keep=3),
        Column("VALUE", lambda row: row["value"] or "–", keep=2),
        Column("FROM", lambda row: row["from"], keep=1),
    )
    state.emit_list(items, lambda: render_table(items, columns, state.console), identifier="key")


def _place(report: SettingsReport) -> str:
    return report.path.name if report.path is not None else "file"
