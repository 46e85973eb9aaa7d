"""Every command of `ilp`, by what one types behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from interledger.cli.commands import root
from interledger.cli.tree import LazyGroup

__all__ = ["COMMANDS"]


def _walk(group: LazyGroup, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        place = f"{path} {name}".strip()
        if isinstance(found, LazyGroup):
            yield from _walk(found, place)
        elif found is not None:
            yield place, found


COMMANDS: Final = dict(_walk(root))
