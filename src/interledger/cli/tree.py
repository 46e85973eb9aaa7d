"""Click, bent to our habits: commands that are loaded when they are typed, options that every command has, and help for
a word that does not exist.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import click

from interledger.cli.aliases import GONE, translate
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import FORMATS
from interledger.cli.state import State

__all__ = ["COMMON_OPTIONS", "Entry", "IlpCommand", "LazyGroup", "command"]


class Entry(NamedTuple):
    """A line of a group's help, and where the command is: `account:list_accounts` in this package."""

    place: str
    summary: str


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def store(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        # What was not said on this level does not undo what was said on a level above.
        if value not in (None, False):
            setattr(context.ensure_object(State), name, value)
        return value

    return store


def _store_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(State).form = "json"


def _store_fields(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value:
        context.ensure_object(State).fields = [path.strip() for path in value.split(",") if path.strip()]


class _Common(NamedTuple):
    names: tuple[str, ...]
    help: str
    callback: Callable[[click.Context, click.Parameter, Any], Any]
    metavar: str | None = None
    choice: tuple[str, ...] = ()
    hidden: bool = False


COMMON_OPTIONS: Final = (
    _Common(("-o", "--output"), "How the answer is written.", _store("form"), choice=FORMATS),
    _Common(("--json",), "The same as -o json.", _store_json),
    _Common(("--fields",), "Only these, in this order: id,limits.owes_us_max", _store_fields, "A,B.C"),
    _Common(("-q", "--quiet"), "Only identifiers.", _store("quiet")),
    _Common(("--exact",), "Amounts with all decimal places of their asset.", _store("exact")),
    _Common(("--color",), "When to use colour.", _store("colour"), choice=("auto", "always", "never")),
    _Common(
        ("--node",),
        "The node to ask: a URL, a name of the development network or a context.",
        _store("node"),
        "URL|NAME",
    ),
    _Common(("--auth",), "The token to show it; better in ILP_CLI_API_AUTH.", _store("auth"), "TOKEN"),
    _Common(("--curl",), "Print the HTTP request instead of sending it.", _store("curl")),
    _Common(("--url", "page_url"), "Print the address of the dashboard's page about it.", _store("url")),
    _Common(("--open",), "Open that page in the browser of this machine, logged in.", _store("open")),
    _Common(("--debug",), "Write what went wrong inside to a file, and name it.", _store("debug")),
)
"""Before or behind the command, as people type them."""


def _make_common(hidden: bool) -> list[click.Parameter]:
    options: list[click.Parameter] = []
    for item in COMMON_OPTIONS:
        is_flag = item.metavar is None and not item.choice
        options.append(
            click.Option(
                list(item.names),
                help=item.help,
                is_flag=is_flag,
                default=False if is_flag else None,
                type=click.Choice(item.choice) if item.choice else None,
                metavar=item.metavar,
                callback=item.callback,
                expose_value=False,
                is_eager=True,
                hidden=hidden,
            )
        )
    return options


class IlpCommand(click.Command):
    """A command with the options that every command has, and `--dry-run` where it says what it `would` do."""

    def __init__(self, *args: Any, would: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.would = would
        if would:
            self.params.append(
                click.Option(
                    ["--dry-run"],
                    is_flag=True,
                    help="Say what would be done.",
                    callback=_store("dry_run"),
                    expose_value=False,
                )
            )
        self.params += _make_common(hidden=True)

    def invoke(self, ctx: click.Context) -> Any:
        if self.would:
            ctx.ensure_object(State).would = self.would.format_map(_Words(ctx.params))
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write("\nOptions of every command (-o, --node, ...):  ilp --help\n")


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used. Its help needs none of them."""

    def __init__(self, name: str, entries: Mapping[str, Entry | LazyGroup], summary: str, **kwargs: Any) -> None:
        super().__init__(name, help=summary, **kwargs)
        self.entries = entries
        self.params += _make_common(hidden=name != "ilp")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None or isinstance(entry, LazyGroup):
            return entry
        module, _, attribute = entry.place.partition(":")
        found = getattr(importlib.import_module(f"interledger.cli.{module}"), attribute)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.parent is None:
            if tuple(args[:2]) in GONE:
                raise CliError(ExitCode.USAGE, GONE[tuple(args[:2])])
            args, note = translate(args)
            if note:
                ctx.ensure_object(State).console.note(f"  This is spelled  {note}  now.")
        if args and args[0] not in self.entries:
            raise self._unknown(ctx, args)
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, args: list[str]) -> CliError:
        typed = args[0]
        near = difflib.get_close_matches(typed, self.entries, n=1)
        path = ctx.command_path
        if not near:
            return CliError(ExitCode.USAGE, f"There is no “{typed}”. All commands:  {path} --help")
        suggestion = near[0]
        group = self.entries[suggestion]
        if isinstance(group, LazyGroup) and len(args) > 1:
            verb = difflib.get_close_matches(args[1], group.entries, n=1)
            suggestion += f" {verb[0]}" if verb else ""
        return CliError(ExitCode.USAGE, f"There is no “{typed}”. Did you mean  {path} {suggestion} ?")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, (entry.help or "") if isinstance(entry, LazyGroup) else entry.summary)
            for name, entry in self.entries.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def command(*args: Any, would: str = "", **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command`, with the options that every command has.

    `would`: what the command does, in words (`make account {name}`); it gives it `--dry-run`, which says so, shows the
    request, and changes nothing.
    """

    return click.command(*args, cls=IlpCommand, would=would, **kwargs)


class _Words(dict[str, Any]):
    """The parameters of a command, in words."""

    def __missing__(self, key: str) -> str:
        return "…"

    def __getitem__(self, key: str) -> str:
        value = super().__getitem__(key)
        return " ".join(map(str, value)) if isinstance(value, tuple) else "…" if value is None else str(value)
