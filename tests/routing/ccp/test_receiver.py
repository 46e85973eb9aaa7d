"""What a peer tells us, message by message."""

from __future__ import annotations

import pytest

from interledger.clock import Timestamp
from interledger.routing.ccp.messages import NO_TABLE, AnnouncedRoute, Mode, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute, take_in
from interledger.routing.ccp.protocol import Answer, Timing
from interledger.routing.ccp.receiver import CcpReceiver

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
