"""How long a page of a list is: `limit`, the same everywhere."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from interledger.api.bodies import Fields

__all__ = ["PAGE_DEFAULT", "PAGE_MAX", "read_limit"]

PAGE_MAX: Final = 1_000
PAGE_DEFAULT: Final = 100


def read_limit(request: Request) -> int:
    """The query parameter. Raises `InvalidRequestError`."""
    limit = Fields(request.query_params, strict=False).integer("limit", 1, PAGE_MAX)
    return PAGE_DEFAULT if limit is None else limit
