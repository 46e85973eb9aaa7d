"""Spans on their way to a collector: three nodes whose spans are one trace, and a real receiver of OTLP over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from interledger.errors import SettingsError
from interledger.node.live import telemetry as module
from interledger.node.metrics import read_metrics
from interledger.node.node import Node
from interledger.node.settings_load import load_settings
from tests.node.loopback import account, line, running, settings

UNIT = 10**9
QUEUE = 40


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, the last batch is waited for."""
    monkeypatch.setattr(module, "CLOSE_S", 30.0)


async def pay(node: Node, receiver: Node, amount: int) -> str:
    payment = node.pay("alice", f"$127.0.0.1:{receiver.port}/bob", send=amount)
    await payment.done()
    assert payment.snapshot.state == "delivered"
    return str(payment.id)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    accounts = (account("alice", "USD/9", "test.hub.alice"), account("bob", "USD/9", "test.hub.bob"))
    async with running(settings("test.hub", accounts=accounts)) as one:
        yield one


async def test_the_spans_of_three_nodes_are_one_trace_per_packet_below_one_payment() -> None:
    async with line(packet_amount_max=UNIT) as (alice, hub, bob):
        sinks = {node.address: InMemorySpanExporter() for node in (alice, hub, bob)}
        for node in (alice, hub, bob):
            node.live.telemetry.start(sinks[node.address], Fraction(1))
        payment = await pay(alice, bob, 3 * UNIT)
        for node in (alice, hub, bob):
            await node.live.telemetry.close()
    spans = [span for sink in sinks.values() for span in sink.get_finished_spans()]
    by_id = {span.context.span_id: span for span in spans if span.context is not None}
    assert len(by_id) == len(spans)
    received = [span for span in spans if span.name == "ilp.receive" and not span.status.description]
    assert received
    for last in received:
        middle = parent(last, by_id)
        first = parent(middle, by_id)
        assert [span.name for span in (first, middle, last)] == ["ilp.send", "ilp.forward", "ilp.receive"]
        assert len({span.context.trace_id for span in (first, middle, last)}) == 1
        assert (first.parent, first.resource.attributes["service.name"]) == (None, alice.address)
        below = by_id[first.links[0].context.span_id]
        assert (below.name, parent(below, by_id).name) == ("ilp.payment.packet", "ilp.payment")
        assert attributes(parent(below, by_id))["ilp.payment.id"] == payment
        assert attributes(first)["ilp.outgoing.amount"] == attributes(middle)["ilp.incoming.amount"]


async def test_all_nodes_choose_the_same_packets() -> None:
    async with line() as nodes:
        sinks = [InMemorySpanExporter() for _ in nodes]
        for node, sink in zip(nodes, sinks, strict=True):
            node.live.telemetry.start(sink, Fraction(1, 2))
        await pay(nodes[0], nodes[2], 10 * UNIT)
        for node in nodes:
            await node.live.telemetry.close()
    names = ("ilp.send", "ilp.forward", "ilp.receive")
    sent, forwarded, received = (
        {span.context.trace_id for span in sink.get_finished_spans() if span.name == name and is_fulfilled(span)}
        for sink, name in zip(sinks, names, strict=True)
    )
    assert sent == forwarded == received
    assert received


async def test_a_collector_gets_protobuf_by_http() -> None:
    got: list[tuple[str, dict[str, str], bytes]] = []
    server = receiver(got)
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    accounts = (account("alice", "USD/9", "test.hub.alice"), account("bob", "USD/9", "test.hub.bob"))
    told = settings(
        "test.hub", accounts=accounts, otel_endpoint=endpoint, otel_sample=Fraction(1), otel_headers="x-api-key=canary"
    )
    try:
        async with running(told) as node:
            payment = await pay(node, node, UNIT)
    finally:
        server.shutdown()
        server.server_close()
    assert {(path, headers["x-api-key"]) for path, headers, _ in got} == {("/v1/traces", "canary")}
    resources = [one for _, _, body in got for one in ExportTraceServiceRequest.FromString(body).resource_spans]
    assert {
        attribute.value.string_value
        for one in resources
        for attribute in one.resource.attributes
        if attribute.key == "service.name"
    } == {"test.hub"}
    spans = [span for one in resources for scope in one.scope_spans for span in scope.spans]
    fulfilled = next(span for span in spans if span.name == "ilp.send" and span.status.code == 0)
    said = {attribute.key: attribute.value.string_value for attribute in fulfilled.attributes}
    assert (said["ilp.outcome"], said["ilp.payment.id"]) == ("fulfilled", payment)
    assert 0 < fulfilled.end_time_unix_nano - fulfilled.start_time_unix_nano < 10**10
    assert len(fulfilled.trace_id) == 16
    assert "canary" not in repr(told)


async def test_a_collector_that_is_away_loses_spans_and_nothing_else(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    node.live.telemetry.start(Broken(), Fraction(1))
    await pay(node, node, UNIT)
    await node.live.telemetry.close()
    counts = {sample.labels[0]: sample.value for sample in figures(node)}
    assert counts["failed"] > 0
    assert counts["exported"] == 0
    assert caplog.text.count("spans do not reach the collector") == 1
    assert "canary" not in caplog.text


async def test_what_is_too_much_is_dropped_and_counted(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_MAX", QUEUE)
    sink = InMemorySpanExporter()
    node.live.telemetry.start(sink, Fraction(0))
    await pay(node, node, UNIT)
    snapshot = node.payments()[0].snapshot
    for _ in range(QUEUE + 6):
        node.live.telemetry.payment_ended(snapshot)
    await node.live.telemetry.close()
    counts = {sample.labels[0]: sample.value for sample in figures(node)}
    assert (counts["exported"], counts["dropped"]) == (QUEUE, 7)
    assert len(sink.get_finished_spans()) == QUEUE


async def test_batches_go_while_the_node_works(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXPORT_AFTER_S", 0.01)
    sink = InMemorySpanExporter()
    node.live.telemetry.start(sink, Fraction(1))
    await pay(node, node, UNIT)
    async with asyncio.timeout(5):
        while not any(span.name == "ilp.payment" for span in sink.get_finished_spans()):  # noqa: ASYNC110  # a thread's
            await asyncio.sleep(0.01)


def test_the_extra_is_named_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match="interledger-py\\[node,otel\\]"):
        module.make_exporter("http://localhost:4318", None)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ILP_OTEL__HEADERS": "x-api-key=canary"}, "of no use without"),
        ({"ILP_OTEL__HEADERS": "canary", "ILP_OTEL__ENDPOINT": "http://x"}, "no list of headers"),
        ({"ILP_OTEL__ENDPOINT": "collector:4318"}, "not a URL"),
        ({"ILP_OTEL__SAMPLE": "2"}, "share"),
    ],
)
def test_settings_that_cannot_be_used(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        load_settings({"durability": "memory"}, environ)
    assert "canary" not in str(error.value)


class Broken:
    """A collector that nobody reaches."""

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        raise OSError("canary")

    def shutdown(self) -> None: ...


def figures(node: Node) -> Any:
    return next(reading.samples for reading in read_metrics(node) if reading.metric.name == "ilp_spans")


def parent(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> ReadableSpan:
    assert span.parent is not None
    return by_id[span.parent.span_id]


def is_fulfilled(span: ReadableSpan) -> bool:
    return attributes(span).get("ilp.outcome") == "fulfilled"


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def receiver(got: list[tuple[str, dict[str, str], bytes]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
