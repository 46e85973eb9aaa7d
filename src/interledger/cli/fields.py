"""`--fields`: which names there are, and what is said of one that is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode

__all__ = ["check_fields"]

SHOWN_MAX = 12
"""So many names fit on a line that is read."""


def check_fields(paths: Sequence[str], documents: Sequence[Mapping[str, Any]]) -> None:
    """Raises `CliError` for a path that none of the documents has. What a document lacks and another may have is null:
    no documents, no fault."""
    for path in paths:
        place: list[Any] = list(documents)
        walked = ""
        for part in path.split("."):
            holders = [value for value in place if isinstance(value, Mapping)]
            if not holders:
                # Below null nothing is known; below a text there is nothing.
                if any(value is not None for value in place):
                    raise _unknown(path, walked, ())
                break
            if not any(part in holder for holder in holders) and not _may_be_absent(part):
                raise _unknown(path, walked, {key for holder in holders for key in holder})
            place = [holder.get(part) for holder in holders]
            walked = f"{walked}{part}."


def _may_be_absent(name: str) -> bool:
    """A document of the API may have it, only not this one now."""
    from interledger.api.schemas import SCHEMAS

    return any(name in _optional(schema) for schema in SCHEMAS.values())


def _optional(schema: Mapping[str, Any]) -> Iterable[str]:
    required = schema.get("required", ())
    return [name for name in schema.get("properties", {}) if name not in required]


def _unknown(path: str, walked: str, names: Iterable[str]) -> CliError:
    known = sorted(names)
    wrong = path.removeprefix(walked).partition(".")[0]
    near = difflib.get_close_matches(wrong, known, n=1)
    if near:
        return CliError(ExitCode.USAGE, f"There is no field “{path}”. Did you mean  {walked}{near[0]} ?")
    if not known:
        return CliError(ExitCode.USAGE, f"There is no field “{path}”: {walked.rstrip('.')} is a single value.")
    shown = ", ".join(known[:SHOWN_MAX]) + (" …" if len(known) > SHOWN_MAX else "")
    return CliError(
        ExitCode.USAGE, f"There is no field “{path}”.", f"Fields{' of ' + walked[:-1] if walked else ''}:  {shown}"
    )
