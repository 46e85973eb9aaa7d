"""peer.balance, octet by octet (D-14): what is in `docs/explanation/peer-protocols.md`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.balance import BALANCE_MAX, PeerBalance, balance_request
from interledger.ilp.peer import PEER_CONDITION, PEER_FULFILLMENT


@pytest.mark.parametrize(
    ("balance", "octets"),
    [
        (PeerBalance(0, 9, "USD"), "01 0000000000000000 09 03 555344"),
        (PeerBalance(1_000, 2, "EUR"), "01 00000000000003e8 02 03 455552"),
        (PeerBalance(-1, 0, ""), "01 ffffffffffffffff 00 00"),
        (PeerBalance(BALANCE_MAX, 255, "€"), "01 7fffffffffffffff ff 03 e282ac"),
    ],
)
def test_the_octets(balance: PeerBalance, octets: str) -> None:
    assert balance.encode() == bytes.fromhex(octets)
    assert PeerBalance.decode(bytes.fromhex(octets)) == balance
    assert PeerBalance.decode(bytes.fromhex(octets) + b"more") == balance


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "02000000000000000009 03 555344",
        "01 00000000000003",
        "01 00000000000003e8",
        "01 00000000000003e8 02 04 455552",
        "01 00000000000003e8 02 01 ff",
    ],
)
def test_what_is_no_balance_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        PeerBalance.decode(bytes.fromhex(octets))


@given(st.integers(-BALANCE_MAX - 1, BALANCE_MAX), st.integers(0, 255), st.text(max_size=20))
def test_it_comes_back_as_it_was(balance: int, scale: int, code: str) -> None:
    made = PeerBalance(balance, scale, code)
    assert PeerBalance.decode(made.encode()) == made
    assert made.to_fulfill().fulfillment == PEER_FULFILLMENT


def test_the_request_moves_nothing() -> None:
    request = balance_request(Timestamp(1_000))
    assert (request.amount, request.data, request.destination) == (0, b"", "peer.balance")
    assert (request.execution_condition, request.expires_at) == (PEER_CONDITION, 11_000)
