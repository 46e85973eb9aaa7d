"""Spans to a collector of OpenTelemetry: off the path of packets, in batches, by a thread; what is too much is dropped.

Nothing runs while no sampled packet ends. The first one arms a timer; when it fires, what has come since goes to the
thread as one batch, which makes spans of it and sends them. The library is asked for only here, by the extra `otel`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, final
from urllib.parse import urlsplit

from interledger.errors import SettingsError
from interledger.node.live.packet_record import PacketRecord
from interledger.node.live.sampling import Sampling
from interledger.node.live.spans import Span, SpanKey, payment_span, spans_of
from interledger.node.payment import Snapshot
from interledger.node.settings_otel import parse_headers
from interledger.node.views import package_version

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

    from interledger.node.live.packets import Packets
    from interledger.node.node import Node

__all__ = ["BATCH_MAX", "QUEUE_MAX", "SpanSink", "Telemetry", "make_exporter"]

logger = logging.getLogger("interledger.node.telemetry")

QUEUE_MAX: Final = 4_096
"""Packets and payments that wait to be exported, some 1 kB each; more are dropped, and counted."""

BATCH_MAX: Final = 512
"""As many in one request to the collector."""

EXPORT_AFTER_S: Final = 1.0
"""So long the first of a batch waits for others."""

REQUEST_S: Final = 10
"""How long one request to the collector may take, its repetitions included."""

CLOSE_S: Final = 2.0
"""How long the node, when it stops, waits for the last batch."""

DRIFT_US: Final = 20_000
"""The clock and the count of time differ by so much less than before: somebody set the clock."""

FOLLOW_US: Final = 100
"""By so much a batch, what was measured of the two is believed less: they do not run alike for ever."""


class SpanSink(Protocol):
    """Where spans go: an exporter of OpenTelemetry. Called by one thread at a time."""

    def export(self, spans: Sequence[ReadableSpan], /) -> Any: ...
    def shutdown(self) -> None: ...


@final
class Telemetry:
    """`start` with a sink and the share of packets that is traced, `close` when no more packets come."""

    def __init__(self, node: Node, packets: Packets) -> None:
        self.exported = 0
        """Spans that the collector took."""
        self.dropped = 0
        """Packets and payments that came while `QUEUE_MAX` waited, or waited when the node stopped."""
        self.failed = 0
        """Spans that the collector did not take."""
        self._node = node
        self._packets = packets
        self._queue: deque[PacketRecord | Snapshot] = deque()
        self._sink: SpanSink | None = None
        self._resource: tuple[str, Resource] | None = None
        self._version = package_version()
        self._thread: ThreadPoolExecutor | None = None
        self._sending: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._offset_us: int | None = None
        self._is_down = False

    def start(self, sink: SpanSink, share: Fraction) -> None:
        """Trace that share of all packets, and every payment."""
        self._sink = sink
        self._thread = ThreadPoolExecutor(1, "ilp-otel")
        self._packets.trace(Sampling(share))

    def packet_ended(self, record: PacketRecord) -> None:
        """It has its outcome."""
        if record.is_traced:
            self._put(record)

    def payment_ended(self, payment: Snapshot) -> None:
        """One of this node."""
        if self._sink is not None:
            self._put(payment)

    async def close(self) -> None:
        """Send what waits, as far as it goes at once. May be called again."""
        sink, thread = self._sink, self._thread
        if sink is None or thread is None:
            return
        self._packets.trace(None)
        self._sink = None
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        last = {} if self._sending is None else {self._sending: 0}
        while self._queue:
            batch = self._take()
            last[loop.run_in_executor(thread, self._export, sink, batch)] = len(batch)
        if last:
            _, waiting = await asyncio.wait(last, timeout=CLOSE_S)
            self.dropped += sum(last[one] for one in waiting)
        sink.shutdown()  # ends a request that is being repeated
        thread.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------------ in the loop

    def _put(self, item: PacketRecord | Snapshot) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return
        self._queue.append(item)
        if self._timer is None and self._sending is None and self._sink is not None:
            self._timer = asyncio.get_running_loop().call_later(EXPORT_AFTER_S, self._send)

    def _take(self) -> list[PacketRecord | Snapshot]:
        batch = list(islice(self._queue, BATCH_MAX))
        for _ in batch:
            self._queue.popleft()
        return batch

    def _send(self) -> None:
        self._timer = None
        if self._sink is not None and self._thread is not None:
            loop = asyncio.get_running_loop()
            self._sending = loop.run_in_executor(self._thread, self._export, self._sink, self._take())
            self._sending.add_done_callback(self._sent)

    def _sent(self, sending: asyncio.Future[None]) -> None:
        self._sending = None
        if self._queue and self._sink is not None:
            self._timer = asyncio.get_running_loop().call_later(EXPORT_AFTER_S if self._is_down else 0, self._send)

    # ------------------------------------------------------------------ in the thread

    def _export(self, sink: SpanSink, batch: list[PacketRecord | Snapshot]) -> None:
        """Never raises: who exports spans must not hurt a node."""
        count = len(batch)
        try:
            address = str(self._node.address)
            if self._offset_us is not None:
                self._offset_us -= FOLLOW_US
            spans = [span for item in batch for span in self._spans(item, address)]
            count = len(spans)
            resource = self._resource_of(address)
            result = sink.export([_readable(span, resource, self._version) for span in spans])
            why = None if getattr(result, "name", "SUCCESS") == "SUCCESS" else "it did not take them"
        except Exception as error:
            why = f"{type(error).__name__}"
        if why is None:
            self.exported += count
        else:
            self.failed += count
        if self._is_down != (why is not None):
            self._is_down = why is not None
            if why is not None:
                logger.warning("spans do not reach the collector (%s); those are lost, packets go on", why)
            else:
                logger.info("spans reach the collector again")

    def _spans(self, item: PacketRecord | Snapshot, address: str) -> list[Span]:
        if isinstance(item, Snapshot):
            return [payment_span(item, address)]
        # The stopwatch tells microseconds of no time of day; the clock tells ms, and was read before.
        # So the most that they ever differed by is nearest to the truth.
        offset = item.at * 1000 - item.arrived_us
        if self._offset_us is None or not 0 <= self._offset_us - offset <= DRIFT_US:
            self._offset_us = offset
        return spans_of(item, address, self._offset_us)

    def _resource_of(self, address: str) -> Resource:
        """What all spans say of this node."""
        if self._resource is None or self._resource[0] != address:
            from opentelemetry.sdk.resources import Resource

            said = {
                "service.name": address,
                "service.namespace": "interledger",
                "service.version": self._version,
            }
            self._resource = (address, Resource.create(said))
        return self._resource[1]


def _readable(span: Span, resource: Resource, version: str) -> ReadableSpan:
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

    def context(key: SpanKey, *, is_remote: bool = False) -> SpanContext:
        trace_id, span_id = int.from_bytes(key.trace_id, "big"), int.from_bytes(key.span_id, "big")
        return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        span.name,
        context=context(span.key),
        parent=None if span.parent is None else context(span.parent, is_remote=span.kind == "server"),
        resource=resource,
        attributes=dict(span.attributes),
        events=[Event(name, timestamp=at_us * 1000) for name, at_us in span.events],
        links=[] if span.link is None else [Link(context(span.link))],
        kind=SpanKind[span.kind.upper()],
        status=Status(StatusCode.UNSET) if span.failed is None else Status(StatusCode.ERROR, span.failed),
        start_time=span.start_us * 1000,
        end_time=span.end_us * 1000,
        instrumentation_scope=InstrumentationScope("interledger", version),
    )


def make_exporter(endpoint: str, headers: str | None) -> SpanSink:
    """What sends to a collector by OTLP over HTTP. Raises `SettingsError` without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(
            f"otel.endpoint needs the extra  otel:  pip install 'interledger-py[node,otel]'  ({error})"
        ) from None
    # It logs every failure, with what the collector said; ours says so once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    url = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + "/v1/traces"
    return OTLPSpanExporter(endpoint=url, headers=parse_headers(headers or ""), timeout=REQUEST_S)
