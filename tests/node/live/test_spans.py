"""What a span says of a packet: its names come from the packet alone, and nothing that a peer wrote is unbounded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from interledger.accounts.account import AccountId
from interledger.accounts.asset import parse_asset
from interledger.clock import Timestamp
from interledger.connector.events import PacketRefused, Step
from interledger.connector.guards import Compared
from interledger.ilp.echo import PING_CONDITION
from interledger.ilp.peer import EMPTY_CONDITION, PEER_CONDITION
from interledger.node.live.packet_record import PacketRecord
from interledger.node.live.sampling import Sampling
from interledger.node.live.spans import ATTRIBUTES, TEXT_MAX, payment_span, spans_of
from interledger.node.payment import Snapshot

CONDITION = bytes(range(1, 33))
USD, EUR = parse_asset("USD/9"), parse_asset("EUR/9")


def hop(
    *, incoming: str = "alice", amount: int = 100, expires: int = 20_000, condition: bytes = CONDITION
) -> PacketRecord:
    """A packet that came in at 1 s; nothing has become of it."""
    compared = Compared("owes_us_max", 3, 100)
    why = PacketRefused(
        Timestamp(1_000), Step.HOLD, AccountId(incoming), "test.bob", amount, condition, "T04", "no", compared
    )
    record = PacketRecord.of_refused(why, USD, AccountId(incoming.partition("/")[0]), "test.hub")
    record.arrived_us, record.answered_us, record.expires_in = 500, 900, Timestamp(expires)
    return record


def forwarded(record: PacketRecord, amount: int, expires: int) -> PacketRecord:
    record.outcome, record.code, record.step, record.compared = "fulfilled", None, None, None
    record.outgoing, record.outgoing_peer, record.asset_out = AccountId("bob"), AccountId("bob"), EUR
    record.amount_out, record.expires_out, record.sent_us = amount, Timestamp(expires), 600
    return record


def test_a_hop_is_the_child_of_the_one_before_by_what_crossed_the_wire() -> None:
    [first] = spans_of(forwarded(hop(), 90, 19_000), "test.hub", 1_000_000)
    [second] = spans_of(forwarded(hop(amount=90, expires=19_000), 80, 18_000), "test.next", 1_000_000)
    assert first.key.trace_id == second.key.trace_id == CONDITION[:16]
    assert second.parent == first.key
    assert first.key != second.key
    assert (first.start_us, first.events, first.end_us) == (1_000_500, (("sent", 1_000_600),), 1_000_900)


def test_the_senders_packet_is_in_its_payments_trace_too_and_the_two_are_linked() -> None:
    record = forwarded(hop(incoming="alice/pay_7QX4"), 90, 19_000)
    below, packet = spans_of(record, "test.alice", 0)
    payment = payment_span(snapshot(), "test.alice")
    assert below.parent == payment.key
    assert (below.link, packet.link) == (packet.key, below.key)
    assert (packet.parent, packet.name, packet.kind) == (None, "ilp.send", "client")
    assert payment.attributes["ilp.payment.delivered"] == "0.00000009 EUR"


def test_a_refusal_says_the_step_and_the_two_values() -> None:
    [span] = spans_of(hop(), "test.hub", 0)
    said = {name.removeprefix("ilp."): value for name, value in span.attributes.items()}
    assert (said["refused.step"], said["refused.limit"]) == ("hold", "owes_us_max")
    assert (said["refused.room"], said["refused.needed"], span.failed) == ("3", "100", "T04 no")


@given(st.text(max_size=2_000), st.text(max_size=2_000), st.text(max_size=2_000), st.text(max_size=500))
def test_what_a_peer_wrote_is_short_and_on_one_line(destination: str, message: str, by: str, code: str) -> None:
    record = forwarded(hop(), 90, 19_000)
    record.destination, record.message, record.triggered_by, record.code = destination, message, by, code
    record.outcome = "rejected"
    [span] = spans_of(record, "test.hub", 0)
    for value in (*span.attributes.values(), span.failed):
        assert len(str(value)) <= 2 * TEXT_MAX + 1
        assert str(value).isprintable()
    assert set(span.attributes) <= set(ATTRIBUTES)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["0", "0.000001", "0.01", "0.5", "1"]))
def test_packets_are_sampled_as_opentelemetry_samples_traces(condition: bytes, share: str) -> None:
    theirs = TraceIdRatioBased(float(share)).should_sample(None, int.from_bytes(condition[:16], "big"), "a packet")
    ours = Sampling(Fraction(share))(condition)
    assert ours is (theirs.decision is Decision.RECORD_AND_SAMPLE) or not any(condition[:16])


def test_conditions_that_many_packets_have_name_no_trace() -> None:
    takes = Sampling(Fraction(1))
    assert not any(map(takes, (PING_CONDITION, PEER_CONDITION, EMPTY_CONDITION, bytes(32))))
    assert takes(CONDITION)


def test_every_attribute_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/watch-a-node.md").read_text(encoding="utf-8")
    missing = [name for name, meaning in ATTRIBUTES.items() if f"| `{name}` | {meaning} |" not in page]
    assert missing == []


def snapshot() -> Snapshot:
    return Snapshot(
        "pay_7QX4", AccountId("alice"), "$bob.example" + "x" * 500, "delivered", USD, Timestamp(900), EUR, 100, 90,
        packets=1, ended_at=Timestamp(1_200),
    )  # fmt: skip
