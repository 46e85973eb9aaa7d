"""A verifier of receipts between payers and one receiver (RFC 39), by SPSP. Pure: the HTTP around it is the caller's.

A payer asks the verifier's URL as if it were the receiver's. The query goes on with a fresh key of receipts, the answer
comes back as it is, and the payer gets a receipt with each packet. What it hands in here says what was really paid,
without trust in the payer, and without a look at the receiver's books.

```python
proxy = ReceiptProxy(ReceiptVerifier(seed), "https://wallet.example/shop")
query = proxy.query(nonce, now)             # a payer asks us: ask query.url with query.headers
reply = proxy.answer(status, type, body)    # what came: this is for the payer
adds = proxy.credit(receipt_in_base64, now) # the payer hands in a receipt: so much more was paid
```
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final, NamedTuple, final

from interledger.application.spsp.messages import CONTENT_TYPE, build_error, parse_response
from interledger.application.spsp.receipts import build_headers
from interledger.application.spsp.server import CORS_HEADERS, SpspReply
from interledger.clock import Timestamp
from interledger.errors import DecodeError, ResolveError
from interledger.transport.stream.receipts import ReceiptKey, ReceiptVerifier

__all__ = ["ReceiptProxy", "ReceiptQuery"]

RECEIPT_TEXT_MAX: Final = 80
"""58 octets in base64."""

_OK: Final = 200
_NO_RECEIPTS: Final = 409
_BAD_GATEWAY: Final = 502


class ReceiptQuery(NamedTuple):
    """What to ask the receiver. The headers hold the secret: for the receiver alone, over TLS."""

    url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ReceiptQuery(url={self.url!r})"


@final
class ReceiptProxy:
    """For one receiver, at `endpoint` (`endpoint_url` makes it of a payment pointer)."""

    def __init__(self, verifier: ReceiptVerifier, endpoint: str) -> None:
        self._verifier = verifier
        self._endpoint = endpoint

    def query(self, nonce: bytes, now: Timestamp) -> ReceiptQuery:
        """What to ask for a payer. `nonce`: 16 fresh random octets. Raises `ValueError` for those that were used."""
        # RFC 39: "Verifier MUST generate a unique Receipt Nonce."
        key = ReceiptKey(nonce, self._verifier.open(nonce, now))
        # RFC 39: "Verifier MUST pass the query to the Receiver."
        return ReceiptQuery(self._endpoint, {"Accept": CONTENT_TYPE, **build_headers(key)})

    def answer(self, status: int, content_type: str | None, body: bytes) -> SpspReply:
        """What to tell the payer: the receiver's answer; 409 where the receiver gives out no receipts."""
        if status != _OK:
            # RFC 39: "the Verifier MUST return the SPSP response to the Sender"
            return _reply(status, content_type or CONTENT_TYPE, body)
        try:
            response = parse_response(content_type, body)
        except ResolveError as error:
            return _reply(_BAD_GATEWAY, CONTENT_TYPE, build_error("InvalidReceiverAnswerError", str(error)))
        # RFC 39: "Verifier MAY return a `409` error code if the response does not include `"receipts_enabled": true`."
        if not response.receipts_enabled:
            text = "The receiver gives out no receipts"
            return _reply(_NO_RECEIPTS, CONTENT_TYPE, build_error("NoReceiptsError", text))
        return _reply(_OK, content_type or CONTENT_TYPE, body)

    def credit(self, receipt: str, now: Timestamp) -> int:
        """What a receipt in base64 adds to what was handed in before, in the receiver's units; 0 where it adds nothing.

        Raises `DecodeError` for what is no receipt of ours, or comes too late.
        """
        text = receipt.strip()
        try:
            octets = base64.b64decode(text.encode("ascii"), validate=True) if len(text) <= RECEIPT_TEXT_MAX else b""
        except (binascii.Error, ValueError):
            octets = b""
        if not octets:
            raise DecodeError("a receipt is the base64 of 58 octets")
        # RFC 39: "Verifier MUST verify the Receipt before accepting the Receipt amount as paid."
        return self._verifier.redeem(octets, now)


def _reply(status: int, content_type: str, body: bytes) -> SpspReply:
    headers = (("Content-Type", content_type), ("Cache-Control", "no-cache, no-store"), *CORS_HEADERS)
    return SpspReply(status, headers, body)
