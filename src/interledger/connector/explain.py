"""What would become of a packet, without sending one: the same journey, in a copy of what it touches.

The copy is a `Connector` with its own empty ledger, into which the positions and limits of the accounts concerned are
taken over; its links keep what is sent. So there is one journey (`forward.py`), and nothing here has an effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.accounts.ledger import NO_LIMIT, Ledger, LedgerAccount
from interledger.clock import Timestamp
from interledger.connector.events import Step
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.connector.next_hops import groups_of
from interledger.connector.peer import Peer
from interledger.ilp.address import Address
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.ilp.peer import PEER_PREFIX
from interledger.link.base import Link, RequestId
from interledger.routing.table import Origin, Route

__all__ = ["Candidate", "Explanation", "explain"]

LIFETIME_MS: Final = 30_000
"""What a sender usually gives a packet."""

CONDITION: Final = bytes(32)
"""Nobody's: were it ever sent, nobody could fulfill it."""

_REQUEST: Final = RequestId(0)


class Candidate(NamedTuple):
    """A route for the destination, and why it was not taken; an empty `why_not` for the one that was."""

    route: Route
    up: bool
    why_not: str


class Explanation(NamedTuple):
    """What would become of a packet of `amount` from `incoming`. Amounts in units of each side's asset."""

    destination: Address
    incoming: AccountId
    amount: int
    outgoing: AccountId | None
    """The peer that its route leads to; None when there is none, or this node answers."""
    outgoing_amount: int
    """What would be sent there; 0 when the packet is refused."""
    less_ms: int
    """How much earlier the onward packet expires."""
    step: Step | None
    """The step that refuses it."""
    refusal: Reject | None
    why: str
    answered_here: bool
    incoming_room: int | None
    """What `incoming` may still send, by what it may owe us; None: there is no limit."""
    outgoing_room: int | None
    """What may still be sent to `outgoing`, by what we may owe it."""
    candidates: tuple[Candidate, ...]
    """Every route that leads there, the preferred one first."""


def explain(
    connector: Connector, incoming: AccountId, destination: Address, amount: int, now: Timestamp
) -> Explanation:
    """`incoming`: the name of an attached peer. It must be attached."""
    dry = _DryRun(connector, incoming, destination)
    refusal: Reply | None = None
    answered_here = destination == connector.address or destination.startswith(PEER_PREFIX)
    if not answered_here:
        prepare = Prepare(amount, Timestamp(now + LIFETIME_MS), CONDITION, destination)
        refusal = dry.run(Prepare.decode(prepare.encode()), now)
    reject = refusal if isinstance(refusal, Reject) else None
    step, why = dry.reason() if reject is not None else (None, "")
    hop, onward = dry.hop, dry.onward
    candidates = () if answered_here else _candidates(connector, incoming, destination, hop)
    return Explanation(
        destination,
        incoming,
        amount,
        hop,
        onward.amount if onward else 0,
        now + LIFETIME_MS - onward.expires_at if onward else 0,
        step,
        reject,
        why,
        answered_here,
        _room_in(connector.peers[incoming].ledger_account),
        _room_out(connector.peers[hop].ledger_account) if hop else None,
        candidates,
    )


def _room_in(account: LedgerAccount) -> int | None:
    return None if account.debit_max == NO_LIMIT else max(account.room, 0)


def _room_out(account: LedgerAccount) -> int | None:
    if account.credit_max == NO_LIMIT:
        return None
    return max(account.credit_room, 0)


@final
class _DryLink:
    """As ready as the real one; what is sent stays here."""

    def __init__(self, real: Link, run: _DryRun) -> None:
        self._real = real
        self._run = run

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self._run.onward = prepare

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        return None

    def ready(self) -> bool:
        return self._real.ready()


@final
class _DryRun:
    """The copy of a connector in which one packet is tried."""

    def __init__(self, connector: Connector, incoming: AccountId, destination: str) -> None:
        self.onward: Prepare | None = None
        """What would leave."""
        self.hop: AccountId | None = None
        """Where to."""
        self._incoming = incoming
        self._ledger = Ledger()
        self._copy = Connector(
            connector.address,
            ledger=self._ledger,
            routes=connector.routes,
            exchange=connector.exchange,
            receivers=connector.receivers,
            spread=connector.spread,
            limits=connector.limits,
        )
        names = dict.fromkeys((incoming, *_named(connector, destination)))
        for peer in (connector.peers.get(name) for name in names):
            if peer is not None:
                self._attach(peer)
        self._ledger.read_only = connector.ledger.read_only
        self._copy.next_hops.begin_at(connector.next_hops.positions())
        hop = self._copy.next_hops.find(destination, self._copy.peers[incoming], connector.address)
        if not isinstance(hop, Refused):
            self.hop = hop.id
        self._copy.next_hops.forget()  # the packet itself has the same turn

    def run(self, prepare: Prepare, now: Timestamp) -> Reply | None:
        reply = self._copy.receive_prepare(self._incoming, _REQUEST, prepare, now)
        batch = self._ledger.take_batch()
        if batch is not None:
            for send, _, request_id, onward in batch.prepares:
                send(request_id, onward)
        return reply

    def reason(self) -> tuple[Step | None, str]:
        """Of the refusal: at which step, and why."""
        refused = self._copy.refusals.latest
        return (refused[-1].step, refused[-1].why) if refused else (None, "")

    def _attach(self, peer: Peer) -> None:
        copy = self._copy.attach(
            peer.id,
            peer.account,
            _DryLink(peer.link, self),
            is_local=peer.is_local,
            first_request_id=peer.next_request_id,
            moves_money=peer.ledger_account.index >= 0,
        )
        copy.guards = tuple(partial(guard, dry=True) for guard in peer.guards)
        copy.in_flight = dict(peer.in_flight)
        _take_over(copy.ledger_account, peer.ledger_account)


def _take_over(copy: LedgerAccount, account: LedgerAccount) -> None:
    for counter in (
        "debits_posted",
        "debits_pending",
        "credits_posted",
        "credits_pending",
        "debit_max",
        "credit_max",
    ):
        setattr(copy, counter, getattr(account, counter))
    copy.set_aside(debits=account.unproven, credits_=account.unknown)


def _named(connector: Connector, destination: str) -> Iterable[AccountId]:
    """The peers that a packet to `destination` could be sent to."""
    for routes in connector.routes.candidates(destination):
        for route in routes:
            if route.origin is Origin.OWN:
                receiver = connector.receivers.find(destination)
                if not isinstance(receiver, Refused):
                    yield receiver
            else:
                yield route.account


def _candidates(
    connector: Connector, incoming: AccountId, destination: str, chosen: AccountId | None
) -> tuple[Candidate, ...]:
    """Every route for the destination, and what each lost by."""
    found: list[Candidate] = []
    taken: Route | None = None
    for routes in connector.routes.candidates(destination):
        for group in groups_of(routes):
            own = group[0].origin is Origin.OWN
            in_group = next((route for route in group if route.account == chosen), None)
            for route in group:
                peer = connector.peers.get(route.account)
                up = own or (peer is not None and connector.takes(peer))
                if taken is not None:
                    why = _after(route, taken)
                elif own or route is in_group:
                    why = ""
                elif not up:
                    why = "no link" if peer is None else "busy" if peer.link.ready() else "its link is down"
                elif route.account == incoming:
                    why = "the packet came from there"
                elif in_group is not None:
                    total = sum(one.weight for one in group)
                    why = f"shares: {route.weight} of {total} packets, not this one"
                else:
                    why = "would be taken"
                found.append(Candidate(route, up, why))
            if taken is None and (own or in_group is not None):
                taken = group[0] if own else in_group
    return tuple(found)


def _after(route: Route, taken: Route) -> str:
    """Why `route` comes behind the one that was taken."""
    if len(route.prefix) < len(taken.prefix):
        return "shorter prefix"
    if route.origin is not taken.origin:
        return f"{taken.origin} routes go before {route.origin} ones"
    if len(route.path) > len(taken.path):
        return f"{taken.account} is nearer"
    return f"stands in for {taken.account}"
