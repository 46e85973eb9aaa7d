"""A peer that repeats its packets is charged once and told one thing, whenever our process is killed."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.evidence import receive_late_fulfillment
from interledger.accounts.ledger import Ledger
from interledger.accounts.recovery import recover
from interledger.accounts.request_journal import Received, Verdict
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply, decode_reply
from interledger.link.base import RememberingLink, RequestId
from interledger.link.idempotent import IdempotentSide
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Origin, RoutingTable
from interledger.store.group_commit import GroupCommit
from interledger.store.memory import MemoryStore
from interledger.store.sqlite import SqliteStore

NOW = Timestamp(1_700_000_000_000)
EXPIRES = Timestamp(NOW + 20_000)
USD = Asset("USD", 9)
PROOF = bytes(range(32))
ALICE, BOB = AccountId("alice"), AccountId("bob")
ID = b"3442196b-5fc7-4d60-a17e-a9416a77745b"


def prepare(amount: int = 100, data: bytes = b"") -> Prepare:
    return Prepare(amount, EXPIRES, hashlib.sha256(PROOF).digest(), "test.hub.bob.x", data)


class Clock:
    def now(self) -> Timestamp:
        return NOW


class Incoming:
    """alice's link: what is delivered to her is a list."""

    def __init__(self, connector: Connector, ledger: Ledger) -> None:
        self.delivered: list[tuple[bytes, Reply]] = []
        self.side = IdempotentSide(connector, ALICE, ledger, own_address=lambda: "test.hub", deliver=self._deliver)
        self.keep_reply = self.side.keep_reply
        self.unkeep_reply = self.side.unkeep_reply
        self.send_reply = self.side.send_reply

    def _deliver(self, request_id: bytes, answer: bytes) -> None:
        self.delivered.append((request_id, decode_reply(answer)))

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None: ...

    def ready(self) -> bool:
        return True


class Outgoing:
    """bob's link: what is forwarded is a list."""

    def __init__(self) -> None:
        self.forwarded: list[RequestId] = []

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.forwarded.append(request_id)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None: ...

    def ready(self) -> bool:
        return True


class NobodyHere:
    def find(self, destination: str) -> Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody here")


class Process:
    """One life of a node: real store, ledger and connector. `flush` is the disk; `kill` loses what was not flushed."""

    def __init__(self, directory: Path | MemoryStore, *, bob_is_local: bool = False) -> None:
        is_memory = isinstance(directory, MemoryStore)
        self.store = directory if is_memory else SqliteStore(directory, reserve_octets=4096)
        self.store.open()
        self.ledger = Ledger()
        self.store.load(self.ledger)
        self.commits = GroupCommit(self.ledger, self.store, Clock(), inline=True, call_soon=lambda _: None)
        recover(self.ledger)
        routes = RoutingTable()
        self.connector = Connector(
            Address("test.hub"),
            ledger=self.ledger,
            routes=routes,
            exchange=ExchangeTable(),
            receivers=NobodyHere(),
            spread=Fraction(0),
        )
        self.alice, self.bob = Incoming(self.connector, self.ledger), Outgoing()
        for name, link, local in ((ALICE, self.alice, False), (BOB, self.bob, bob_is_local)):
            account = Account(id=name, asset=USD, ilp_address=Address(f"test.hub.{name}"), relation=Relation.CHILD)
            self.connector.attach(name, account, link, is_local=local, first_request_id=1)
        routes.replace(Origin.STATIC, {"test.hub.bob": BOB})
        self.connector.routes_changed()
        self.alice.side.resume(NOW)
        self.commits.flush()

    def late(self, now: Timestamp = NOW) -> bool:
        """bob sends his Fulfill to a process that does not know his packet by its id."""
        return receive_late_fulfillment(self.ledger, "peer/bob", PROOF, FULFILL.encode(), now)

    def receive(self, packet: Prepare | None = None, now: Timestamp = NOW) -> Received:
        packet = packet or prepare()
        return self.alice.side.receive(ID, packet.encode(), packet, now)

    def reply(self, reply: Reply) -> None:
        self.connector.receive_reply(BOB, self.bob.forwarded[-1], reply, NOW)

    def kill(self) -> None:
        self.store.close()

    @property
    def alice_owes(self) -> int:
        account = self.ledger.find("peer/alice", USD)
        return 0 if account is None else account.net


FULFILL = Fulfill(PROOF, b"from bob")
REJECT = Reject(ErrorCode.T04_INSUFFICIENT_LIQUIDITY, "test.bob", "no")


def test_this_link_is_one_that_remembers(tmp_path: Path) -> None:
    process = Process(tmp_path)
    assert isinstance(process.alice, RememberingLink)
    assert not isinstance(process.bob, RememberingLink)
    process.kill()


@pytest.mark.parametrize("reply", [FULFILL, REJECT], ids=["fulfilled", "rejected"])
def test_a_repetition_is_neither_forwarded_nor_charged_again(tmp_path: Path, reply: Reply) -> None:
    process = Process(tmp_path)
    assert process.receive().verdict is Verdict.NEW
    assert process.receive().verdict is Verdict.IN_PROGRESS
    process.commits.flush()
    assert len(process.bob.forwarded) == 1
    process.reply(reply)
    assert process.alice.delivered == []  # not before it is written
    process.commits.flush()
    assert process.alice.delivered == [(ID, reply)]
    assert process.receive() == (Verdict.ANSWERED, reply.encode())
    assert process.receive(prepare(101)).verdict is Verdict.CONFLICT
    assert len(process.bob.forwarded) == 1
    assert process.alice_owes == (100 if reply is FULFILL else 0)
    process.kill()


def test_what_we_refuse_ourselves_is_written_before_it_is_said(tmp_path: Path) -> None:
    process = Process(tmp_path)
    packet = Prepare(100, EXPIRES, bytes(32), "test.nowhere", b"")
    process.receive(packet)
    assert process.alice.delivered == []
    process.commits.flush()
    ((_, answer),) = process.alice.delivered
    assert isinstance(answer, Reject)
    process.kill()
    again = Process(tmp_path)
    assert again.receive(packet) == (Verdict.ANSWERED, answer.encode())
    again.kill()


def test_what_moves_no_money_is_answered_at_once_and_writes_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path)
    seen = process.store.octets_since_snapshot
    process.receive(prepare(0))
    process.reply(FULFILL)
    assert process.alice.delivered == [(ID, FULFILL)]
    process.commits.flush()
    assert process.store.octets_since_snapshot == seen
    process.kill()


# Killed between any two steps

STEPS = ["received", "hold written", "reply received", "execution written"]


@pytest.mark.parametrize("reply", [FULFILL, REJECT], ids=["fulfilled", "rejected"])
@pytest.mark.parametrize("killed_after", STEPS)
def test_killed_between_steps_the_peer_is_charged_at_most_once_and_told_one_thing(
    tmp_path: Path, killed_after: str, reply: Reply
) -> None:
    process = Process(tmp_path)
    process.receive()
    if killed_after != "received":
        process.commits.flush()
    if killed_after in ("reply received", "execution written"):
        process.reply(reply)
    if killed_after == "execution written":
        process.commits.flush()
    forwarded, said = len(process.bob.forwarded), list(process.alice.delivered)
    process.kill()

    again = Process(tmp_path)
    received = again.receive()
    again.commits.flush()
    assert forwarded + len(again.bob.forwarded) == 1
    if killed_after == "received":  # nothing had been said or written: it is a new packet
        assert received.verdict is Verdict.NEW
        assert again.alice_owes == 0
    elif killed_after == "execution written":
        assert received == (Verdict.ANSWERED, reply.encode())
        assert said == again.alice.delivered == [(ID, reply)]
        assert again.alice_owes == (100 if reply is FULFILL else 0)
    else:  # it had left: unknown. Nothing is said as long as a fulfillment could be believed
        assert received.verdict is Verdict.IN_PROGRESS
        assert said == again.alice.delivered == []
        again.alice.side.handle_timer(Timestamp(EXPIRES - 1))
        assert again.alice.side.timer() == EXPIRES
        again.alice.side.handle_timer(EXPIRES)
        again.commits.flush()
        ((_, answer),) = again.alice.delivered
        assert isinstance(answer, Reject)
        assert answer.code == ErrorCode.R00_TRANSFER_TIMED_OUT
        assert again.alice_owes == 0
        assert [unknown.amount for unknown in again.ledger.unknown.values()] == [100]
        again.kill()
        again = Process(tmp_path)  # and so it stays
        assert again.receive() == (Verdict.ANSWERED, answer.encode())
    assert again.ledger.check() == []
    again.kill()


def test_a_fulfillment_that_comes_after_a_restart_is_relayed_in_time_and_charged_once(tmp_path: Path) -> None:
    """Invariant 8: with a preimage in hand and time left, never a Reject upstream."""
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.kill()
    again = Process(tmp_path)
    assert again.receive().verdict is Verdict.IN_PROGRESS
    assert again.late()
    assert again.alice.delivered == []
    again.commits.flush()
    assert again.alice.delivered == [(ID, FULFILL)]
    again.alice.side.handle_timer(EXPIRES)
    again.commits.flush()
    assert again.alice.delivered == [(ID, FULFILL)]
    again.kill()
    third = Process(tmp_path)
    assert third.receive() == (Verdict.ANSWERED, FULFILL.encode())
    assert third.alice_owes == 100
    assert not third.ledger.unknown
    third.kill()


def test_a_packet_for_ourselves_is_refused_at_once_after_a_restart(tmp_path: Path) -> None:
    """It never left, so nobody has a fulfillment; and it is not taken up again, so that there is one answer."""
    process = Process(tmp_path, bob_is_local=True)
    process.receive()
    process.commits.flush()
    process.kill()
    again = Process(tmp_path, bob_is_local=True)
    ((_, answer),) = again.alice.delivered
    assert isinstance(answer, Reject)
    assert answer.code == ErrorCode.T00_INTERNAL_ERROR
    assert again.receive() == (Verdict.ANSWERED, answer.encode())
    assert again.bob.forwarded == []
    again.kill()


def test_J3_a_fulfill_of_our_own_receiver_that_cannot_be_written_is_never_heard(tmp_path: Path) -> None:
    """Its record may be on the disk or not. Until a restart has looked, silence is the only answer that fits both."""
    process = Process(tmp_path, bob_is_local=True)
    process.receive()
    process.commits.flush()
    process.commits.error = StoreError("a broken disk")
    process.reply(FULFILL)
    process.commits.flush()
    assert process.alice.delivered == []
    assert process.receive().verdict is Verdict.IN_PROGRESS
    process.kill()
    again = Process(tmp_path, bob_is_local=True)
    assert [type(reply) for _, reply in again.alice.delivered] == [Reject]
    assert again.alice_owes == 0
    again.kill()


def test_an_answer_that_was_too_large_to_be_kept_is_not_delivered_as_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.reply(FULFILL)
    process.commits.flush()
    process.alice.side.journal.silence(ID)
    process.alice.delivered.clear()
    process.alice.side.resume(NOW)
    assert process.alice.delivered == []
    process.kill()


def test_the_same_after_a_snapshot(tmp_path: Path) -> None:

    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.store.write(b"", NOW, snapshot=capture(process.ledger))
    process.kill()
    again = Process(tmp_path)
    assert again.receive().verdict is Verdict.IN_PROGRESS
    again.kill()


def test_J1_an_account_that_is_opened_anew_gives_no_answer_before_it_is_written(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.reply(FULFILL)
    process.alice.side.resume(NOW)
    assert process.alice.delivered == []
    process.commits.flush()
    assert set(process.alice.delivered) == {(ID, FULFILL)}
    process.kill()


def test_17_the_reject_of_a_held_packet_does_not_leave_when_it_cannot_be_written(tmp_path: Path) -> None:
    """A start finds the hold; a Fulfill that comes then is relayed, to a peer that must not have heard otherwise."""
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.reply(Reject("F99", "test.bob", "no"))
    process.store.close()
    process.commits.flush()
    assert process.commits.error is not None
    assert process.receive().verdict is Verdict.IN_PROGRESS
    assert process.alice.delivered == []
    again = Process(tmp_path)
    assert again.late()
    again.commits.flush()
    assert again.alice.delivered == [(ID, FULFILL)]
    again.kill()


def test_an_answer_that_expired_is_not_delivered_again(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    process.reply(FULFILL)
    process.commits.flush()
    process.alice.delivered.clear()
    process.alice.side.resume(EXPIRES)
    assert process.alice.delivered == []
    process.alice.side.resume(NOW)
    process.commits.flush()
    assert process.alice.delivered == [(ID, FULFILL)]
    process.kill()


def test_a_link_made_anew_delivers_what_the_old_one_took_in(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.receive()
    process.commits.flush()
    newer = Incoming(process.connector, process.ledger)
    newer.side.resume(NOW)
    process.reply(FULFILL)
    process.commits.flush()
    assert process.alice.delivered == []
    assert newer.delivered == [(ID, FULFILL)]
    process.kill()


def test_a_handler_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    process = Process(tmp_path)

    class Broken:
        def receive_prepare(self, *arguments: object) -> None:
            raise RuntimeError("broken")

    side = IdempotentSide(Broken(), ALICE, process.ledger, own_address=lambda: "test.hub", deliver=lambda *_: None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        side.receive(ID, b"octets", prepare(), NOW)
    assert len(side.journal) == 0
    process.kill()


# Any order of events

STEP = st.sampled_from(["ask", "ask another", "write", "fulfill", "reject", "kill", "late fulfill", "expire"])


@given(st.lists(STEP, max_size=14))
def test_whatever_happens_in_whatever_order_the_peer_is_charged_once_and_told_one_thing(steps: list[str]) -> None:
    """The model: what alice was told never changes, and she owes the amount when, and only when, that is a Fulfill."""
    store, forwarded, told, now = MemoryStore(), 0, set[bytes](), NOW
    process = Process(store)
    for step in [*steps, "write", "kill", "write"]:
        match step:
            case "ask":
                process.receive(now=now)
            case "ask another":
                process.receive(prepare(101), now)
            case "write":
                process.commits.flush()
            case "fulfill" | "reject":
                if process.bob.forwarded:
                    process.reply(FULFILL if step == "fulfill" else REJECT)
            case "late fulfill":
                process.late(now)
            case "expire":
                now = EXPIRES
                process.alice.side.handle_timer(now)
            case "kill":
                forwarded += len(process.bob.forwarded)
                told |= {answer.encode() for _, answer in process.alice.delivered}
                process.kill()
                process = Process(store)
        assert process.ledger.check() == []
    told |= {answer.encode() for _, answer in process.alice.delivered}
    assert forwarded + len(process.bob.forwarded) <= 1
    assert len(told) <= 1
    assert process.alice_owes in (0, 100, 101)
    if told == {FULFILL.encode()}:
        assert process.alice_owes > 0
    elif told:
        assert process.alice_owes == 0
