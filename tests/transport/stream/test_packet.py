"""The STREAM packet: the RFC's 53 vectors, versions, padding, and never anything but DecodeError."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.codec.oer import UINT64_MAX
from interledger.errors import DecodeError
from interledger.transport.stream.frames import StreamMoney
from interledger.transport.stream.packet import NO_FRAMES, StreamPacket, encode_head

FILE = Path(__file__).parents[3] / "conformance" / "vectors" / "stream_packet.json"
VECTORS = [vector for vector in json.loads(FILE.read_text()) if vector["source"] == "RFC 29, test vectors"]


def test_ST_02_the_vectors_are_all_there():
    assert len(VECTORS) == 53


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_ST_02_vectors(vector):
    packet = StreamPacket.decode(bytes.fromhex(vector["octets"]))
    value = vector["value"]
    assert packet.sequence == int(value["sequence"])
    assert packet.packet_type == value["packetType"]
    assert packet.prepare_amount == int(value["amount"])
    assert len(packet.frames) == len(value["frames"])
    assert StreamPacket.decode(packet.encode()) == packet
    if not vector["name"].endswith("too_big"):
        assert packet.encode().hex() == vector["octets"]


@given(st.sampled_from((12, 13, 14)), st.integers(0, UINT64_MAX), st.integers(0, UINT64_MAX))
def test_round_trip(kind, sequence, amount):
    packet = StreamPacket(kind, sequence, amount, (StreamMoney(1, 1), StreamMoney(3, 2)))
    assert StreamPacket.decode(packet.encode()) == packet
    assert StreamPacket.decode(encode_head(kind, sequence, amount) + NO_FRAMES).frames == ()


@pytest.mark.parametrize("tail", ["", "00", "000000000000", "ff00ff"])
def test_ST_17_what_follows_the_frames_is_ignored(tail):
    packet = StreamPacket(12, 1, 1000, (StreamMoney(1, 1),))
    assert StreamPacket.decode(packet.encode() + bytes.fromhex(tail)) == packet


@pytest.mark.parametrize("octets", ["", "01", "00 0c 0101 0100 0100", "02 0c 0101 0100 0100", "01 0c", "01 0c 0101 01"])
def test_other_versions_and_fragments_are_refused(octets):
    with pytest.raises(DecodeError):
        StreamPacket.decode(bytes.fromhex(octets))


@given(st.binary(max_size=80))
def test_nothing_but_decode_error(octets):
    for candidate in (octets, b"\x01\x0c" + octets, b"\x01\x0c\x01\x01\x01\x01" + octets):
        try:
            packet = StreamPacket.decode(candidate)
        except DecodeError:
            continue
        assert StreamPacket.decode(packet.encode()) == packet
