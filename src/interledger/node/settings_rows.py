"""What one setting is: a row of the table, written as a field of a dataclass with metadata (see `settings`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, NamedTuple

__all__ = ["Setting", "rows_of", "setting"]


class Setting(NamedTuple):
    """One row of the table."""

    key: str
    """As TOML has it; a dot stands for a table."""
    attribute: str
    parse: Callable[[str], Any]
    default: str | None
    """As it would be written; None: there is none, and `help` says what happens then."""
    metavar: str
    help: str
    secret: bool
    aliases: tuple[str, ...]

    @property
    def flag(self) -> str:
        """`--exchange-rate-spread`"""
        return "--" + self.key.replace(".", "-").replace("_", "-")

    @property
    def environment(self) -> str:
        """`ILP_EXCHANGE_RATE__SPREAD`"""
        return "ILP_" + self.key.replace(".", "__").upper()


def setting(
    parse: Callable[[str], Any],
    default: str | None,
    metavar: str,
    *help_lines: str,
    key: str | None = None,
    secret: bool = False,
    aliases: tuple[str, ...] = (),
) -> Any:
    """A field of a dataclass that is a row of the table. `secret`: may stand in a file of its own, is never shown."""
    value = None if default is None else parse(default)
    row = (key, parse, default, metavar, " ".join(help_lines), secret, aliases)
    return field(default=value, repr=not secret, metadata={"row": row})


def rows_of(settings: type) -> tuple[Setting, ...]:
    """The rows that a dataclass has, in its order."""
    rows: list[Setting] = []
    for item in fields(settings):
        if "row" in item.metadata:
            key, *rest = item.metadata["row"]
            rows.append(Setting(key or item.name, item.name, *rest))
    return tuple(rows)
