"""Packets for people to look at: those that this node refused, always; those that went on, while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from interledger.accounts.account import Account, AccountId
from interledger.errors import DecodeError
from interledger.node.live.channel import Channel
from interledger.node.live.packet_record import PacketRecord
from interledger.node.live.recorder import Recorder
from interledger.node.live.sampling import Sampling
from interledger.node.live.traces import Traces
from interledger.node.live.watchers import Watchers
from interledger.transport.stream.packet import StreamPacket

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Packets"]


@final
class Packets:
    """`watch` turns the recorder on until what it returns was called."""

    def __init__(self, node: Node, traces: Traces) -> None:
        self._node = node
        self._traces = traces
        self._watchers = Watchers(self._record)
        self._samples: Sampling | None = None
        self.on_end: Callable[[PacketRecord], None] = lambda record: None
        """Called with a packet that has its outcome."""
        self._readers: dict[Channel[PacketRecord], None] = {}
        self.recorder = Recorder(node.connector, node.clock, self._tell)

    @property
    def is_recording(self) -> bool:
        """Whether packets that go on are recorded now."""
        return bool(self._watchers)

    def watch(self) -> Callable[[], None]:
        """Somebody looks."""
        return self._watchers.enter()

    def trace(self, samples: Sampling | None) -> None:
        """Record those too whose condition is sampled, for OpenTelemetry; None: no more."""
        self._samples = samples
        self._record()

    def _record(self) -> None:
        self.recorder.record(watched=bool(self._watchers), samples=self._samples)

    def subscribe(self) -> Channel[PacketRecord]:
        """Every packet that has its outcome, as far as packets are recorded, until the channel is closed."""
        leave = self.watch()

        def close() -> None:
            self._readers.pop(channel, None)
            leave()

        channel: Channel[PacketRecord] = Channel(on_close=close)
        self._readers[channel] = None
        return channel

    def stop(self) -> None:
        """The node stops."""
        for channel in list(self._readers):
            channel.close()

    def latest(self) -> list[PacketRecord]:
        """Newest first."""
        self.recorder.forget_lost(self._node.clock.now())
        recorded = list(self.recorder.records)
        known = {(record.incoming_peer, record.condition) for record in recorded}
        address = str(self._node.address)
        for refused in self._node.connector.refusals.latest:
            if (refused.account, refused.condition) not in known:
                peer = self._node.connector.peers.get(refused.account)
                account_id = AccountId(refused.account.partition("/")[0])
                account = peer.account if peer is not None else self._find(account_id)
                if account is not None:
                    recorded.append(PacketRecord.of_refused(refused, account.asset, account.id, address))
        return sorted(recorded, key=lambda record: record.at, reverse=True)

    def find(self, prefix: str) -> list[PacketRecord]:
        """Those whose condition begins so, in hex; newest first."""
        return [record for record in self.latest() if record.condition.hex().startswith(prefix)]

    def open(self, record: PacketRecord) -> tuple[StreamPacket | None, StreamPacket | None]:
        """What is inside the Prepare and its answer, where the secret is ours."""
        crypto = self._traces.crypto_of(record.incoming_peer)
        if crypto is None:
            connection = self._node.wallets.receiver.resolve(record.destination)
            crypto = None if connection is None else connection.crypto
        if crypto is None:
            return None, None

        def opened(data: bytes | None) -> StreamPacket | None:
            plaintext = None if not data else crypto.open(data)
            try:
                return None if plaintext is None else StreamPacket.decode(plaintext)
            except DecodeError:
                return None

        return opened(record.data), opened(record.reply)

    def _find(self, account_id: AccountId) -> Account | None:
        return next((account for account in self._node.accounts() if account.id == account_id), None)

    def _tell(self, record: PacketRecord) -> None:
        self.on_end(record)
        for channel in list(self._readers):
            channel.put(record)
