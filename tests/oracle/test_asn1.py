"""Another OER codec, driven by ASN.1 modules, writes and reads the same octets as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asn1tools
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.timestamp import encode_generalized_time, encode_interledger_time
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ERROR_CODES, AmountTooLarge
from interledger.ilp.ildcp import ChildConfig
from interledger.ilp.packet import Fulfill, Packet, Prepare, Reject, decode_packet
from interledger.link.btp.messages import (
    BtpError,
    BtpMessage,
    BtpPacket,
    BtpResponse,
    BtpTransfer,
    ProtocolData,
    decode_btp,
)

BTP_ORACLE = asn1tools.compile_files(str(Path(__file__).parent / "btp.asn"), "oer")
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


ENTRIES = st.lists(
    st.builds(ProtocolData, st.text("abcz_0", min_size=1, max_size=20), st.integers(0, 255), st.binary(max_size=200)),
    max_size=5,
).map(tuple)
REQUEST_IDS = st.integers(0, 0xFFFF_FFFF)


def check_btp(packet: BtpPacket, kind: int, name: str, fields: dict[str, Any]) -> None:
    entries = [
        {"protocolName": entry.name, "contentType": entry.content_type, "data": entry.data} for entry in packet.entries
    ]
    contents = BTP_ORACLE.encode(name, {**fields, "protocolData": entries})
    octets = packet.encode()
    envelope = {"type": kind, "requestId": packet.request_id, "contents": contents}
    assert octets == BTP_ORACLE.encode("Envelope", envelope)
    assert BTP_ORACLE.decode("Envelope", octets) == envelope
    assert decode_btp(octets) == packet


@given(REQUEST_IDS, ENTRIES)
def test_btp_message_and_response(request_id: int, entries: tuple[ProtocolData, ...]) -> None:
    check_btp(BtpMessage(request_id, entries), 6, "Message", {})
    check_btp(BtpResponse(request_id, entries), 1, "Response", {})


@given(REQUEST_IDS, ENTRIES, AMOUNTS)
def test_btp_transfer(request_id: int, entries: tuple[ProtocolData, ...], amount: int) -> None:
    check_btp(BtpTransfer(request_id, amount, entries), 7, "Transfer", {"amount": amount})


@given(REQUEST_IDS, ENTRIES, TIMES, st.binary(max_size=300))
def test_btp_error(request_id: int, entries: tuple[ProtocolData, ...], at: Timestamp, data: bytes) -> None:
    fields = {"code": b"F00", "name": "NotAcceptedError", "triggeredAt": encode_generalized_time(at).decode()}
    check_btp(BtpError(request_id, "F00", "NotAcceptedError", at, data, entries), 2, "Error", {**fields, "data": data})


@given(ADDRESSES, st.text(max_size=20), st.integers(0, 255))
def test_ildcp_response(address: Address, code: str, scale: int) -> None:
    fields = {"clientAddress": address, "assetScale": scale, "assetCode": code}
    octets = ChildConfig(address, code, scale).encode()
    assert octets == ORACLE.encode("ConfigurationResponse", fields)
    assert ChildConfig.decode(octets) == (address, code, scale)


@given(AMOUNTS, AMOUNTS)
def test_data_of_amount_too_large(received: int, maximum: int) -> None:
    ours = AmountTooLarge(received, maximum)
    assert ours.encode() == ORACLE.encode("AmountTooLarge", {"receivedAmount": received, "maximumAmount": maximum})
    assert AmountTooLarge.decode(ours.encode()) == ours
