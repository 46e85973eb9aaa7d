"""`ilp explain CODE`: what an ILP error code, a problem of the API or an exit code means, and what to do.

Works without a node.
"""

from __future__ import annotations

import textwrap
from typing import Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import MEANINGS, ExitCode
from interledger.cli.explain_more import exit_document, more_lines, problem_document_of
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
@click.option("--list", "list_all", is_flag=True, help="All of them.")
@click.pass_obj
def explain(state: State, code: str | None, list_all: bool) -> None:
    """What an error code of ILP, a problem of the API or an exit code means, its usual reasons, and where to look.

    \b
      ilp explain F02
      ilp explain not-ready
      ilp explain 7
    """
    if list_all or code is None:
        items = _all()
        state.emit_list(items, lambda: _list_lines(items), identifier="code")
        return
    known = code.upper()
    more = exit_document(code) or problem_document_of(code)
    if more is not None:
        state.emit(more, lambda: more_lines(more), identifier="code")
        return
    if known not in ERROR_CODES:
        raise CliError(
            ExitCode.USAGE,
            f"“{code}” is not an error code. Codes look like F02, T04, R00. List:  ilp explain --list",
        )
    found = EXPLANATIONS[known]
    document = {
        "code": known,
        "kind": "ILP error code",
        "name": ERROR_CODES[known].name,
        "meaning": ERROR_CODES[known].meaning,
        "retry": _AGAIN[known[0]],
        "reasons": found.reasons.split("; "),
    }
    state.emit(document, lambda: explain_lines(known, found), identifier="code")


def _all() -> list[dict[str, str]]:
    from interledger.api.problems import PROBLEM_TYPES

    found = [(known, "ILP error code", info.name, info.meaning) for known, info in ERROR_CODES.items()]
    found += [(kind, "problem", info.title, f"HTTP status {info.status}.") for kind, info in PROBLEM_TYPES.items()]
    found += [(str(int(code)), "exit code", "", f"{text.capitalize()}.") for code, text in MEANINGS.items()]
    return [{"code": code, "kind": kind, "name": name, "meaning": text} for code, kind, name, text in found]


def _list_lines(items: list[dict[str, str]]) -> list[str]:
    titles = {"ILP error code": "ILP error codes", "problem": "Problems of the API", "exit code": "Exit codes of ilp"}
    lines: list[str] = []
    for kind, title in titles.items():
        of_kind = [item for item in items if item["kind"] == kind]
        codes, names = (max(len(item[key]) for item in of_kind) for key in ("code", "name"))
        lines += [*([""] if lines else []), title]
        lines += [f"  {i['code']:<{codes}}  {i['name']:<{names}}  {i['meaning']}".rstrip() for i in of_kind]
    return lines


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
