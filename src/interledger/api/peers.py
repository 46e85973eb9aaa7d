"""`/api/peers`: becoming a peer in one step, and checking that the link is good. `/auto-peering` is Rafiki's.

Three of these are for other nodes: `redeem` needs an invitation's secret, `echo` an account's token, `/auto-peering`
nothing. Those without a token are counted by where they come from, before their body is looked at.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, final

from starlette.responses import Response

from interledger.accounts.account import AccountId, Relation, parse_account_id
from interledger.accounts.asset import Asset, parse_asset
from interledger.accounts.credentials import Scope
from interledger.api.accounts import parse_token
from interledger.api.auth import Access
from interledger.api.bodies import Fields, check_json, read_body
from interledger.api.documents import account_document, list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.api.rate_limit import RateLimit, source_of
from interledger.application.peering.exchange import PEER_DOCUMENT_OCTETS_MAX, RedeemRequest
from interledger.application.peering.fields import limit_text
from interledger.application.peering.invitation import LINKS, Invitation
from interledger.application.peering.rafiki import AutoPeeringError, ErrorType, encode_error
from interledger.application.peering.records import AddTerms, Invite, InviteTerms, JoinTerms
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.link.http.messages import bearer_token

__all__ = ["PeerResource"]

REDEEMS_PER_MINUTE: Final = 30
"""From one address. A secret cannot be guessed; this keeps the guessing cheap for us."""

AUTO_PEERINGS_PER_MINUTE: Final = 10
"""From one address. A node needs one, and one more when it wants new tokens."""

ECHOES_PER_MINUTE: Final = 30
"""For one account. Each is a packet of ours, and five seconds of waiting at worst."""

DAY_MS: Final = 86_400_000

_RELATIONS: Final = {"child": Relation.CHILD, "peer": Relation.PEER}


@final
class PeerResource:
    """The operations, and what they count."""

    def __init__(self) -> None:
        self._redeems = RateLimit(REDEEMS_PER_MINUTE, _monotonic)
        self._auto_peerings = RateLimit(AUTO_PEERINGS_PER_MINUTE, _monotonic)
        self._echoes = RateLimit(ECHOES_PER_MINUTE, _monotonic)

    # ------------------------------------------------------------------ for the operator

    async def list_invites(self, call: Call) -> Response:
        now = call.node.peering.now()
        return json_response(list_document(_invite_document(invite, now) for invite in call.node.peering.invites()))

    async def create_invite(self, call: Call) -> Response:
        """Answers with the string, this once: only its digest is kept."""
        fields = await call.fields()
        asset = _asset(fields)
        limits = _limits(fields)
        terms = InviteTerms(
            asset=asset,
            name=fields.parsed("name", parse_account_id),
            relation=fields.choice("relation", _RELATIONS) or Relation.CHILD,
            link=fields.choice("link", {link: link for link in LINKS}) or "btp",
            owes_us_max=limits.get("owes_us_max", 0),
            we_owe_max=limits.get("we_owe_max", 0),
            packet_amount_max=limits.get("packet_amount_max"),
            lifetime_ms=fields.integer("expires_in_ms", 1) or DAY_MS,
        )
        fields.close()
        invite, invitation = await call.node.peering.invite(terms)
        secret = {"invite": invitation.encode(), "fingerprint": invitation.fingerprint, "url": invitation.url}
        document = _invite_document(invite, call.node.peering.now()) | secret
        return json_response(document, 201, location=f"/api/peers/invites/{invite.id}")

    async def revoke_invite(self, call: Call) -> Response:
        invite = await call.node.peering.revoke(call.request.path_params["invite"])
        return json_response(_invite_document(invite, call.node.peering.now()))

    async def accept_invite(self, call: Call) -> Response:
        """Asked again with the same invitation it gives the same account, and checks its link anew."""
        fields = await call.fields()
        invitation = fields.required("invite", Invitation.decode)
        terms = JoinTerms(name=fields.parsed("name", parse_account_id), **_given(fields, "owes_us_max", "we_owe_max"))
        fields.close()
        account = await call.node.peering.accept(invitation, terms)
        return await self._added(call, account.id, 200)

    async def add_peer(self, call: Call) -> Response:
        """Rafiki's auto-peering. Asked again it gives both sides new tokens."""
        fields = await call.fields()
        limits = _limits(fields)
        terms = AddTerms(
            url=fields.required_text("url"),
            asset=_asset(fields),
            name=fields.parsed("name", parse_account_id),
            token=parse_token(fields, "token"),
            **limits,
        )
        fields.close()
        account = await call.node.peering.add(terms)
        return await self._added(call, account.id, 201)

    async def check_peer(self, call: Call) -> Response:
        report = await call.node.peering.check(call.account.id)
        return json_response(report.as_document())

    async def _added(self, call: Call, account_id: AccountId, status: int) -> Response:
        report = await call.node.peering.check(account_id)
        account = account_document(call.node.account(account_id), call.node)
        document = {"id": account_id, "account": account, "check": report.as_document()}
        return json_response(document, status, location=f"/api/accounts/{account_id}")

    # ------------------------------------------------------------------ for other nodes

    async def redeem(self, call: Call) -> Response:
        self._redeems.admit(source_of(call.request, call.node.settings.trusted_proxies))
        check_json(call.request)
        body = await read_body(call.request, octets_max=PEER_DOCUMENT_OCTETS_MAX)
        answer = await call.node.peering.redeem(RedeemRequest.decode(body))
        return _secret_response(answer.encode())

    async def echo(self, call: Call) -> Response:
        """For an account that checks its link: our echo over it, our clock, and its terms."""
        account_id = call.caller.account
        if account_id is None:
            raise Problem("invalid-request", "This is for an account's own token: the echo goes over its link")
        self._echoes.admit(account_id)
        echo = await call.node.peering.echo(account_id)
        return json_response(echo.as_document())

    async def auto_peering(self, call: Call) -> Response:
        """In Rafiki's words, its errors too."""
        if not call.node.settings.auto_peering_enabled:
            raise Problem("not-found", "This node takes no peers by auto-peering")
        request = call.request
        try:
            body = await self._auto_peering_body(call)
            token = bearer_token(request.headers.get("authorization", "").encode("latin-1"))
            answer = await call.node.peering.answer_auto_peering(body, token)
        except AutoPeeringError as error:
            return _secret_response(encode_error(error), error.status)
        return _secret_response(answer.encode())

    async def _auto_peering_body(self, call: Call) -> bytes:
        try:
            self._auto_peerings.admit(source_of(call.request, call.node.settings.trusted_proxies))
            check_json(call.request)
            return await read_body(call.request, octets_max=PEER_DOCUMENT_OCTETS_MAX)
        except Problem as problem:
            status = 429 if problem.kind == "too-many-requests" else 400
            raise AutoPeeringError(ErrorType.INVALID_REQUEST, str(problem), status=status) from None

    def operations(self) -> tuple[Operation, ...]:
        """The operations of this module."""
        return (
            Operation(
                method="GET", path="/api/peers/invites", access=Access.ADMIN, handler=self.list_invites,
                summary="Invitations, newest first, without their secrets", answer="Invite[]", tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers/invites", access=Access.ADMIN, handler=self.create_invite,
                summary="Invite another node to become a peer; the string is shown this once", body="NewInvite",
                answer="CreatedInvite", status=201, problems=(400, 409), tags=("peers",),
            ),
            Operation(
                method="DELETE", path="/api/peers/invites/{invite}", access=Access.ADMIN, handler=self.revoke_invite,
                summary="Let nobody use an invitation any more", answer="Invite", problems=(404, 409), tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers/accept", access=Access.ADMIN, handler=self.accept_invite,
                summary="Accept an invitation, and check the link", body="AcceptInvite", answer="AddedPeer",
                problems=(400, 404, 409, 502), tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers", access=Access.ADMIN, handler=self.add_peer,
                summary="Become a peer of a Rafiki node by auto-peering, and check the link", body="NewPeer",
                answer="AddedPeer", status=201, problems=(400, 409, 502), tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers/{account}/check", access=Access.ADMIN, handler=self.check_peer,
                scope=Scope.OPERATE,
                summary="Check the link to a peer", answer="PeerCheck", problems=(404,), tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers/redeem", access=Access.PUBLIC, handler=self.redeem,
                summary="For other nodes: redeem an invitation", body="RedeemRequest", answer="RedeemAnswer",
                problems=(400, 404, 409, 413, 429), tags=("peers",),
            ),
            Operation(
                method="POST", path="/api/peers/echo", access=Access.ANY, handler=self.echo,
                scope=Scope.READ,
                summary="For other nodes: an echo over the caller's own link, the clock, the account's terms",
                answer="PeerEcho", problems=(400, 429), tags=("peers",),
            ),
            Operation(
                method="POST", path="/auto-peering", access=Access.PUBLIC, handler=self.auto_peering,
                summary="For Rafiki nodes: become a peer. Errors are Rafiki's", body="AutoPeeringRequest",
                answer="AutoPeeringAnswer", problems=(404,), tags=("peers",),
            ),
        )  # fmt: skip


def _asset(fields: Fields) -> Asset:
    scale = fields.required_integer("asset_scale", 0, 255)
    return fields.required("asset_code", lambda code: parse_asset(f"{code}/{scale}"))


def _given(fields: Fields, *names: str) -> dict[str, int | None]:
    """The limits that are named; null is no limit."""
    return {name: fields.integer(name) for name in names if name in fields}


def _limits(fields: Fields) -> dict[str, int | None]:
    limits = fields.nested("limits")
    if limits is None:
        return {}
    given = _given(limits, "owes_us_max", "we_owe_max", "packet_amount_max")
    limits.close()
    return given


def _invite_document(invite: Invite, now: Timestamp) -> dict[str, Any]:
    terms = invite.terms
    return {
        "id": invite.id,
        "state": invite.state_at(now).value,
        "name": terms.name,
        "asset_code": terms.asset.code,
        "asset_scale": terms.asset.scale,
        "relation": terms.relation.value,
        "link": terms.link,
        "limits": {
            "owes_us_max": limit_text(terms.owes_us_max),
            "we_owe_max": limit_text(terms.we_owe_max),
            "packet_amount_max": limit_text(terms.packet_amount_max),
        },
        "created_at": format_rfc3339(invite.created_at),
        "expires_at": format_rfc3339(invite.expires_at),
        "ended_at": None if invite.ended_at is None else format_rfc3339(invite.ended_at),
        "account": invite.account,
    }


def _secret_response(body: bytes, status: int = 200) -> Response:
    """An answer with a token in it: kept by nobody on the way."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(body, status, headers, media_type="application/json")


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
