"""The journey of a Prepare, top to bottom, and of its reply.

    receive_prepare   1 admit     the incoming account's guards, in order       -> Reject R00 F08 T05 T04
                      2 route     longest prefix, or one of our own services    -> F02 T01
                      3 convert   amount (ratio, floor), earlier expiry         -> R01 R02 F08 T00
                      4 hold      every leg of this packet at once              -> T04 T03
                      5 forward   remember in flight; leaves when the hold is committed
    receive_reply     6 match     request id -> in flight; unknown or late: drop, count
                      7 verify    fulfillment against condition                 -> may become a Reject F05
                      8 execute or release the legs
                      9 relay     leaves when the execution is committed; a Reject need not wait
    handle_timer                  R00 for what is past its time; the amount becomes `unknown`

Nothing here waits, reads a clock or touches a socket. It runs for every packet: one dictionary look-up a step.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.ledger import Hold, Ledger
from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.connector import refusals
from interledger.connector.crossing import Crossing, make_crossing
from interledger.connector.departed import Departed
from interledger.connector.events import PacketRefused, Refusals, Step
from interledger.connector.guards import Refused, guards_for
from interledger.connector.in_flight import NEVER, Deadlines, InFlight
from interledger.connector.limits import Limits
from interledger.connector.next_hops import NextHops
from interledger.connector.peer import GAVE_UP_KEPT, Peer, outside_of_books
from interledger.connector.services import OwnReceivers, Services, answer_own_address
from interledger.connector.totals import Totals
from interledger.errors import ConflictError
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import PEER_PREFIX
from interledger.link.base import Link, RequestId
from interledger.routing.exchange import ExchangeTable, NoRate
from interledger.routing.table import RoutingTable

__all__ = ["Connector", "Limits"]


@final
class Connector:
    """Routes packets between the attached peers, holding and moving money in the ledger. Implements `PacketHandler`."""

    def __init__(
        self,
        address: Address,
        *,
        ledger: Ledger,
        routes: RoutingTable,
        exchange: ExchangeTable,
        receivers: OwnReceivers,
        spread: Fraction = Fraction(0),
        limits: Limits = Limits(),  # noqa: B008  # an immutable tuple
    ) -> None:
        self.address = address
        self.ledger = ledger
        self.routes = routes
        self.exchange = exchange
        self.receivers = receivers
        self.spread = spread
        self.limits = limits
        self.services = Services(ledger)
        self.link_watchers: list[Callable[[AccountId, Timestamp], None]] = []
        self.on_attach: Callable[[Peer], None] = lambda peer: None
        self.peers: dict[AccountId, Peer] = {}
        self.totals = Totals()
        self.refusals = Refusals()
        self.deadlines = Deadlines()
        self._departed = Departed(self.deadlines)
        self.next_hops = NextHops(routes, self.peers, receivers, self.takes)
        self._hops = self.next_hops.remembered

    # ------------------------------------------------------------------ the way out

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        """A Prepare from the peer attached as `account`. The Reject if it goes no further here, else None."""
        incoming = self.peers.get(account)
        if incoming is None:
            return Reject(refusals.PEER_DOWN.code, self.address, "this account was closed")
        # 1 admit
        incoming.prepares += 1
        incoming_expires_at = prepare.expires_at
        if incoming_expires_at <= now:
            return self._refuse(incoming, prepare, now, Step.ADMIT, refusals.EXPIRED)
        for guard in incoming.guards:
            if (refused := guard(prepare, now)) is not None:
                return self._refuse(incoming, prepare, now, Step.ADMIT, refused)

        # 2 route
        limits = self.limits
        outgoing = self._hops.get(prepare.destination)
        if (
            outgoing is None
            or outgoing is incoming
            or not (outgoing.ready_at == now or outgoing.is_ready(now))
            or len(outgoing.in_flight) >= limits.in_flight_max
        ):
            found, prepare = self._find_hop(incoming, request_id, prepare, now)
            if isinstance(found, Refused):
                return self._refuse(incoming, prepare, now, Step.ROUTE, found)
            if found is None or isinstance(found, Fulfill):
                incoming.answered += found is not None
                return found
            outgoing = found

        # 3 convert
        window = limits.min_message_window_ms
        expires_at = _earlier(incoming_expires_at - window, now + limits.max_hold_ms)
        if expires_at - now < window:
            return self._refuse(incoming, prepare, now, Step.CONVERT, refusals.refuse_time(expires_at - now, window))
        amount = outgoing_amount = prepare.amount
        hold: Hold | None = None
        if amount:
            crossing = incoming.crossings.get(outgoing.id)
            if crossing is None or crossing.expires_at <= now:
                crossing = self._find_crossing(incoming, outgoing, now)
                if crossing is None:
                    return self._refuse(incoming, prepare, now, Step.CONVERT, refusals.NO_RATE)
            outgoing_amount = amount * crossing.numerator // crossing.denominator
            if outgoing_amount == 0 or outgoing_amount > crossing.amount_max:
                refused = refusals.refuse_amount(amount, outgoing_amount, crossing)
                return self._refuse(incoming, prepare, now, Step.CONVERT, refused)

            # 4 hold
            if self.ledger.read_only:
                return self._refuse(incoming, prepare, now, Step.HOLD, refusals.READ_ONLY)
            legs = crossing.legs(amount, outgoing_amount)
            held = self.ledger.hold(legs, prepare.execution_condition, expires_at, not outgoing.is_local)
            if type(held) is not Hold:
                return self._refuse(incoming, prepare, now, Step.HOLD, refusals.refuse_credit(held, crossing))
            hold = held

        # 5 forward
        onward = prepare.forwarded(outgoing_amount, expires_at)  # by position: names cost a tenth of it
        deadline = _earlier(expires_at + limits.grace_ms, incoming_expires_at - limits.relay_margin_ms)
        onward_id = self.deadlines.open(incoming, request_id, outgoing, hold, prepare.execution_condition, deadline)
        if hold is None or outgoing.is_local:
            outgoing.link.send_prepare(onward_id, onward)
        else:
            if outgoing.keep_prepare is not None:
                outgoing.keep_prepare(hold.id, onward_id, onward)
            self.ledger.batch.prepares.append((outgoing.link.send_prepare, outgoing.cancel, onward_id, onward))
        return None

    # ------------------------------------------------------------------ the way back

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        """The peer attached as `account` answered our Prepare `request_id`."""
        # 6 match
        outgoing = self.peers.get(account)
        if outgoing is None:
            return
        flight = outgoing.in_flight.pop(request_id, None)
        if flight is None:
            self._receive_late(outgoing, request_id, reply)
            return
        incoming, hold = flight.incoming, flight.hold
        if type(reply) is Fulfill:
            if now >= flight.deadline:  # the clock was set, or the process stood still: no timer saw that time is up
                self._give_up(flight, self._reject_for(flight, now, Step.EXPIRE, refusals.TIMED_OUT))
                self._receive_late(outgoing, request_id, reply)
                return
            # 7 verify
            # RFC 27: "the connector checks that the fulfillment hashes to the original condition" (CR-09)
            if sha256(reply.fulfillment).digest() == flight.condition:
                # 8 execute
                incoming.fulfilled += 1
                if hold is None:
                    incoming.link.send_reply(flight.request_id, reply)
                    return
                self.ledger.execute(hold, reply.fulfillment)
                # 9 relay
                if incoming.keep_reply is not None:
                    incoming.keep_reply(flight.request_id, reply)
                if outgoing.is_local:  # nobody else has this fulfillment: what cannot be written was not received
                    self.ledger.prepare_after_commit(incoming.link.send_reply, incoming.unsay, flight.request_id, reply)
                else:
                    self.ledger.batch.replies.append((incoming.link.send_reply, flight.request_id, reply))
                return
            outgoing.wrong += 1
            reply = self._reject_for(flight, now, Step.VERIFY, refusals.WRONG_FULFILLMENT)
        # 8 release, 9 relay
        incoming.rejected += 1
        if hold is not None:
            self.ledger.release(hold)
        incoming.link.send_reply(flight.request_id, reply)

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        """The link gave up on a Prepare the peer may have got: `reject` goes back, the amount becomes unknown."""
        outgoing = self.peers.get(account)
        flight = outgoing.in_flight.pop(request_id, None) if outgoing is not None else None
        if flight is not None:
            self._give_up(flight, reject)

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        """Nothing is rejected early: a lost peer may still hold a fulfillment until expiry. Routes may change."""
        peer = self.peers.get(account)
        if peer is not None:
            peer.ready_at = NEVER
        for watch in self.link_watchers:
            watch(account, now)

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is next due, or None while nothing is in flight."""
        return self.deadlines.next_due()

    def handle_timer(self, now: Timestamp) -> None:
        """R00 for every packet whose time is up. A time-out is not a rejection: its amount becomes unknown."""
        for flight in self.deadlines.take_due(now):
            self._give_up(flight, self._reject_for(flight, now, Step.EXPIRE, refusals.TIMED_OUT))

    def _give_up(self, flight: InFlight, reject: Reject) -> None:
        outgoing = flight.outgoing
        flight.incoming.rejected += 1
        if flight.hold is not None and outgoing.is_local:
            self.ledger.release(flight.hold)  # it never left this process: nobody else can have the fulfillment
        elif flight.hold is not None:
            if len(outgoing.gave_up) >= GAVE_UP_KEPT:
                del outgoing.gave_up[next(iter(outgoing.gave_up))]
            outgoing.gave_up[flight.onward_id] = self.ledger.give_up(flight.hold)
        flight.incoming.link.send_reply(flight.request_id, reject)

    def _receive_late(self, outgoing: Peer, request_id: RequestId, reply: Reply) -> None:
        """Nobody waits any more. A Fulfill that fits is kept as evidence, so that the unknown amount can be settled."""
        outgoing.late += 1
        unknown = outgoing.gave_up.get(request_id)
        if unknown is None or unknown.fulfillment is not None:
            return
        if isinstance(reply, Fulfill) and reply.matches(unknown.condition) and unknown.id in self.ledger.unknown:
            self.ledger.add_evidence(unknown, reply.fulfillment)

    def _cancel(self, outgoing: Peer, request_id: RequestId) -> None:
        """The hold could not be written down, so the Prepare never left: answer T03."""
        flight = outgoing.in_flight.pop(request_id, None)
        if flight is None:
            return
        flight.incoming.rejected += 1
        if flight.hold is not None:
            self.ledger.release(flight.hold)
        reject = Reject(refusals.READ_ONLY.code, self.address, refusals.READ_ONLY.message)
        flight.incoming.link.send_reply(flight.request_id, reject)

    def ask_peer(
        self, account: AccountId, asker: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> None:
        """Send a `peer.*` request of this node to one peer: no route, no money. The reply goes to `asker`'s link."""
        outgoing, incoming = self.peers[account], self.peers[asker]
        deadline, condition = prepare.expires_at, prepare.execution_condition
        onward_id = self.deadlines.open(incoming, request_id, outgoing, None, condition, deadline)
        outgoing.link.send_prepare(onward_id, prepare)

    # ------------------------------------------------------------------ 2 route, when the destination is not remembered

    def _find_hop(
        self, incoming: Peer, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> tuple[Peer | Fulfill | Refused | None, Prepare]:
        """The next hop or our own answer (None: it follows), and the Prepare that goes on: another one for an echo."""
        destination = prepare.destination
        if destination.startswith(PEER_PREFIX):
            return self.services.answer_peer(incoming, request_id, prepare, now), prepare
        if destination == self.address:
            answer = answer_own_address(self.services.echo, prepare)
            if not isinstance(answer, Prepare):
                return answer, prepare
            # An echo goes back to whoever asked for it.
            return self.next_hops.find(answer.destination, None, self.address), answer
        return self.next_hops.find(destination, incoming, self.address), prepare

    def takes(self, peer: Peer) -> bool:
        """Whether a packet can be sent to `peer` now."""
        return peer.link.ready() and len(peer.in_flight) < self.limits.in_flight_max and not peer.broken

    # ------------------------------------------------------------------ 3 convert, when the pair is not remembered

    def _find_crossing(self, incoming: Peer, outgoing: Peer, now: Timestamp) -> Crossing | None:
        source, target = incoming.ledger_account, outgoing.ledger_account
        ratio = self.exchange.ratio(source.asset, target.asset, self.spread, now)
        if isinstance(ratio, NoRate):
            return None
        crossing = make_crossing(self.ledger, source, target, ratio, outgoing.account.packet_amount_max)
        incoming.crossings[outgoing.id] = crossing
        return crossing

    # ------------------------------------------------------------------ refusing

    def _refuse(self, incoming: Peer, prepare: Prepare, now: Timestamp, step: Step, refused: Refused) -> Reject:
        incoming.refused += 1
        self.refusals.add(PacketRefused.of(now, step, incoming.id, prepare, refused))
        return Reject(refused.code, self.address, refused.message, refused.data)

    def _reject_for(self, flight: InFlight, now: Timestamp, step: Step, refused: Refused) -> Reject:
        amount = flight.hold.legs[0][2] if flight.hold is not None else 0
        self.refusals.add(
            PacketRefused(now, step, flight.incoming.id, "", amount, flight.condition, refused.code, refused.message)
        )
        return Reject(refused.code, self.address, refused.message)

    # ------------------------------------------------------------------ who is there

    def attach(
        self,
        peer_id: AccountId,
        account: Account,
        link: Link,
        *,
        is_local: bool,
        first_request_id: int,
        moves_money: bool = True,
    ) -> Peer:
        """Let packets come from and go to `link` under the name `peer_id`. Raises `ConflictError` when it is taken.

        One that never `moves_money` (it only asks) gets no account in the books.
        """
        if peer_id in self.peers:
            raise ConflictError(f"“{peer_id}” is attached already")
        open_account = self.ledger.account if moves_money else outside_of_books
        ledger_account = open_account(account.ledger_name, account.asset)
        guards = guards_for(account, None if is_local else self.limits.packets_per_minute)
        peer = Peer(
            peer_id,
            account,
            link,
            ledger_account,
            guards,
            is_local=is_local,
            cancel=lambda request_id, prepare: self._cancel(peer, request_id),
            first_request_id=first_request_id,
        )
        self._departed.hand_over(peer)
        self.peers[peer_id] = peer
        self.on_attach(peer)
        self.routes_changed()
        return peer

    def detach(self, peer_id: AccountId) -> None:
        """Forget a peer. What it has in flight ends by expiry, or by its reply when it is attached again before."""
        peer = self.peers.pop(peer_id, None)
        if peer is not None:
            self.totals.add(peer)
            self._departed.keep(peer)
        self.routes_changed()

    def routes_changed(self) -> None:
        """Routes, peers or our address are not what they were: forget next hops."""
        self.next_hops.forget()
        self.rates_changed()

    def rates_changed(self) -> None:
        """Rates are not what they were: forget what was made of them."""
        for peer in self.peers.values():
            peer.crossings.clear()


def _earlier(one: int, other: int) -> int:
    """`min` of two, four times as fast."""
    return one if one < other else other
