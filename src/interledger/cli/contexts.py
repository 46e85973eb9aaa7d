"""Contexts: nodes by name, with what to show them, kept in one file of the user's own.

`ilp context` edits it; every other command reads it. The file holds tokens, so it is of mode 0600, and one that others
can read is refused.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode

__all__ = ["LOCAL", "Contexts", "contexts_file", "read_contexts", "token_of", "write_contexts"]

LOCAL: Final = "local"
"""The context that needs no entry: what runs in the directory that one is in."""

FILE_OCTETS_MAX: Final = 1 << 20
"""Some thousands of contexts; more is not a file of ours."""


class Contexts(NamedTuple):
    """`current`: the one in use; `LOCAL` when none was chosen. `entries`: name -> url, token, data_dir and so on."""

    current: str
    entries: dict[str, dict[str, str]]


def contexts_file(environ: Mapping[str, str]) -> Path | None:
    """Where it is: below `XDG_CONFIG_HOME`, else `~/.config`; None where there is no home."""
    configured = environ.get("XDG_CONFIG_HOME")
    home = environ.get("HOME")
    base = Path(configured) if configured else Path(home) / ".config" if home else None
    return None if base is None else base / "ilp" / "contexts.json"


def read_contexts(environ: Mapping[str, str]) -> Contexts:
    """What is in the file; nothing when there is none. Raises `CliError` when others can read it, or it is damaged."""
    path = contexts_file(environ)
    try:
        if path is None or not path.exists():
            return Contexts(LOCAL, {})
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise CliError(
                ExitCode.USAGE, f"{path} holds tokens, and others on this machine can read it.", f"Do  chmod 600 {path}"
            )
        document = _checked(json.loads(path.read_bytes()[:FILE_OCTETS_MAX]))
    except (OSError, ValueError) as error:
        raise CliError(
            ExitCode.USAGE, f"{path} cannot be read: {error}.", "Repair or remove it; then  ilp context add"
        ) from None
    current = document["current"]
    return Contexts(current if current in document["contexts"] else LOCAL, document["contexts"])


def _checked(document: Any) -> dict[str, Any]:
    """Raises `ValueError` for what `write_contexts` never wrote."""
    entries = document.get("contexts") if isinstance(document, dict) else None
    if not isinstance(entries, dict) or not isinstance(document.get("current"), str):
        raise ValueError("it is not a file of contexts")
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
            raise ValueError(f"context {name} is not as  ilp context add  writes it")
    return cast("dict[str, Any]", document)


def write_contexts(environ: Mapping[str, str], contexts: Contexts) -> Path:
    """Whole or not at all, readable by its user only. Raises `CliError` where it cannot be written."""
    from interledger.daemon.process import write_private_json

    path = contexts_file(environ)
    if path is None:
        raise CliError(ExitCode.USAGE, "There is no place for contexts: HOME is not set.", "Set  XDG_CONFIG_HOME")
    try:
        write_private_json(path, {"current": contexts.current, "contexts": contexts.entries})
    except OSError as error:
        raise CliError(ExitCode.FAILED, f"{path} cannot be written: {error.strerror}.") from None
    return path


def token_of(entry: Mapping[str, str]) -> str | None:
    """The token itself, from the file that it stands in or from the entry; None when there is none to be had."""
    place = entry.get("token_file") or (f"{entry['data_dir']}/admin_token" if "data_dir" in entry else None)
    if place is None:
        return entry.get("token")
    try:
        return Path(place).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
