"""`ilp help`: the same as `--help`, and topics that belong to no command."""

from __future__ import annotations

import difflib

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import MEANINGS, ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["exit_code_lines", "help_"]

TOPICS = ("exit-codes", "settings")


@command("help")
@click.argument("words", metavar="[COMMAND|exit-codes|settings]", nargs=-1)
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Help on a command, or on a topic: exit-codes, settings.

    \b
      ilp help exit-codes
    """
    state = context.ensure_object(State)
    if words == ("exit-codes",):
        items = [{"code": int(code), "meaning": text} for code, text in MEANINGS.items()]
        state.emit_list(items, exit_code_lines, identifier="code")
        return
    if words == ("settings",):
        _settings(state)
        return
    root = context.find_root()
    found: click.Command = root.command
    place = root
    for word in words:
        inner = found.get_command(place, word) if isinstance(found, click.Group) else None
        if inner is None:
            names = [*found.list_commands(place), *TOPICS] if isinstance(found, click.Group) else []
            near = difflib.get_close_matches(word, names, n=1)
            hint = f"Did you mean  ilp help {near[0]} ?" if near else "All:  ilp help"
            raise CliError(ExitCode.USAGE, f"There is no help on “{' '.join(words)}”. {hint}")
        place = click.Context(inner, info_name=word, parent=place)
        found = inner
    state.console.print(found.get_help(place))


def exit_code_lines() -> list[str]:
    """The table."""
    return ["CODE  MEANING", *(f"{int(code):>4}  {text}" for code, text in MEANINGS.items())]


def _settings(state: State) -> None:
    import textwrap

    from interledger.node.settings import SETTINGS

    items = [
        {"key": row.key, "environment": row.environment, "flag": row.flag, "default": row.default, "help": row.help}
        for row in SETTINGS
    ]

    def render() -> list[str]:
        lines: list[str] = []
        for row in SETTINGS:
            default = f"   default {row.default}" if row.default is not None else ""
            lines += [f"{row.key}   {row.flag} {row.metavar}   {row.environment}{default}"]
            lines += textwrap.wrap(row.help, 76, initial_indent="    ", subsequent_indent="    ")
        return lines

    state.emit_list(items, render, identifier="key")
