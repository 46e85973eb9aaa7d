"""The reference of the command line, made from the tree of commands: nothing is described twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from interledger.cli.aliases import ALIASES
from interledger.cli.commands import root
from interledger.cli.exit_codes import MEANINGS
from interledger.cli.tree import COMMON_OPTIONS, IlpCommand, LazyGroup

__all__ = ["cli_parts"]


def cli_parts() -> list[str]:
    """The page's parts, below its title."""
    parts = [
        "`ilp <noun> <verb> [what] [--options]`. The answer goes to stdout, all else to stderr. Every command takes "
        "the options of the first table, before or behind its own words.",
        "## Options of every command",
        _table(("option", "meaning"), [(_names(item.names, item.metavar), item.help) for item in COMMON_OPTIONS]),
    ]
    for path, command, context in _commands(root, "ilp", None):
        parts += _command(path, command, context)
    parts += ["## Exit codes", _table(("code", "meaning"), [(str(int(c)), text) for c, text in MEANINGS.items()])]
    aliases = [(f"`{' '.join(theirs)}`", f"`ilp {' '.join(ours)}`") for theirs, ours in ALIASES.items()]
    parts += [
        "## Commands of ilp-cli",
        "The commands of interledger-rs's `ilp-cli` work under their own names, and print the new one on stderr. "
        "`pay` takes its options (`--amount`, `--to`) too.",
        _table(("ilp-cli", "here"), aliases),
    ]
    return parts


def _commands(
    group: LazyGroup, path: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(group, info_name=path.rpartition(" ")[2], parent=parent)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, LazyGroup):
            yield from _commands(command, f"{path} {name}", context)
        elif command is not None:
            yield f"{path} {name}", command, click.Context(command, info_name=name, parent=context)


def _command(path: str, command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join(
        [path, *(param.make_metavar(context) for param in command.params if isinstance(param, click.Argument))]
    )
    parts = [f"## `{usage}`", *_prose(command.help or "")]
    common = {name for item in COMMON_OPTIONS for name in item.names}
    rows = [
        (_names((*option.opts, *option.secondary_opts), _metavar(option)), option.help or "")
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not common & set(option.opts)
    ]
    if rows and isinstance(command, IlpCommand):
        parts.append(_table(("option", "meaning"), rows))
    return parts


def _prose(text: str) -> Iterator[str]:
    """Click's `\\b` before a paragraph means that its lines are kept: an example."""
    for paragraph in text.split("\n\n"):
        first, *rest = paragraph.splitlines() or [""]
        if first.strip() == "\b":
            lines = [line.strip() if line.strip().startswith("ilp") else "      " + line.strip() for line in rest]
            yield (
                "```console\n" + "\n".join(f"$ {line}" if line.startswith("ilp") else line for line in lines) + "\n```"
            )
        else:
            yield " ".join(paragraph.split())


def _metavar(option: click.Option) -> str | None:
    if option.is_flag:
        return None
    return option.metavar or str(option.type.name).upper()


def _names(names: tuple[str, ...], metavar: str | None) -> str:
    return ", ".join(f"`{name}`" for name in names) + (f" `{metavar}`" if metavar else "")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
