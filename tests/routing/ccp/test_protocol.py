"""The two halves of CCP with one peer, message by message."""

from __future__ import annotations

from itertools import count

import pytest

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.routing.ccp.log import Export, ForwardingLog, LogEntry
from interledger.routing.ccp.messages import NO_TABLE, AnnouncedRoute, Mode, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute, take_in
from interledger.routing.ccp.protocol import Answer, CcpReceiver, CcpSender, Timing

NOW = Timestamp(1_700_000_000_000)
TABLE, OTHER = b"a table's id ...", b"another one's id"


def at(ms: int) -> Timestamp:
    return Timestamp(NOW + ms)


def take(route: AnnouncedRoute) -> LearnedRoute | None:
    return take_in(route, "test.s", "test.me", NOW)


def update(
    first: int, last: int, *new: str, withdrawn: tuple[str, ...] = (), table_id: bytes = TABLE, hold: int = 45_000
) -> RouteUpdate:
    routes = tuple(AnnouncedRoute(f"test.{name}", ("test.s",), bytes(32)) for name in new)
    gone = tuple(f"test.{name}" for name in withdrawn)
    return RouteUpdate(table_id, last, first, last, hold, "test.s", routes, gone)


class Receiving:
    """A receiver whose link is up and who was told that its question arrived."""

    def __init__(self, **options: int) -> None:
        self.half = CcpReceiver(Timing(), **options)
        self.half.start(NOW)
        assert self.half.control_to_send(NOW) == RouteControl(Mode.SYNC, NO_TABLE, 0)
        self.half.receive_answer(Answer.DONE, NOW)

    def tell(self, message: RouteUpdate, ms: int = 0) -> list[str]:
        self.half.starts_anew(message)
        self.half.receive_update(message, at(ms))
        return self.half.take_some(1_000, take)

    @property
    def names(self) -> str:
        return " ".join(sorted(prefix.removeprefix("test.") for prefix in self.half.routes))


# ---------------------------------------------------------------------- receiver


def test_updates_build_the_table_withdrawals_first() -> None:
    peer = Receiving()
    assert peer.tell(update(0, 2, "a", "b")) == ["test.a", "test.b"]
    assert peer.tell(update(2, 4, "c", "a", withdrawn=("b", "a"))) == ["test.b", "test.a", "test.c", "test.a"]
    assert (peer.names, peer.half.epoch, peer.half.table_id) == ("a c", 4, TABLE)
    assert peer.tell(update(4, 5, "a")) == []  # it said so before
    assert peer.tell(update(5, 6, "not an address", "a")) == []


def test_a_route_that_becomes_unusable_is_gone() -> None:
    peer = Receiving()
    peer.tell(update(0, 1, "a"))
    loud = AnnouncedRoute("test.a", ("test.s", "no address"), bytes(32))
    assert peer.tell(update(1, 2)._replace(new_routes=(loud,))) == ["test.a"]
    assert peer.names == ""


def test_news_are_taken_in_a_few_at_a_time_and_are_void_with_their_table() -> None:
    peer = Receiving()
    peer.half.receive_update(update(0, 3, "a", "b", "c"), NOW)
    peer.half.receive_update(update(3, 5, "d", withdrawn=("a",)), NOW)
    assert (peer.half.epoch, peer.names) == (5, "")
    assert peer.half.take_some(2, take) == ["test.a", "test.b"]
    assert peer.half.take_some(2, take) == ["test.c", "test.a"]
    assert (peer.names, peer.half.has_news) == ("b c", True)
    assert set(peer.half.starts_anew(update(0, 1, "e", table_id=OTHER))) == {"test.b", "test.c"}
    assert not peer.half.has_news
    assert peer.half.take_some(2, take) == []


def test_CC_02_a_gap_makes_it_ask_again_but_not_more_than_once_a_second() -> None:
    peer = Receiving()
    peer.tell(update(0, 2, "a"), 5_000)
    assert peer.tell(update(3, 4, "b"), 6_000) == []
    assert peer.names == "a"
    assert peer.half.control_to_send(at(6_000)) == RouteControl(Mode.SYNC, TABLE, 2)
    peer.half.receive_answer(Answer.DONE, at(6_010))
    peer.tell(update(3, 5, "b"), 6_020)
    assert peer.half.control_to_send(at(6_999)) is None
    assert peer.half.control_to_send(at(7_000)) is not None


def test_CC_03_D_11_another_table_id_drops_what_the_old_one_said() -> None:
    peer = Receiving()
    peer.tell(update(0, 2, "a", "b"))
    fresh = update(0, 1, "c", table_id=OTHER)
    assert set(peer.half.starts_anew(fresh)) == {"test.a", "test.b"}
    assert peer.tell(fresh) == ["test.c"]
    assert (peer.names, peer.half.epoch) == ("c", 1)


def test_CC_04_what_is_older_than_what_we_have_is_ignored() -> None:
    peer = Receiving()
    peer.tell(update(0, 5, "a"))
    assert peer.tell(update(0, 3, "b")) == []
    assert (peer.names, peer.half.epoch) == ("a", 5)
    assert peer.tell(update(9, 1, "b")) == []  # from behind its own end


@pytest.mark.parametrize(
    ("holds", "expires"),
    [
        ([(0, 45_000)], 45_000),
        ([(0, 45_000), (10_000, 45_000)], 55_000),
        ([(0, 45_000), (10_000, 1_000)], 45_000),
        ([(0, 2**32 - 1)], 600_000),
    ],
)
def test_CC_05_every_sign_of_life_extends_the_time_and_none_shortens_it(
    holds: list[tuple[int, int]], expires: int
) -> None:
    peer = Receiving()
    for ms, hold in holds:
        peer.tell(update(0, 1, "a", hold=hold), ms)
    assert peer.half.expires_at == at(expires)


def test_CC_06_D_13_silence_removes_all_and_it_asks_again() -> None:
    peer = Receiving()
    peer.tell(update(0, 1, "a"))
    assert peer.half.timer() == at(45_000)
    assert peer.half.handle_timer(at(44_999)) == {}
    assert set(peer.half.handle_timer(at(45_000))) == {"test.a"}
    assert peer.half.expired
    assert peer.half.control_to_send(at(45_000)) == RouteControl(Mode.SYNC, NO_TABLE, 0)
    peer.tell(update(0, 1, "a"), 50_000)
    assert (peer.names, peer.half.expired) == ("a", False)


def test_a_question_without_an_answer_is_asked_every_interval() -> None:
    half = CcpReceiver(Timing())
    half.start(NOW)
    asked = [ms for ms in range(0, 100_000, 1_000) if half.control_to_send(at(ms)) is not None]
    assert asked == [0, 30_000, 60_000, 90_000]


def test_a_peer_without_ccp_is_asked_ever_more_rarely_and_then_no_more() -> None:
    half = CcpReceiver(Timing())
    half.start(NOW)
    asked = []
    for second in range(20_000):
        if half.control_to_send(at(second * 1_000)) is not None:
            asked.append(second)
            half.receive_answer(Answer.REFUSED, at(second * 1_000))
    assert asked == [0, 30, 330, 2_130]
    assert half.timer() is None
    half.knows_ccp(at(30_000_000))
    assert half.control_to_send(at(30_000_000)) is not None


def test_C4_a_peer_with_too_many_routes_keeps_those_that_fit() -> None:
    peer = Receiving(routes_max=3)
    peer.tell(update(0, 5, "a", "b", "c", "d", "e"))
    assert (peer.names, peer.half.overflowed) == ("a b c", True)
    peer.tell(update(5, 7, "f", "a", withdrawn=("b",)))
    assert peer.names == "a c f"


# ---------------------------------------------------------------------- sender


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
