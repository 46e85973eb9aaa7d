"""What the API asks of a node about what happens at it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from interledger.accounts.account import AccountId
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.node.live.channel import Channel
from interledger.node.live.market import ProfitPoint, RatePoint
from interledger.node.live.overview import AccountLook, Check, MovesLook, RiskLook
from interledger.node.live.packet_record import PacketRecord
from interledger.node.live.recorder import Recorder
from interledger.node.live.seconds import Flow, PositionPoint
from interledger.node.live.traces import PaymentTrace
from interledger.node.live.worth import WorthTotal
from interledger.transport.stream.packet import StreamPacket

__all__ = [
    "ChannelView", "EventPageView", "EventView", "EventsFacade", "LiveFacade", "OverviewFacade", "PacketsFacade",
    "PulseFacade", "SecondsFacade", "TracesFacade",
]  # fmt: skip


class EventView(Protocol):
    """One thing that happened."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> Timestamp: ...
    @property
    def kind(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def text(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class EventPageView(Protocol):
    """Events in order. `gap`: some in between are gone; `more`: there are others in this direction."""

    @property
    def events(self) -> Sequence[EventView]: ...
    @property
    def gap(self) -> bool: ...
    @property
    def more(self) -> bool: ...


class ChannelView(Protocol):
    """What one reader gets, in order."""

    @property
    def is_cut(self) -> bool:
        """The reader was too slow, and is on its own from here."""
        ...

    async def get(self, timeout_s: float | None = None) -> Any:
        """The next one; None: no more come. Raises `TimeoutError`."""
        ...

    def close(self) -> None: ...


class EventsFacade(Protocol):
    """The feed."""

    @property
    def latest_id(self) -> int: ...
    def after(self, since: int, kinds: Collection[str] | None, limit: int) -> EventPageView:
        """Oldest first."""
        ...

    def before(self, cursor: int | None, kinds: Collection[str] | None, limit: int) -> EventPageView:
        """Newest first."""
        ...

    def subscribe(self, kinds: frozenset[str] | None = None) -> ChannelView: ...


class OverviewFacade(Protocol):
    """The node in one look."""

    def health(self) -> list[Check]: ...
    def risk(self) -> RiskLook: ...
    def moves(self) -> MovesLook: ...
    def accounts(self) -> list[AccountLook]: ...
    def worth(self, amounts: Iterable[tuple[Asset, int]]) -> WorthTotal:
        """What units of several assets are worth together, at the node's own rates as they are now."""
        ...


class SecondsFacade(Protocol):
    """What moved."""

    def last(self, now: Timestamp, count: int) -> list[Flow]: ...
    def history(self, account_id: AccountId) -> list[PositionPoint]: ...


class MarketFacade(Protocol):
    """Rates and profit over time."""

    def rates(self) -> Mapping[str, list[RatePoint]]: ...
    def profit(self) -> list[ProfitPoint]: ...
    def earned(self) -> WorthTotal: ...


class PulseFacade(Protocol):
    """What beats while somebody looks."""

    def watch(self) -> Callable[[], None]:
        """Beat once a second, until what is returned was called."""
        ...


class PacketsFacade(Protocol):
    """Packets that went through."""

    @property
    def is_recording(self) -> bool: ...
    @property
    def recorder(self) -> Recorder: ...
    def watch(self) -> Callable[[], None]:
        """Record until what is returned was called."""
        ...

    def subscribe(self) -> Channel[PacketRecord]: ...
    def latest(self) -> list[PacketRecord]:
        """Newest first."""
        ...

    def find(self, prefix: str) -> list[PacketRecord]: ...
    def open(self, record: PacketRecord) -> tuple[StreamPacket | None, StreamPacket | None]:
        """What is inside Prepare and answer, where the secret is ours."""
        ...


class TracesFacade(Protocol):
    """The packets of payments."""

    def get(self, payment_id: str) -> PaymentTrace | None: ...


class LiveFacade(Protocol):
    """Everything below `node.live`."""

    @property
    def events(self) -> EventsFacade: ...
    @property
    def overview(self) -> OverviewFacade: ...
    @property
    def seconds(self) -> SecondsFacade: ...
    @property
    def market(self) -> MarketFacade: ...
    @property
    def pulse(self) -> PulseFacade: ...
    @property
    def packets(self) -> PacketsFacade: ...
    @property
    def traces(self) -> TracesFacade: ...
