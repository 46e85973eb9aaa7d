"""Another OER codec, driven by ASN.1 modules, writes and reads the same octets as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asn1tools
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.timestamp import encode_interledger_time
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ERROR_CODES, AmountTooLarge
from interledger.ilp.packet import Fulfill, Packet, Prepare, Reject, decode_packet

ORACLE = asn1tools.compile_files(str(Path(__file__).parent / "interledger.asn"), "oer")

AMOUNTS = st.integers(0, UINT64_MAX)
DATA = st.one_of(st.binary(max_size=300), st.integers(0, 32_767).map(lambda size: b"\xa5" * size))
DIGESTS = st.binary(min_size=32, max_size=32)
SEGMENTS = st.lists(st.text("abcXYZ019_~-", min_size=1, max_size=40), min_size=1, max_size=8)
ADDRESSES = st.tuples(st.sampled_from(["g", "test", "test1", "example", "private", "peer"]), SEGMENTS).map(
    lambda parts: Address(".".join([parts[0], *parts[1]]))
)
TIMES = st.integers(0, 253_402_300_799_999).map(Timestamp)


def written_by_the_oracle(kind: int, name: str, fields: dict[str, Any]) -> bytes:
    return bytes(ORACLE.encode("Envelope", {"type": kind, "contents": ORACLE.encode(name, fields)}))


def check(packet: Packet, kind: int, name: str, fields: dict[str, Any]) -> None:
    octets = packet.encode()
    assert octets == written_by_the_oracle(kind, name, fields)
    assert decode_packet(octets) == packet
    envelope = ORACLE.decode("Envelope", octets)
    assert envelope["type"] == kind
    assert ORACLE.decode(name, envelope["contents"]) == fields


@given(AMOUNTS, TIMES, DIGESTS, ADDRESSES, DATA)
def test_prepare(amount: int, expires_at: Timestamp, condition: bytes, destination: Address, data: bytes) -> None:
    fields = {
        "amount": amount,
        "expiresAt": encode_interledger_time(expires_at),
        "executionCondition": condition,
        "destination": destination,
        "data": data,
    }
    check(Prepare(amount, expires_at, condition, destination, data), 12, "Prepare", fields)


@given(DIGESTS, DATA)
def test_fulfill(fulfillment: bytes, data: bytes) -> None:
    check(Fulfill(fulfillment, data), 13, "Fulfill", {"fulfillment": fulfillment, "data": data})


@given(st.sampled_from([*ERROR_CODES, "F77", "Z00"]), ADDRESSES, st.text(max_size=200), DATA)
def test_reject(code: str, triggered_by: Address, message: str, data: bytes) -> None:
    fields = {"code": code.encode(), "triggeredBy": triggered_by, "message": message, "data": data}
    check(Reject(code, triggered_by, message, data), 14, "Reject", fields)


@given(AMOUNTS, AMOUNTS)
def test_data_of_amount_too_large(received: int, maximum: int) -> None:
    ours = AmountTooLarge(received, maximum)
    assert ours.encode() == ORACLE.encode("AmountTooLarge", {"receivedAmount": received, "maximumAmount": maximum})
    assert AmountTooLarge.decode(ours.encode()) == ours
