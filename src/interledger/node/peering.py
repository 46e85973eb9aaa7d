"""Becoming peers, as the API asks for it: invitations given and accepted, auto-peering, and the check of a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from interledger.accounts.account import Account, AccountId
from interledger.application.peering.exchange import PeerEcho, RedeemAnswer, RedeemRequest
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.rafiki import PeeringAnswer
from interledger.application.peering.records import AddTerms, Invite, InviteTerms, JoinTerms
from interledger.application.peering.report import CheckReport
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.node.auto_peering import AutoPeering
from interledger.node.invites import Invites
from interledger.node.joining import Joining
from interledger.node.peer_check import PeerCheck, answer_echo

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["Peering"]


@final
class Peering:
    """The ways of a node to get peers. `facts`: what the store kept."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        self._invites = Invites(node, facts)
        self._joining = Joining(node, facts)
        self._auto = AutoPeering(node, facts)

    def now(self) -> Timestamp:
        """The node's clock, against which invitations expire."""
        return self._node.clock.now()

    def invites(self) -> list[Invite]:
        """Those that are remembered, newest first."""
        return self._invites.all()

    async def invite(self, terms: InviteTerms) -> tuple[Invite, Invitation]:
        """A new invitation, and what its string says. Raises `InvalidRequestError`, `ConflictError`."""
        return await self._invites.create(terms)

    async def revoke(self, invite_id: str) -> Invite:
        """Let nobody use it any more. Raises `NotFoundError`, `ConflictError`."""
        return await self._invites.revoke(invite_id)

    def is_own(self, invitation: Invitation) -> bool:
        """Whether this node made it."""
        return self._invites.knows(invitation)

    async def redeem(self, request: RedeemRequest) -> RedeemAnswer:
        """Another node accepts an invitation. Raises `NotFoundError`, `ConflictError`, `InvalidRequestError`."""
        return await self._invites.redeem(request)

    async def accept(self, invitation: Invitation, terms: JoinTerms) -> Account:
        """Accept another node's invitation. Raises those, and `LinkError`."""
        return await self._joining.accept(invitation, terms)

    async def add(self, terms: AddTerms) -> Account:
        """Become a Rafiki's peer. Raises `LinkError`, `ConflictError`, `InvalidRequestError`."""
        return await self._auto.add(terms)

    async def answer_auto_peering(self, body: bytes, token: str | None) -> PeeringAnswer:
        """A Rafiki wants to become our peer. Raises `AutoPeeringError`."""
        return await self._auto.accept(body, token)

    async def check(self, account_id: str) -> CheckReport:
        """Ask everything about the link to an account. Raises `NotFoundError`."""
        return await PeerCheck(self._node, self._node.account(account_id)).run()

    async def echo(self, account_id: AccountId) -> PeerEcho:
        """What we tell an account that checks its link to us. Raises `NotFoundError`, `InvalidRequestError`."""
        account = self._node.account(account_id)
        if not self._node.links.has_link(account):
            raise InvalidRequestError(f"“{account_id}” has no link over which an echo could go", "account")
        return await answer_echo(self._node, account)

    def keep_secrets(self) -> None:
        """Write again what is kept of secrets."""
        self._joining.keep_all()

    def forget(self, account_id: AccountId) -> None:
        """An account is gone."""
        self._auto.forget(account_id)
