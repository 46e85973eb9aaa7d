"""Invariant: no text that we did not make opens as a token; what lies in one is read as it was written, or refused."""

from __future__ import annotations

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Entropy
from interledger.errors import DecodeError, InvalidRequestError
from interledger.transport.stream.tokens import ReceiverTokens, TokenDetails, _decode, _encode


class Counted(Entropy):
    """No two tokens are alike, and each run is."""

    def __init__(self) -> None:
        self.count = 0

    def octets(self, count: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(count, "big")


LAYERS = ()
TOKENS = ReceiverTokens(bytes(32), Counted())
MADE = {
    TOKENS.new(AccountId(name), Asset("USD", 9), receive_max=limit, tag=tag)[0]
    for name, limit, tag in (("alice", None, b""), ("李明", 5, b"invoice 7"))
}
SEEDS: tuple[bytes, ...] = (
    *(token.encode() for token in sorted(MADE)),
    _encode(TokenDetails(AccountId("alice"), Asset("USD", 9), 2**64 - 1, b"tag")),
    _encode(TokenDetails(AccountId("bob"), Asset("EUR", 2))),
)


def check(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    assert (TOKENS.open(text) is not None) == (text in MADE)
    try:
        details = _decode(octets)
    except (DecodeError, InvalidRequestError, UnicodeDecodeError):
        return
    assert _decode(_encode(details)) == details


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
