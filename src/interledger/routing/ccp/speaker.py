"""A node's part in the exchange of routes: all its peers together, and the choice among what they say.

    receive_update ──> a peer's routes ──┐
    set_local      ──> our own routes  ──┼──> waiting prefixes ──> choose ──> on_best (the routing table)
    link_up, link_lost                 ──┘                            └─────> log ──> updates to every peer

What comes in waits, is taken in and decided on a few prefixes at a time by `handle_timer`, so that no packet waits long
for the routing table of a large peer. `timer` says when to call it, `messages_to_send` what to
send then; replies come back by `receive_reply`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.ilp.address import is_address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Reply
from interledger.routing.ccp.decision import Decisions, Heard
from interledger.routing.ccp.log import ForwardingLog, LogEntry
from interledger.routing.ccp.messages import Mode, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import LearnedRoute, LocalRoute, may_be_told, take_in
from interledger.routing.ccp.protocol import Answer, Timing
from interledger.routing.ccp.receiver import CcpReceiver
from interledger.routing.ccp.sender import CcpSender
from interledger.routing.ccp.session import Message, Objection, PeerState, Session, Terms

__all__ = ["Speaker"]

SLICE: Final = 64
"""Prefixes taken in, and decided on, at once: about a millisecond."""

ALARM_QUIET_MS: Final = 3_600_000
"""A peer that claims what is ours is reported once an hour."""


@final
class Speaker:
    """`on_best(prefix, account, route)` hears of every change in what was learned; no route: there is none any more.

    `random_octets(count)` makes table ids. `secret`: from which the auth of our own routes is derived.
    """

    def __init__(
        self,
        own_address: str,
        secret: bytes,
        *,
        timing: Timing,
        random_octets: Callable[[int], bytes],
        on_best: Callable[[str, AccountId | None, LearnedRoute | None], None],
        on_alarm: Callable[[str], None],
    ) -> None:
        self.log = ForwardingLog()
        self._own = own_address
        self._timing = timing
        self._random_octets = random_octets
        self._on_alarm = on_alarm
        self._peers: dict[AccountId, PeerState] = {}
        self._silent: set[AccountId] = set()
        self._decisions = Decisions(
            own_address, secret, self.log, heard=self._heard, on_best=on_best, on_theft=self._report_theft
        )
        self._last_token = 0
        self._alarmed: dict[AccountId, Timestamp] = {}

    # ------------------------------------------------------------------ what the node says

    def set_address(self, own_address: str) -> None:
        """Our address changed: every path does."""
        self._own = own_address
        self._decisions.set_address(own_address)

    def set_peer(self, account: AccountId, terms: Terms) -> None:
        """Exchange routes with `account` on these terms. One with other terms before starts anew."""
        peer = self._peers.get(account)
        if peer is not None and peer.terms == terms:
            return
        if peer is not None:
            self.remove_peer(account)
        receiver = CcpReceiver(self._timing) if terms.receives else None
        sender = None
        if terms.sends:
            sender = CcpSender(
                self.log,
                self._timing,
                lambda entry: _tells(entry, account, terms.relation),
                lambda: self._random_octets(16),
                full=terms.full_updates,
            )
        self._peers[account] = PeerState(terms, receiver, sender)

    def remove_peer(self, account: AccountId) -> None:
        """The account is gone, or exchanges no routes any more."""
        if account in self._peers:
            self.link_lost(account)
            del self._peers[account]
            self._alarmed.pop(account, None)

    def set_local(self, routes: Mapping[str, Sequence[LocalRoute]], owners: Mapping[str, AccountId | None]) -> None:
        """All routes that begin here, the preferred one of a prefix first.

        `owners`: prefixes that are ours (None) or a child's, which no other peer may announce.
        """
        self._decisions.set_local(routes, owners)

    def link_up(self, account: AccountId, now: Timestamp) -> None:
        """Packets reach the account again. `now` may be later: when it is to be spoken to first."""
        peer = self._peers.get(account)
        if peer is not None and peer.is_up:
            return  # also while it is silent: that ends when it is heard
        self._decisions.set_down(account, is_down=False)
        if peer is None:
            return
        peer.is_up = True
        if peer.receiver is not None:
            peer.receiver.start(now)
        if peer.sender is not None:
            peer.sender.start(now)

    def link_lost(self, account: AccountId) -> None:
        """No packet reaches the account: what it told us is void."""
        self._silent.discard(account)
        self._decisions.set_down(account, is_down=True)
        peer = self._peers.get(account)
        if peer is None or not peer.is_up:
            return
        peer.is_up = False
        peer.control_token = peer.update_token = 0
        if peer.sender is not None:
            peer.sender.stop()
        if peer.receiver is not None:
            self._decisions.reconsider(peer.receiver.stop())

    def lose_touch(self, account: AccountId, now: Timestamp) -> None:
        """The account could not be reached just now, over a link that is never down: as if it had been silent long."""
        peer = self._peers.get(account)
        if peer is not None and peer.receiver is not None and peer.receiver.expires_at is not None:
            peer.receiver.expires_at = now

    # ------------------------------------------------------------------ what peers say

    def receive_control(self, account: AccountId, control: RouteControl, now: Timestamp) -> Objection | None:
        """A peer asks for our routes."""
        peer = self._peers.get(account)
        if peer is None or peer.sender is None:
            return Objection(ErrorCode.F00_BAD_REQUEST, "this node does not send you routes")
        if not peer.may_speak(now):
            return Objection(ErrorCode.T05_RATE_LIMITED, "too many route messages")
        peer.update_token = 0
        peer.sender.receive_control(control, now)
        if peer.receiver is not None:
            peer.receiver.knows_ccp(now)
        return None

    def receive_update(self, account: AccountId, update: RouteUpdate, now: Timestamp) -> Objection | None:
        """A peer tells what it reaches (C2: only who is asked to)."""
        peer = self._peers.get(account)
        if peer is None or peer.receiver is None:
            return Objection(ErrorCode.F00_BAD_REQUEST, "this node takes no routes from you")
        if not peer.may_speak(now):
            return Objection(ErrorCode.T05_RATE_LIMITED, "too many route messages")
        if not is_address(update.speaker) or update.speaker == self._own:
            return Objection(ErrorCode.F00_BAD_REQUEST, "the speaker has no address of its own")
        if not peer.is_up:
            return Objection(ErrorCode.T01_PEER_UNREACHABLE, "there is no link to you now")
        receiver = peer.receiver
        self._decisions.reconsider(receiver.starts_anew(update))
        receiver.knows_ccp(now)
        receiver.receive_update(update, now)
        if account in self._silent:
            self._silent.discard(account)
            self._decisions.set_down(account, is_down=False)
        return None

    def receive_reply(self, token: int, reply: Reply, now: Timestamp) -> None:
        """The answer to a message of ours."""
        answer = Answer.DONE if isinstance(reply, Fulfill) else Answer.LOST
        if not isinstance(reply, Fulfill) and reply.code.startswith("F"):
            answer = Answer.REFUSED
        for peer in self._peers.values():
            if token == peer.control_token and peer.receiver is not None:
                peer.control_token = 0
                peer.receiver.receive_answer(answer, now)
                return
            if token == peer.update_token and peer.sender is not None:
                peer.update_token = 0
                peer.sender.receive_answer(answer, now)
                return

    # ------------------------------------------------------------------ time

    def timer(self) -> Timestamp | None:
        """When `handle_timer` is due: in the past while prefixes wait, None when nothing will ever happen by itself."""
        if self._decisions.is_busy or any(peer.has_news for peer in self._peers.values()):
            return Timestamp(0)
        return min((at for peer in self._peers.values() if (at := peer.timer()) is not None), default=None)

    def handle_timer(self, now: Timestamp) -> None:
        """Drop what has expired, take in some of what peers said, and decide on some of the prefixes that wait."""
        news = None
        for account, peer in self._peers.items():
            receiver = peer.receiver
            if receiver is None or not peer.is_up:
                continue
            self._decisions.reconsider(receiver.handle_timer(now))
            if receiver.expired and account not in self._silent:
                self._silent.add(account)
                self._decisions.set_down(account, is_down=True)
            if receiver.has_news and news is None:
                news = account, receiver
        if news is not None:
            self._take_in(*news, now)
        self._decisions.decide(SLICE, now)

    def _take_in(self, account: AccountId, receiver: CcpReceiver, now: Timestamp) -> None:
        own, speaker = self._own, receiver.speaker
        changed = receiver.take_some(SLICE, lambda route: take_in(route, speaker, own, now))
        self._decisions.announced(account, changed)
        if receiver.overflowed:
            self._alarm_once(account, f"{account} announces more routes than one peer may; the rest is not used", now)

    def messages_to_send(self, now: Timestamp) -> list[Message]:
        """What is due."""
        messages: list[Message] = []
        for account, peer in self._peers.items():
            if not peer.is_up:
                continue
            control = peer.receiver.control_to_send(now) if peer.receiver is not None else None
            if control is not None:
                peer.control_token = self._next_token()
                messages.append(Message(account, peer.control_token, control.to_prepare(now)))
            update = peer.sender.update_to_send(self._own, now) if peer.sender is not None else None
            if update is not None:
                peer.update_token = self._next_token()
                messages.append(Message(account, peer.update_token, update.to_prepare(now)))
        return messages

    def _next_token(self) -> int:
        self._last_token += 1
        return self._last_token

    # ------------------------------------------------------------------ what the choice needs to know

    def _heard(self, account: AccountId) -> Heard | None:
        peer = self._peers.get(account)
        if peer is None or peer.receiver is None:
            return None
        return Heard(peer.terms.relation, peer.receiver.routes)

    def _report_theft(self, account: AccountId, prefix: str, owner: AccountId | None, now: Timestamp) -> None:
        whose = "our own" if owner is None else f"{owner}'s"
        self._alarm_once(account, f"{account} announces {prefix}, which is {whose}; the route is not used", now)

    def _alarm_once(self, account: AccountId, text: str, now: Timestamp) -> None:
        last = self._alarmed.get(account)
        if last is None or now - last >= ALARM_QUIET_MS:
            self._alarmed[account] = now
            self._on_alarm(text)

    # ------------------------------------------------------------------ views

    @property
    def silent(self) -> frozenset[AccountId]:
        """Peers whose link is up but who were not heard for the hold-down time, after they had been."""
        return frozenset(self._silent)

    def sessions(self) -> list[Session]:
        """Every peer, by name."""
        return [self._session(account, peer) for account, peer in sorted(self._peers.items())]

    def told(self, account: AccountId, most: int) -> tuple[int, list[str]]:
        """How many of our routes `account` has been told, and the first `most` prefixes of them."""
        peer = self._peers.get(account)
        if peer is None or peer.sender is None or peer.sender.mode is not Mode.SYNC:
            return 0, []
        known, relation = peer.sender.acknowledged, peer.terms.relation
        prefixes = [
            entry.prefix
            for entry in self.log.entries_from(0)
            if entry.epoch < known and _tells(entry, account, relation)
        ]
        return len(prefixes), prefixes[:most]

    def _session(self, account: AccountId, peer: PeerState) -> Session:
        receiver, sender = peer.receiver, peer.sender
        return Session(
            account,
            peer.is_up,
            receiver.speaker if receiver else "",
            len(receiver.routes) if receiver else 0,
            receiver.heard_at if receiver else None,
            receiver.expires_at if receiver else None,
            sender is not None and sender.mode is Mode.SYNC,
            sender.acknowledged if sender else 0,
            self.log.epoch,
            receiver is not None and receiver.overflowed,
        )


def _tells(entry: LogEntry, account: AccountId, relation: Relation) -> bool:
    return entry.export is not None and may_be_told(entry.export, account, relation)
