"""Why an entry was made by hand: by whom, for what reason. Kept as text in the journal's record itself."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from interledger.codec.strict_json import parse_json
from interledger.errors import DecodeError, InvalidRequestError

__all__ = ["REASON_MAX", "Memo", "parse_reason"]

REASON_MAX: Final = 500
"""Characters of a reason: a paragraph, and what it refers to."""

_OCTETS_MAX: Final = 16_384


class Memo(NamedTuple):
    """`kind`: correction, resolution, or what a program wrote. `id`: of the decision; empty where there was none."""

    kind: str
    by: str = ""
    reason: str = ""
    id: str = ""

    def encode(self) -> str:
        """JSON text with sorted keys."""
        return json.dumps({name: value for name, value in self._asdict().items() if value}, ensure_ascii=False)

    @classmethod
    def decode(cls, text: str) -> Memo:
        """The memo again; any other text is a memo of that kind, with nothing else known."""
        try:
            value = parse_json(text.encode(), octets_max=_OCTETS_MAX)
        except DecodeError:
            return cls(text)
        if not isinstance(value, dict) or not all(type(value.get(name, "")) is str for name in cls._fields):
            return cls(text)
        return cls(**{name: value[name] for name in cls._fields if name in value} | {"kind": value.get("kind", "")})


def parse_reason(text: str) -> str:
    """A reason that says something, on one line. Raises `InvalidRequestError`."""
    reason = " ".join(text.split())
    if not reason:
        raise InvalidRequestError("a reason is needed: whoever reads the books later has nothing else", "reason")
    if len(reason) > REASON_MAX:
        raise InvalidRequestError(f"a reason has at most {REASON_MAX} characters", "reason")
    if not reason.isprintable():
        raise InvalidRequestError("a reason is plain text", "reason")
    return reason
