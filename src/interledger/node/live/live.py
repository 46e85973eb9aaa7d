"""`node.live`: what the node tells those who look at it, wired to the parts that know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, final

from interledger.accounts.ledger import LedgerAccount
from interledger.node.live.feed import EventFeed
from interledger.node.live.overview import Overview
from interledger.node.live.packets import Packets
from interledger.node.live.pulse import Pulse
from interledger.node.live.reports import Reports
from interledger.node.live.seconds import Seconds
from interledger.node.live.traces import Traces

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
        self.overview = Overview(node, self.seconds)
        self.traces = Traces(node)
        self.packets = Packets(node, self.traces)
        self.pulse.on_beat += [self.reports.look, self.seconds.beat]
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
        self.pulse.start()
        if self._node.settings.packet_log:
            self.packets.watch()

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
