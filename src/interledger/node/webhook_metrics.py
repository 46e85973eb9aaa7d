"""Figures of webhooks: how many deliveries came to what, and how long those have waited that were not taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from interledger.node.metric_kinds import Metric, MetricKind, Sample

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["WEBHOOK_METRICS"]


def _outcomes(node: Node) -> Iterator[Sample]:
    for (webhook, outcome), count in sorted(node.webhooks.queue.outcomes.items()):
        yield Sample((webhook, outcome), count)


def _tries(node: Node) -> Iterator[Sample]:
    for webhook, count in sorted(node.webhooks.queue.tries.items()):
        yield Sample((webhook,), count)


def _waiting(node: Node) -> Iterator[Sample]:
    for hook in node.webhooks.all():
        yield Sample((hook.id,), len(node.webhooks.queue.waiting(hook.id)))


def _oldest(node: Node) -> Iterator[Sample]:
    now = node.clock.now()
    for hook in node.webhooks.all():
        waiting = node.webhooks.queue.waiting(hook.id)
        yield Sample((hook.id,), max(now - waiting[0].made_at, 0) if waiting else 0)


_WEBHOOK: Final = ("webhook",)

WEBHOOK_METRICS: Final = (
    Metric(
        "ilp_webhook_deliveries", MetricKind.COUNTER,
        "Deliveries that were taken (`delivered`), given up (`failed`), or lost because too many waited (`dropped`).",
        ("webhook", "outcome"), _outcomes,
    ),
    Metric("ilp_webhook_tries", MetricKind.COUNTER, "Requests that were made for them.", _WEBHOOK, _tries),
    Metric("ilp_webhook_waiting", MetricKind.GAUGE, "Deliveries that were not taken yet.", _WEBHOOK, _waiting),
    Metric(
        "ilp_webhook_wait_seconds", MetricKind.GAUGE, "How long the oldest of these has waited; 0 when none does.",
        _WEBHOOK, _oldest, in_ms=True,
    ),
)  # fmt: skip
"""The rows of webhooks. `node.metrics.METRICS` has them."""
