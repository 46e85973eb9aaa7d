"""Packet states in any order: prepare, fulfill, reject, time, a failing disk, a lost link, a restart; against a model.

The model knows nothing of the connector: a packet is on its way, executed, refused or in doubt, and the peers' balances
are the sums of what was executed. More of it with `ILP_EXAMPLES=5000 pytest tests/connector/test_forward_machine.py`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Batch, Ledger
from interledger.accounts.records import decode_records
from interledger.accounts.recovery import recover
from interledger.clock import Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.routing.exchange import ExchangeTable
from interledger.routing.table import Origin, RoutingTable

USD = Asset("USD", 9)
START = 1_700_000_000_000
OWES_MAX = 1_000
LIMITS = Limits(packets_per_minute=None)
REMOTE = ("alice", "bob")
PEERS = (*REMOTE, "holder")
EXAMPLES = int(os.environ.get("ILP_EXAMPLES", "60"))


def proof(tag: int) -> bytes:
    return hashlib.sha256(b"%d" % tag).digest()


@dataclass
class Packet:
    """What the model knows. `state`: decided (not written), away, executed, refused, doubt, lost."""

    tag: int
    source: str
    target: str
    amount: int
    expires_at: int
    life: int
    state: str = "decided"
    onward: tuple[int, Prepare] | None = None
    told: list[Reply] = field(default_factory=list)


class Wire:
    """A link whose other end is the machine."""

    def __init__(self, machine: ConnectorMachine, name: str) -> None:
        self.machine, self.name, self.up = machine, name, True

    def ready(self) -> bool:
        return self.up

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        tag = int.from_bytes(prepare.data, "big")
        packet = self.machine.packets_by_tag[tag]
        assert packet.onward is None, "a Prepare left twice"
        assert packet.target == self.name
        assert prepare.amount == packet.amount
        # 11: earlier by the message window, and never longer than we hold.
        assert prepare.expires_at <= packet.expires_at - LIMITS.min_message_window_ms
        if packet.amount and self.name != "holder":
            assert packet.tag in self.machine.written, "a Prepare left before its hold was written"
        packet.onward = request_id, prepare
        packet.state = "away"

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        packet = self.machine.packets_by_tag[request_id]
        assert packet.source == self.name, "an answer left on another link than its request came on"
        packet.told.append(reply)
        assert len(packet.told) == 1, "13: two answers"
        if isinstance(reply, Fulfill):
            assert packet.state == "executed"
            assert reply.fulfillment == proof(packet.tag)


class Nobody:
    def find(self, destination: str) -> Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody here")


class ConnectorMachine(RuleBasedStateMachine):
    """One connector with two peers and a holder."""

    packets = Bundle("packets")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.tags = 0
        self.life = 0
        self.journal = b""
        self.packets_by_tag: dict[int, Packet] = {}
        self.by_condition: dict[bytes, int] = {}
        self.written: set[int] = set()
        self.broken = False

    @initialize()
    def start(self) -> None:
        """Read the journal, recover, attach."""
        self.ledger = Ledger()
        for record in decode_records(self.journal):
            self.ledger.apply(record)
        self.ledger.end_replay()
        recover(self.ledger)
        routes = RoutingTable()
        self.connector = Connector(
            Address("test.hub"),
            ledger=self.ledger,
            routes=routes,
            exchange=ExchangeTable(),
            receivers=Nobody(),
            spread=Fraction(0),
            limits=LIMITS,
        )
        self.wires = {name: Wire(self, name) for name in PEERS}
        for name in PEERS:
            account = Account(
                id=AccountId(name), asset=USD, ilp_address=Address(f"test.{name}"), relation=Relation.PEER
            )
            first = 1 + 100_000 * self.life
            local = name == "holder"
            peer = self.connector.attach(account.id, account, self.wires[name], is_local=local, first_request_id=first)
            peer.ledger_account.debit_max = OWES_MAX
        routes.replace(Origin.STATIC, {f"test.{name}": AccountId(name) for name in PEERS})
        self.connector.routes_changed()
        self.write()

    # ------------------------------------------------------------------ what peers do

    @rule(
        target=packets,
        pair=st.permutations(PEERS),
        amount=st.sampled_from([0, 1, 7, 400, 999, 1_000, 1_001]),
        lifetime_ms=st.sampled_from([-1, 500, 1_999, 2_000, 5_000, 30_000, 90_000]),
    )
    def prepare(self, pair: list[str], amount: int, lifetime_ms: int) -> int:
        source, target = pair[0], pair[1]
        self.tags += 1
        tag = self.tags
        condition = hashlib.sha256(proof(tag)).digest()
        packet = Packet(tag, source, target, amount, self.now + lifetime_ms, self.life)
        self.packets_by_tag[tag] = packet
        self.by_condition[condition] = tag
        room = self.room(source, without=tag)
        prepare = Prepare(
            amount, Timestamp(packet.expires_at), condition, Address(f"test.{target}"), tag.to_bytes(4, "big")
        )
        reply = self.connector.receive_prepare(
            AccountId(source), RequestId(tag), Prepare.decode(prepare.encode()), Timestamp(self.now)
        )
        refused = (
            lifetime_ms < 2 * LIMITS.min_message_window_ms
            or not self.wires[target].up
            or (amount > 0 and (amount > room or self.ledger.read_only))
        )
        assert (reply is not None) == refused, reply
        if reply is not None:
            packet.state = "refused"
            packet.told.append(reply)
        return tag

    @rule(tag=packets, how=st.sampled_from(["fulfill", "fulfill", "reject", "wrong", "other link"]))
    def answer(self, tag: int, how: str) -> None:
        """The next hop answers: the first time, again, late, or somebody else does."""
        packet = self.packets_by_tag[tag]
        if packet.onward is None:
            return
        request_id, _ = packet.onward
        reply: Reply = Fulfill(proof(tag))
        if how == "reject":
            reply = Reject(ErrorCode.F99_APPLICATION_ERROR, "test.bob", "no")
        elif how == "wrong":
            reply = Fulfill(bytes(32))
        link = packet.target if how != "other link" else packet.source
        # Before the call: what it lets go at once is judged by it.
        if packet.state == "away" and packet.life == self.life and how != "other link":
            packet.state = "executed" if how == "fulfill" else "refused"
            # 9: what is still waited for can be met. (A disk may then be slower than that: the Fulfill leaves late.)
            assert self.now < packet.expires_at - LIMITS.relay_margin_ms
        if how == "other link" and request_id in self.connector.peers[AccountId(link)].in_flight:
            return  # that number is a packet of that link's, too
        self.connector.receive_reply(AccountId(link), RequestId(request_id), reply, Timestamp(self.now))

    @rule(tag=packets)
    def no_answer(self, tag: int) -> None:
        """The link gives up on a Prepare that the peer may have got."""
        packet = self.packets_by_tag[tag]
        if packet.onward is None or packet.target == "holder":
            return
        if packet.state == "away" and packet.life == self.life:
            packet.state = "doubt" if packet.amount else "refused"
        reject = Reject(ErrorCode.T00_INTERNAL_ERROR, "test.hub", "it cannot be read")
        self.connector.receive_no_reply(
            AccountId(packet.target), RequestId(packet.onward[0]), reject, Timestamp(self.now)
        )

    # ------------------------------------------------------------------ time, links, the disk

    @rule(ms=st.sampled_from([1, 300, 1_000, 5_000, 31_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        self.write()
        for packet in self.mine():
            if packet.state == "away" and packet.onward is not None:
                onward_expires_at = packet.onward[1].expires_at
                due = min(onward_expires_at + LIMITS.grace_ms, packet.expires_at - LIMITS.relay_margin_ms)
                if due <= self.now:
                    packet.state = "doubt" if packet.amount and packet.target != "holder" else "refused"
        self.connector.handle_timer(Timestamp(self.now))

    @rule(name=st.sampled_from(REMOTE), up=st.booleans())
    def link_changes(self, name: str, up: bool) -> None:
        """Nothing in flight is decided by that."""
        before = {tag: packet.state for tag, packet in self.packets_by_tag.items()}
        self.wires[name].up = up
        if not up:
            self.connector.link_lost(AccountId(name), Timestamp(self.now))
        assert before == {tag: packet.state for tag, packet in self.packets_by_tag.items()}

    @rule()
    def write(self) -> None:
        """The disk has it: what waited leaves."""
        while (batch := self.ledger.take_batch()) is not None:
            self.journal += b"".join(batch.records)
            self.note_written(batch)
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for send, _, request_id, onward in batch.prepares:
                send(request_id, onward)

    @rule()
    def disk_breaks(self) -> None:
        """Nothing is written any more: what may leave does, the rest is cancelled. Then the node restarts."""
        self.ledger.read_only = True
        while (batch := self.ledger.take_batch()) is not None:
            held = [packet for packet in self.mine() if packet.state == "decided"]
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for _, cancel, request_id, onward in batch.prepares:
                cancel(request_id, onward)
            for packet in held:
                packet.state = "refused"
                assert [type(reply) for reply in packet.told] == [Reject]
        self.restart()

    @rule()
    def restart(self) -> None:
        """Killed: what was not written is gone."""
        for packet in self.mine():
            if packet.state == "away" or (packet.state == "executed" and not self.is_executed(packet)):
                # What left to a peer is in doubt; what was ours alone never happened.
                packet.state = "lost"
            elif packet.state == "decided":
                packet.state = "lost"
        self.life += 1
        self.start()
        unknown = {self.by_condition[item.condition] for item in self.ledger.unknown.values()}
        for packet in self.packets_by_tag.values():
            if packet.state in ("lost", "doubt", "refused") and packet.tag in unknown:
                packet.state = "doubt"
            elif packet.state == "doubt":
                packet.state = "refused"
            if packet.state == "lost":
                left = packet.onward is not None and packet.amount and packet.target != "holder"
                assert not left, "a Prepare that left is forgotten"
                packet.state = "refused"

    # ------------------------------------------------------------------ the model

    def mine(self) -> list[Packet]:
        return [packet for packet in self.packets_by_tag.values() if packet.life == self.life]

    def note_written(self, batch: Batch) -> None:
        for record in decode_records(b"".join(batch.records)):
            if hasattr(record, "condition"):
                self.written.add(self.by_condition[record.condition])

    def is_executed(self, packet: Packet) -> bool:
        return packet.amount == 0 or packet.tag in self.executed_in_journal()

    def executed_in_journal(self) -> set[int]:
        held: dict[int, int] = {}
        found = set()
        for record in decode_records(self.journal):
            if hasattr(record, "condition"):
                held[record.hold_id] = self.by_condition[record.condition]
            elif type(record).__name__ == "Executed":
                found.add(held[record.hold_id])
        return found

    def room(self, name: str, *, without: int = 0) -> int:
        used = 0
        for packet in self.packets_by_tag.values():
            if packet.tag != without and packet.source == name and packet.state in ("decided", "away", "executed"):
                used += packet.amount
            if packet.target == name and packet.state == "executed":
                used -= packet.amount
        return OWES_MAX - used

    @invariant()
    def the_books_are_what_the_packets_add_up_to(self) -> None:
        if not hasattr(self, "ledger"):
            return
        assert self.ledger.check() == []
        packets = list(self.packets_by_tag.values())
        for name in PEERS:
            account = self.connector.peers[AccountId(name)].ledger_account
            executed = [p for p in packets if p.state == "executed"]
            net = sum(p.amount for p in executed if p.source == name) - sum(
                p.amount for p in executed if p.target == name
            )
            assert account.net == net
            held = [p for p in packets if p.state in ("decided", "away") and p.source == name]
            assert account.debits_pending == sum(p.amount for p in held)
            assert account.debits_posted + account.debits_pending - account.credits_posted <= OWES_MAX  # 3
        doubts = {self.by_condition[item.condition] for item in self.ledger.unknown.values()}
        assert doubts == {p.tag for p in packets if p.state == "doubt"}

    @invariant()
    def what_is_in_flight_is_what_waits(self) -> None:
        if hasattr(self, "connector"):
            flights = sum(len(peer.in_flight) for peer in self.connector.peers.values())
            assert flights == sum(p.state in ("decided", "away") for p in self.mine())

    def teardown(self) -> None:
        """28: when all has expired, every packet of this life has its answer and nothing is held."""
        if hasattr(self, "connector"):
            self.write()
            self.time_passes(200_000)
            self.write()
            assert self.ledger.holds == {}
            assert all(len(packet.told) == 1 for packet in self.mine())


TestConnectorMachine: Any = ConnectorMachine.TestCase
TestConnectorMachine.settings = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)


@pytest.mark.pure
def test_the_machine_finds_a_rule_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out that is taken for a rejection."""

    def give_up(self: Connector, flight: Any, reject: Reject) -> None:
        if flight.hold is not None:
            self.ledger.release(flight.hold)
        flight.incoming.link.send_reply(flight.request_id, reject)

    monkeypatch.setattr(Connector, "_give_up", give_up)
    quick = settings(
        max_examples=300,
        stateful_step_count=30,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(ConnectorMachine, settings=quick)  # type: ignore[no-untyped-call]
