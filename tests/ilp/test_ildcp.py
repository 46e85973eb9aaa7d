"""Invariant: a child's configuration is read back as it was written, and anything else is a DecodeError."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.address import Address
from interledger.ilp.ildcp import ILDCP_DESTINATION, ChildConfig, config_request
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_FULFILLMENT


def _ms(text: str) -> Timestamp:
    return Timestamp(int(datetime.fromisoformat(text).timestamp()) * 1000)


VECTORS = json.loads((Path(__file__).parents[2] / "conformance" / "vectors" / "ildcp.json").read_text(encoding="utf-8"))


def test_PC_01_the_request_is_that_of_the_vectors() -> None:
    vector = VECTORS[0]
    request = config_request(_ms(vector["now"]))
    assert request.encode().hex() == vector["octets"]
    assert (request.amount, request.destination) == (0, ILDCP_DESTINATION)


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["layer"] == "ildcp.response"], ids=lambda vector: vector["name"]
)
def test_PC_01_responses_of_the_vectors(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(str(vector["octets"]))
    if "error" in vector:
        with pytest.raises(DecodeError):
            ChildConfig.decode(octets)
        return
    config = ChildConfig.decode(octets)
    value = vector["value"]
    assert config == (value["clientAddress"], value["assetCode"], value["assetScale"])
    if not vector.get("decode_only"):
        assert config.encode() == octets


def test_PC_02_the_answer_fulfills_the_request() -> None:
    fulfill = ChildConfig(Address("test.parent.kid"), "USD", 9).to_fulfill()
    assert isinstance(fulfill, Fulfill)
    assert fulfill.fulfillment == PEER_FULFILLMENT
    assert fulfill.matches(config_request(Timestamp(0)).execution_condition)
    assert ChildConfig.decode(fulfill.data) == ("test.parent.kid", "USD", 9)


@given(st.from_regex(r"test(\.[a-zA-Z0-9_~-]{1,20}){1,5}", fullmatch=True), st.text(max_size=20), st.integers(0, 255))
def test_round_trip(address: str, code: str, scale: int) -> None:
    config = ChildConfig(Address(address), code, scale)
    assert ChildConfig.decode(config.encode()) == config
    request = config_request(Timestamp(1_700_000_000_000))
    assert Prepare.decode(request.encode()) == request


@given(st.binary(max_size=64))
def test_anything_else_is_a_DecodeError(octets: bytes) -> None:
    try:
        ChildConfig.decode(octets)
    except DecodeError:
        return
