"""`GET /metrics`: what Prometheus is told, read back by Prometheus' own parser."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from interledger.api.metrics import expose
from interledger.node.metric_kinds import Histogram, Metric, MetricKind, Reading, Sample
from interledger.node.node import Node


def nothing(node: Node) -> list[Sample]:
    return []


def reading(
    name: str, kind: MetricKind, *samples: Sample, labels: tuple[str, ...] = (), in_ms: bool = False
) -> Reading:
    return Reading(Metric(name, kind, "What it is.", labels, nothing, in_ms), samples)


def parsed(*readings: Reading) -> dict[tuple[str, str], float]:
    """(name of the sample, its labels) -> value."""
    return {
        (sample.name, ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(expose(readings).decode())
        for sample in family.samples
    }


def test_each_kind_as_prometheus_reads_it() -> None:
    seen = parsed(
        reading("ilp_rejects", MetricKind.COUNTER, Sample(("route", "F02"), 3), labels=("step", "code")),
        reading("ilp_uptime_seconds", MetricKind.GAUGE, Sample((), 1_500), in_ms=True),
        reading("ilp_pay_time_seconds", MetricKind.HISTOGRAM, Sample((), Histogram((0, *[2] * 9), 40)), in_ms=True),
    )
    assert seen["ilp_rejects_total", "code=F02,step=route"] == 3
    assert seen["ilp_uptime_seconds", ""] == 1.5
    assert seen["ilp_pay_time_seconds_bucket", "le=0.01"] == 0
    assert seen["ilp_pay_time_seconds_bucket", "le=0.03"] == 2
    assert seen["ilp_pay_time_seconds_count", ""] == 2
    assert seen["ilp_pay_time_seconds_sum", ""] == 0.04


def test_what_somebody_else_named_is_escaped() -> None:
    name = 'a"b\\c\n# HELP d'
    seen = parsed(reading("ilp_link_up", MetricKind.GAUGE, Sample((name,), 1), labels=("account",)))
    assert seen["ilp_link_up", f"account={name}"] == 1


def test_the_process_is_told_of_too() -> None:
    assert any(name == "process_resident_memory_bytes" for name, _ in parsed())


async def test_only_who_may_look_sees_them(call: Any) -> None:
    answer = await call("GET", "/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert (await call("GET", "/metrics", token=None)).problem == "unauthorized"
