"""Errors of the API as documents: RFC 7807, `application/problem+json`.

One table says which exception becomes which problem. What is in no table is our own fault: it is logged with a number,
and the caller gets that number, never a trace of the code.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from interledger import errors
from interledger.api.json_text import encode_json

__all__ = [
    "PROBLEM_TYPES",
    "Problem",
    "ProblemType",
    "http_problem",
    "problem_document",
    "problem_of",
    "problem_response",
    "problem_type_url",
]

logger = logging.getLogger("interledger.api")

BASE_URL: Final = "https://interledger-py.dev/problems/"
CONTENT_TYPE: Final = "application/problem+json"


class ProblemType(NamedTuple):
    """One kind of problem: its status and its title, the same in every answer."""

    status: int
    title: str


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    "invalid-request": ProblemType(400, "The request cannot be used"),
    "malformed-body": ProblemType(400, "The body cannot be read"),
    "unauthorized": ProblemType(401, "A token is needed"),
    "forbidden": ProblemType(403, "This token may not do that"),
    "not-found": ProblemType(404, "There is no such thing"),
    "method-not-allowed": ProblemType(405, "This method cannot be used here"),
    "conflict": ProblemType(409, "It exists already, or is in use"),
    "body-too-large": ProblemType(413, "The body is too large"),
    "misdirected": ProblemType(421, "The node is not called so"),
    "unsupported-media-type": ProblemType(415, "The body has the wrong content type"),
    "too-many-requests": ProblemType(429, "Too many requests"),
    "upgrade-required": ProblemType(426, "This is a WebSocket"),
    "invalid-setting": ProblemType(422, "A setting cannot be used"),
    "receiver-unresolved": ProblemType(422, "The receiver cannot be paid"),
    "payment-failed": ProblemType(502, "The payment did not arrive"),
    "payment-partial": ProblemType(502, "The payment arrived in part"),
    "payment-unknown": ProblemType(502, "Nobody has proved the payment's outcome"),
    "payment-cancelled": ProblemType(502, "The payment was stopped"),
    "peer-failed": ProblemType(502, "Another node did not do its part"),
    "internal-error": ProblemType(500, "The node has a fault"),
    "store-unavailable": ProblemType(503, "The node cannot write to its store"),
    "no-answer": ProblemType(504, "Nobody answered in time"),
    "not-ready": ProblemType(503, "The node is not ready"),
}
"""The kinds, by the last part of their `type`."""

_KIND_OF_ERROR: Final[dict[type[BaseException], str]] = {
    errors.DecodeError: "malformed-body",
    errors.InvalidRequestError: "invalid-request",
    errors.NotFoundError: "not-found",
    errors.ConflictError: "conflict",
    errors.SettingsError: "invalid-setting",
    errors.ResolveError: "receiver-unresolved",
    errors.PaymentError: "payment-failed",
    errors.LinkError: "peer-failed",
    errors.RemoteProtocolError: "peer-failed",
    errors.StoreError: "store-unavailable",
    TimeoutError: "no-answer",
}

_KIND_OF_STATUS: Final = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


class Problem(errors.InterledgerError):
    """A problem that is raised as such. `more` are members of the document beside the standard ones."""

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: object) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = dict(headers or {})
        self.more = {name: value for name, value in more.items() if value is not None}


def problem_type_url(kind: str) -> str:
    """The `type` member of a kind."""
    return BASE_URL + kind


def problem_of(error: BaseException) -> Problem:
    """The problem an exception is told as. One of our own faults is logged here, with the id that the caller gets."""
    if isinstance(error, Problem):
        return error
    for cls in type(error).__mro__:
        kind = _KIND_OF_ERROR.get(cls)
        if kind is not None:
            field = getattr(error, "field", None)
            detail = str(error) or PROBLEM_TYPES[kind].title
            return Problem(kind, detail, field=field if isinstance(field, str) else None)
    error_id = f"err_{secrets.token_hex(4)}"
    logger.error("%s: a request failed", error_id, exc_info=error)
    return Problem("internal-error", f"The node's log has the reason under {error_id}", error_id=error_id)


def problem_document(problem: Problem) -> dict[str, Any]:
    """`{"type", "title", "status", "detail", ...}`."""
    kind = PROBLEM_TYPES[problem.kind]
    document: dict[str, Any] = {
        "type": problem_type_url(problem.kind),
        "title": kind.title,
        "status": kind.status,
        "detail": str(problem),
    }
    return document | problem.more


def problem_response(error: BaseException) -> Response:
    """The answer an exception becomes."""
    problem = problem_of(error)
    return Response(
        encode_json(problem_document(problem)),
        PROBLEM_TYPES[problem.kind].status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} | problem.headers,
        media_type=CONTENT_TYPE,
    )


async def http_problem(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such path, wrong method) in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = _KIND_OF_STATUS.get(status, "invalid-request" if status < 500 else "internal-error")
    details = {
        "not-found": f"There is nothing at {request.url.path[:200]}",
        "method-not-allowed": f"{request.method} cannot be used at {request.url.path[:200]}",
    }
    headers = getattr(error, "headers", None)
    return problem_response(Problem(kind, details.get(kind, HTTPStatus(status).phrase), headers=headers))
