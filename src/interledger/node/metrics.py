"""What a node tells a monitoring system, as a table: each metric with its words and where its figures come from.

Nothing is counted here and nothing runs between two readings: the packet path counts in plain integers, a reading looks
at them. Amounts are in the units of the account's asset, whose code and scale are labels; times are integers in ms and
become seconds where they are written (`api/metrics.py`).

Counters begin at zero with the node. Names without the prefix `ilp_` are those that Rafiki gives to the same figures,
so that its boards can be used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from interledger.accounts.ledger import NO_LIMIT, LedgerAccount
from interledger.node.metric_kinds import Histogram, Metric, MetricKind, Reading, Sample
from interledger.node.views import package_version
from interledger.node.webhook_metrics import WEBHOOK_METRICS
from interledger.routing.exchange import NoRate
from interledger.settlement.records import Direction

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["METRICS", "read_metrics"]


def read_metrics(node: Node) -> list[Reading]:
    """All figures of a started node, now."""
    return [Reading(metric, tuple(metric.read(node))) for metric in METRICS]


# ---------------------------------------------------------------------- packets

OWN: Final = "-"
"""The label of what belongs to no account that is open: the node's own requests and payments, accounts closed since."""


def _packets(name: str) -> Callable[[Node], Iterator[Sample]]:
    """A counter of peers, by account."""

    def read(node: Node) -> Iterator[Sample]:
        peers = node.connector.peers.values()
        accounts = {account.id for account in node.accounts()}
        counts = dict.fromkeys(sorted(accounts), 0)
        for peer in peers:
            name_of = peer.id.partition("/")[0]
            if name_of in accounts:
                counts[peer.account.id] = counts.get(peer.account.id, 0) + getattr(peer, name)
        total = node.connector.totals.with_those(peers)[name]
        for account, count in counts.items():
            yield Sample((account,), count)
        yield Sample((OWN,), total - sum(counts.values()))

    return read


def _refused(node: Node) -> Iterator[Sample]:
    for (step, code), count in sorted(node.connector.refusals.counts.items()):
        yield Sample((step.value, str(code)), count)


def _in_flight(node: Node) -> Iterator[Sample]:
    flights: Counter[str] = Counter({account.id: 0 for account in node.accounts()})
    for peer in node.connector.peers.values():
        if not peer.is_local and peer.account.id in flights:
            flights[peer.account.id] += len(peer.in_flight)
    return (Sample((account,), count) for account, count in sorted(flights.items()))


# ---------------------------------------------------------------------- money


def _lines(node: Node) -> Iterator[tuple[tuple[str, ...], LedgerAccount]]:
    for line in node.ledger.accounts:
        kind, _, name = line.name.partition("/")
        if kind == "peer" and "/" not in name:
            yield (name, line.asset.code, str(line.asset.scale)), line


def _of_lines(figure: Callable[[LedgerAccount], int | None]) -> Callable[[Node], Iterator[Sample]]:
    def read(node: Node) -> Iterator[Sample]:
        for labels, line in _lines(node):
            value = figure(line)
            if value is not None:
                yield Sample(labels, value)

    return read


def _limit(value: int) -> int | None:
    return None if value == NO_LIMIT else value


def _unknown(node: Node) -> Iterator[Sample]:
    amounts = {labels: 0 for labels, _ in _lines(node)}
    for item in node.ledger.unknown.values():
        labels = (item.account.name.partition("/")[2], item.account.asset.code, str(item.account.asset.scale))
        amounts[labels] = amounts.get(labels, 0) + item.amount
    return (Sample(labels, amount) for labels, amount in amounts.items())


# ---------------------------------------------------------------------- links, rates, settlements, payments, the store


def _links(node: Node) -> Iterator[Sample]:
    for account in node.accounts():
        status = node.links.status(account)
        yield Sample((account.id, status.kind), status.up)


def _rate_age(node: Node) -> Iterator[Sample]:
    now = node.clock.now()
    for rate in node.exchange_rates.quoted():
        if rate.as_of is not None:
            yield Sample((rate.code, rate.source), max(now - rate.as_of, 0))


def _rates_usable(node: Node) -> Iterator[Sample]:
    now = node.clock.now()
    for rate in node.exchange_rates.quoted():
        yield Sample((rate.code,), not isinstance(node.exchange.value_of(rate.code, now), NoRate))


def _open_settlements(node: Node) -> Mapping[tuple[str, str], list[int]]:
    now = node.clock.now()
    ages: dict[tuple[str, str], list[int]] = {}
    for account in node.accounts():
        for direction in Direction:
            ages[account.id, direction.value] = []
    for settlement in node.settlements.book.open():
        ages.setdefault((settlement.account, settlement.direction.value), []).append(now - settlement.made_at)
    return ages


def _settlements_open(node: Node) -> Iterator[Sample]:
    return (Sample(labels, len(ages)) for labels, ages in _open_settlements(node).items())


def _settlement_age(node: Node) -> Iterator[Sample]:
    return (Sample(labels, max(ages, default=0)) for labels, ages in _open_settlements(node).items())


def _payments(node: Node) -> Iterator[Sample]:
    return (Sample((state,), count) for state, count in sorted(node.paying.totals.by_state.items()))


def _payment_time(node: Node) -> Iterator[Sample]:
    totals = node.paying.totals
    yield Sample((), Histogram(tuple(accumulate(totals.by_duration)), totals.duration_ms))


def _one(figure: Callable[[Node], int]) -> Callable[[Node], Iterator[Sample]]:
    def read(node: Node) -> Iterator[Sample]:
        yield Sample((), figure(node))

    return read


def _ready(node: Node) -> int:
    return node.ready


def _read_only(node: Node) -> int:
    return node.read_only


def _uptime(node: Node) -> int:
    return node.clock.now() - node.started_at


def _unknown_items(node: Node) -> int:
    return len(node.ledger.unknown)


def _commits(node: Node) -> int:
    return node.commits.written


def _commit_ms(node: Node) -> int:
    return node.commits.written_ms


def _alarms(node: Node) -> int:
    return node.alarms.told


def _spans(node: Node) -> Iterator[Sample]:
    telemetry = node.live.telemetry
    yield Sample(("exported",), telemetry.exported)
    yield Sample(("failed",), telemetry.failed)
    yield Sample(("dropped",), telemetry.dropped + node.live.packets.recorder.untraced)


def _info(node: Node) -> Iterator[Sample]:
    yield Sample((package_version(), node.address), 1)


_ACCOUNT: Final = ("account",)
_LINE: Final = ("account", "asset_code", "asset_scale")
_COUNTER, _GAUGE = MetricKind.COUNTER, MetricKind.GAUGE

METRICS: Final = (
    Metric("ilp_node", _GAUGE, "Always 1. Which program runs, and its ILP address.", ("version", "address"), _info),
    Metric("ilp_ready", _GAUGE, "1 while the node takes packets.", (), _one(_ready)),
    Metric(
        "ilp_read_only", _GAUGE, "1 when the books cannot be written: every Prepare is refused with T03.", (),
        _one(_read_only),
    ),
    Metric(
        "ilp_uptime_seconds", _GAUGE, "Since the node started.", (),
        _one(_uptime), in_ms=True,
    ),
    Metric(
        "packet_count_prepare", _COUNTER, "Prepares that came from the account (Rafiki's name).", _ACCOUNT,
        _packets("prepares"),
    ),
    Metric(
        "packet_count_fulfill", _COUNTER, "Of those, the ones that were fulfilled (Rafiki's name).", _ACCOUNT,
        _packets("fulfilled"),
    ),
    Metric(
        "packet_count_reject", _COUNTER, "Of those, the ones that somebody further on rejected (Rafiki's name).",
        _ACCOUNT, _packets("rejected"),
    ),
    Metric(
        "ilp_packets_refused", _COUNTER, "Of those, the ones that this node refused itself.", _ACCOUNT,
        _packets("refused"),
    ),
    Metric(
        "ilp_packets_answered", _COUNTER, "Of those, the ones that this node answered itself, as ILDCP and echo.",
        _ACCOUNT, _packets("answered"),
    ),
    Metric(
        "ilp_packets_late", _COUNTER, "Answers of the account's peer that came when nobody waited any more (RFC 18).",
        _ACCOUNT, _packets("late"),
    ),
    Metric(
        "ilp_rejects", _COUNTER,
        "Rejects that this node made, by the step of the packet's journey and the ILP code. Step `expire` is a peer "
        "that did not answer in time: its amounts are unknown.",
        ("step", "code"), _refused,
    ),
    Metric(
        "ilp_packets_in_flight", _GAUGE, "Prepares sent to the account's peer that have no answer yet.", _ACCOUNT,
        _in_flight,
    ),
    Metric(
        "ilp_account_owes_us", _GAUGE, "What the account owes this node.", _LINE,
        _of_lines(lambda line: line.receivable),
    ),
    Metric(
        "ilp_account_we_owe", _GAUGE, "What this node owes the account.", _LINE, _of_lines(lambda line: line.payable),
    ),
    Metric(
        "ilp_account_owes_us_max", _GAUGE, "What the account may owe at most. Not there without a limit.", _LINE,
        _of_lines(lambda line: _limit(line.debit_max)),
    ),
    Metric(
        "ilp_account_we_owe_max", _GAUGE, "What this node may owe the account at most. Not there without a limit.",
        _LINE, _of_lines(lambda line: _limit(line.credit_max)),
    ),
    Metric(
        "ilp_account_held_in", _GAUGE, "Held for packets that came from the account and have no outcome yet.", _LINE,
        _of_lines(lambda line: line.debits_pending),
    ),
    Metric(
        "ilp_account_held_out", _GAUGE, "Held for packets that went to the account and have no outcome yet.", _LINE,
        _of_lines(lambda line: line.credits_pending),
    ),
    Metric(
        "ilp_account_moved_in", _COUNTER, "All that came from the account, ever: packets and settlements.", _LINE,
        _of_lines(lambda line: line.debits_posted),
    ),
    Metric(
        "ilp_account_moved_out", _COUNTER, "All that went to the account, ever: packets and settlements.", _LINE,
        _of_lines(lambda line: line.credits_posted),
    ),
    Metric(
        "ilp_unknown_amount", _GAUGE, "Amounts that may or may not have been delivered: nobody has proved it.", _LINE,
        _unknown,
    ),
    Metric(
        "ilp_unknown_items", _GAUGE, "How many amounts are unknown.", (), _one(_unknown_items),
    ),
    Metric(
        "ilp_link_up", _GAUGE, "1 while packets can be sent to the account's peer.", ("account", "link"), _links,
    ),
    Metric(
        "ilp_rate_age_seconds", _GAUGE, "How old the value of an asset is. Not there for what an operator set.",
        ("asset_code", "source"), _rate_age, in_ms=True,
    ),
    Metric(
        "ilp_rate_usable", _GAUGE, "1 while packets can be converted by the value of the asset; else T00 (RFC 18).",
        ("asset_code",), _rates_usable,
    ),
    Metric(
        "ilp_settlements_open", _GAUGE, "Settlements that wait: for their engine (out), or for the operator (in).",
        ("account", "direction"), _settlements_open,
    ),
    Metric(
        "ilp_settlement_wait_seconds", _GAUGE, "How long the oldest of them has waited.", ("account", "direction"),
        _settlement_age, in_ms=True,
    ),
    Metric(
        "transactions", _COUNTER, "Payments sent from this node that ended, by how they ended (Rafiki's name).",
        ("state",), _payments,
    ),
    Metric(
        "ilp_pay_time_seconds", MetricKind.HISTOGRAM,
        "How long payments took that delivered all. Rafiki's `ilp_pay_time_ms`, in seconds as Prometheus wants it.",
        (), _payment_time, in_ms=True,
    ),
    Metric(
        "ilp_commits", _COUNTER, "Times that the books were written, each with all packets since the one before.", (),
        _one(_commits),
    ),
    Metric(
        "ilp_commit_seconds", _COUNTER, "Time that these took. Over `ilp_commits`: what a packet waits for the disk.",
        (), _one(_commit_ms), in_ms=True,
    ),
    Metric(
        "ilp_spans", _COUNTER,
        "Spans for OpenTelemetry: `exported`; `failed`, which the collector did not take; `dropped`, because too many "
        "waited or came in a second. All are lost but the first.",
        ("outcome",), _spans,
    ),
    Metric(
        "ilp_alarms", _COUNTER, "Alarms raised, as `ilp status` shows them.", (), _one(_alarms),
    ),
    *WEBHOOK_METRICS,
)  # fmt: skip
"""Every metric. `docs/reference/metrics.md` is made from this table; prometheus adds `_total` to the counters."""
