"""What a metric is: a row of a table, with a name, words, and where its figures come from."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Histogram", "Metric", "MetricKind", "Reading", "Sample"]


class MetricKind(enum.StrEnum):
    """What may be done with the figures: the rate of a counter, the value of a gauge, the quantiles of a histogram."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Histogram(NamedTuple):
    """How many were at most so many ms (the last one: all of them), and the sum of all in ms."""

    cumulative: tuple[int, ...]
    sum_ms: int


class Sample(NamedTuple):
    """One figure, and the values of the metric's labels in their order."""

    labels: tuple[str, ...]
    value: int | Histogram


class Metric(NamedTuple):
    """One row of the table. `in_ms`: the values are milliseconds."""

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...]
    read: Callable[[Node], Iterable[Sample]]
    in_ms: bool = False


class Reading(NamedTuple):
    """A metric and its figures now."""

    metric: Metric
    samples: tuple[Sample, ...]
