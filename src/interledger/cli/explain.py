"""`ilp explain CODE`: what an ILP error code means, and what to do. Works without a node."""

from __future__ import annotations

import textwrap
from typing import Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.explain_texts import EXPLANATIONS, Explanation
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.ilp.error_codes import ERROR_CODES

__all__ = ["explain", "explain_lines"]

WIDTH: Final = 79
LABEL: Final = 19

_AGAIN: Final = {
    "F": "final, do not try again",
    "T": "for now, try again in a moment",
    "R": "relative, try again differently",
}


@command("explain")
@click.argument("code", required=False)
@click.option("--list", "list_all", is_flag=True, help="All codes.")
@click.pass_obj
def explain(state: State, code: str | None, list_all: bool) -> None:
    """What an ILP error code means, its usual reasons, and where to look.

    \b
      ilp explain F02
    """
    if list_all or code is None:
        items = [{"code": known, "name": info.name, "meaning": info.meaning} for known, info in ERROR_CODES.items()]
        state.emit_list(
            items, lambda: [f"{i['code']}  {i['name']:<32}{i['meaning']}" for i in items], identifier="code"
        )
        return
    known = code.upper()
    if known not in ERROR_CODES:
        raise CliError(
            ExitCode.USAGE,
            f"“{code}” is not an error code. Codes look like F02, T04, R00. List:  ilp explain --list",
        )
    found = EXPLANATIONS[known]
    document = {
        "code": known,
        "name": ERROR_CODES[known].name,
        "meaning": ERROR_CODES[known].meaning,
        "retry": _AGAIN[known[0]],
        "reasons": found.reasons.split("; "),
    }
    state.emit(document, lambda: explain_lines(known, found), identifier="code")


def explain_lines(code: str, explanation: Explanation) -> list[str]:
    """The whole entry."""
    info = ERROR_CODES[code]
    title = f"{code}  {info.name}"
    lines = [f"{title:<58}{_AGAIN[code[0]]}", f"  {info.meaning}"]
    lines += _labelled("Usual reasons", explanation.reasons)
    lines += _labelled("See it", explanation.see) if explanation.see else []
    lines += _labelled("As a connector", explanation.connector) if explanation.connector else []
    return [*lines, *_labelled("Source", "RFC 27, error codes")]


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {label}".ljust(LABEL), subsequent_indent=" " * LABEL, break_on_hyphens=False
    )
