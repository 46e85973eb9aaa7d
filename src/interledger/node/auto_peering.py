"""Rafiki's auto-peering, both sides: ask a node to become its peer, and let others ask us (off unless set).

Rafiki lets anybody who names a known peer's address replace that peer's tokens, and so take its credit and its
packets. Here a known peer changes only when the request proves to be its own: it shows the token that the account has,
or the place where we already send its packets takes the new token (docs/decisions/0008-auto-peering-proof.md).
Where a stranger takes packets is called only when packets flow, and only at public addresses.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation, token_digest
from interledger.accounts.asset import Asset
from interledger.application.peering.rafiki import (
    NUMBER_MAX,
    AutoPeeringError,
    ErrorType,
    PeeringAnswer,
    PeeringRequest,
    read_error,
)
from interledger.application.peering.records import AddTerms
from interledger.codec.oer import UINT64_MAX
from interledger.errors import ConflictError, DecodeError, InvalidRequestError, LinkError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url
from interledger.node.peer_accounts import check_address, free_name, name_of, new_token, own_url, same_host
from interledger.node.peer_proof import PeerProofs

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["AutoPeering"]

logger = logging.getLogger("interledger.node")

FACT: Final = "peering.auto/"
"""Before an account's name: it was made by auto-peering, so its holder may change its tokens the same way."""

TIMEOUT_MS: Final = 10_000
ANSWER_OCTETS_MAX: Final = 16_384


@final
class AutoPeering:
    """Who became a peer this way, and how."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        self._marked = {AccountId(name.removeprefix(FACT)) for name in facts if name.startswith(FACT)}
        self._proofs = PeerProofs(node)

    @property
    def accounts(self) -> frozenset[AccountId]:
        """Those that were made this way."""
        return frozenset(self._marked)

    def forget(self, account_id: AccountId) -> None:
        """The account is gone."""
        if account_id in self._marked:
            self._marked.discard(account_id)
            self._node.store.put_fact(FACT + account_id, None)

    # ------------------------------------------------------------------ we ask

    async def add(self, terms: AddTerms) -> Account:
        """Become a peer of the node behind `terms.url`. Asked again, both sides get new tokens.

        Raises `LinkError` when it refuses or does not answer, `ConflictError`, `InvalidRequestError`.
        """
        url = parse_url(terms.url)
        if terms.packet_amount_max is not None and terms.packet_amount_max > NUMBER_MAX:
            raise InvalidRequestError(f"a Rafiki node takes at most {NUMBER_MAX} units here", "packet_amount_max")
        token = terms.token or new_token(self._node)
        request = PeeringRequest(
            address=self._node.address,
            http_url=own_url(self._node) + "/ilp",
            asset=terms.asset,
            token=token,
            packet_amount_max=terms.packet_amount_max,
            name=name_of(self._node.address.rpartition(".")[2]) or "peer",
        )
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        known = self._known_at(terms)
        if known is not None and known.link.http_outgoing_token is not None:
            headers["Authorization"] = f"Bearer {known.link.http_outgoing_token}"
        response = await fetch(
            "POST",
            terms.url,
            headers=headers,
            body=request.encode(),
            timeout_ms=TIMEOUT_MS,
            limit_octets=ANSWER_OCTETS_MAX,
            # The operator named this URL; it may be on a private network.
            egress=EgressPolicy(allowed=frozenset({url.authority})),
            tls=self._node.links.tls.client() if url.is_tls else None,
        )
        if response.status != 200:
            raise _refusal(response.status, response.body, url.origin, terms.asset)
        try:
            answer = PeeringAnswer.decode(response.body)
        except DecodeError as error:
            raise LinkError(f"{url.origin} does not answer as Rafiki does: {error}") from None
        return await self._keep(terms, token, answer)

    def _known_at(self, terms: AddTerms) -> Account | None:
        """An account that an earlier `add` at this place made, in the same asset if there is one."""
        found = [
            account
            for account in self._node.accounts()
            if account.id in self._marked and account.link.http_url and same_host(account.link.http_url, terms.url)
        ]
        return next((account for account in found if account.asset == terms.asset), next(iter(found), None))

    async def _keep(self, terms: AddTerms, token: str, answer: PeeringAnswer) -> Account:
        node = self._node
        its = [a for a in node.accounts() if a.id in self._marked and a.ilp_address == answer.address]
        known = next((account for account in its if account.asset == terms.asset), None)
        check_address(node, answer.address, Relation.PEER, is_its=bool(its))
        link = LinkSettings(
            http_url=answer.http_url,
            http_outgoing_token=token,
            http_incoming_token_digest=token_digest(answer.token),
            # What it answers is its word, not the operator's, unless it is the same machine that the operator named.
            http_public_only=not same_host(answer.http_url, terms.url),
        )
        if known is not None:
            changes = {name: value for name in _LIMITS if (value := getattr(terms, name)) is not None}
            return await node.replace_account(replace(known, link=link, **changes))
        account = Account(
            id=free_name(node, terms.name, answer.name, answer.address.rpartition(".")[2]),
            asset=terms.asset,
            ilp_address=answer.address,
            relation=Relation.PEER,
            packet_amount_max=UINT64_MAX if terms.packet_amount_max is None else terms.packet_amount_max,
            owes_us_max=terms.owes_us_max or 0,
            we_owe_max=terms.we_owe_max,
            link=link,
        )
        return await self._create(account)

    # ------------------------------------------------------------------ we are asked

    async def accept(self, body: bytes, token: str | None) -> PeeringAnswer:
        """Answer a node that asks. `token`: what it shows, if anything. Raises `AutoPeeringError`."""
        request = PeeringRequest.decode(body)
        limit = self._offered(request)
        our_token = new_token(self._node)
        try:
            known = self._others_at(request)
            if known:
                await self._change(known, request, our_token, token, limit)
            else:
                await self._create(self._new_account(request, our_token, limit))
        except (ConflictError, InvalidRequestError) as error:
            logger.warning("a request for peering of %s was refused: %s", request.address, error)
            raise AutoPeeringError(ErrorType.INVALID_REQUEST, str(error)) from None
        return self._answer(our_token)

    def _offered(self, request: PeeringRequest) -> int:
        """The credit of a new peer in the asset that is asked for, if that is offered; and is its place allowed?"""
        settings = self._node.settings
        offers = settings.auto_peering_assets or {}
        if request.asset not in offers:
            raise AutoPeeringError(ErrorType.UNKNOWN_ASSET, f"{request.asset} is not offered here")
        reason = EgressPolicy(development=settings.development).refuses_url(parse_url(request.http_url))
        if reason is not None:
            text = f"ilpConnectorUrl cannot be called from here: {reason}"
            raise AutoPeeringError(ErrorType.INVALID_CONFIGURATION, text)
        return offers[request.asset]

    def _others_at(self, request: PeeringRequest) -> list[Account]:
        """The accounts that have the address already."""
        return [account for account in self._node.accounts() if account.ilp_address == request.address]

    def _new_account(self, request: PeeringRequest, our_token: str, limit: int, *, is_its: bool = False) -> Account:
        node = self._node
        relation = Relation(node.settings.auto_peering_relation)
        try:
            check_address(node, request.address, relation, is_its=is_its)
        except ConflictError as error:
            raise AutoPeeringError(ErrorType.INVALID_CONFIGURATION, str(error)) from None
        if len(self._marked) >= node.settings.auto_peering_peers_max:
            node.alarm(f"{request.address} asked to become a peer, and there are {len(self._marked)} already")
            raise AutoPeeringError(ErrorType.INVALID_REQUEST, "this node takes no more peers now")
        return Account(
            id=free_name(node, request.name, request.address.rpartition(".")[2]),
            asset=request.asset,
            ilp_address=request.address,
            relation=relation,
            # A larger packet could not be paid for. F08 says how large one may be, T04 would not, and senders probe.
            packet_amount_max=min(request.packet_amount_max or UINT64_MAX, limit or UINT64_MAX),
            owes_us_max=limit,
            packets_per_minute=node.settings.auto_peering_packets_per_minute,
            link=_link_of(request, our_token),
        )

    async def _change(
        self, known: list[Account], request: PeeringRequest, our_token: str, shown: str | None, limit: int
    ) -> None:
        """A peer whose address is known: new tokens for its account, or one more account in another asset."""
        here = next((account for account in known if account.asset == request.asset), None)
        account = here or known[0]
        if here is None:
            self._new_account(request, our_token, limit, is_its=True)  # refused now, if it is

        async def change() -> None:
            if here is None:
                await self._create(self._new_account(request, our_token, limit, is_its=True))
            else:
                await self._rotate(here.id, request, our_token, limit)

        if shown is not None and self._node.authenticate(shown) in {one.id for one in known}:
            await change()
        elif account.id in self._marked and account.link.http_url == request.http_url:
            self._proofs.start(account, our_token, change)
        else:
            raise ConflictError("this address is of a peer that is known; its operator has to be asked")

    async def _rotate(self, account_id: AccountId, request: PeeringRequest, our_token: str, limit: int) -> None:
        """New tokens for the account as it is by now. Raises `ConflictError` when it is gone."""
        account = next((one for one in self._node.accounts() if one.id == account_id), None)
        if account is None:
            raise ConflictError("the account is gone")
        packet_max = account.packet_amount_max
        if request.packet_amount_max is not None:
            packet_max = min(request.packet_amount_max, limit or UINT64_MAX)
        link = _link_of(request, our_token, account.link)
        await self._node.replace_account(replace(account, link=link, packet_amount_max=packet_max))

    async def _create(self, account: Account) -> Account:
        """With its mark, in one durable step."""
        self._marked.add(account.id)
        self._node.store.put_fact(FACT + account.id, {"since": self._node.clock.now()})
        try:
            return await self._node.create_account(account)
        except (ConflictError, InvalidRequestError):
            self.forget(account.id)
            raise

    def _answer(self, our_token: str) -> PeeringAnswer:
        node = self._node
        return PeeringAnswer(
            address=node.address,
            http_url=own_url(node) + "/ilp",
            token=our_token,
            name=name_of(node.address.rpartition(".")[2]) or "peer",
            tenant_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"interledger/{node.address}")),
        )


_LIMITS: Final = ("packet_amount_max", "owes_us_max", "we_owe_max")


def _link_of(request: PeeringRequest, our_token: str, old: LinkSettings | None = None) -> LinkSettings:
    return replace(
        old or LinkSettings(),
        http_url=request.http_url,
        http_outgoing_token=our_token,
        http_incoming_token_digest=token_digest(request.token),
        http_public_only=True,
    )


def _refusal(status: int, body: bytes, origin: str, asset: Asset) -> LinkError:
    """What a Rafiki said, in a sentence."""
    kind, message = read_error(body)
    if kind == ErrorType.UNKNOWN_ASSET:
        return LinkError(f"{origin} does not offer {asset}. Which assets does its operator have?")
    if kind == ErrorType.INVALID_CONFIGURATION:
        return LinkError(f"{origin} cannot use what we said of ourselves: {message}")
    if kind:
        return LinkError(f"{origin} refuses to peer: {message or kind}")
    return LinkError(
        f"{origin} takes no peers there: it answers with HTTP {status}. A Rafiki has auto-peering on a port of its own,"
        " a node of this program at  /auto-peering"
    )
