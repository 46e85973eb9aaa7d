"""`node/metrics.py`: the figures of a node after a payment, beside what the books and the payment itself say."""

from __future__ import annotations

from loopback import line, pointer

from interledger.node.metric_kinds import Histogram, MetricKind
from interledger.node.metrics import METRICS, OWN, read_metrics
from interledger.node.node import Node

Figures = dict[tuple[str, ...], int | Histogram]


def figures(node: Node) -> dict[str, Figures]:
    return {one.metric.name: {s.labels: s.value for s in one.samples} for one in read_metrics(node)}


async def test_a_payment_in_figures() -> None:
    """RK-11: late answers, refusals by code, positions beside limits, what waits, are all there."""
    async with line() as (alice, hub, bob):
        payment = await alice.pay("alice", pointer(bob, "bob"), send=10 * 10**9).done()
        seen, payer = figures(hub), figures(alice)

    assert seen["packet_count_fulfill"] == {("alice",): payment.fulfilled, ("bob",): 0, (OWN,): 0}
    assert seen["ilp_packets_late"][("bob",)] == 0
    assert seen["ilp_account_owes_us"][("alice", "USD", "9")] == payment.sent
    assert seen["ilp_account_we_owe"][("bob", "EUR", "9")] == payment.delivered
    assert seen["ilp_account_moved_in"][("alice", "USD", "9")] == payment.sent
    assert seen["ilp_packets_in_flight"] == {("alice",): 0, ("bob",): 0}
    assert seen["ilp_link_up"] == {("alice", "BTP"): 1, ("bob", "HTTP"): 1}
    assert seen["ilp_unknown_items"] == {(): 0}
    assert seen["ilp_rate_usable"] == {("EUR",): 1, ("USD",): 1}
    assert (seen["ilp_ready"], seen["ilp_read_only"]) == ({(): 1}, {(): 0})
    written = seen["ilp_commits"][()]
    assert isinstance(written, int)
    assert written > 0

    assert payer["transactions"] == {("delivered",): 1}
    took = payer["ilp_pay_time_seconds"][()]
    assert isinstance(took, Histogram)
    assert took.cumulative[-1] == 1


async def test_a_packet_with_an_outcome_is_counted_once() -> None:
    async with line() as (alice, hub, bob):
        await alice.pay("alice", pointer(bob, "bob"), send=10**9).done()
        seen = figures(hub)
    outcomes = ("packet_count_fulfill", "packet_count_reject", "ilp_packets_refused", "ilp_packets_answered")
    for account, prepares in seen["packet_count_prepare"].items():
        assert prepares == sum(seen[name][account] for name in outcomes), account  # type: ignore[misc]  # integers


async def test_our_own_refusals_are_counted_by_step_and_code() -> None:
    async with line() as (alice, hub, bob):
        await hub.delete_account("bob")
        await alice.pay("alice", pointer(bob, "bob"), send=10**9).done()
        seen = figures(hub)
    (((step, code), count),) = seen["ilp_rejects"].items()
    assert (step, code, count) == ("route", "F02", seen["ilp_packets_refused"][("alice",)])


def test_the_table_says_what_everything_is() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert metric.meaning.endswith((".", ").")), metric.name
        assert metric.in_ms == metric.name.endswith("_seconds"), metric.name
        assert not metric.name.endswith("_total"), "Prometheus adds it to counters"
        assert metric.kind in MetricKind
