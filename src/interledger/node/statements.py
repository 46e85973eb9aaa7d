"""Statements exchanged with peers (`peer.statement`): when peers are asked, and what is done with what they answer.

A peer is asked every so often (`ledger.statement_minutes`), as soon as its link is up and something with it is unknown,
and when the operator says so. One that does not know the protocol is asked again only when its link comes up anew.
What peers ask us is answered from what was read of the journal, which is read on when it is too old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import Asset, format_amount
from interledger.application.statement.answering import Answerer, open_keys
from interledger.application.statement.claims import ClaimIndex
from interledger.application.statement.findings import Agreed, Findings, OurBooks
from interledger.application.statement.messages import (
    STATEMENT_DESTINATION,
    Answer,
    Direction,
    Later,
    Request,
    decode_answer,
    statement_request,
)
from interledger.application.statement.protocol import compare
from interledger.application.statement.resolving import CLOSED, Outcome, Resolution, resolve_unknown
from interledger.clock import Timestamp
from interledger.errors import DecodeError, InterledgerError, InvalidRequestError, LinkError, StoreError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Reject
from interledger.node.unproven import settle_claims_of
from interledger.store.follow import follow_commits

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Reconciliation", "Statements"]

logger = logging.getLogger("interledger.node")

OPENINGS_READ: Final = 12
"""Snapshots back from which the journal is read at most: 24 MiB of it, a second or two beside other work."""

LOOK_EVERY_S: Final = 5
"""How often we look whether a peer is to be asked: a few comparisons."""

RETRY_S: Final = (2, 5, 15, 60, 300)
"""After a run that could not ask, or left something open, the next one comes so much later."""

LATER_MAX: Final = 200
"""How often one question is put off by a peer before the run ends."""

LATER_MS_MAX: Final = 5_000

DAY_MS: Final = 86_400_000

_MINUTE_MS: Final = 60_000


class Reconciliation(NamedTuple):
    """One run with one peer. `problem`: why there are no findings, or no more of them. `net`: what it owes us now."""

    account: AccountId
    asset: Asset
    at: Timestamp
    net: int
    findings: Findings
    resolutions: list[Resolution]
    problem: str = ""

    @property
    def left(self) -> list[Resolution]:
        """Items that are still unknown."""
        return [one for one in self.resolutions if one.outcome not in CLOSED]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs and nothing is left."""
        return not (self.problem or self.left or self.findings.differences) and self.findings.is_complete


class _UnknownProtocolError(LinkError):
    """The peer does not know `peer.statement`."""


class _Peer:
    """What is remembered of one account."""

    def __init__(self, now: Timestamp) -> None:
        self.lock = asyncio.Lock()
        self.agreed: Agreed = {}
        self.due_at = int(now)
        """When the next run of the timer is."""
        self.retries = 0
        self.asked: set[int] = set()
        """Unknown items that the peer has said its last word about, for now."""
        self.is_silent = False
        self.last: Reconciliation | None = None


@final
class Statements:
    """Asks and answers. `start` once the node works."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._index: ClaimIndex | None = None
        self._reading: asyncio.Lock = asyncio.Lock()
        self._refreshing = False
        self._wake = asyncio.Event()
        self._peers: dict[AccountId, _Peer] = {}

    def start(self) -> None:
        """Answer from now on, and ask when it is time. Does nothing when the settings say never."""
        if self._period_ms == 0:
            return
        answerer = Answerer(self._node.ledger, lambda: self._index, self._refresh)
        self._node.connector.services.peer_protocols[STATEMENT_DESTINATION] = answerer.answer
        self._node.spawn(self._watch())

    def link_up(self, account_id: AccountId) -> None:
        """The account's link came up: what is unknown with it can be asked, also of one that did not know before."""
        peer = self._peers.get(account_id)
        if peer is not None:
            peer.is_silent = False
            peer.retries = 0
            peer.asked.clear()
        self.look()

    def look(self) -> None:
        """Accounts changed: there may be somebody to exchange statements with."""
        self._wake.set()

    def last(self, account: Account) -> Reconciliation | None:
        """The last run."""
        peer = self._peers.get(account.id)
        return None if peer is None else peer.last

    def exchanges_with(self, account: Account) -> bool:
        """Whether the peer's word is known, so that nothing has to be concluded without it."""
        last = self.last(account)
        return last is not None and not last.problem

    async def reconcile(self, account: Account) -> Reconciliation:
        """One run, now. Never raises for what the peer does. Raises `InvalidRequestError`, `StoreError`."""
        if account.relation is Relation.LOCAL:
            raise InvalidRequestError(f"“{account.id}” is a holder on this node; there are no other books to compare")
        if self._period_ms == 0:
            raise InvalidRequestError("statements are switched off. Set  ledger.statement_minutes  to more than 0")
        peer = self._peer(account.id)
        async with peer.lock:
            found = await self._run(account, peer)
        self._plan(peer, found)
        self._tell(found, peer.last)
        peer.last = found
        return found

    # ------------------------------------------------------------------ a run

    async def _run(self, account: Account, peer: _Peer) -> Reconciliation:
        index = await self.read()
        exchange = compare(self._our_books(account, index, peer))
        findings, problem = Findings(), ""
        answers = 0
        try:
            async with asyncio.timeout(600):
                request = next(exchange)
                while True:
                    answer = await self._ask(account.id, request)
                    answers += 1
                    request = exchange.send(answer)
        except StopIteration as end:
            findings = end.value
        except (LinkError, DecodeError, InterledgerError, TimeoutError) as error:
            if isinstance(error, StoreError):
                raise
            peer.is_silent = isinstance(error, _UnknownProtocolError)
            problem = str(error) or "it took too long"
        resolutions = await self._resolve(account, findings, index)
        line = self._node.ledger.find(account.ledger_name, account.asset)
        net = 0 if line is None else line.net
        return Reconciliation(account.id, account.asset, self._node.clock.now(), net, findings, resolutions, problem)

    def _our_books(self, account: Account, index: ClaimIndex, peer: _Peer) -> OurBooks:
        name, asset, ledger = account.ledger_name, account.asset, self._node.ledger
        line = ledger.find(name, asset)
        return OurBooks(
            asset=asset,
            sent=index.of(name, asset, incoming=False),
            received=index.of(name, asset, incoming=True),
            known_since=index.known_since,
            unknown=[item for item in ledger.unknown.values() if item.account is line],
            open_keys={
                way: open_keys(ledger, ledger.holds.values(), name, asset, incoming=way is Direction.RECEIVED)
                for way in Direction
            },
            now=Timestamp(index.caught_at),
            hold_ms=self._node.connector.limits.max_hold_ms,
            agreed=peer.agreed,
            unproven=[item for item in ledger.unproven.items.values() if item.account is line],
            lost=index.lost(name, asset),
        )

    async def _ask(self, account_id: AccountId, request: Request) -> Answer:
        """The answer. Raises `LinkError`, `DecodeError`."""
        node = self._node
        for _ in range(LATER_MAX):
            reply = await node.requests.exchange(account_id, statement_request(request, node.clock.now()))
            if isinstance(reply, Reject):
                text = f"{account_id} does not answer {STATEMENT_DESTINATION}: {reply.code} {reply.message}"
                if reply.code in (ErrorCode.F01_INVALID_PACKET, ErrorCode.F02_UNREACHABLE):
                    raise _UnknownProtocolError(f"{text}. Its node does not exchange statements")
                raise LinkError(text)
            answer = decode_answer(reply.data)
            if not isinstance(answer, Later):
                return answer
            await asyncio.sleep(min(max(answer.after_ms, 50), LATER_MS_MAX) / 1000)
        raise LinkError(f"{account_id} puts us off again and again")

    async def _resolve(self, account: Account, findings: Findings, index: ClaimIndex) -> list[Resolution]:
        node = self._node
        if node.read_only:
            return [Resolution(one.item, Outcome.OPEN) for one in findings.unknown]
        now, room = node.clock.now(), account.late_claims_max
        if room is not None:
            room = max(room - index.late_since(account.ledger_name, account.asset, now - DAY_MS), 0)
        resolutions = resolve_unknown(node.ledger, findings.unknown, account.id, now, room)
        settle_claims_of(node, account, findings, index)
        await node.commit()
        return resolutions

    # ------------------------------------------------------------------ when

    async def _watch(self) -> None:
        while True:
            there = [account for account in self._node.accounts() if self._is_there(account)]
            for account in there:
                if self._is_due(account):
                    try:
                        await self.reconcile(account)
                    except InterledgerError as error:
                        logger.warning("no statement can be exchanged with %s: %s", account.id, error)
                        self._peer(account.id).due_at = self._node.clock.now() + _MINUTE_MS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S if there else None):
                    await self._wake.wait()
            self._wake.clear()

    def _is_there(self, account: Account) -> bool:
        peer = self._node.connector.peers.get(account.id)
        return account.relation is not Relation.LOCAL and peer is not None and peer.link.ready()

    def _is_due(self, account: Account) -> bool:
        peer = self._peer(account.id)
        if peer.is_silent or peer.lock.locked() or self._node.read_only:
            return False
        return self._node.clock.now() >= peer.due_at or self._has_news(account, peer)

    def _has_news(self, account: Account, peer: _Peer) -> bool:
        """Whether something is unknown that the peer was not asked about yet."""
        if peer.retries:
            return False  # its turn comes
        ledger = self._node.ledger
        line = ledger.find(account.ledger_name, account.asset)
        return any(item.account is line and item.id not in peer.asked for item in ledger.unknown.values())

    def _plan(self, peer: _Peer, found: Reconciliation) -> None:
        now, waits = self._node.clock.now(), [one.item for one in found.left if one.outcome is Outcome.OPEN]
        peer.asked = {one.item.id for one in found.left if one.outcome is not Outcome.OPEN}
        peer.due_at = now + self._period_ms
        if found.problem or waits:
            pause = RETRY_S[min(peer.retries, len(RETRY_S) - 1)]
            peer.due_at = min(peer.due_at, now + pause * 1000)
            peer.retries += 1
        else:
            peer.retries = 0

    def _peer(self, account_id: AccountId) -> _Peer:
        peer = self._peers.get(account_id)
        if peer is None:
            peer = self._peers[account_id] = _Peer(Timestamp(self._node.clock.now() + self._period_ms))
        return peer

    def _tell(self, found: Reconciliation, before: Reconciliation | None) -> None:
        """The log and, of what a person has to look at, the alarms: once for the same."""
        if closed := len(found.resolutions) - len(found.left):
            logger.info("%d unknown amounts with %s are resolved by its statement", closed, found.account)
        differences = found.findings.differences
        known = set() if before is None else {(one.direction, one.key) for one in before.findings.differences}
        if any((one.direction, one.key) not in known for one in differences):
            total = sum(difference.total for difference in differences)
            amount = format_amount(abs(total), found.asset)
            self._node.alarm(
                f"our books and those of {found.account} differ in {len(differences)} kinds of packets,"
                f" {amount} {found.asset.code} in sum. Look:  ilp ledger reconcile {found.account}"
            )

    @property
    def _period_ms(self) -> int:
        return self._node.settings.statement_minutes * _MINUTE_MS

    # ------------------------------------------------------------------ what the journal says

    def _refresh(self) -> None:
        """Read on, for a peer that asks."""
        if not self._refreshing:
            self._refreshing = True
            self._node.spawn(self._refresh_once())

    async def _refresh_once(self) -> None:
        try:
            await self.read()
        except InterledgerError as error:
            logger.warning("the journal cannot be read for a peer's question: %s", error)
        finally:
            self._refreshing = False

    async def read(self) -> ClaimIndex:
        """What is counted with every peer, of all that was decided before. Raises `StoreError`, `DecodeError`."""
        node, history = self._node, self._node.store.history
        async with self._reading:
            at, holds = node.clock.now(), tuple(node.ledger.holds.values())
            await node.commit()
            openings = await asyncio.to_thread(history.read_openings)
            start = openings[max(len(openings) - OPENINGS_READ, 0)]
            index = self._index
            if index is None or index.seq < start.seq:
                index = ClaimIndex(start)
            self._index = None  # half read it says nothing
            await follow_commits(history, index.seq, index.feed)
            index.caught_at, index.holds_then = at, holds
            self._index = index
            return index
