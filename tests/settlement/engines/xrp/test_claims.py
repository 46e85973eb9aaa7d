"""Claims and proofs octet by octet, against xrpl-py and a signature that the npm plugin's own tests have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xrpl.core.binarycodec import encode_for_signing_claim
from xrpl.core.keypairs import derive_classic_address, is_valid_message
from xrpl.utils import xrp_to_drops

from interledger.errors import DecodeError
from interledger.settlement.engines.xrp.claims import (
    DROPS_MAX,
    Claim,
    LastClaim,
    PeerInfo,
    channel_id,
    channel_proof,
    claim_message,
    drops_of,
    parse_channel,
    units_of,
)
from interledger.settlement.engines.xrp.keys import XrpKey, account_octets, is_address, is_signed

CHANNEL = bytes.fromhex("45455C767516029F34E9A9CEDD8626E5D955964A041F6C9ACD11F9325D6164E0")
SIGNATURE = "ab" * 64


@given(channel=st.binary(min_size=32, max_size=32), drops=st.integers(1, DROPS_MAX))
def test_what_is_signed_is_what_xrpl_py_signs(channel: bytes, drops: int) -> None:
    message = encode_for_signing_claim({"channel": channel.hex().upper(), "amount": str(drops)})
    assert claim_message(channel, drops).hex().upper() == message


@given(seed=st.binary(min_size=16, max_size=16), drops=st.integers(1, DROPS_MAX))
def test_xrpl_py_accepts_our_signatures_and_no_others(seed: bytes, drops: int) -> None:
    key, message = XrpKey(seed), claim_message(CHANNEL, drops)
    signature = key.sign(message)
    assert is_valid_message(message, signature, key.public)
    assert is_signed(key.public, message, signature)
    assert not is_signed(key.public, claim_message(CHANNEL, drops % DROPS_MAX + 1), signature)
    assert not is_signed(key.public, message, bytes(64))
    assert derive_classic_address(key.public) == key.address
    assert is_address(key.address)


@pytest.mark.parametrize("drops", [0, -1, DROPS_MAX + 1])
def test_no_claim_is_of_nothing_or_of_more_than_there_is(drops: int) -> None:
    with pytest.raises(DecodeError):
        claim_message(CHANNEL, drops)


@given(st.integers(0, 10**17), st.integers(0, 18))
def test_drops_cover_the_units_and_no_unit_is_paid_twice(amount: int, scale: int) -> None:
    drops = drops_of(amount, scale)
    assert drops * 10**scale >= amount * 10**6  # the claim is backed by the ledger
    assert (drops - 1) * 10**scale < amount * 10**6  # by no drop too much
    assert units_of(drops, scale) >= amount
    assert units_of(drops_of(units_of(amount, scale), scale), scale) >= units_of(amount, scale)


@pytest.mark.parametrize(
    ("amount", "scale", "drops"),
    [(1, 6, 1), (1, 9, 1), (1_000, 9, 1), (1_001, 9, 2), (1, 0, int(xrp_to_drops(1.0))), (7, 3, 7_000), (0, 9, 0)],
)
def test_units_in_drops(amount: int, scale: int, drops: int) -> None:
    assert drops_of(amount, scale) == drops


def test_a_channels_id_is_the_ledgers() -> None:
    """Others of another sequence, and of the way back; see the vectors for what npm's plugins make of the same."""
    source, destination = (account_octets(XrpKey(bytes([n]) * 16).address) for n in (1, 2))
    assert len(channel_id(source, destination, 7)) == 32
    assert channel_id(source, destination, 7) != channel_id(source, destination, 8)
    assert channel_id(source, destination, 7) != channel_id(destination, source, 7)


def test_a_proof_reads_the_address_as_node_js_reads_base64() -> None:
    expected = bytes.fromhex("b5eb2d7b16a6a6579a")  # of Node.js 20
    assert channel_proof(CHANNEL, "test.example.a") == b"channel_signature" + CHANNEL + expected
    # Characters that are none are skipped, both alphabets are the same, half an octet at the end is nothing.
    assert channel_proof(CHANNEL, "a-b_") == channel_proof(CHANNEL, "a+b/") == channel_proof(CHANNEL, "a.-.b_~")
    assert channel_proof(CHANNEL, "abcde") == channel_proof(CHANNEL, "abcd")
    assert channel_proof(CHANNEL, "") == b"channel_signature" + CHANNEL


def test_claims_are_written_as_javascript_writes_them() -> None:
    claim = Claim(1_234, bytes.fromhex(SIGNATURE))
    assert claim.encode() == b'{"amount":"1234","signature":"' + SIGNATURE.encode() + b'"}'
    assert Claim.decode(claim.encode().replace(SIGNATURE.encode(), SIGNATURE.upper().encode())) == claim
    assert LastClaim.decode(b'{"amount":"0"}') == LastClaim(0)
    assert LastClaim.decode(LastClaim(5, claim.signature).encode()) == LastClaim(5, claim.signature)


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"{}", b"[]", b'{"amount":5}', b'{"amount":"5"}', b'{"amount":"5","signature":"00"}',
        b'{"amount":"-5","signature":"%b"}', b'{"amount":"5.0","signature":"%b"}',
        b'{"amount":"1e21","signature":"%b"}',
        b'{"amount":"05","signature":"%b"}', '{"amount":"٥","signature":"%b"}'.encode(),
        b'{"amount":"1","amount":"2","signature":"%b"}', b'{"amount":true,"signature":"%b"}',
        b'{"amount":"1\\n","signature":"%b"}', b'{"amount":"' + b"9" * 39 + b'","signature":"%b"}',
    ],
)  # fmt: skip
def test_I11_claims_that_are_none(bad: bytes) -> None:
    with pytest.raises(DecodeError):
        Claim.decode(bad.replace(b"%b", SIGNATURE.encode()))


def test_what_a_server_says_of_itself() -> None:
    channel = CHANNEL.hex().upper()
    said = f'{{"address":"r1","account":"test.a","currencyScale":9,"channel":"{channel}","prefix":"test."}}'
    assert PeerInfo.decode(said.encode()) == PeerInfo("r1", "test.a", 9, CHANNEL, None)
    assert PeerInfo.decode(b'{"address":"r1","account":"test.a"}').scale == 6  # of old
    for bad in (
        b'{"account":"a"}',
        b'{"address":"","account":"a"}',
        b'{"address":"r","account":"a","channel":"00"}',
        b'{"address":"r","account":"a","currencyScale":"6"}',
        b'{"address":"r","account":"a","channel":7}',
    ):
        with pytest.raises(DecodeError):
            PeerInfo.decode(bad)
    with pytest.raises(DecodeError):
        parse_channel("zz" * 32)
