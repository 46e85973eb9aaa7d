"""`node.live`: what the node tells those who look at it, wired to the parts that know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, final

from interledger.accounts.ledger import LedgerAccount
from interledger.node.live.feed import EventFeed
from interledger.node.live.market import Market
from interledger.node.live.overview import Overview
from interledger.node.live.packets import Packets
from interledger.node.live.pulse import Pulse
from interledger.node.live.reports import Reports
from interledger.node.live.seconds import Seconds
from interledger.node.live.telemetry import Telemetry, make_exporter
from interledger.node.live.traces import Traces
from interledger.node.payment import Snapshot

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Live"]


@final
class Live:
    """`start` when the node takes packets, `stop` while its store is still open."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        self.events = EventFeed(node.clock, facts)
        self.events.use(node.store)
        self.pulse = Pulse(node.clock)
        self.reports = Reports(node, self.events)
        self.seconds = Seconds(node)
        self.market = Market(node, self.seconds.worth)
        self.overview = Overview(node, self.seconds, self.market)
        self.traces = Traces(node)
        self.packets = Packets(node, self.traces)
        self.telemetry = Telemetry(node, self.packets)
        otel = node.settings.otel_endpoint
        self._exporter = None if otel is None else make_exporter(otel, node.settings.otel_headers)
        self.packets.on_end = self.telemetry.packet_ended
        self.pulse.on_beat += [self.reports.look, self.seconds.beat, self.market.beat]
        node.alarms.on_tell = self.reports.alarm
        node.ledger.on_unknown = self.reports.unknown
        node.connector.link_watchers.append(lambda account, now: self.reports.link_changed(account))
        self._runs = False

    def start(self) -> None:
        """Tell that the node runs, and look once a second while something moves."""
        self._runs = True
        self.reports.started()
        ledger = self._node.ledger
        ledger.before_batch = _both(ledger.before_batch, self.pulse)
        self.seconds.start(self._node.clock.now())
        self.market.start(self._node.clock.now())
        self.pulse.start()
        if self._node.settings.packet_log:
            self.packets.watch()
        if self._exporter is not None:
            self.telemetry.start(self._exporter, self._node.settings.otel_sample)

    def payment_ended(self, payment: Snapshot) -> None:
        """One of this node."""
        self.reports.payment_finished(payment)
        self.telemetry.payment_ended(payment)

    def stop(self) -> None:
        """Write what was told, and end every reader. May be called again."""
        if self._runs:
            self._runs = False
            self.reports.stopping()
        self.pulse.stop()
        self.packets.stop()
        self.events.close()


def _both(
    before_batch: Callable[[Iterable[LedgerAccount]], None], pulse: Pulse
) -> Callable[[Iterable[LedgerAccount]], None]:
    def call(touched: Iterable[LedgerAccount]) -> None:
        before_batch(touched)
        pulse.stir()

    return call
