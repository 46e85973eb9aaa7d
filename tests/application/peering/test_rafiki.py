"""Rafiki's request, answer and errors, as Rafiki's own code writes and reads them (protocols.md 6.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.application.peering.rafiki import (
    AutoPeeringError,
    ErrorType,
    PeeringAnswer,
    PeeringRequest,
    encode_error,
    read_error,
)
from interledger.errors import DecodeError
from interledger.ilp.address import Address

REQUEST: dict[str, Any] = {
    "ilpConnectorUrl": "http://cloud-nine:3002/",
    "staticIlpAddress": "test.cloud-nine",
    "asset": {"code": "USD", "scale": 2},
    "httpToken": "5b7eb8c4-8f30-4a5f-9c56-9d6dbd9ea5ac",
    "maxPacketAmount": None,
    "name": "Cloud Nine",
}
ANSWER: dict[str, Any] = {
    "ilpConnectorUrl": "http://happy-life:3002",
    "staticIlpAddress": "test.happy-life",
    "httpToken": "c2ec8be6-dc1d-4d6a-8b4a-1b0d2d7a5c0a",
    "name": "Happy Life",
    "tenantId": "438fa74a-fa7d-4317-9ced-dde32ece1787",
}


def octets(document: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**document, **changes}).encode()


def test_a_request_of_rafiki_is_read() -> None:
    assert PeeringRequest.decode(octets(REQUEST)) == PeeringRequest(
        address=Address("test.cloud-nine"),
        http_url="http://cloud-nine:3002/",
        asset=Asset("USD", 2),
        token=REQUEST["httpToken"],
        packet_amount_max=None,
        name="Cloud Nine",
    )
    assert PeeringRequest.decode(octets(REQUEST, maxPacketAmount=1000, name=None)).packet_amount_max == 1000


def test_ours_has_what_rafiki_reads_and_numbers_are_numbers() -> None:
    request = PeeringRequest.decode(octets(REQUEST, maxPacketAmount=2**53 - 1))
    assert json.loads(request.encode()) == {**REQUEST, "maxPacketAmount": 2**53 - 1}
    assert "maxPacketAmount" not in json.loads(PeeringRequest.decode(octets(REQUEST)).encode())


def test_an_answer_there_and_back() -> None:
    answer = PeeringAnswer.decode(octets(ANSWER))
    assert (answer.address, answer.token, answer.name) == ("test.happy-life", ANSWER["httpToken"], "Happy Life")
    assert PeeringAnswer.decode(answer.encode()) == answer
    assert set(json.loads(answer.encode())) == set(ANSWER)
    assert ANSWER["httpToken"] not in repr(answer)


@pytest.mark.parametrize("name", ["ilpConnectorUrl", "staticIlpAddress", "httpToken"])
@pytest.mark.parametrize("value", [None, "", 7, "two words", "x" * 3_000])
def test_an_answer_without_what_is_needed_is_none(name: str, value: Any) -> None:
    with pytest.raises(DecodeError):
        PeeringAnswer.decode(octets(ANSWER, **{name: value}))


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        (ErrorType.UNKNOWN_ASSET, 404, "Unknown asset"),
        (ErrorType.INVALID_REQUEST, 400, "Invalid peering request"),
        (ErrorType.INVALID_CONFIGURATION, 400, "Requested peer's ILP configuration is misconfigured"),
    ],
)
def test_errors_are_rafikis(kind: ErrorType, status: int, message: str) -> None:
    error = AutoPeeringError(kind, "because")
    document = {"error": {"code": status, "message": message, "type": kind.value, "detail": "because"}}
    assert (error.status, json.loads(encode_error(error))) == (status, document)
    assert read_error(encode_error(error)) == (kind, "because")


@pytest.mark.parametrize("body", [b"", b"Not Found", b"[]", b'{"error":1}', b'{"error":{"type":1,"message":"a\\nb"}}'])
def test_another_body_is_no_error_of_rafiki(body: bytes) -> None:
    assert read_error(body) == ("", "")
