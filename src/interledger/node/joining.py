"""Accepting an invitation: ask the inviting node, make the account, and be able to do so again after any crash.

Before the first request the nonce and the token that we made are durable. Killed at any point, the same invitation is
accepted again with the same nonce, the inviting node answers the same, and the account is made then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation, token_digest
from interledger.application.peering.exchange import RedeemAnswer, RedeemRequest, secret_digest
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.records import FORGET_AFTER_MS, UNSET, JoinTerms
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.codec.strict_json import parse_json_object
from interledger.errors import ConflictError, DecodeError, InvalidRequestError, LinkError, NotFoundError
from interledger.ilp.address import same_network, scheme_of
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url
from interledger.node.peer_accounts import check_address, free_name, name_of, new_token, own_url

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["REDEEM_PATH", "Joining"]

FACT: Final = "peering.join/"
REDEEM_PATH: Final = "/api/peers/redeem"

TIMEOUT_MS: Final = 10_000
ANSWER_OCTETS_MAX: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    """One acceptance, as it is kept. `account`: the name of the account here, which may not exist yet."""

    key: str
    account: AccountId
    nonce: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: Timestamp
    done: bool = False

    def as_document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@final
class Joining:
    """The invitations that this node accepted, or is about to."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        joins = [_Join(**value) for name, value in facts.items() if name.startswith(FACT)]
        self._joins = {join.key: join for join in joins}
        self._one_at_a_time = asyncio.Lock()

    def keep_all(self) -> None:
        """Write all that is remembered again."""
        for join in list(self._joins.values()):
            self._put(join)

    async def accept(self, invitation: Invitation, terms: JoinTerms) -> Account:
        """The account that came of it. Raises `ConflictError`, `NotFoundError`, `InvalidRequestError`, `LinkError`."""
        async with self._one_at_a_time:
            join = self._joins.get(secret_digest(invitation.secret))
            if join is not None and join.done:
                try:
                    return self._node.account(join.account)
                except NotFoundError:
                    join = replace(join, done=False)
            if join is None:
                join = self._begin(invitation, terms)
                await self._node.commit()
            else:
                join = self._resume(invitation, join)
            answer = await self._ask(invitation, join)
            return await self._make(invitation, join, answer, terms)

    def _begin(self, invitation: Invitation, terms: JoinTerms) -> _Join:
        node = self._node
        if node.clock.now() >= invitation.expires_at:
            raise ConflictError("This invitation has expired. Ask for a new one.")
        if terms.name is not None and any(account.id == terms.name for account in node.accounts()):
            raise ConflictError(f"There is an account “{terms.name}” already. Choose another name:  --name")
        name = terms.name or free_name(node, invitation.address.rpartition(".")[2])
        self._refuse(invitation, name)
        join = _Join(
            key=secret_digest(invitation.secret),
            account=name,
            nonce=new_token(node),
            token=new_token(node),
            expires_at=invitation.expires_at,
        )
        self._put(join)
        return join

    def _resume(self, invitation: Invitation, join: _Join) -> _Join:
        """One that was begun and has no account: its name may have been taken meanwhile."""
        self._refuse(invitation, join.account)
        if any(account.id == join.account for account in self._node.accounts()):
            join = replace(join, account=free_name(self._node, join.account))
            self._put(join)
        return join

    def _refuse(self, invitation: Invitation, name: AccountId) -> None:
        """What can be known before anybody is asked."""
        node = self._node
        if node.peering.is_own(invitation):
            raise InvalidRequestError("this invitation is of this node itself: give it to the other one", "invite")
        if not invitation.is_private:
            raise InvalidRequestError(
                f"{parse_url(invitation.url).origin} would show the secret to everybody on the way: the inviting node"
                " needs https",
                "invite",
            )
        if invitation.relation is Relation.CHILD:
            parents = [a.id for a in node.accounts() if a.relation is Relation.PARENT and a.id != name]
            if parents:
                raise ConflictError(
                    f"“{parents[0]}” is the parent of this node; there is one at most. Ask for an invitation as a peer."
                )
        else:
            if not same_network(scheme_of(invitation.address), scheme_of(node.address)):
                raise ConflictError(
                    f"{invitation.address} is in another network than this node, {node.address}. Set an ilp_address"
                    " there, or ask for an invitation as a child, which gives it one."
                )
            check_address(node, invitation.address, Relation.PEER)
        if invitation.link == "http":
            self._own_base(invitation)

    def _own_base(self, invitation: Invitation) -> str:
        """Our URL, where the inviting node can be expected to reach it."""
        base, theirs = own_url(self._node), parse_url(invitation.url)
        on_this_machine = theirs.host == "localhost" or (theirs.address is not None and theirs.address.is_loopback)
        if self._node.settings.public_url is None and not on_this_machine:
            raise InvalidRequestError(
                "this invitation is for HTTP both ways, and nobody has said how others reach this node: set  public_url"
                "  or ask for an invitation with  --link btp",
                "invite",
            )
        return base

    async def _ask(self, invitation: Invitation, join: _Join) -> RedeemAnswer:
        node = self._node
        url = parse_url(invitation.url + REDEEM_PATH)
        # A path for all accounts, because the token selects: the account may still get another name.
        http_url = self._own_base(invitation) + "/ilp" if invitation.link == "http" else None
        request = RedeemRequest(
            secret=invitation.secret,
            nonce=join.nonce,
            name=AccountId(name_of(node.address.rpartition(".")[2]) or "peer"),
            address=node.address,
            token=join.token,
            http_url=http_url,
        )
        # The operator named this URL by accepting; it may be on a private network.
        response = await fetch(
            "POST",
            str(url),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=request.encode(),
            timeout_ms=TIMEOUT_MS,
            limit_octets=ANSWER_OCTETS_MAX,
            egress=EgressPolicy(allowed=frozenset({url.authority})),
            tls=node.links.tls.client() if url.is_tls else None,
        )
        if response.status not in (200, 201):
            raise _refusal(response.status, response.body, url.origin)
        try:
            answer = RedeemAnswer.decode(response.body)
        except DecodeError as error:
            raise LinkError(f"{url.origin} answers with something else than an account: {error}") from None
        if answer.asset != invitation.asset:
            raise LinkError(
                f"{url.origin} gives an account in {answer.asset}, its invitation was for {invitation.asset}"
            )
        return answer

    async def _make(self, invitation: Invitation, join: _Join, answer: RedeemAnswer, terms: JoinTerms) -> Account:
        link = LinkSettings(btp_url=answer.btp_url, btp_outgoing_token=answer.token)
        if invitation.link == "http":
            link = LinkSettings(
                http_url=answer.http_url,
                http_outgoing_token=answer.token,
                http_incoming_token_digest=token_digest(join.token),
            )
        packet_amount_max = invitation.packet_amount_max
        account = Account(
            id=join.account,
            asset=invitation.asset,
            ilp_address=answer.address,
            relation=Relation.PARENT if invitation.relation is Relation.CHILD else Relation.PEER,
            packet_amount_max=UINT64_MAX if packet_amount_max is None else packet_amount_max,
            # What they will owe us at most is what we let them owe, and the other way round.
            owes_us_max=invitation.we_owe_max if terms.owes_us_max == UNSET else terms.owes_us_max,
            we_owe_max=invitation.owes_us_max if terms.we_owe_max == UNSET else terms.we_owe_max,
            link=link,
        )
        self._put(replace(join, done=True))
        try:
            return await self._node.create_account(account)
        except (ConflictError, InvalidRequestError):
            self._put(join)
            raise

    def _put(self, join: _Join) -> None:
        now = self._node.clock.now()
        for old in [j for j in self._joins.values() if now >= j.expires_at + FORGET_AFTER_MS]:
            del self._joins[old.key]
            self._node.store.put_fact(FACT + old.key, None)
        self._joins[join.key] = join
        self._node.store.put_fact(FACT + join.key, join.as_document(), secret=True)


def _refusal(status: int, body: bytes, origin: str) -> Exception:
    """What the inviting node said, as an error of ours."""
    try:
        detail = parse_json_object(body).get("detail")
    except DecodeError:
        detail = None
    if type(detail) is not str or not detail.isprintable():
        return LinkError(f"{origin} takes no invitations: it answers with HTTP {status}")
    sentence = detail[:300]
    if status == 404:
        return NotFoundError(sentence)
    if status == 409:
        return ConflictError(sentence)
    return LinkError(f"{origin} refuses the invitation: {sentence}")
