"""Forms as browsers send them: `application/x-www-form-urlencoded`, a few short fields."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from interledger.api.bodies import read_body
from interledger.api.problems import Problem

__all__ = ["FORM_OCTETS_MAX", "read_form"]

FORM_OCTETS_MAX: Final = 16_384
"""A form of ours has some hundred."""

FIELDS_MAX: Final = 100


async def read_form(request: Request) -> dict[str, str]:
    """The fields by name, without the blanks around them. Raises `body-too-large` and `malformed-body` problems."""
    body = await read_body(request, octets_max=FORM_OCTETS_MAX)
    try:
        found = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Problem("malformed-body", "This is no form of the dashboard") from None
    return {name: value.strip() for name, value in found}
