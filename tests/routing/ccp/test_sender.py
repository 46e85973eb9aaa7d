"""What a peer is told, message by message."""

from __future__ import annotations

from itertools import count

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.routing.ccp.log import Export, ForwardingLog, LogEntry
from interledger.routing.ccp.messages import NO_TABLE, AnnouncedRoute, Mode, RouteControl
from interledger.routing.ccp.protocol import Answer, Timing
from interledger.routing.ccp.sender import CcpSender

NOW = Timestamp(1_700_000_000_000)
TABLE, OTHER = b"a table's id ...", b"another one's id"


def at(ms: int) -> Timestamp:
    return Timestamp(NOW + ms)


class Sending:
    """A sender over a log of so many routes, to a peer that has asked."""

    def __init__(self, routes: int, *, full: bool = False) -> None:
        self.log = ForwardingLog()
        for i in range(routes):
            self.put(f"test.p{i}")
        numbers = count()
        self.half = CcpSender(
            self.log, Timing(), self._may_be_told, lambda: next(numbers).to_bytes(16, "big"), full=full
        )
        self.half.start(NOW)
        self.half.receive_control(RouteControl(Mode.SYNC, NO_TABLE, 0), NOW)

    def put(self, prefix: str, *, is_there: bool = True, hop: str = "a") -> None:
        route = AnnouncedRoute(prefix, ("test.me", hop), bytes(32))
        self.log.put(prefix, Export(AccountId(hop), Relation.PEER, route) if is_there else None)

    def _may_be_told(self, entry: LogEntry) -> bool:
        return entry.export is not None and entry.export.account != "secret"

    def send(self, ms: int, answer: Answer | None = Answer.DONE) -> tuple[int, int, int, int] | None:
        """(from, to, new routes, withdrawn) of the update that is due then."""
        sent = self.half.update_to_send("test.me", at(ms))
        if sent is None:
            return None
        if answer is not None:
            self.half.receive_answer(answer, at(ms + 1))
        return sent.from_epoch, sent.to_epoch, len(sent.new_routes), len(sent.withdrawn_routes)


def test_nothing_is_sent_to_a_peer_that_has_not_asked() -> None:
    half = CcpSender(ForwardingLog(), Timing(), lambda entry: True, lambda: bytes(16))
    half.start(NOW)
    assert half.timer() is None
    assert half.update_to_send("test.me", at(1_000_000)) is None


def test_CC_11_fifty_entries_at_a_time_150_ms_apart_then_signs_of_life() -> None:
    to = Sending(120)
    assert [to.send(ms) for ms in (0, 149, 150, 300, 450, 30_299, 30_300)] == [
        (0, 50, 50, 0),
        None,
        (50, 100, 50, 0),
        (100, 120, 20, 0),
        None,
        None,
        (120, 120, 0, 0),
    ]


def test_holes_are_passed_over_and_withdrawals_told() -> None:
    to = Sending(3)
    to.send(0)
    for i in range(200):
        to.put("test.p0", hop=f"hop{i}")
    to.put("test.p1", is_there=False)
    assert to.send(1_000) == (3, 204, 1, 1)


def test_what_is_not_for_this_peer_is_told_as_withdrawn() -> None:
    to = Sending(1)
    to.put("test.p0", hop="secret")
    assert to.send(0) == (0, 2, 0, 1)


def test_CC_12_what_was_not_acknowledged_is_sent_again() -> None:
    to = Sending(60)
    assert to.send(0, Answer.LOST) == (0, 50, 50, 0)
    assert to.send(100) is None
    assert to.send(151, answer=None) == (0, 50, 50, 0)  # no reply at all
    assert to.send(10_000) is None
    assert to.send(10_151) == (0, 50, 50, 0)
    assert to.send(10_301) == (50, 60, 10, 0)


def test_CCP_4_a_peer_that_refuses_updates_gets_none_until_it_asks() -> None:
    to = Sending(1)
    assert to.send(0, Answer.REFUSED) is not None
    assert to.half.timer() is None
    to.half.receive_control(RouteControl(Mode.SYNC, to.half.table_id, 1), at(90_000))
    assert to.send(120_000) == (1, 1, 0, 0)


def test_a_peer_says_what_it_has() -> None:
    to = Sending(10)
    to.half.receive_control(RouteControl(Mode.SYNC, to.half.table_id, 7), NOW)
    assert to.send(0) == (7, 10, 3, 0)
    to.half.receive_control(RouteControl(Mode.SYNC, OTHER, 7), at(1_000))
    assert to.send(1_000) == (0, 10, 10, 0)
    to.half.receive_control(RouteControl(Mode.IDLE, to.half.table_id, 10), at(2_000))
    assert to.half.timer() is None
    before = to.half.table_id
    to.half.receive_control(RouteControl(Mode.SYNC, before, 11), at(3_000))  # more than there is
    assert to.send(3_000) == (0, 10, 10, 0)
    assert to.half.table_id != before


def test_CCP_3_after_the_link_was_down_everything_is_told_again() -> None:
    to = Sending(10)
    to.send(0)
    to.half.stop()
    assert to.half.timer() is None
    to.half.start(at(5_000))
    assert to.send(5_000) == (0, 10, 10, 0)


def test_whoever_missed_a_forgotten_withdrawal_starts_with_a_new_table() -> None:
    to = Sending(3)
    to.send(0)
    before = to.half.table_id
    to.log.floor = 4
    to.put("test.p9")
    assert to.send(1_000) == (0, 4, 4, 0)
    assert to.half.table_id != before


def test_CC_13_a_java_peer_gets_everything_every_time() -> None:
    to = Sending(120, full=True)
    assert to.send(0) == (0, 120, 120, 0)
    to.put("test.p0", is_there=False)
    assert to.send(1_000) == (0, 121, 119, 1)
    assert to.send(31_000) == (0, 121, 119, 1)


def test_an_update_fits_into_a_packet() -> None:
    to = Sending(0)
    for i in range(50):
        to.put("test." + "x" * 900 + str(i))
    update = to.half.update_to_send("test.me", NOW)
    assert update is not None
    assert update.to_epoch < 50
    assert len(update.encode()) < 32_767
