"""What an SPSP endpoint answers (RFC 9), as a pure function: method and account in, status, headers and body out.

The HTTP server around it belongs to the caller, and so do the credentials: `issue` gives a fresh address and secret for
each query (SP-03), made from a server secret, so that nothing is stored and nothing can be used up (F5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from interledger.accounts.account import AccountId
from interledger.application.spsp.messages import CONTENT_TYPE, build_error, build_response
from interledger.application.spsp.receipts import parse_headers
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address
from interledger.transport.stream.receipts import ReceiptKey

__all__ = ["Credentials", "SpspReply", "accepts_spsp", "answer_query"]

METHODS: Final = "GET, HEAD, OPTIONS"

# RFC 9: "SPSP servers SHOULD expose the CORS headers listed below on `GET <SPSP Endpoint>` **and `OPTIONS <SPSP
# Endpoint>`**."
CORS_HEADERS: Final = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "web-monetization-id"),
)

_TYPES: Final = ("application/spsp4+json", "application/spsp+json")


class Credentials(NamedTuple):
    """Where one client pays, and its own secret for it."""

    destination_account: Address
    shared_secret: bytes

    def __repr__(self) -> str:
        return f"Credentials(destination_account={self.destination_account!r})"


class SpspReply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"SpspReply(status={self.status})"


def answer_query(
    method: str,
    account_id: AccountId,
    issue: Callable[[AccountId, ReceiptKey | None], Credentials | None],
    *,
    receipt_nonce: str | None = None,
    receipt_secret: str | None = None,
) -> SpspReply:
    """The answer to one request for `account_id`. `issue` returns None where there is no such receiver.

    `receipt_nonce`, `receipt_secret`: the headers of RFC 39, as they came; whom `issue` makes then gives out receipts.
    """
    if method == "OPTIONS":
        return SpspReply(204, (*CORS_HEADERS, ("Access-Control-Allow-Methods", METHODS), ("Allow", METHODS)), b"")
    if method not in ("GET", "HEAD"):
        return _reply(405, build_error("MethodNotAllowedError", "Ask with GET"), ("Allow", METHODS))
    try:
        receipts = parse_headers(receipt_nonce, receipt_secret)
    except InvalidRequestError as error:
        return _reply(400, build_error("InvalidReceiptHeadersError", str(error)))
    credentials = issue(account_id, receipts)
    if credentials is None:
        body, status = build_error("InvalidReceiverError", "Invalid receiver ID"), 404
    else:
        # RFC 39: "Receiver MUST include `"receipts_enabled": true` in a successful SPSP response."
        body, status = build_response(*credentials, receipts_enabled=receipts is not None), 200
    reply = _reply(status, body)
    return reply if method == "GET" else reply._replace(body=b"")


def accepts_spsp(accept: str | None) -> bool:
    """Whether an Accept header asks for SPSP, for URLs that also serve something else (Open Payments, a web page)."""
    for part in (accept or "").split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_type in _TYPES and not any(_is_zero_quality(parameter) for parameter in parameters):
            return True
    return False


def _is_zero_quality(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")


def _reply(status: int, body: bytes, *more: tuple[str, str]) -> SpspReply:
    # RFC 9: "The SPSP Client must not cache this response." Each client has to get a secret of its own, and a cache on
    # the way would hand one client's to the next.
    headers = (("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-cache, no-store"), *CORS_HEADERS, *more)
    return SpspReply(status, headers, body)
