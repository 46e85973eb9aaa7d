"""Where settings come from: flags, environment, TOML file. All become text that knows where it stood."""

from __future__ import annotations

import contextlib
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from interledger.errors import SettingsError

__all__ = ["Fault", "Given", "from_environment", "from_flags", "from_toml", "readable_by_others", "secret_from_file"]

FILE_OCTETS_MAX: Final = 1_048_576
"""A settings file is written by a person; a larger one is another file."""

OTHER_PROGRAMS: Final = ("ILP_CLI_", "ILP_TEST_", "ILP_REQUIRE_")
"""Beginnings of environment names that look like ours and are not the node's."""


class Given(NamedTuple):
    """A value that somebody wrote down."""

    key: str
    text: str
    where: str
    """`ilp.toml:31`, `ILP_DATA_DIR` or `--data-dir`"""
    path: Path | None = None
    """The file it stands in."""


class Fault(NamedTuple):
    """What is wrong with a setting. `advice`: a second line. Not `fatal`: the node would start."""

    where: str
    problem: str
    advice: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.where}  {self.problem}" + (f"\n{self.advice}" if self.advice else "")


def from_flags(flags: Mapping[str, str]) -> list[Given]:
    """Keys as the table has them, as a command line was given them."""
    return [Given(key, text, "--" + key.replace(".", "-").replace("_", "-")) for key, text in flags.items()]


def from_environment(environ: Mapping[str, str]) -> list[Given]:
    """Every `ILP_...`: `ILP_A__B` is `a.b`."""
    return [
        Given(name.removeprefix("ILP_").lower().replace("__", "."), text, name)
        for name, text in sorted(environ.items())
        if name.startswith("ILP_") and not name.startswith(OTHER_PROGRAMS)
    ]


def from_toml(path: Path) -> list[Given]:
    """Every value of a TOML file. Raises `SettingsError` when it cannot be read, or is not TOML."""
    try:
        if path.stat().st_size > FILE_OCTETS_MAX:
            raise SettingsError(f"{path} is too large to be a settings file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    try:
        # A decimal number stays the text that was written: no float is made of a rate or a spread.
        document = tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    lines = _lines_of_keys(text)
    return [
        Given(key, _as_text(value), f"{path.name}:{_line_of(key, lines)}", path) for key, value in _leaves(document, "")
    ]


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_HEADER = re.compile(r"\s*\[+\s*([^\]\n]+?)\s*\]")
_ASSIGNMENT = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)\s*="""
)
_QUOTES = re.compile(r"""["']""")
_DOT = re.compile(r"\s*\.\s*")


def _lines_of_keys(text: str) -> dict[str, int]:
    """Key -> line. Only for messages: the values come from a real parser."""
    lines: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None and "=" not in header[1]:
            prefix = _without_quotes(header[1]) + "."
            lines.setdefault(prefix[:-1], number)
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment is not None:
            lines.setdefault(prefix + _without_quotes(assignment[1]), number)
    return lines


def _without_quotes(key: str) -> str:
    return _QUOTES.sub("", _DOT.sub(".", key.strip()))


def _line_of(key: str, lines: Mapping[str, int]) -> int:
    """The line of the key, or of the inline table it stands in."""
    while key not in lines and "." in key:
        key = key.rpartition(".")[0]
    return lines.get(key, 1)


def readable_by_others(path: Path) -> int | None:
    """The file's mode when users other than its owner may read it."""
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        return mode if mode & 0o044 else None
    return None


def secret_from_file(given: Given) -> Given:
    """`<key>_file` -> what stands in that file. A relative name starts at the settings file. Raises `SettingsError`."""
    path = Path(given.text).expanduser()
    if given.path is not None:
        path = given.path.parent / path
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"names {path}, which cannot be read: {reason}") from None
    return Given(given.key.removesuffix("_file"), text, given.where, path)
