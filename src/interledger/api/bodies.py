"""What comes in, read strictly: JSON bodies, their fields, and parameters of the query.

`Fields` takes a JSON object apart. Our own API refuses a field it does not know, with a suggestion; the compatible one
ignores it, as interledger-rs does. Numbers are read from the text of the body: an amount never passes through a float.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeVar, final

from starlette.requests import Request

from interledger.api.problems import Problem
from interledger.codec.oer import UINT64_MAX
from interledger.codec.strict_json import JSON_OCTETS_MAX, parse_json_object
from interledger.errors import DecodeError, InvalidRequestError
from interledger.routing.rate_sources import parse_decimal_rate

__all__ = [
    "BODY_OCTETS_MAX",
    "INT64_MAX",
    "INT64_MIN",
    "Fields",
    "check_json",
    "parse_fraction",
    "parse_rate",
    "read_body",
    "read_fields",
]

BODY_OCTETS_MAX: Final = JSON_OCTETS_MAX
"""No document of this API comes near; what is larger is a mistake or an attack."""

T = TypeVar("T")

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

SAID_MAX: Final = 40
"""Characters of a wrong value that are repeated to who sent it."""

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,77})")
# At most 40 digits on each side: more than any rate or amount needs, little to compute with.
_DECIMAL: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")


async def read_body(request: Request, *, octets_max: int = BODY_OCTETS_MAX) -> bytes:
    """The whole body. Raises a `body-too-large` problem as soon as it is."""
    parts = []
    octets = 0
    async for part in request.stream():
        octets += len(part)
        if octets > octets_max:
            raise Problem("body-too-large", f"A body has at most {octets_max} octets here")
        parts.append(part)
    return b"".join(parts)


def check_json(request: Request) -> None:
    """Raises an `unsupported-media-type` problem for a body that does not say it is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("application/json", "application/merge-patch+json"):
        # Also what keeps a web page of somebody else from writing here: a form cannot have this type.
        raise Problem("unsupported-media-type", "Send JSON, with  Content-Type: application/json")


async def read_fields(request: Request, *, strict: bool) -> Fields:
    """The body as an object. Raises problems 400, 413, 415 and `DecodeError`."""
    check_json(request)
    return Fields(parse_json_object(await read_body(request)), strict=strict)


@final
class Fields:
    """The fields of a JSON object, taken one by one. Each getter raises an `invalid-request` problem naming its field.

    A field that is absent and one that is null are alike, but for `in`.
    """

    def __init__(self, values: Mapping[str, Any], *, strict: bool, path: str = "") -> None:
        self._values = values
        self._known: set[str] = set()
        self._strict = strict
        self._path = path

    def __contains__(self, name: str) -> bool:
        self._known.add(name)
        return name in self._values

    def as_mapping(self) -> Mapping[str, Any]:
        """All of it, where the names are the caller's: prefixes, asset codes."""
        return self._values

    def value(self, name: str) -> Any:
        """As it came, None when absent."""
        self._known.add(name)
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        value = self.value(name)
        if value is None:
            return None
        # JsonNumber is a str too: 12 is not "12" where text is wanted.
        if type(value) is not str:
            raise self.wrong(name, "is text, in quotes")
        return value

    def required_text(self, name: str) -> str:
        return self.required(name, str)

    def parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        """A text that `parse` understands. Its `InvalidRequestError` becomes this field's problem."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse(text)
        except InvalidRequestError as error:
            raise Problem("invalid-request", f"{self._path}{name}: {error}", field=self._path + name) from None

    def required(self, name: str, parse: Callable[[str], T]) -> T:
        """The same for a text that has to be there."""
        value = self.parsed(name, parse)
        if value is None:
            raise self.wrong(name, "is needed")
        return value

    def integer(self, name: str, minimum: int = 0, maximum: int = UINT64_MAX) -> int | None:
        """A JSON integer, or the same in quotes (`number_or_string`): 1.0, 1e3, true and `1_000` are none."""
        value = self.value(name)
        if value is None:
            return None
        return self._integer(name, value, minimum, maximum)

    def required_integer(self, name: str, minimum: int = 0, maximum: int = UINT64_MAX) -> int:
        number = self.integer(name, minimum, maximum)
        if number is None:
            raise self.wrong(name, "is needed")
        return number

    def fraction(self, name: str) -> Fraction | None:
        """A decimal number, in quotes or not, exactly."""
        value = self.value(name)
        if value is None:
            return None
        number = parse_fraction(value)
        if number is None:
            raise self.wrong(name, "is a decimal number such as 0.01", value)
        return number

    def flag(self, name: str) -> bool | None:
        """true or false."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "is true or false", value)
        return value

    def choice(self, name: str, choices: Mapping[str, Any]) -> Any:
        """One of the keys of `choices` -> its value; None when absent."""
        text = self.text(name)
        if text is None:
            return None
        if text not in choices:
            raise self.wrong(name, f"is one of {', '.join(choices)}", text, suggestion=_nearest(text, choices))
        return choices[text]

    def nested(self, name: str) -> Fields | None:
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(name, "is an object: { … }")
        return Fields(value, strict=self._strict, path=f"{self._path}{name}.")

    def objects(self, name: str) -> list[Fields]:
        """A list of objects, which has to be there."""
        value = self.value(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "is a list of objects: [{ … }]")
        return [
            Fields(item, strict=self._strict, path=f"{self._path}{name}[{index}].") for index, item in enumerate(value)
        ]

    def close(self) -> None:
        """All that is known was asked for: refuse the rest, in our own API."""
        if not self._strict:
            return
        for name in self._values:
            if name not in self._known:
                suggestion = _nearest(name, self._known)
                hint = f". Did you mean  {suggestion} ?" if suggestion else ""
                raise Problem(
                    "invalid-request",
                    f"{self._path}{_said(name)} is not a field here{hint}",
                    field=self._path + name[:SAID_MAX],
                    suggestion=suggestion,
                )

    def wrong(self, name: str, rule: str, value: object = None, *, suggestion: str | None = None) -> Problem:
        """The problem of one field, to be raised."""
        field = self._path + name
        found = "" if value is None else f", not “{_said(str(value))}”"
        return Problem("invalid-request", f"{field} {rule}{found}", field=field, suggestion=suggestion)

    def _integer(self, name: str, value: Any, minimum: int, maximum: int) -> int:
        if not isinstance(value, str) or _INTEGER.fullmatch(value) is None:
            raise self.wrong(name, "is an integer, without point or exponent", None if value is None else value)
        number = int(value)
        if not minimum <= number <= maximum:
            raise self.wrong(name, f"is between {minimum} and {maximum}", value)
        return number


def parse_fraction(value: object) -> Fraction | None:
    """A decimal number of JSON, or the same in quotes, without a sign -> exactly that; None when it is none."""
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        return None
    # The exponent has two digits at most, so the number stays small.
    return Fraction(Decimal(value))


def parse_rate(value: object) -> str:
    """A rate as decimal text without an exponent, exact: 9.213e-1 -> `0.9213`. Raises `DecodeError`."""
    if not isinstance(value, str):
        raise DecodeError("a rate is a decimal number")
    parse_decimal_rate(value)
    return f"{Decimal(value):f}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)), None)


def _said(text: str) -> str:
    """A stranger's text, short and on one line."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= SAID_MAX else line[: SAID_MAX - 1] + "…"
