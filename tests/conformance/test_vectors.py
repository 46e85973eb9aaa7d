"""The vectors of conformance/: every one whose format we speak is read, written and refused as it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset, parse_asset
from interledger.application.peering.exchange import issued_token
from interledger.application.peering.invitation import Invitation
from interledger.clock import SystemEntropy, Timestamp
from interledger.codec.oer import encode_octets, encode_uint, read_octets, read_uint
from interledger.codec.timestamp import (
    decode_generalized_time,
    decode_interledger_time,
    encode_generalized_time,
    encode_interledger_time,
    format_rfc3339,
)
from interledger.connector.services import UNKNOWN_PROTOCOL, answer_peer_protocol, check_peer_packet
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.address import Address, parse_address
from interledger.ilp.balance import BALANCE_DESTINATION, PeerBalance, balance_request
from interledger.ilp.echo import decode_echo, encode_echo_reply, encode_echo_request
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.ildcp import ChildConfig, config_request
from interledger.ilp.packet import Fulfill, Packet, Prepare, Reject, decode_packet
from interledger.link.btp import messages as btp
from interledger.settlement.quantity import Quantity
from interledger.transport.stream import frames
from interledger.transport.stream.crypto import StreamCrypto, hmac_sha256
from interledger.transport.stream.packet import StreamPacket
from tests.support import btp_vectors, ccp_vectors, http_vectors, jwt_vectors, statement_vectors, xrp_vectors

FOLDER = Path(__file__).parents[2] / "conformance" / "vectors"

Vector = dict[str, Any]


class Format(NamedTuple):
    """How one layer is read and written here. Each gets the vector too: some need its `input`."""

    decode: Callable[[bytes, Vector], Any]
    encode: Callable[[Any, Vector], bytes] | None = None


BY_DESIGN = {
    "http.signature": "requests are not signed yet",
    "psk2.packet": "PSK2 is not there yet",
    "stream.receipt": "receipts are passed on, not made yet",
    "stream.open_with_key": "our interface takes the shared secret, never the key",
    "stream.fulfillment_from_key": "our interface takes the shared secret, never the key",
}
"""Layers that this test leaves out, and why."""


def ms(text: str) -> Timestamp:
    return Timestamp(decode_interledger_time("".join(c for c in text if c.isdigit()).encode()))


# --------------------------------------------------------------------------- octets, times, addresses


def whole(read: Callable[[bytes, int], tuple[Any, int]], octets: bytes) -> Any:
    value, end = read(octets, 0)
    if end != len(octets):
        raise DecodeError("octets are left over")
    return value


def address(octets: bytes, _: Vector) -> str:
    try:
        return parse_address(octets.decode())
    except InvalidRequestError as error:
        raise DecodeError(str(error)) from None


# --------------------------------------------------------------------------- the Interledger layer


def packet_to_value(packet: Packet) -> dict[str, str]:
    if isinstance(packet, Prepare):
        return {
            "type": "prepare",
            "amount": str(packet.amount),
            "expiresAt": format_rfc3339(packet.expires_at),
            "executionCondition": packet.execution_condition.hex(),
            "destination": packet.destination,
            "data": packet.data.hex(),
        }
    if isinstance(packet, Fulfill):
        return {"type": "fulfill", "fulfillment": packet.fulfillment.hex(), "data": packet.data.hex()}
    fields = {"code": packet.code, "triggeredBy": packet.triggered_by, "message": packet.message}
    return {"type": "reject", **fields, "data": packet.data.hex()}


def packet_from_value(value: dict[str, str]) -> Packet:
    data = bytes.fromhex(value["data"])
    if value["type"] == "prepare":
        condition = bytes.fromhex(value["executionCondition"])
        return Prepare(int(value["amount"]), ms(value["expiresAt"]), condition, Address(value["destination"]), data)
    if value["type"] == "fulfill":
        return Fulfill(bytes.fromhex(value["fulfillment"]), data)
    return Reject(value["code"], value["triggeredBy"], value["message"], data)


def amount_too_large(octets: bytes, _: Vector) -> dict[str, str]:
    amounts = AmountTooLarge.decode(octets)
    if amounts is None:
        raise DecodeError("too short")
    return {"receivedAmount": str(amounts.received_amount), "maximumAmount": str(amounts.maximum_amount)}


CHILD = Account(
    id=AccountId("child"), asset=Asset("XAM", 13), ilp_address=Address("example.client"), relation=Relation.CHILD
)


def ildcp_request(octets: bytes, vector: Vector) -> dict[str, str]:
    packet = Prepare.decode(octets)
    answer = answer_peer_protocol(CHILD, packet, ms(vector["now"]))
    if not isinstance(answer, Fulfill):
        raise DecodeError(answer.message)
    return {"expiresAt": format_rfc3339(packet.expires_at)}


def ildcp_response(octets: bytes, _: Vector) -> dict[str, Any]:
    config = ChildConfig.decode(octets)
    return {"clientAddress": config.address, "assetScale": config.asset_scale, "assetCode": config.asset_code}


def balance_of_request(octets: bytes, vector: Vector) -> dict[str, str]:
    packet = Prepare.decode(octets)
    refused = (
        UNKNOWN_PROTOCOL if packet.destination != BALANCE_DESTINATION else check_peer_packet(packet, ms(vector["now"]))
    )
    if refused is not None:
        raise DecodeError(refused.message)
    return {"expiresAt": format_rfc3339(packet.expires_at)}


def balance_response(octets: bytes, _: Vector) -> dict[str, Any]:
    found = PeerBalance.decode(octets)
    return {"balance": str(found.balance), "assetScale": found.asset_scale, "assetCode": found.asset_code}


def echo_data(octets: bytes, _: Vector) -> dict[str, str]:
    return_address = decode_echo(octets)
    return {"type": "reply"} if return_address is None else {"type": "request", "returnAddress": return_address}


def encode_echo(value: dict[str, str], _: Vector) -> bytes:
    if value["type"] == "reply":
        return encode_echo_reply()
    return encode_echo_request(Address(value["returnAddress"]))


# --------------------------------------------------------------------------- BTP

BTP_TYPES = {btp.BtpResponse: 1, btp.BtpError: 2, btp.BtpMessage: 6, btp.BtpTransfer: 7}


def btp_to_value(octets: bytes, _: Vector) -> dict[str, Any]:
    packet = btp.decode_btp(octets)
    value: dict[str, Any] = {"type": BTP_TYPES[type(packet)], "requestId": packet.request_id}
    if isinstance(packet, btp.BtpTransfer):
        value["amount"] = str(packet.amount)
    if isinstance(packet, btp.BtpError):
        value |= {"code": packet.code, "name": packet.name, "triggeredAt": format_rfc3339(packet.triggered_at)}
        value["data"] = packet.data.hex()
    value["protocolData"] = [
        {"name": entry.name, "contentType": entry.content_type, "data": entry.data.hex()} for entry in packet.entries
    ]
    return value


def btp_from_value(value: dict[str, Any], _: Vector) -> bytes:
    entries = tuple(
        btp.ProtocolData(entry["name"], entry["contentType"], bytes.fromhex(entry["data"]))
        for entry in value["protocolData"]
    )
    request_id = value["requestId"]
    if value["type"] == 1:
        return btp.BtpResponse(request_id, entries).encode()
    if value["type"] == 6:
        return btp.BtpMessage(request_id, entries).encode()
    if value["type"] == 7:
        return btp.BtpTransfer(request_id, int(value["amount"]), entries).encode()
    at, data = ms(value["triggeredAt"]), bytes.fromhex(value["data"])
    return btp.BtpError(request_id, value["code"], value["name"], at, data, entries).encode()


# --------------------------------------------------------------------------- STREAM

FRAME_NUMBERS = {cls: kind for kind, (cls, _) in frames.FRAME_TYPES.items()}
PLAIN_NUMBERS = {"errorCode", "sourceAssetScale"}
OCTETS = {"data", "receipt"}
FRAME_FIELDS = {
    1: ("errorCode", "errorMessage"),
    2: ("sourceAccount",),
    3: ("maxOffset",),
    4: ("maxOffset",),
    5: ("maxStreamId",),
    6: ("maxStreamId",),
    7: ("sourceAssetCode", "sourceAssetScale"),
    16: ("streamId", "errorCode", "errorMessage"),
    17: ("streamId", "shares"),
    18: ("streamId", "receiveMax", "totalReceived"),
    19: ("streamId", "sendMax", "totalSent"),
    20: ("streamId", "offset", "data"),
    21: ("streamId", "maxOffset"),
    22: ("streamId", "maxOffset"),
    23: ("streamId", "receipt"),
}


def frame_to_value(frame: frames.Frame) -> dict[str, Any]:
    number = FRAME_NUMBERS[type(frame)]
    value: dict[str, Any] = {"type": number, "name": type(frame).__name__}
    for name, field in zip(FRAME_FIELDS[number], frame, strict=True):
        value[name] = field.hex() if isinstance(field, bytes) else field if name in PLAIN_NUMBERS else str(field)
    return value


def frame_from_value(value: dict[str, Any]) -> frames.Frame:
    cls, _ = frames.FRAME_TYPES[value["type"]]
    texts = {"errorMessage", "sourceAccount", "sourceAssetCode"}
    fields = [
        bytes.fromhex(value[name]) if name in OCTETS else value[name] if name in texts else int(value[name])
        for name in FRAME_FIELDS[value["type"]]
    ]
    return cls(*fields)


def stream_to_value(octets: bytes, _: Vector) -> dict[str, Any]:
    packet = StreamPacket.decode(octets)
    return {
        "sequence": str(packet.sequence),
        "packetType": packet.packet_type,
        "amount": str(packet.prepare_amount),
        "frames": [frame_to_value(frame) for frame in packet.frames],
    }


def stream_from_value(value: dict[str, Any], _: Vector) -> bytes:
    parts = tuple(frame_from_value(frame) for frame in value["frames"])
    return StreamPacket(value["packetType"], int(value["sequence"]), int(value["amount"]), parts).encode()


class FixedEntropy:
    """The IV that the vector was made with."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def octets(self, count: int) -> bytes:
        return self._octets[:count]


def crypto(vector: Vector) -> StreamCrypto:
    given = vector["input"]
    entropy = FixedEntropy(bytes.fromhex(given["iv"])) if "iv" in given else SystemEntropy()
    return StreamCrypto(bytes.fromhex(given["sharedSecret"]), entropy)


def stream_open(octets: bytes, vector: Vector) -> str:
    plaintext = crypto(vector).open(octets)
    if plaintext is None:
        raise DecodeError("not authentic")
    return plaintext.hex()


def stream_fulfillment(octets: bytes, vector: Vector) -> str:
    fulfillment = crypto(vector).fulfillment(octets)
    assert crypto(vector).condition(octets) == sha256(fulfillment).digest()
    return fulfillment.hex()


def stream_key(label: bytes) -> Format:
    return Format(lambda _, vector: hmac_sha256(bytes.fromhex(vector["input"]["sharedSecret"]), label).hex())


# --------------------------------------------------------------------------- the registry

# --------------------------------------------------------------------------- becoming a peer


def invitation(octets: bytes, _: Vector) -> dict[str, Any]:
    try:
        found = Invitation.decode(octets.decode())
    except InvalidRequestError as error:
        raise DecodeError(str(error)) from None
    texts = {name: getattr(found, name) for name in ("url", "secret", "address", "link")}
    numbers = ("owes_us_max", "we_owe_max", "packet_amount_max", "expires_at")
    limits = {name: None if getattr(found, name) is None else str(getattr(found, name)) for name in numbers}
    return {**texts, "asset": str(found.asset), "relation": found.relation.value, **limits}


def invitation_octets(value: Any, _: Vector) -> bytes:
    numbers = ("owes_us_max", "we_owe_max", "packet_amount_max", "expires_at")
    limits = {name: None if value[name] is None else int(value[name]) for name in numbers}
    made = {"asset": parse_asset(value["asset"]), "relation": Relation(value["relation"]), **limits}
    return Invitation(**{**value, **made}).encode().encode()


def issued(octets: bytes, vector: Vector) -> dict[str, str]:
    """A function's result: what it was made of stands in the vector."""
    made_of: dict[str, str] = vector["value"]
    assert issued_token(*made_of.values()).encode() == octets
    return made_of


def scaled(_: bytes, vector: Vector) -> dict[str, str]:
    given = vector["input"]
    whole_units, rest = Quantity(int(given["amount"]), given["fromScale"]).split(given["toScale"])
    return {
        "amount": str(whole_units),
        "leftover": str(rest.amount * 10 ** (given["fromScale"] - rest.scale) if rest.amount else 0),
    }


FORMATS: dict[str, Format] = {
    "settlement.quantity": Format(
        lambda octets, _: Quantity.decode(octets).as_document(),
        lambda value, _: Quantity(int(value["amount"]), value["scale"]).encode(),
    ),
    "settlement.scale": Format(scaled),
    "xrp.claim": Format(xrp_vectors.claim, xrp_vectors.claim_octets),
    "xrp.claim_message": Format(xrp_vectors.made_of, xrp_vectors.message_octets),
    "xrp.channel_proof": Format(xrp_vectors.made_of, xrp_vectors.proof_octets),
    "xrp.channel_id": Format(xrp_vectors.made_of, xrp_vectors.id_octets),
    "http_oer.request": Format(http_vectors.read_oer, http_vectors.write_oer),
    "http_oer.answer": Format(http_vectors.read_answer),
    "ilp_over_http.request": Format(http_vectors.read_async, http_vectors.write_async),
    "ilp_over_http.answer": Format(http_vectors.read_answer),
    "jwt.hs256": Format(jwt_vectors.read_hs256),
    "jwt.rs256": Format(jwt_vectors.read_rs256),
    "peering.invitation": Format(invitation, invitation_octets),
    "peering.token": Format(issued, lambda value, _: issued_token(*value.values()).encode()),
    "oer.octets": Format(
        lambda octets, _: whole(read_octets, octets).hex(), lambda value, _: encode_octets(bytes.fromhex(value))
    ),
    "oer.uint": Format(lambda octets, _: str(whole(read_uint, octets)), lambda value, _: encode_uint(int(value))),
    "timestamp.interledger": Format(
        lambda octets, _: format_rfc3339(decode_interledger_time(octets)),
        lambda value, _: encode_interledger_time(ms(value)),
    ),
    "timestamp.generalized": Format(
        lambda octets, _: format_rfc3339(decode_generalized_time(octets)),
        lambda value, _: encode_generalized_time(ms(value)),
    ),
    "ilp.address": Format(address, lambda value, _: value.encode()),
    "ilp.packet": Format(
        lambda octets, _: packet_to_value(decode_packet(octets)), lambda value, _: packet_from_value(value).encode()
    ),
    "ilp.amount_too_large": Format(
        amount_too_large,
        lambda value, _: AmountTooLarge(int(value["receivedAmount"]), int(value["maximumAmount"])).encode(),
    ),
    "ccp.control": Format(ccp_vectors.control_to_value, ccp_vectors.control_from_value),
    "ccp.update": Format(ccp_vectors.update_to_value, ccp_vectors.update_from_value),
    "balance.request": Format(balance_of_request, lambda _, vector: balance_request(ms(vector["now"])).encode()),
    "balance.response": Format(
        balance_response,
        lambda value, _: PeerBalance(int(value["balance"]), value["assetScale"], value["assetCode"]).encode(),
    ),
    "statement.request": Format(statement_vectors.request_to_value, statement_vectors.request_from_value),
    "statement.answer": Format(statement_vectors.answer_to_value, statement_vectors.answer_from_value),
    "echo.data": Format(echo_data, encode_echo),
    "ildcp.request": Format(ildcp_request, lambda _, vector: config_request(ms(vector["now"])).encode()),
    "ildcp.response": Format(
        ildcp_response,
        lambda value, _: ChildConfig(Address(value["clientAddress"]), value["assetCode"], value["assetScale"]).encode(),
    ),
    "btp.packet": Format(btp_to_value, btp_from_value),
    "btp.auth": Format(btp_vectors.read_first, btp_vectors.write_first),
    "btp.child_name": Format(btp_vectors.child_name),
    "btp.repetition": Format(btp_vectors.repetition),
    "stream.packet": Format(stream_to_value, stream_from_value),
    "stream.encryption_key": stream_key(b"ilp_stream_encryption"),
    "stream.fulfillment_key": stream_key(b"ilp_stream_fulfillment"),
    "stream.open": Format(stream_open, lambda value, vector: crypto(vector).seal(bytes.fromhex(value))),
    "stream.fulfillment": Format(stream_fulfillment),
}


def load() -> list[Vector]:
    return [vector for path in sorted(FOLDER.glob("*.json")) for vector in json.loads(path.read_text(encoding="utf-8"))]


VECTORS = load()
OURS = [vector for vector in VECTORS if vector["layer"] in FORMATS]


def name_of(vector: Vector) -> str:
    return f"{vector['layer']}:{vector['name']}".encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize("vector", OURS, ids=name_of)
def test_vector(vector: Vector) -> None:
    octets = bytes.fromhex(vector["octets"])
    decode, encode = FORMATS[vector["layer"]]
    if "error" in vector:
        with pytest.raises((DecodeError, UnicodeDecodeError)):
            decode(octets, vector)
        return
    assert decode(octets, vector) == vector["value"]
    if encode is not None:
        written = encode(vector["value"], vector)
        assert (written == octets) is not vector.get("decode_only", False)
        assert decode(written, vector) == vector["value"]


# --------------------------------------------------------------------------- the collection itself

OPTIONAL = {"value", "error", "input", "plaintext", "fulfillment", "now", "decode_only"}
REQUIRED = {"name", "layer", "octets", "source"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_file_has_the_form_that_the_readme_describes(path: Path) -> None:
    vectors = json.loads(path.read_text(encoding="utf-8"))
    assert len({vector["name"] for vector in vectors}) == len(vectors)
    for vector in vectors:
        assert REQUIRED <= vector.keys() <= REQUIRED | OPTIONAL
        assert ("value" in vector) != ("error" in vector)
        assert vector["octets"] == bytes.fromhex(vector["octets"]).hex()


def test_the_readme_explains_every_layer_and_error() -> None:
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    words = {vector["layer"] for vector in VECTORS} | {vector["error"] for vector in VECTORS if "error" in vector}
    assert [word for word in sorted(words) if f"`{word}`" not in readme] == []


def test_a_layer_that_is_left_out_is_left_out_on_purpose() -> None:
    layers = {vector["layer"] for vector in VECTORS}
    assert layers - FORMATS.keys() == BY_DESIGN.keys()
