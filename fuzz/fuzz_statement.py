"""Invariant: octets are a question or answer of a statement that is written the same again, or a DecodeError; and every
answer fits into a packet."""

from __future__ import annotations

import contextlib
from hashlib import sha256

from interledger.accounts.asset import Asset
from interledger.accounts.books.past import Opening
from interledger.accounts.ledger import Ledger
from interledger.application.statement.answering import answer_request
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.messages import (
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    key_of,
)
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.packet import DATA_LENGTH_MAX

LAYERS = ("statement.request", "statement.answer")
SEEDS: tuple[bytes, ...] = ()

USD = Asset("USD", 9)
INDEX = ClaimIndex(Opening(0, Timestamp(0), None))
for number in range(1_000):
    fulfillment = sha256(b"%d" % (number % 900)).digest()
    key = key_of(sha256(fulfillment).digest(), number // 2)
    INDEX.of("peer/bob", USD, incoming=number % 2 == 0).add(key, 1_700_000_000_000 + number * 7_000, fulfillment)


def check(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        request = decode_request(octets)
        assert decode_request(encode_request(request)) == request
        answer, _ = answer_request(Ledger(), INDEX, "peer/bob", USD, request)
        written = encode_answer(answer)
        assert len(written) <= DATA_LENGTH_MAX
        assert decode_answer(written) == answer
    with contextlib.suppress(DecodeError):
        answer = decode_answer(octets)
        assert decode_answer(encode_answer(answer)) == answer


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
