"""The tester tested: each violation that is planted on the wire, or between the books of two nodes, is found."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256

import pytest

from interledger.accounts.records import (
    encode_account_opened,
    encode_entry,
    encode_executed,
    encode_gave_up,
    encode_held,
    encode_released,
)
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.sim.auditor import Auditor, BreachError, Pair, Port, Station

FULFILLMENT = bytes(range(32))
CONDITION = sha256(FULFILLMENT).digest()
FULFILL = Fulfill(FULFILLMENT).encode()
REJECT = Reject("R00", "test.n", "late").encode()
IN, OUT = Port("peer/alice", "n alice"), Port("peer/bob", "n bob")
REPEATING = Port("peer/alice", "n alice", repeats=True)
HELD = encode_held(1, True, 9_000, CONDITION, ((0, 1, 10),))
EXECUTED = encode_executed(1, FULFILLMENT)


def prepare(amount: int = 10, expires_at: int = 10_000, data: bytes = b"x", condition: bytes = CONDITION) -> bytes:
    return Prepare(amount, Timestamp(expires_at), condition, Address("test.bob"), data).encode()


class Clock:
    now = 1_000


def station(name: str = "test.n") -> tuple[Auditor, Station]:
    auditor = Auditor()
    return auditor, opened(auditor, name)


def opened(auditor: Auditor, name: str) -> Station:
    one = auditor.station(name, lambda: Clock.now)
    names = ("peer/alice", "peer/bob")
    auditor.committed(one, b"".join(encode_account_opened(i, n, "USD", 2) for i, n in enumerate(names)))
    return one


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", 1_000)


def forwarded() -> tuple[Auditor, Station]:
    """A packet from alice is held, and on its way to bob."""
    auditor, one = station()
    auditor.received(one, IN, 7, prepare())
    auditor.committed(one, HELD)
    auditor.sent(one, OUT, 1, prepare(expires_at=9_000))
    return auditor, one


def fulfilled() -> tuple[Auditor, Station]:
    """And bob has fulfilled it."""
    auditor, one = forwarded()
    auditor.received(one, OUT, 1, FULFILL)
    auditor.committed(one, EXECUTED)
    return auditor, one


def test_a_sound_packet_is_not_objected_to() -> None:
    auditor, one = fulfilled()
    auditor.sent(one, IN, 7, FULFILL)
    assert auditor.counts["fulfills"] == 1
    auditor.check_quiet()


def test_4_a_start_that_finds_less_than_was_durable() -> None:
    auditor, one = fulfilled()
    auditor.restarted(one, list(one.books.commits))
    with pytest.raises(BreachError, match=r"^4 .* lost"):
        auditor.restarted(one, one.books.commits[:-1])


def test_a_start_may_find_what_was_being_written() -> None:
    auditor, one = forwarded()
    auditor.restarted(one, [*one.books.commits, EXECUTED])
    assert one.books.packets[1].outcome == "executed"


def test_7_a_fulfill_before_its_fulfillment_is_written() -> None:
    auditor, one = forwarded()
    auditor.received(one, OUT, 1, FULFILL)
    with pytest.raises(BreachError, match=r"^7 .* before"):
        auditor.sent(one, IN, 7, FULFILL)
    assert auditor.first is not None


def test_7_a_fulfill_that_does_not_fit() -> None:
    auditor, one = forwarded()
    with pytest.raises(BreachError, match=r"^7 .* not fit"):
        auditor.sent(one, IN, 7, Fulfill(bytes(32)).encode())


def test_8_a_reject_with_the_fulfillment_in_hand() -> None:
    auditor, one = forwarded()
    auditor.received(one, OUT, 1, FULFILL)
    with pytest.raises(BreachError, match=r"^8 .* in time"):
        auditor.sent(one, IN, 7, REJECT)


def test_8_a_reject_with_the_fulfillment_written() -> None:
    auditor, one = fulfilled()
    one.in_hand.clear()
    with pytest.raises(BreachError, match=r"^8 .* written"):
        auditor.sent(one, IN, 7, REJECT)


def test_8_a_fulfillment_that_came_too_late_may_be_refused() -> None:
    auditor, one = forwarded()
    Clock.now = 9_800
    auditor.received(one, OUT, 1, FULFILL)
    auditor.sent(one, IN, 7, REJECT)


def test_9_a_fulfill_that_came_after_the_expiry() -> None:
    auditor, one = forwarded()
    Clock.now = 10_000
    auditor.received(one, OUT, 1, FULFILL)
    auditor.committed(one, EXECUTED)
    with pytest.raises(BreachError, match=r"^9 "):
        auditor.sent(one, IN, 7, FULFILL)


def test_10_somebody_else_is_charged() -> None:
    auditor, one = fulfilled()
    auditor.received(one, OUT, 3, prepare())
    with pytest.raises(BreachError, match=r"^10 "):
        auditor.sent(one, OUT, 3, FULFILL)


@pytest.mark.parametrize(
    "octets",
    [prepare(expires_at=9_001), prepare(expires_at=9_000, data=b"y"), prepare(expires_at=9_000, condition=bytes(32))],
)
def test_11_a_packet_changed_on_the_way(octets: bytes) -> None:
    auditor, one = station()
    auditor.received(one, IN, 7, prepare())
    auditor.committed(one, HELD)
    with pytest.raises(BreachError, match=r"^11 "):
        auditor.sent(one, OUT, 1, octets)


def test_17_a_prepare_before_its_hold() -> None:
    auditor, one = station()
    auditor.received(one, IN, 7, prepare())
    with pytest.raises(BreachError, match=r"^17 .* before its hold"):
        auditor.sent(one, OUT, 1, prepare(expires_at=9_000))


def test_13_an_answer_to_what_nobody_asked_there() -> None:
    auditor, one = fulfilled()
    with pytest.raises(BreachError, match=r"^13 .* never got"):
        auditor.sent(one, OUT, 7, FULFILL)


def test_13_two_answers() -> None:
    auditor, one = fulfilled()
    auditor.sent(one, IN, 7, FULFILL)
    with pytest.raises(BreachError, match=r"^13 .* twice"):
        auditor.sent(one, IN, 7, FULFILL)


def test_13_a_repeated_answer_is_the_same_one() -> None:
    auditor, one = station()
    auditor.received(one, REPEATING, 7, prepare())
    auditor.sent(one, REPEATING, 7, REJECT)
    auditor.sent(one, REPEATING, 7, REJECT)
    with pytest.raises(BreachError, match=r"^13 .* twice"):
        auditor.sent(one, REPEATING, 7, Reject("F00", "test.n", "other").encode())


def test_26_a_secret_in_a_packet_or_in_the_journal() -> None:
    auditor, one = station()
    auditor.canaries.append(b"the server's secret")
    with pytest.raises(BreachError, match=r"^26 .* sent"):
        auditor.sent(one, OUT, 1, prepare(data=b"hello the server's secret"))
    with pytest.raises(BreachError, match=r"^26 .* wrote"):
        auditor.committed(one, encode_entry("the server's secret", ((0, 1, 1),)))


def test_27_an_intruder_in_the_books() -> None:
    auditor, one = station()
    auditor.forbidden.add(CONDITION)
    with pytest.raises(BreachError, match=r"^27 "):
        auditor.committed(one, HELD)


# ---------------------------------------------------------------------- two nodes

ENDS = {"executed": EXECUTED, "released": encode_released(1), "unknown": encode_gave_up(1), "nothing": b""}
SUSPENDED = b"".join(
    encode_account_opened(index, name, "USD", 2) for index, name in ((2, "peer/bob/suspense"), (3, "loss/USD/2"))
)


def two_nodes(up: str, down: str) -> Auditor:
    """A packet went from one node to the other; how it ended on either side."""
    auditor = Auditor()
    left, right = opened(auditor, "test.up"), opened(auditor, "test.down")
    auditor.pairs.append(Pair(left, "peer/bob", right, "peer/alice"))
    for one, end in ((left, up), (right, down)):
        if end != "nothing":
            auditor.committed(one, SUSPENDED + HELD + ENDS[end])
    return auditor


@pytest.mark.parametrize(
    ("up", "down"),
    [("executed", "executed"), ("released", "released"), ("released", "nothing"), ("unknown", "released"),
     ("unknown", "executed"), ("unknown", "nothing"), ("released", "unknown"), ("unknown", "unknown")],
)  # fmt: skip
def test_17_how_a_hop_may_end(up: str, down: str) -> None:
    auditor = two_nodes(up, down)
    auditor.check_hops(faultless=False)
    assert auditor.counts["exposed"] == (up == "unknown" and down == "executed")


@pytest.mark.parametrize(
    ("up", "down"),
    [("released", "executed"), ("executed", "released"), ("executed", "nothing"), ("nothing", "executed"),
     ("executed", "unknown")],
)  # fmt: skip
def test_17_how_it_may_not(up: str, down: str) -> None:
    with pytest.raises(BreachError, match=r"^17 "):
        two_nodes(up, down).check_hops(faultless=False)


def test_17_what_a_broken_disk_never_wrote_is_known() -> None:
    auditor = two_nodes("executed", "nothing")
    auditor.stations["test.down"].unwritten[CONDITION] = None
    auditor.check_hops(faultless=False)


def test_19_exposure_without_a_fault() -> None:
    with pytest.raises(BreachError, match=r"^19 "):
        two_nodes("unknown", "executed").check_hops(faultless=True)


def test_18_books_that_differ() -> None:
    two_nodes("executed", "executed").check_sums()
    with pytest.raises(BreachError, match=r"^18 .* differ by 10"):
        two_nodes("unknown", "executed").check_sums()


def test_20_a_payment_that_spent_too_much() -> None:
    Auditor().check_payment(6, 4, 10)
    with pytest.raises(BreachError, match=r"^20 "):
        Auditor().check_payment(6, 5, 10)


def test_20_a_payment_that_brought_less_than_its_minimum() -> None:
    Auditor().check_rate(100, 48, 2, Fraction(1, 2))
    with pytest.raises(BreachError, match=r"^20 "):
        Auditor().check_rate(100, 47, 2, Fraction(1, 2))


def test_21_a_receiver_that_counts_otherwise() -> None:
    auditor, one = fulfilled()
    auditor.check_received(one, "peer/bob", 10, exact=True)
    auditor.check_received(one, "peer/bob", 11, exact=False)
    for total, exact in ((9, False), (11, True)):
        with pytest.raises(BreachError, match=r"^21 "):
            auditor.check_received(one, "peer/bob", total, exact=exact)


def test_22_colluders_who_owe_more_than_their_credit() -> None:
    auditor, one = fulfilled()
    one.books.highest["peer/alice"] = 10
    auditor.check_colluders([(one, "peer/alice"), (one, "peer/bob")])
    one.books.highest["peer/alice"] = 9
    with pytest.raises(BreachError, match=r"^22 "):
        auditor.check_colluders([(one, "peer/alice"), (one, "peer/bob")])


def test_28_a_hold_when_all_is_quiet() -> None:
    auditor, _ = forwarded()
    with pytest.raises(BreachError, match=r"^28 "):
        auditor.check_quiet()


def test_checks_of_what_is_no_packet_run_when_all_is_quiet() -> None:
    auditor, _ = station()

    def settlements(found: Auditor) -> None:
        raise BreachError("14 planted")

    auditor.at_end.append(settlements)
    with pytest.raises(BreachError, match="14 planted"):
        auditor.check_quiet()


# ---------------------------------------------------------------------- coverage


def test_a_fault_is_counted_by_the_state_and_the_outcome_of_every_packet_it_meets() -> None:
    auditor, one = forwarded()
    auditor.strike(one, "kill")
    auditor.received(one, IN, 8, prepare(condition=bytes(32)))
    auditor.strike(one, "kill")
    auditor.committed(one, EXECUTED)
    auditor.strike(one, "cut")
    auditor.count_marks()
    assert auditor.coverage.events == {"kill": 2, "cut": 1}
    assert auditor.coverage.cells == {
        ("kill", "in flight", "executed"): 2,
        ("kill", "deciding", "never held"): 1,
        ("cut", "executed", "executed"): 1,
        ("cut", "deciding", "never held"): 1,
    }
