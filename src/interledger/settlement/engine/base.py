"""What a settlement engine is: the few methods that differ from one way to pay to the next.

    class MyEngine(SettlementEngine):
        name, scale = "mine", 6

        async def pay(self, payment: Payment) -> None:
            if payment.note is None:
                payment.remember({"tx": self.sign(payment)})      # durable before it leaves
            await self.broadcast_and_wait(payment.note["tx"])      # the same transaction, however often

The kit (`engine.shell`) does all the rest: the API of RFC 38, requests that count once for ever, parts of a unit,
retries for days, telling the node what came in. How to write one: docs/howto/write-a-settlement-engine.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

from interledger.clock import Timestamp
from interledger.errors import InterledgerError
from interledger.link.btp.messages import Entries
from interledger.link.btp.subprotocols import Answer, Refusal
from interledger.settlement.btp import BtpRequest
from interledger.settlement.quantity import Quantity

__all__ = [
    "CannotPayError",
    "EngineAccount",
    "EngineHost",
    "EngineOption",
    "MessageRefusedError",
    "Payment",
    "SettlementEngine",
]


class CannotPayError(InterledgerError):
    """This cannot be paid now, and nothing left: `str()` tells the operator why. It is tried again, less often."""


class MessageRefusedError(InterledgerError):
    """The peer's message is one that this engine does not take: it gets a 4xx."""


class EngineOption(NamedTuple):
    """A setting of an engine: `--set name=value`, or `name = value` in its file. `default`: None means it is needed."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False


@dataclass(slots=True, eq=False)
class EngineAccount:
    """A peer that is settled with. `details`: what the engine has to know of it, durable: its address on the ledger."""

    id: str
    details: Mapping[str, Any] = field(default_factory=dict)
    keep: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = field(default=lambda _, details: details, repr=False)

    def remember(self, **details: Any) -> None:
        """Add to `details`; None forgets one. Durable when this returns. Text, whole numbers, lists, objects.

        What others have remembered of the account meanwhile is in `details` then, too.
        """
        self.details = self.keep(self.id, details)


@dataclass(slots=True, eq=False)
class Payment:
    """What an account is to be paid: `amount` units of the engine's scale. There is one at a time per account.

    `note`: what the engine remembered of it; None as long as it did not begin. `approved_at`: when the operator agreed,
    for engines that ask.
    """

    id: int
    account: EngineAccount
    amount: int
    scale: int
    made_at: Timestamp
    note: Mapping[str, Any] | None = None
    approved_at: Timestamp | None = None
    keep: Callable[[Payment, Mapping[str, Any]], None] = field(default=lambda payment, note: None, repr=False)

    @property
    def quantity(self) -> Quantity:
        """Amount and scale together."""
        return Quantity(self.amount, self.scale)

    def remember(self, note: Mapping[str, Any]) -> None:
        """Keep what lets `pay` go on after a restart, in place of the note before. Durable when this returns.

        Call it before anything leaves that cannot be taken back.
        """
        self.keep(self, note)
        self.note = dict(note)


class EngineHost(Protocol):
    """What the kit does for an engine."""

    @property
    def accounts(self) -> Sequence[EngineAccount]:
        """All that are open."""
        ...

    def now(self) -> Timestamp:
        """The time, ms UTC."""
        ...

    def random(self, count: int) -> bytes:
        """Octets that nobody can guess."""
        ...

    def account(self, account_id: str) -> EngineAccount:
        """Raises `NotFoundError`."""
        ...

    def received(self, account_id: str, event: str, quantity: Quantity) -> bool:
        """Money of this account's peer has come in, for good: the node will credit it, once.

        `event`: names it for ever (a transaction's hash and output). Durable when this returns; False when the event is
        known already, so that a ledger may be read again from any place. Raises `NotFoundError` for the account.
        """
        ...

    async def send_message(self, account_id: str, message: bytes) -> bytes:
        """Ask the peer's engine; its answer. Raises `settlement.shell.CallError`."""
        ...

    async def send_btp(self, account_id: str, entries: Entries, amount: int | None = None) -> Answer:
        """Send the peer a Message, or a Transfer of `amount`, over the account's BTP link; its answer.

        Raises `settlement.shell.CallError`: after a Transfer nobody knows then whether it was applied.
        """
        ...

    async def sleep(self, ms: int) -> None:
        """Wait; ends at once with an error when the engine stops."""
        ...

    async def approval(self, payment: Payment) -> None:
        """Wait until the operator has agreed to this payment, in two steps. Over restarts, too."""
        ...

    def get(self, name: str) -> Any:
        """What `put` kept; None at first."""
        ...

    def put(self, name: str, value: Any) -> None:
        """Keep something of the engine's own: how far the ledger was read. Durable when this returns."""
        ...

    def spawn(self, name: str, work: Callable[[], Any]) -> None:
        """Run `await work()` beside all else, and again after a while whenever it fails, until the engine stops."""
        ...

    def alarm(self, text: str) -> None:
        """Tell the operator."""
        ...


class SettlementEngine(ABC):
    """One way to pay. Made with its options, then `start` comes first and `stop` last."""

    name: ClassVar[str] = ""
    """As in `ilp engine run NAME`."""

    scale: int = 0
    """The smallest unit that it can pay is 10^-scale of the asset. Smaller parts wait for more."""

    options: ClassVar[Sequence[EngineOption]] = ()

    subprotocols: Sequence[str] = ()
    """Of BTP, those that the node hands over. With any, it hands over the Transfers of these accounts, too."""

    def __init__(self, options: Mapping[str, str]) -> None:  # noqa: B027  # for those that have none
        """`options`: text by name, defaults filled in. Raise `SettingsError` for one that cannot be used."""

    async def start(self, host: EngineHost) -> None:  # noqa: B027  # may have nothing to do
        """Connect to the ledger; `host.spawn` what watches it. When this raises, the engine does not start."""

    async def stop(self) -> None:  # noqa: B027
        """Let go of what `start` took. Tasks of `spawn` have ended."""

    async def setup_account(self, account: EngineAccount) -> None:  # noqa: B027
        """A new account, or one that is told of again. May talk to the peer's engine. When this raises, the node asks
        again later."""

    async def close_account(self, account: EngineAccount) -> None:  # noqa: B027
        """The account goes; nothing is owed to it."""

    @abstractmethod
    async def pay(self, payment: Payment) -> int | None:
        """Pay it, and return when that is final. How many units were paid; None: all. The rest is owed again.

        Called again with the same payment, its note included, after an error, a crash or a restart, until it returns:
        so whatever was sent once has to be recognised (`payment.note`). Raise `CannotPayError` when nothing left.
        """

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        """What the peer's engine asks, and our answer. Raise `MessageRefusedError`."""
        raise MessageRefusedError("this engine takes no messages")

    async def receive_btp(self, account: EngineAccount, request: BtpRequest) -> Answer:
        """What the peer asks by BTP. What a Response to a Transfer says is durable by then; when this raises, the peer
        gets no answer to it, and an Error T00 to a Message."""
        return Refusal("F00", "this engine does not speak BTP")
