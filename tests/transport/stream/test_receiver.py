"""The receiver's decisions: a row per Prepare, and what the payer can read in the answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interledger.codec.oer import UINT64_MAX
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.transport.stream import receiver as module
from interledger.transport.stream.crypto import StreamCrypto, hmac_sha256
from interledger.transport.stream.frames import (
    ConnectionAssetDetails,
    ConnectionClose,
    ConnectionMaxData,
    ConnectionMaxStreamId,
    ConnectionNewAddress,
    StreamData,
    StreamErrorCode,
    StreamMaxMoney,
    StreamMoney,
    StreamReceipt,
)
from interledger.transport.stream.packet import StreamPacket
from interledger.transport.stream.receipts import ReceiptKey, ReceiptVerifier
from interledger.transport.stream.receiver import StreamReceiver
from interledger.transport.stream.tokens import ReceiverTokens

MONEY = (StreamMoney(1, 1),)
UNLIMITED = UINT64_MAX
SHOWS_ASSET = (ConnectionAssetDetails("EUR", 6), ConnectionMaxStreamId(20), ConnectionMaxData(0))
TOO_MUCH = ConnectionClose(StreamErrorCode.FLOW_CONTROL_ERROR)
VIOLATION = ConnectionClose(StreamErrorCode.PROTOCOL_VIOLATION)


@pytest.fixture
def kit(stream):
    """`kit(...)` makes a receiver with one connection, and `send` to it."""

    def make(*, receive_max=None, receipts=None, **how):
        entropy = stream.SeededEntropy()
        receiver = StreamReceiver("test.bob", ReceiverTokens(b"s" * 32, entropy), entropy, **how)
        address, secret = receiver.new_connection(
            "bob", stream.EUR, receive_max=receive_max, tag=b"order 1", receipts=receipts
        )
        crypto = StreamCrypto(secret, entropy)

        def send(frames=MONEY, amount=100, minimum=0, sequence=7, fulfillable=True, kind=12, to=address, **more):
            data = (
                more["data"] if "data" in more else crypto.seal(StreamPacket(kind, sequence, minimum, frames).encode())
            )
            condition = crypto.condition(data) if fulfillable else b"\1" * 32
            reply = receiver.receive_prepare(
                Prepare(amount, stream.START + more.get("lives", 1000), condition, to, data), stream.START
            )
            if isinstance(reply, Fulfill):
                assert reply.matches(condition)
            plaintext = crypto.open(reply.data) if reply.data else None
            said = StreamPacket.decode(plaintext) if plaintext else None
            return SimpleNamespace(reply=reply, code=getattr(reply, "code", "fulfilled"), said=said)

        return SimpleNamespace(receiver=receiver, address=address, secret=secret, crypto=crypto, send=send)

    return make


@pytest.mark.parametrize(
    ("prepare", "code", "strict", "frames"),
    [
        ({}, "fulfilled", "fulfilled", (StreamMaxMoney(1, UNLIMITED, 100),)),
        ({"amount": 0}, "fulfilled", "fulfilled", (StreamMaxMoney(1, UNLIMITED, 0),)),
        ({"frames": ()}, "fulfilled", "fulfilled", ()),
        ({"minimum": 100}, "fulfilled", "fulfilled", (StreamMaxMoney(1, UNLIMITED, 100),)),
        ({"minimum": 101}, "F99", "F04", (StreamMaxMoney(1, UNLIMITED, 0),)),
        ({"fulfillable": False}, "F99", "F05", (StreamMaxMoney(1, UNLIMITED, 0),)),
        ({"fulfillable": False, "frames": (ConnectionNewAddress("test.a"),)}, "F99", "F05", SHOWS_ASSET),
        ({"fulfillable": False, "frames": (ConnectionNewAddress(""),)}, "F99", "F05", SHOWS_ASSET),
        ({"frames": (StreamData(1, 0, b""),)}, "fulfilled", "fulfilled", ()),
        ({"frames": (StreamData(1, 0, b"data"),)}, "F99", "F99", (TOO_MUCH,)),
        ({"frames": (*MONEY, StreamData(1, 0, b"x"))}, "F99", "F99", (StreamMaxMoney(1, UNLIMITED, 0), TOO_MUCH)),
        ({"frames": (ConnectionClose(1, "done"),)}, "F99", "F99", (ConnectionClose(1, ""),)),
        ({"frames": (StreamMoney(2, 1),)}, "F99", "F99", (StreamMaxMoney(2, UNLIMITED, 0), VIOLATION)),
        (
            {"frames": (StreamMoney(21, 1),)},
            "F99",
            "F99",
            (StreamMaxMoney(21, UNLIMITED, 0), ConnectionClose(StreamErrorCode.STREAM_ID_ERROR)),
        ),
        (
            {"frames": (StreamMoney(1, 1), StreamMoney(3, 2)), "amount": 101},
            "fulfilled",
            "fulfilled",
            (StreamMaxMoney(1, UNLIMITED, 34), StreamMaxMoney(3, UNLIMITED, 67)),
        ),
    ],
)
def test_what_the_payer_hears(kit, prepare, code, strict, frames):
    """ST-07, ST-08, ST-09, ST-11, ST-15, ST-19, D-22."""
    for expected, how in ((code, {}), (strict, {"strict_codes": True})):
        answer = kit(**how).send(**prepare)
        assert answer.code == expected
        assert answer.said == StreamPacket(13 if expected == "fulfilled" else 14, 7, prepare.get("amount", 100), frames)
        if expected != "fulfilled":
            assert (answer.reply.triggered_by, answer.reply.message) == ("test.bob", "")


def test_ST_05_the_sequence_is_copied(kit):
    k = kit()
    assert [k.send(sequence=s).said.sequence for s in (0, 1, 2**64 - 1)] == [0, 1, 2**64 - 1]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        ({"data": b""}, "F06"),
        ({"data": b"x" * 60}, "F06"),
        ({"kind": 13}, "F06"),
        ({"kind": 14}, "F06"),
        ({"to": "test.bob.unknown"}, "F06"),
        ({"to": "test.bob._.token"}, "F06"),
        ({"to": "test.bob"}, "F02"),
        ({"to": "test.bobby.x"}, "F02"),
        ({"lives": 0}, "R00"),
    ],
)
def test_ST_03_what_is_not_for_us_gets_an_empty_answer(kit, prepare, code):
    answer = kit().send(**prepare)
    assert answer.reply == Reject(code, "test.bob", "", b"")


def test_ST_03_a_packet_that_cannot_be_parsed_is_not_for_us(kit):
    k = kit()
    assert k.send(data=k.crypto.seal(b"\x01\x0c\x01\x01")).code == "F06"
    assert k.send(data=k.crypto.seal(b"\x02" + StreamPacket(12, 1, 0).encode()[1:])).code == "F06"


def test_D_20_tag_last(kit):
    for how, code in (({}, "fulfilled"), ({"accept_tag_last": False}, "F06")):
        k = kit(**how)
        cipher = AESGCM(hmac_sha256(k.secret, b"ilp_stream_encryption"))
        plaintext = StreamPacket(12, 7, 0, MONEY).encode()
        assert k.send(data=b"i" * 12 + cipher.encrypt(b"i" * 12, plaintext, None)).code == code


def test_ST_12_replies_of_a_connection_are_counted(kit):
    k = kit()
    connection = k.receiver.resolve(k.address)
    connection.packets_left = 1
    assert [k.send().code, k.send().code] == ["fulfilled", "F99"]
    assert k.send().said.frames[-1].error_code == StreamErrorCode.INTERNAL_ERROR
    assert connection.total_received == 100


def test_extra_segments_lead_to_the_same_connection(kit):
    k = kit()
    assert k.send().code == "fulfilled"
    assert k.send(to=k.address + ".more.segments").said.frames == (StreamMaxMoney(1, UNLIMITED, 200),)


def test_resolve_says_whom_to_credit(kit, stream):
    k = kit()
    connection = k.receiver.resolve(k.address + ".x")
    assert (connection.account_id, connection.asset, connection.tag) == ("bob", stream.EUR, b"order 1")
    assert connection is k.receiver.resolve(k.address)
    assert k.receiver.resolve("test.bob.x") is None
    assert k.receiver.resolve("test.eve.x") is None


def test_invariant_21_the_total_is_the_sum_of_what_was_fulfilled(kit):
    k = kit()
    for amount, minimum in ((5, 0), (7, 8), (0, 0), (11, 11)):
        k.send(amount=amount, minimum=minimum)
    k.send(frames=(), amount=4)
    assert k.receiver.resolve(k.address).total_received == 5 + 11 + 4


def test_H1_a_replay_brings_only_what_it_brings(kit, stream):
    """The same Prepare twice, the second with less money: each is judged and credited by what arrived."""
    k = kit()
    data = k.crypto.seal(StreamPacket(12, 1, 50, MONEY).encode())
    assert [k.send(data=data, amount=a).code for a in (100, 100, 10)] == ["fulfilled", "fulfilled", "F99"]
    assert k.receiver.resolve(k.address).total_received == 200


def test_a_limited_connection_takes_no_more(kit):
    k = kit(receive_max=250)
    answers = [k.send(amount=a) for a in (100, 100, 100, 50)]
    assert [a.code for a in answers] == ["fulfilled", "fulfilled", "F99", "fulfilled"]
    assert [a.said.frames[0][1:] for a in answers] == [(250, 100), (250, 200), (250, 200), (250, 250)]
    two = k.send(frames=(StreamMoney(3, 1),), amount=1)
    assert (two.code, two.said.frames) == ("F99", (StreamMaxMoney(3, 0, 0),))


def test_a_stream_s_limit_never_shrinks(kit):
    """Though another stream takes what is left of the connection's limit."""
    k = kit(receive_max=250)
    first = k.send(amount=100).said.frames
    other = k.send(frames=(StreamMoney(3, 1),), amount=100).said.frames
    later = k.send(amount=100)
    assert (first, other) == ((StreamMaxMoney(1, 250, 100),), (StreamMaxMoney(3, 150, 100),))
    assert (later.code, later.said.frames) == ("F99", (StreamMaxMoney(1, 250, 100),))


def test_the_application_may_decline(kit):
    asked = []
    k = kit(accept=lambda connection, amount: asked.append((connection.tag, amount)) or amount < 100)
    assert [k.send(amount=a).code for a in (99, 100, 0)] == ["fulfilled", "F99", "fulfilled"]
    assert asked == [(b"order 1", 99), (b"order 1", 100)]


def test_H17_connections_are_forgotten_and_found_again(kit, monkeypatch, stream):
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 2)
    k = kit()
    k.send()
    for _ in range(2):
        address, _ = k.receiver.new_connection("bob", stream.EUR)
        assert k.receiver.resolve(address) is not None
    assert k.send().said.frames == (StreamMaxMoney(1, UNLIMITED, 100),)


def test_another_process_with_the_secret_answers_the_same(kit, stream):
    k = kit()
    entropy = stream.SeededEntropy(2)
    other = StreamReceiver("test.bob", ReceiverTokens(b"s" * 32, entropy), entropy)
    data = k.crypto.seal(StreamPacket(12, 1, 0, MONEY).encode())
    prepare = Prepare(5, stream.START + 1, k.crypto.condition(data), k.address, data)
    assert isinstance(other.receive_prepare(prepare, stream.START), Fulfill)


# ---------------------------------------------------------------------- receipts (RFC 39)

NONCE = b"n" * 16


@pytest.fixture
def verifier(stream):
    """A third party that has given out `NONCE`."""
    made = ReceiptVerifier(b"v" * 32)
    made.open(NONCE, stream.START)
    return made


def receipts_in(answer):
    return [frame for frame in answer.said.frames if isinstance(frame, StreamReceipt)]


def test_H16_every_fulfill_has_a_receipt_that_the_third_party_takes(kit, verifier, stream):
    k = kit(receipts=ReceiptKey(NONCE, verifier.secret_of(NONCE)))
    for amount, adds in ((100, 100), (30, 30), (0, 0)):
        (frame,) = receipts_in(k.send(amount=amount))
        assert (frame.stream_id, verifier.redeem(frame.receipt, stream.START)) == (1, adds)


@pytest.mark.parametrize(
    ("frames", "adds"),
    [
        ((StreamMoney(1, 1), StreamMoney(3, 3)), [(1, 25), (3, 75)]),
        ((StreamMoney(1, 1), StreamMoney(1, 1)), [(1, 100)]),
        ((), [(1, 100)]),
    ],
)
def test_H16_there_is_one_receipt_for_each_stream(kit, verifier, stream, frames, adds):
    k = kit(receipts=ReceiptKey(NONCE, verifier.secret_of(NONCE)))
    got = receipts_in(k.send(frames=frames))
    assert [(frame.stream_id, verifier.redeem(frame.receipt, stream.START)) for frame in got] == adds


def test_H16_what_is_not_fulfilled_and_who_did_not_ask_gets_no_receipt(kit, verifier):
    k = kit(receipts=ReceiptKey(NONCE, verifier.secret_of(NONCE)))
    for refused in ({"fulfillable": False}, {"minimum": 101}, {"frames": (ConnectionClose(1, ""),)}):
        assert receipts_in(k.send(**refused)) == []
    assert receipts_in(kit().send()) == []


def test_H16_a_connection_that_was_forgotten_never_says_more_than_it_got(kit, verifier, stream, monkeypatch):
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 1)
    k = kit(receipts=ReceiptKey(NONCE, verifier.secret_of(NONCE)))
    redeemed = verifier.redeem(receipts_in(k.send(amount=100))[0].receipt, stream.START)
    assert k.receiver.resolve(k.receiver.new_connection("bob", stream.EUR)[0]) is not None
    for amount in (60, 60):
        redeemed += verifier.redeem(receipts_in(k.send(amount=amount))[0].receipt, stream.START)
    assert redeemed == 120
