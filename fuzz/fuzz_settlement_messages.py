"""Invariant: octets are an account, a key, an engine's terms or a BTP request that is written the same, or refused."""

from __future__ import annotations

import contextlib

from interledger.clock import Timestamp
from interledger.errors import DecodeError, InvalidRequestError, NotFoundError
from interledger.link.btp.messages import BtpMessage, BtpResponse, BtpTransfer, ContentType, ProtocolData
from interledger.link.btp.subprotocols import NAME_MAX, Refusal
from interledger.settlement.btp import (
    SUBPROTOCOLS_MAX,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from interledger.settlement.messages import (
    account_of_path,
    decode_engine_terms,
    decode_new_account,
    encode_new_account,
    parse_key,
    path_of_account,
)

ENTRIES = (ProtocolData("claim", ContentType.OCTETS, b"c" * 40), ProtocolData("text", ContentType.TEXT, b"x"))
LAYERS = ("btp",)
SEEDS: tuple[bytes, ...] = (
    b'{"id": "alice", "btp": ["claim", "channel"]}',
    b'{"id": null}',
    b"u-e69d8ee6988e",
    b"alice",
    b"3f0cbe1a-1c5e-4f2a-9c3e-0123456789ab",
    BtpMessage(0, ENTRIES).encode(),
    BtpTransfer(0, 2**64 - 1, ENTRIES).encode(),
    BtpResponse(0, ENTRIES).encode(),
)


def check(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    try:
        account = account_of_path(text)
    except NotFoundError:
        pass
    else:
        assert account_of_path(path_of_account(account)) == account
    with contextlib.suppress(InvalidRequestError):
        assert parse_key(text) == text.strip() != ""
    try:
        terms = decode_engine_terms(octets)
    except (DecodeError, InvalidRequestError):
        pass
    else:
        assert len(terms.subprotocols) <= SUBPROTOCOLS_MAX
        assert all(0 < len(name) <= NAME_MAX for name in terms.subprotocols)
        assert decode_new_account(octets) == terms.id
        if terms.id is not None:
            assert decode_engine_terms(encode_new_account(*terms)) == terms
    check_btp(octets)


def check_btp(octets: bytes) -> None:
    try:
        request = decode_request(octets)
    except DecodeError:
        pass
    else:
        assert decode_request(encode_request(request.entries, request.amount)) == request
    try:
        answer = decode_answer(octets)
    except DecodeError:
        return
    again = decode_answer(encode_answer(answer, Timestamp(0)))
    if isinstance(answer, Refusal):
        assert isinstance(again, Refusal)
        assert again.entries == answer.entries
    else:
        assert again == answer


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
