"""`/metrics`: what `node/metrics.py` reads, as Prometheus wants it. With figures of the process where it can have them.

Floats are used here and nowhere else in the API, because Prometheus has nothing else: an amount of more than 2^53 units
is rounded on a board. Books are read with `ilp ledger`, not from a board.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from interledger.api.auth import Access
from interledger.api.operations import Call, Operation
from interledger.node.metric_kinds import Histogram, MetricKind, Reading
from interledger.node.payment_totals import BUCKETS_MS

__all__ = ["OPERATIONS", "expose"]

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"
"""What every Prometheus since 2014 reads."""


async def get_metrics(call: Call) -> Response:
    """Figures for Prometheus."""
    return Response(expose(call.node.metrics()), headers={"Cache-Control": "no-store"}, media_type=TEXT_FORMAT)


def expose(readings: Sequence[Reading]) -> bytes:
    """The text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(readings))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return generate_latest(registry)


@final
class _Once(Collector):
    """What one scrape sees."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        return (_family(reading) for reading in self._readings)


def _family(reading: Reading) -> Metric:
    metric = reading.metric
    of_seconds = 1_000 if metric.in_ms else 1
    if metric.kind is MetricKind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for labels, value in reading.samples:
            if isinstance(value, Histogram):
                limits = [*(str(limit / of_seconds) for limit in BUCKETS_MS), "+Inf"]
                buckets = list(zip(limits, map(float, value.cumulative), strict=True))
                histogram.add_metric(labels, buckets, value.sum_ms / of_seconds)
        return histogram
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in reading.samples:
        if isinstance(value, int):
            family.add_metric(labels, value / of_seconds)
    return family


OPERATIONS: Final = (
    Operation(
        method="GET", path="/metrics", access=Access.ADMIN, handler=get_metrics,
        summary="Figures for Prometheus", answer="text", tags=("status",),
    ),
)  # fmt: skip
"""The operations of this module."""
