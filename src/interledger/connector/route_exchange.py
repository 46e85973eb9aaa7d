"""The exchange of routes as part of a connector: CCP's messages are packets to `peer.route.*`, its results are routes.

A peer's messages are answered here at once (`services.py`); ours go out as packets of the node itself, whose replies
come back to a link that ends here. `timer` says when `handle_timer` is due, which decides on a few prefixes at a time,
writes them into the routing table, and sends what is due. `wake` is called when that may be sooner than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import NO_CURRENCY
from interledger.clock import Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.errors import DecodeError
from interledger.ilp.address import is_prefix_of
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.ilp.peer import PEER_FULFILLMENT
from interledger.link.base import RequestId
from interledger.routing.ccp.messages import CONTROL_DESTINATION, UPDATE_DESTINATION, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute, LocalRoute, receives_by_default, sends_by_default
from interledger.routing.ccp.protocol import Timing
from interledger.routing.ccp.session import Objection, Session, Terms
from interledger.routing.ccp.speaker import Speaker
from interledger.routing.table import Origin, Route

__all__ = ["RouteExchange"]

ASKER: Final = AccountId("/routes")
"""The name under which our messages are attached: no account can have it."""

FIRST_ASK_MS_MAX: Final = 2_000
"""A peer over HTTP is left in peace so long: nodes are started one after the other, and a connection that is refused
would keep payments out for a second."""


@final
class _Asker:
    """The link on which the replies to our messages arrive."""

    def __init__(self, receive_reply: Callable[[RequestId, Reply], None]) -> None:
        self.send_reply = receive_reply

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        """Nobody sends to this end: no route leads here."""

    def ready(self) -> bool:
        return True


@final
class RouteExchange:
    """Attach it to a connector, tell it what changes, call `handle_timer`. `is_on`: False: routes are not exchanged."""

    def __init__(
        self,
        connector: Connector,
        secret: bytes,
        *,
        is_on: bool,
        timing: Timing,
        now: Callable[[], Timestamp],
        random_octets: Callable[[int], bytes],
        on_alarm: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        self._connector = connector
        self._is_on = is_on
        self._now = now
        self._wake = wake
        self._first_ask_ms = min(FIRST_ASK_MS_MAX, timing.interval_ms // 5)
        self._own = connector.address
        self._peers: dict[AccountId, Peer | None] = {}
        self._table_changed = False
        self._speaker = Speaker(
            connector.address,
            secret,
            timing=timing,
            random_octets=random_octets,
            on_best=self._use,
            on_alarm=on_alarm,
        )
        connector.services.peer_protocols |= {CONTROL_DESTINATION: self._control, UPDATE_DESTINATION: self._update}
        connector.link_watchers.append(self._link_lost)
        asker = Account(id=ASKER, asset=NO_CURRENCY, ilp_address=connector.address)
        link = _Asker(self._receive_reply)
        connector.attach(ASKER, asker, link, is_local=True, first_request_id=0, moves_money=False)

    # ------------------------------------------------------------------ what the node says

    def follow(self, accounts: Iterable[Account]) -> None:
        """The accounts, their links, the routes that begin here, or our address changed."""
        now = self._now()
        by_id = {account.id: account for account in accounts}
        if self._connector.address != self._own:
            self._own = self._connector.address
            self._speaker.set_address(self._own)
        for gone in self._peers.keys() - by_id.keys():
            self._speaker.remove_peer(gone)
            del self._peers[gone]
        for account in by_id.values():
            self._follow_account(account, now)
        self._follow_routes(by_id)
        self._wake()

    def _follow_account(self, account: Account, now: Timestamp) -> None:
        terms = self._terms(account)
        if terms is None:
            self._speaker.remove_peer(account.id)
        else:
            self._speaker.set_peer(account.id, terms)
        peer = self._connector.peers.get(account.id)
        if account.id not in self._peers or self._peers[account.id] is not peer:
            self._peers[account.id] = peer  # another link
            self._speaker.link_lost(account.id)
        if peer is not None and peer.link.ready():
            self._up(account, now)

    def _up(self, account: Account, now: Timestamp) -> None:
        """A link over HTTP is always up, also while the peer is still starting: it is not called at once then."""
        self._speaker.link_up(account.id, Timestamp(now + (self._first_ask_ms if account.link.http_url else 0)))

    def _terms(self, account: Account) -> Terms | None:
        relation = account.relation
        if not self._is_on or relation is Relation.LOCAL:
            return None
        sends = sends_by_default(relation) if account.send_routes is None else account.send_routes
        receives = receives_by_default(relation) if account.receive_routes is None else account.receive_routes
        return Terms(relation, sends, receives, account.ccp_full_updates) if sends or receives else None

    def _follow_routes(self, accounts: dict[AccountId, Account]) -> None:
        local: dict[str, list[LocalRoute]] = {}
        for origin in (Origin.STATIC, Origin.OWN, Origin.ACCOUNT):
            for prefix, routes in self._connector.routes.of_origin(origin).items():
                several = local.setdefault(prefix, [])
                several += (self._local(route, accounts.get(route.account)) for route in routes)
        owners: dict[str, AccountId | None] = {
            account.ilp_address: account.id
            for account in accounts.values()
            if account.relation in (Relation.CHILD, Relation.LOCAL)
        }
        self._speaker.set_local(local, owners | {self._own: None})

    def _local(self, route: Route, account: Account | None) -> LocalRoute:
        """A peer that a route leads to stands on its path, so that it does not take the route back from others."""
        if account is None:
            return LocalRoute(None, Relation.LOCAL)
        is_beside = account.relation in (Relation.PEER, Relation.PARENT)
        on_path = is_beside and not is_prefix_of(self._own, account.ilp_address)
        return LocalRoute(account.id, account.relation, (account.ilp_address,) if on_path else ())

    def link_up(self, account: AccountId) -> None:
        """Packets reach the account."""
        peer = self._connector.peers.get(account)
        if peer is not None:
            self._up(peer.account, self._now())
            self._wake()

    def _link_lost(self, account: AccountId, now: Timestamp) -> None:
        """Its link is down, unless it was a former one. HTTP does not tell when a peer is back: it is asked on."""
        peer = self._connector.peers.get(account)
        if peer is not None and peer.account.link.http_url:
            self._speaker.lose_touch(account, now)
        elif peer is None or not peer.link.ready():
            self._speaker.link_lost(account)
        self._wake()

    # ------------------------------------------------------------------ what peers say

    def _control(self, account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
        try:
            control = RouteControl.decode(prepare.data)
        except DecodeError as error:
            return Refused(ErrorCode.F01_INVALID_PACKET, f"not a route control: {error}")
        return self._answer(self._speaker.receive_control(account.id, control, now))

    def _update(self, account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
        try:
            update = RouteUpdate.decode(prepare.data)
        except DecodeError as error:
            return Refused(ErrorCode.F01_INVALID_PACKET, f"not a route update: {error}")
        return self._answer(self._speaker.receive_update(account.id, update, now))

    def _answer(self, objection: Objection | None) -> Fulfill | Refused:
        if objection is not None:
            return Refused(*objection)
        self._wake()
        return Fulfill(PEER_FULFILLMENT)

    def _receive_reply(self, request_id: RequestId, reply: Reply) -> None:
        self._speaker.receive_reply(request_id, reply, self._now())
        self._wake()

    # ------------------------------------------------------------------ time

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is due: in the past while there is work to do, None while nothing happens by itself."""
        return self._speaker.timer()

    def handle_timer(self, now: Timestamp) -> None:
        """Do what is due, a slice of it where it is much."""
        self._speaker.handle_timer(now)
        if self._table_changed:
            self._table_changed = False
            self._connector.routes_changed()
        for account, token, prepare in self._speaker.messages_to_send(now):
            self._send(account, RequestId(token), prepare, now)

    def _send(self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp) -> None:
        peer = self._connector.peers.get(account)
        if peer is None or not peer.link.ready():
            reject = Reject(ErrorCode.T01_PEER_UNREACHABLE, self._connector.address, "the peer cannot be reached now")
            self._speaker.receive_reply(request_id, reject, now)
        else:
            self._connector.ask_peer(account, ASKER, request_id, prepare, now)

    def _use(self, prefix: str, account: AccountId | None, route: LearnedRoute | None) -> None:
        """What was learned of a prefix is this now."""
        self._table_changed = True
        routes: tuple[Route, ...] = ()
        if account is not None and route is not None:
            path, speaker, since = route.path, route.speaker, route.since
            routes = (Route(prefix, account, Origin.LEARNED, path=path, speaker=speaker, since=since),)
        self._connector.routes.put(Origin.LEARNED, prefix, routes)

    # ------------------------------------------------------------------ views

    @property
    def silent(self) -> frozenset[AccountId]:
        """Peers whose link is up but who have not spoken for the hold-down time, though they had before."""
        return self._speaker.silent

    def sessions(self) -> list[Session]:
        """How the exchange with every peer stands."""
        return self._speaker.sessions()

    def told(self, account: AccountId, most: int) -> tuple[int, list[str]]:
        """How many of our routes the peer was told, and some of their prefixes."""
        return self._speaker.told(account, most)
