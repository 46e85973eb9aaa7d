"""What the engine keeps of channels that lead to us: the best claim, what of it is credited, what is redeemed.

A channel is kept for ever under its id, so that a claim of long ago counts once, whatever account brings it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, final

from interledger.settlement.engine.base import EngineAccount, EngineHost
from interledger.settlement.engines.xrp.claims import Claim
from interledger.settlement.quantity import Quantity

__all__ = ["CHANNELS_MAX", "Incoming", "IncomingBook"]

CHANNELS_MAX: Final = 16
"""Of one account: a peer may open another when one is closed, not a new one for every claim."""


class Incoming(NamedTuple):
    """A channel to us. `amount`, `new` in units of the peers' scale; `new`: of `amount`, not told to the node yet.

    `redeemed`: drops that the ledger has paid us of it. `done`: it is closed.
    """

    channel: str
    account: str
    amount: int
    signature: str
    new: int
    redeemed: int
    done: bool

    @property
    def claim(self) -> Claim | None:
        """The best one. None: there was none yet."""
        return Claim(self.amount, bytes.fromhex(self.signature)) if self.signature else None


@final
class IncomingBook:
    """Of all accounts. Whatever it says is on the disk."""

    def __init__(self, host: EngineHost, scale: int) -> None:
        self._host = host
        self._scale = scale

    def find(self, channel: str) -> Incoming | None:
        """The channel of that id (hex, capitals)."""
        kept = self._host.get(f"in {channel}")
        if kept is None:
            return None
        return Incoming(
            channel, kept["account"], int(kept["amount"]), kept["signature"], int(kept["new"]), int(kept["redeemed"]),
            kept["done"],
        )  # fmt: skip

    def current(self, account: EngineAccount) -> Incoming | None:
        """The one that the account's claims are of."""
        channels: list[str] = account.details.get("in", [])
        return self.find(channels[-1]) if channels else None

    def all_of(self, account: EngineAccount) -> Iterator[Incoming]:
        """All that are not closed."""
        for channel in account.details.get("in", []):
            found = self.find(channel)
            if found is not None and not found.done:
                yield found

    def add(self, account: EngineAccount, channel: str, paid: int, redeemed: int) -> None:
        """From now on the account's claims are of this channel. `paid`: units that the ledger has paid already."""
        known = self.find(channel)
        if known is None:
            self._put(Incoming(channel, account.id, paid, "", 0, redeemed, done=False))
        others = [one.channel for one in self.all_of(account) if one.channel != channel]
        account.remember(**{"in": [*others, channel]})

    def take(self, known: Incoming, claim: Claim) -> None:
        """Keep a better claim, checked, with what has to be credited of it."""
        new = known.new + claim.amount - known.amount
        self._put(known._replace(amount=claim.amount, signature=claim.signature.hex(), new=new))

    def credit(self, account_id: str, channel: str) -> None:
        """Tell the node of what it was not told yet. Once, for ever: the event names channel and amount."""
        known = self.find(channel)
        if known is not None and known.new:
            self._host.received(account_id, f"{channel}:{known.amount}", Quantity(known.new, self._scale))
            self._put(known._replace(new=0))

    def redeem(self, channel: str, drops: int, *, done: bool = False) -> None:
        """The ledger has paid so much of it."""
        known = self.find(channel)
        if known is not None:
            self._put(known._replace(redeemed=max(drops, known.redeemed), done=done or known.done))

    def _put(self, incoming: Incoming) -> None:
        document: dict[str, Any] = incoming._asdict()
        del document["channel"]
        kept = {name: str(value) if type(value) is int else value for name, value in document.items()}
        self._host.put(f"in {incoming.channel}", kept)
