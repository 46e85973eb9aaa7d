"""The invitations of this node: made, kept, redeemed once, revoked. Durable: what was promised survives kill -9.

Of an invitation's secret only the digest is kept, so the string can be shown once.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, LinkSettings, Relation, parse_account_id, token_digest
from interledger.application.peering.exchange import RedeemAnswer, RedeemRequest, issued_token, secret_digest
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.records import Invite, InviteState, InviteTerms
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.ilp.address import Address
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.urls import parse_url
from interledger.node.peer_accounts import btp_url_of, check_address, free_name, http_url_of, new_token, own_url

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["INVITES_MAX", "Invites"]

logger = logging.getLogger("interledger.node")

FACT: Final = "peering.invite/"
"""Before an invitation's id: the name of its document in the store."""

INVITES_MAX: Final = 1_000
"""That are open at once. Each is some 500 octets, read at every start."""

LIFETIME_MAX_MS: Final = 90 * 86_400_000
SECRET_OCTETS: Final = 24
"""192 bits: nobody guesses one, however long it is open."""


@final
class Invites:
    """All invitations that are remembered."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        found = [Invite.from_document(value) for name, value in facts.items() if name.startswith(FACT)]
        self._invites = {invite.id: invite for invite in found}
        self._by_secret = {invite.secret_digest: invite.id for invite in found}

    def all(self) -> list[Invite]:
        """Newest first."""
        self._forget_old()
        return sorted(self._invites.values(), key=lambda invite: (invite.created_at, invite.id), reverse=True)

    def knows(self, invitation: Invitation) -> bool:
        """Whether it is one of ours."""
        return secret_digest(invitation.secret) in self._by_secret

    async def create(self, terms: InviteTerms) -> tuple[Invite, Invitation]:
        """A new one, and what its string says, which is not kept. Raises `InvalidRequestError`, `ConflictError`."""
        node, now = self._node, self._node.clock.now()
        self._forget_old()
        if sum(invite.state_at(now) is InviteState.OPEN for invite in self._invites.values()) >= INVITES_MAX:
            raise ConflictError(f"There are {INVITES_MAX} open invitations. Revoke some first.")
        if not 1_000 <= terms.lifetime_ms <= LIFETIME_MAX_MS:
            raise InvalidRequestError("an invitation is good for a second to 90 days", "expires_in_ms")
        if terms.name is not None:
            parse_account_id(terms.name)
            if any(account.id == terms.name for account in node.accounts()):
                raise ConflictError(f"There is an account “{terms.name}” already.")
        invitation = Invitation(
            url=own_url(node),
            secret=new_token(node, SECRET_OCTETS),
            address=node.address,
            asset=terms.asset,
            relation=terms.relation,
            link=terms.link,
            owes_us_max=terms.owes_us_max,
            we_owe_max=terms.we_owe_max,
            packet_amount_max=terms.packet_amount_max,
            expires_at=Timestamp(now + terms.lifetime_ms),
        )
        digest = secret_digest(invitation.secret)
        invite = Invite(
            id=f"inv_{node.entropy.octets(5).hex()}",
            terms=terms,
            secret_digest=digest,
            created_at=now,
            expires_at=invitation.expires_at,
        )
        self._put(invite)
        await node.commit()
        return invite, invitation

    async def revoke(self, invite_id: str) -> Invite:
        """Let nobody use it any more. Raises `NotFoundError`; `ConflictError` when somebody has."""
        invite = self._invites.get(invite_id) or self._invites.get(f"inv_{invite_id}")
        if invite is None:
            raise NotFoundError(f"There is no invitation “{invite_id[:40]}”.")
        if invite.state is InviteState.SPENT:
            raise ConflictError(f"It was used already; what came of it is the account “{invite.account}”.")
        if invite.state is InviteState.OPEN:
            invite = replace(invite, state=InviteState.REVOKED, ended_at=self._node.clock.now())
            self._put(invite)
        await self._node.commit()
        return invite

    # ------------------------------------------------------------------ redeem

    async def redeem(self, request: RedeemRequest) -> RedeemAnswer:
        """Make the account that was promised, once; the same who asks again gets the same answer.

        Raises `NotFoundError`, `ConflictError`, `InvalidRequestError`.
        """
        invite = self._invites.get(self._by_secret.get(secret_digest(request.secret), ""))
        if invite is None:
            raise NotFoundError("This invitation is not known here: it is old, or of another node.")
        nonce_digest = sha256(request.nonce.encode("ascii")).hexdigest()
        if invite.state is InviteState.SPENT and hmac.compare_digest(nonce_digest, invite.nonce_digest or ""):
            return await self._answer_again(invite, request)
        self._refuse_ended(invite)
        our_nonce = new_token(self._node)
        token = issued_token(request.secret, request.nonce, our_nonce)
        account = self._account_of(invite, request, token)
        # Both in one durable step: an invitation that is spent has its account, and the other way round.
        self._put(
            replace(
                invite,
                state=InviteState.SPENT,
                ended_at=self._node.clock.now(),
                account=account.id,
                nonce_digest=nonce_digest,
                our_nonce=our_nonce,
            )
        )
        try:
            await self._node.create_account(account)
        except (ConflictError, InvalidRequestError):
            self._put(invite)
            raise
        logger.info("invitation %s was redeemed: account %s", invite.id, account.id)
        return self._answer(account, token)

    async def _answer_again(self, invite: Invite, request: RedeemRequest) -> RedeemAnswer:
        token = issued_token(request.secret, request.nonce, invite.our_nonce or "")
        try:
            account = self._node.account(invite.account or "")
        except NotFoundError:
            raise ConflictError("The account of this invitation is gone. Ask for a new invitation.") from None
        if account.link.http_incoming_token_digest != token_digest(token):
            raise ConflictError("The tokens of this account were changed since. Ask for a new invitation.")
        await self._node.commit()
        return self._answer(account, token)

    def _refuse_ended(self, invite: Invite) -> None:
        state = invite.state_at(self._node.clock.now())
        if state is InviteState.SPENT:
            when = format_rfc3339(invite.ended_at or invite.expires_at)
            raise ConflictError(
                f"This invitation was already used ({when}). Ask for a new one. If it was not you, tell who gave it to"
                " you: the secret may have leaked."
            )
        if state is not InviteState.OPEN:
            word = "was revoked" if state is InviteState.REVOKED else f"expired ({format_rfc3339(invite.expires_at)})"
            raise ConflictError(f"This invitation {word}. Ask for a new one.")

    def _account_of(self, invite: Invite, request: RedeemRequest, token: str) -> Account:
        """The account, not yet open."""
        node, terms = self._node, invite.terms
        name = terms.name or free_name(node, request.name, "peer")
        if terms.relation is Relation.CHILD:
            address = Address(f"{node.address}.{name}")
        else:
            address = request.address
            check_address(node, address, terms.relation)
        digest = token_digest(token)
        # The token also opens the API for this account, so that its holder can look and check.
        link = LinkSettings(http_incoming_token_digest=digest)
        if terms.link == "btp":
            link = replace(link, btp_incoming_token_digest=digest)
        else:
            link = replace(
                link,
                http_url=self._checked_url(request.http_url),
                http_outgoing_token=request.token,
                http_public_only=True,
            )
        return Account(
            id=name,
            asset=terms.asset,
            ilp_address=address,
            relation=terms.relation,
            packet_amount_max=UINT64_MAX if terms.packet_amount_max is None else terms.packet_amount_max,
            owes_us_max=terms.owes_us_max,
            we_owe_max=terms.we_owe_max,
            link=link,
        )

    def _checked_url(self, url: str | None) -> str:
        if url is None:
            raise InvalidRequestError(
                "this invitation is for HTTP both ways, so say where you take packets", "http_url"
            )
        reason = EgressPolicy(development=self._node.settings.development).refuses_url(parse_url(url))
        if reason is not None:
            raise InvalidRequestError(f"{parse_url(url).origin} cannot be called from here: {reason}", "http_url")
        return url

    def _answer(self, account: Account, token: str) -> RedeemAnswer:
        base = own_url(self._node)
        return RedeemAnswer(
            account=account.id,
            address=self._node.address,
            child_address=account.ilp_address if account.relation is Relation.CHILD else None,
            asset=account.asset,
            token=token,
            http_url=http_url_of(base, account.id),
            btp_url=btp_url_of(base, account.id),
        )

    # ------------------------------------------------------------------ keeping

    def _put(self, invite: Invite) -> None:
        self._invites[invite.id] = invite
        self._by_secret[invite.secret_digest] = invite.id
        self._node.store.put_fact(FACT + invite.id, invite.as_document())

    def _forget_old(self) -> None:
        now = self._node.clock.now()
        for invite in [invite for invite in self._invites.values() if now >= invite.forget_at()]:
            del self._invites[invite.id], self._by_secret[invite.secret_digest]
            self._node.store.put_fact(FACT + invite.id, None)
