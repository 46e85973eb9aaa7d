"""Accepting an invitation: once, again after a crash, and not at all where it cannot be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import account, running, settings
from peering_kit import invited, request_of

from interledger.accounts.account import AccountId, LinkSettings, Relation
from interledger.application.peering.records import InviteState, JoinTerms
from interledger.clock import Timestamp
from interledger.errors import ConflictError, InvalidRequestError, LinkError
from interledger.ilp.address import Address


async def test_an_invitation_is_good_once_and_for_the_same_node_again() -> None:
    async with (
        running(settings("test.hub")) as hub,
        running(settings("local.host")) as carol,
        running(settings("local.host")) as mallory,
    ):
        invitation = await invited(hub)
        first = await carol.peering.accept(invitation, JoinTerms())
        assert await carol.peering.accept(invitation, JoinTerms()) == first
        with pytest.raises(ConflictError, match="the secret may have leaked"):
            await mallory.peering.accept(invitation, JoinTerms())
        assert [a.id for a in mallory.accounts()] == []
        # Lost here, not there: the same nonce gets the same account and the same token.
        await carol.delete_account("hub")
        again = await carol.peering.accept(invitation, JoinTerms())
        assert again.link.btp_outgoing_token == first.link.btp_outgoing_token
        await hub.replace_account(replace(hub.account("carol"), link=LinkSettings()))
        await carol.delete_account("hub")
        with pytest.raises(ConflictError, match="tokens of this account were changed"):
            await carol.peering.accept(invitation, JoinTerms())
        await hub.delete_account("carol")
        with pytest.raises(ConflictError, match="account of this invitation is gone"):
            await carol.peering.accept(invitation, JoinTerms())


@pytest.mark.parametrize("killed", ["before the answer", "after the answer"])
async def test_J1_what_a_crash_leaves_is_taken_up_again(tmp_path: Path, killed: str) -> None:
    """The inviting node has made the account; the invited one dies before it has its own."""
    async with running(settings("test.hub", tmp_path / "hub")) as hub:
        invitation = await invited(hub)
        async with running(settings("local.host", tmp_path / "carol")) as carol:
            joining = carol.peering._joining
            make = joining._make

            async def die(*args: Any) -> Any:
                if killed == "after the answer":
                    await make(*args)
                raise asyncio.CancelledError

            joining._make = die  # type: ignore[method-assign]
            with pytest.raises(asyncio.CancelledError):
                await carol.peering.accept(invitation, JoinTerms())
        assert hub.account("carol").relation is Relation.CHILD
        async with running(settings("local.host", tmp_path / "carol")) as carol:
            account = await carol.peering.accept(invitation, JoinTerms())
            assert (await carol.peering.check(account.id)).good
    async with running(settings("test.hub", tmp_path / "hub")) as hub:
        assert [(i.state, i.account) for i in hub.peering.invites()] == [(InviteState.SPENT, "carol")]
        with pytest.raises(ConflictError, match="already used"):
            await hub.peering.redeem(request_of(invitation))


async def test_who_accepts_is_told_what_cannot_be_before_anybody_is_asked() -> None:
    async with running(settings("test.hub")) as hub, running(settings("test.carol")) as carol:
        invitation = await invited(hub)
        with pytest.raises(InvalidRequestError, match="this node itself"):
            await hub.peering.accept(invitation, JoinTerms())
        with pytest.raises(InvalidRequestError, match="needs https"):
            await carol.peering.accept(replace(invitation, url="http://hub.example"), JoinTerms())
        with pytest.raises(ConflictError, match="has expired"):
            await carol.peering.accept(replace(invitation, expires_at=Timestamp(1)), JoinTerms())
        with pytest.raises(InvalidRequestError, match="public_url"):
            await carol.peering.accept(replace(invitation, url="https://hub.example", link="http"), JoinTerms())
        elsewhere = replace(invitation, relation=Relation.PEER, address=Address("g.hub"))
        with pytest.raises(ConflictError, match="or ask for an invitation as a child"):
            await carol.peering.accept(elsewhere, JoinTerms())
        with pytest.raises(LinkError, match="cannot be reached"):
            await carol.peering.accept(replace(invitation, url="http://127.0.0.1:1"), JoinTerms())
        await carol.create_account(account("isp", "USD/9", "test.isp", Relation.PARENT))
        with pytest.raises(ConflictError, match="“isp” is the parent"):
            await carol.peering.accept(invitation, JoinTerms())
        with pytest.raises(ConflictError, match="Choose another name"):
            await carol.peering.accept(replace(invitation, secret="y" * 32), JoinTerms(name=AccountId("isp")))
        assert [i.state for i in hub.peering.invites()] == ["open"]
