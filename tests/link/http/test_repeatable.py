"""What comes in with an id: each form's acknowledgements, repetitions, conflicts and refusals."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from interledger.accounts.account import AccountId, HttpForm
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.recovery import recover
from interledger.accounts.request_journal import KEPT_AFTER_EXPIRY_MS
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.http import repeatable
from interledger.link.http.repeatable import RepeatableSide

NOW = Timestamp(1_700_000_000_000)
PROOF = bytes(32)
FULFILL, REJECT = Fulfill(PROOF, b"ok"), Reject("F99", "test.b", "no")
PREPARE = Prepare(0, Timestamp(NOW + 30_000), hashlib.sha256(PROOF).digest(), Address("test.b.carol"), b"d")
OTHER = Prepare(0, Timestamp(NOW + 30_000), hashlib.sha256(PROOF).digest(), Address("test.b.carol"), b"e")
BOB = AccountId("bob")
USD = Asset("USD", 9)
FORMS = pytest.mark.parametrize("form", [HttpForm.OER_SYNC, HttpForm.OER_ASYNC, HttpForm.ASYNC])
ASYNC_FORMS = pytest.mark.parametrize("form", [HttpForm.OER_ASYNC, HttpForm.ASYNC])


class Answer:
    """One request's answer, as the client would see it."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.octets = b""
        self.waits = False

    def packet(self, octets: bytes) -> bool:
        self.status, self.octets = 200, octets
        return True

    def refuse(self, status: int, text: str) -> bool:
        self.status = status
        return True

    def acknowledge(self, status: int) -> bool:
        self.status = status
        return True

    def deny(self, text: str) -> bool:
        return self.refuse(401, text)

    def in_turn(self) -> None:
        self.waits = True


class Rig:
    """A side whose handler is this object; `commit` is the disk."""

    def __init__(self, form: HttpForm, reply: Reply | None = None) -> None:
        self.reply = reply
        self.ledger = Ledger()
        self.prepares: list[RequestId] = []
        self.replies: list[tuple[RequestId, Reply]] = []
        self.delivered: list[tuple[bytes, bytes]] = []
        self.side = RepeatableSide(
            self,  # type: ignore[arg-type]  # all that is called
            BOB,
            self.ledger,
            form,
            ledger_name="peer/bob",
            own_address=lambda: "test.a",
            deliver=lambda request_id, answer: self.delivered.append((request_id, answer)),
            callback_url="https://bob.example/ilp",
        )

    def receive_prepare(self, account: AccountId, request_id: RequestId, prepare: Prepare, now: int) -> Reply | None:
        self.prepares.append(request_id)
        return self.reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        self.replies.append((request_id, reply))

    def post(self, packet: Any, request_id: bytes = b"x") -> Answer:
        answer = Answer()
        octets = packet if isinstance(packet, bytes) else packet.encode()
        self.side.receive(request_id, octets, NOW, answer)
        return answer

    def commit(self, error: Exception | None = None) -> None:
        batch = self.ledger.take_batch()
        for waiter in [] if batch is None else batch.waiters:
            waiter(error)


# Prepares


def test_HT_02_in_the_synchronous_form_all_who_ask_get_the_one_answer() -> None:
    rig = Rig(HttpForm.OER_SYNC)
    first, second = rig.post(PREPARE), rig.post(PREPARE)
    assert len(rig.prepares) == 1
    rig.side.requests.send_reply(rig.prepares[0], FULFILL)
    assert (first.octets, second.octets) == (FULFILL.encode(), FULFILL.encode())
    third = rig.post(PREPARE)
    rig.commit()
    assert third.octets == FULFILL.encode()
    assert rig.delivered == []


@pytest.mark.parametrize(("form", "status"), [(HttpForm.OER_ASYNC, 200), (HttpForm.ASYNC, 202)])
def test_HT_03_a_prepare_is_acknowledged_once_what_follows_is_written(form: HttpForm, status: int) -> None:
    rig = Rig(form)
    answers = [rig.post(PREPARE), rig.post(PREPARE)]
    assert [answer.status for answer in answers] == [None, None]
    rig.commit()
    assert [answer.status for answer in answers] == [status, status]
    rig.side.requests.send_reply(rig.prepares[0], REJECT)
    assert rig.delivered == [(b"x", REJECT.encode())]
    assert len(rig.prepares) == 1


@ASYNC_FORMS
def test_what_cannot_be_written_is_not_acknowledged(form: HttpForm) -> None:
    rig = Rig(form)
    answer = rig.post(PREPARE)
    rig.commit(RuntimeError("disk"))
    assert answer.status == 503


@pytest.mark.parametrize(
    ("form", "status"), [(HttpForm.OER_SYNC, 409), (HttpForm.OER_ASYNC, 409), (HttpForm.ASYNC, 400)]
)
def test_another_packet_under_the_same_id_is_refused(form: HttpForm, status: int) -> None:
    rig = Rig(form)
    first = rig.post(PREPARE)
    assert rig.post(OTHER).status == status
    rig.side.requests.send_reply(rig.prepares[0], FULFILL)
    rig.commit()
    assert first.status == (202 if form is HttpForm.ASYNC else 200)


@FORMS
def test_when_too_much_is_in_progress_new_packets_are_refused_for_now(form: HttpForm) -> None:
    rig = Rig(form)
    rig.side.requests.journal._requests_max = 1
    rig.post(PREPARE)
    assert rig.post(PREPARE, b"y").status == 429
    assert rig.post(PREPARE).status is None


def test_waiting_repetitions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeatable, "WAITERS_MAX", 2)
    monkeypatch.setattr(repeatable, "WAITING_MAX", 1)
    rig = Rig(HttpForm.OER_SYNC)
    answers = [rig.post(PREPARE) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, None, None]
    assert rig.post(PREPARE, b"y").status == 429
    rig.side.close()
    assert [answer.status for answer in answers] == [503, 503, 503]


def test_a_handler_that_fails_leaves_nobody_waiting() -> None:
    rig = Rig(HttpForm.OER_SYNC)
    rig.receive_prepare = None  # type: ignore[assignment, method-assign]  # calling it fails
    with pytest.raises(TypeError):
        rig.post(PREPARE)
    assert rig.side._waiting == {}


@FORMS
@pytest.mark.parametrize("octets", [b"", b"\x0c", PREPARE.encode()[:-1], b"\x09abc"])
def test_what_is_no_packet_is_refused(form: HttpForm, octets: bytes) -> None:
    assert Rig(form).post(octets).status == 400


# Replies to ours


def test_in_the_synchronous_form_a_reply_is_no_request() -> None:
    assert Rig(HttpForm.OER_SYNC).post(FULFILL).status == 400


@ASYNC_FORMS
def test_HT_04_a_reply_is_taken_once_and_acknowledged_each_time(form: HttpForm) -> None:
    rig = Rig(form)
    rig.side.outstanding.add(b"x", RequestId(7), NOW)
    first, second = rig.post(FULFILL), rig.post(FULFILL)
    assert (first.status, second.status) == (None, None)
    rig.commit()
    assert (first.status, second.status) == (200, 200)
    assert rig.replies == [(7, FULFILL)]
    assert rig.post(REJECT).status == (409 if form is HttpForm.OER_ASYNC else 400)


@ASYNC_FORMS
def test_HT_04_a_reply_to_nothing_is_refused(form: HttpForm) -> None:
    rig = Rig(form)
    status = 404 if form is HttpForm.OER_ASYNC else 400
    assert rig.post(FULFILL).status == status
    assert rig.post(REJECT).status == status
    assert rig.replies == []


@ASYNC_FORMS
def test_after_a_restart_a_fulfill_is_evidence_for_what_it_proves(form: HttpForm) -> None:
    rig = Rig(form)
    legs = ((rig.ledger.account("peer/alice", USD), rig.ledger.account("peer/bob", USD), 5),)
    hold = rig.ledger.hold(legs, hashlib.sha256(PROOF).digest(), NOW, True)
    assert isinstance(hold, Hold)
    recover(rig.ledger)
    answer = rig.post(FULFILL)
    rig.commit()
    assert answer.status == 200
    assert [unknown.fulfillment for unknown in rig.ledger.unknown.values()] == [PROOF]


def test_the_reply_in_a_response_counts_when_it_is_the_first() -> None:
    rig = Rig(HttpForm.ASYNC)
    rig.side.outstanding.add(b"x", RequestId(7), NOW)
    rig.side.receive_inline(b"x", FULFILL.encode(), FULFILL, NOW)
    rig.side.receive_inline(b"x", REJECT.encode(), REJECT, NOW)
    assert rig.replies == [(7, FULFILL)]


# Which requests are of the asynchronous form

CALLBACK = {b"request-id": b"x", b"callback-url": b"https://bob.example/ilp"}


@pytest.mark.parametrize(
    ("fields", "body", "found"),
    [
        (CALLBACK, PREPARE, b"x"),
        ({b"request-id": b"x"}, FULFILL, b"x"),
        ({**CALLBACK, b"callback-url": b"https://evil.example/ilp"}, PREPARE, None),
        ({**CALLBACK, b"callback-url": b"https://bob.example/ilp/"}, PREPARE, None),
        ({b"request-id": b"x"}, PREPARE, None),
        ({b"callback-url": b"https://bob.example/ilp"}, PREPARE, None),
        ({}, PREPARE, None),
        ({}, FULFILL, None),
    ],
)
def test_HT_11_only_the_configured_callback_is_believed(
    fields: dict[bytes, bytes], body: Prepare | Fulfill, found: bytes | None
) -> None:
    """Whoever names another one is read in turn from then on."""
    answer = Answer()
    assert Rig(HttpForm.ASYNC).side.id_in(fields, body.encode(), answer) == found
    assert answer.waits is (b"request-id" in fields and found is None)


def test_what_expired_long_ago_is_forgotten() -> None:
    rig = Rig(HttpForm.OER_SYNC, FULFILL)
    rig.post(PREPARE)
    due = rig.side.requests.timer()
    assert due == PREPARE.expires_at + KEPT_AFTER_EXPIRY_MS
    rig.side.requests.handle_timer(due)
    assert len(rig.side.requests.journal) == 0
