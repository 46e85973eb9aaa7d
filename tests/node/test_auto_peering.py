"""Rafiki's auto-peering between real nodes, and strangers who ask for what is not theirs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import account, digest, net, pointer, running, settings, until

from interledger.accounts.account import LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.application.peering.rafiki import AutoPeeringError
from interledger.application.peering.records import AddTerms
from interledger.errors import LinkError

OFFERED = {"auto_peering_enabled": True, "auto_peering_assets": {parse_asset("USD/2"): 5_000, parse_asset("EUR/9"): 0}}


def asking(address: str = "test.rafiki", **changes: Any) -> bytes:
    document: dict[str, Any] = {
        "staticIlpAddress": address,
        "ilpConnectorUrl": "https://rafiki.example:3002",
        "asset": {"code": "USD", "scale": 2},
        "httpToken": "their-token",
        "maxPacketAmount": None,
        "name": "Rafiki's Bank",
    }
    return json.dumps({**document, **changes}).encode()


async def test_we_become_a_peer_and_get_new_tokens_by_asking_again() -> None:
    terms = AddTerms(url="", asset=parse_asset("USD/2"))
    async with running(settings("test.hub", **OFFERED)) as hub, running(settings("test.carol")) as carol:
        await carol.create_account(account("carol", "USD/2", "test.carol.carol", owes_us_max=10**6))
        await hub.create_account(account("shop", "USD/2", "test.hub.shop"))
        terms = replace(terms, url=f"http://127.0.0.1:{hub.port}/auto-peering", packet_amount_max=100)
        made = await carol.peering.add(terms)
        assert (made.id, made.relation, made.ilp_address, made.owes_us_max) == ("hub", Relation.PEER, "test.hub", 0)
        assert (hub.account("carol").owes_us_max, hub.account("carol").packet_amount_max) == (5_000, 100)
        assert (await carol.peering.check("hub")).good
        assert (await carol.pay("carol", pointer(hub, "shop"), send=4_000).done()).state == "delivered"
        old = hub.account("carol").link
        again = await carol.peering.add(replace(terms, owes_us_max=700, packet_amount_max=None))
        assert (again.id, again.owes_us_max, again.packet_amount_max) == ("hub", 700, 100)
        assert hub.account("carol").link.http_outgoing_token != old.http_outgoing_token
        assert (await carol.peering.check("hub")).good
        assert net(hub, "carol") == 4_000
        # One more asset: it shows the token that it has, so the account is there at once, beside the other.
        more = await carol.peering.add(replace(terms, asset=parse_asset("EUR/9"), packet_amount_max=None))
        assert (more.id, hub.account("carol_2").asset) == ("hub_2", parse_asset("EUR/9"))
        assert (await carol.peering.check("hub_2")).good
        with pytest.raises(LinkError, match="does not offer EUR/2"):
            await carol.peering.add(replace(terms, asset=parse_asset("EUR/2")))
        with pytest.raises(LinkError, match="takes no peers there: it answers with HTTP 40"):
            await carol.peering.add(replace(terms, url=f"http://127.0.0.1:{hub.port}/other"))


async def test_a_stranger_becomes_a_peer_with_the_limits_of_the_settings() -> None:
    async with running(settings("test.hub", **OFFERED)) as hub:
        answer = await hub.peering.answer_auto_peering(asking(), None)
        assert (answer.address, answer.http_url) == ("test.hub", f"http://127.0.0.1:{hub.port}/ilp")
        made = hub.account("rafiki_s_bank")
        assert (made.owes_us_max, made.relation, made.packets_per_minute) == (5_000, Relation.PEER, 6_000)
        assert (made.link.http_outgoing_token, made.link.http_public_only) == (answer.token, True)
        assert hub.authenticate("their-token") == "rafiki_s_bank"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"asset": {"code": "USD", "scale": 9}}, "UnknownAsset"),
        ({"asset": "USD"}, "InvalidPeeringRequest"),
        ({"httpToken": "two words"}, "InvalidPeeringRequest"),
        ({"httpToken": None}, "InvalidPeeringRequest"),
        ({"maxPacketAmount": 1.5}, "InvalidPeeringRequest"),
        ({"staticIlpAddress": "not an address"}, "InvalidPeerIlpConfiguration"),
        ({"staticIlpAddress": "test.hub"}, "InvalidPeerIlpConfiguration"),
        ({"staticIlpAddress": "test.bob.below"}, "InvalidPeerIlpConfiguration"),
        ({"staticIlpAddress": "g.rafiki"}, "InvalidPeerIlpConfiguration"),
        ({"ilpConnectorUrl": "ftp://rafiki.example"}, "InvalidPeerIlpConfiguration"),
        ({"ilpConnectorUrl": "http://rafiki.example"}, "InvalidPeerIlpConfiguration"),
        ({"ilpConnectorUrl": "https://10.0.0.1"}, "InvalidPeerIlpConfiguration"),
        ({"ilpConnectorUrl": "https://[::ffff:127.0.0.1]"}, "InvalidPeerIlpConfiguration"),
        ({"ilpConnectorUrl": "https://user:pw@rafiki.example"}, "InvalidPeerIlpConfiguration"),
    ],
)
async def test_F1_C1_what_is_refused_and_in_which_of_rafikis_words(changes: dict[str, Any], kind: str) -> None:
    async with running(settings("test.hub", **OFFERED, development=False)) as hub:
        await hub.create_account(account("bob", "USD/9", "test.bob", Relation.PEER))
        with pytest.raises(AutoPeeringError) as refused:
            await hub.peering.answer_auto_peering(asking(**changes), None)
        assert refused.value.kind == kind
        assert [a.id for a in hub.accounts()] == ["bob"]


async def test_a_stranger_cannot_take_over_a_known_peer() -> None:
    async with running(settings("test.hub", **OFFERED, auto_peering_peers_max=1)) as hub:
        await hub.create_account(account("bob", "USD/2", "test.bob", Relation.PEER))
        await hub.peering.answer_auto_peering(asking(ilpConnectorUrl="http://127.0.0.1:9/ilp"), None)
        before = hub.account("rafiki_s_bank")
        evil = {"httpToken": "evil"}
        for body, token in (
            (asking(ilpConnectorUrl="https://evil.example", **evil), None),
            (asking(ilpConnectorUrl="https://evil.example", **evil), "a guess"),
            (asking("test.bob", **evil), None),
            (asking("test.rafiki.below", **evil), None),
        ):
            with pytest.raises(AutoPeeringError):
                await hub.peering.answer_auto_peering(body, token)
        # Its own URL: nothing changes unless that place takes the new token, and nobody answers there.
        await hub.peering.answer_auto_peering(asking(ilpConnectorUrl="http://127.0.0.1:9/ilp", **evil), None)
        await asyncio.sleep(0.3)
        assert hub.account("rafiki_s_bank") == before
        assert hub.authenticate("evil") is None
        with pytest.raises(AutoPeeringError, match="no more peers"):
            await hub.peering.answer_auto_peering(asking("test.other", httpToken="other"), None)
        assert "test.other asked" in hub.alarms[-1]


async def test_a_known_peer_that_shows_no_token_proves_itself_where_its_packets_go() -> None:
    """As Rafiki does it: the same request again, then the answer's token is good at its end."""
    async with running(settings("test.hub", **OFFERED)) as hub, running(settings("test.rafiki")) as peer:
        url = f"http://127.0.0.1:{peer.port}/ilp"
        first = await hub.peering.answer_auto_peering(asking(ilpConnectorUrl=url), None)
        second = await hub.peering.answer_auto_peering(asking(ilpConnectorUrl=url, httpToken="newer"), None)
        link = LinkSettings(http_incoming_token_digest=digest(second.token))
        await peer.create_account(account("hub", "USD/2", "test.hub", Relation.PEER, link))
        await until(lambda: hub.authenticate("newer") == "rafiki_s_bank")
        assert hub.account("rafiki_s_bank").link.http_outgoing_token == second.token != first.token
        assert hub.authenticate("their-token") is None


async def test_proof_that_comes_when_the_account_is_gone_makes_none() -> None:
    async with running(settings("test.hub", **OFFERED)) as hub, running(settings("test.rafiki")) as peer:
        url = f"http://127.0.0.1:{peer.port}/ilp"
        await hub.peering.answer_auto_peering(asking(ilpConnectorUrl=url), None)
        second = await hub.peering.answer_auto_peering(asking(ilpConnectorUrl=url, httpToken="newer"), None)
        link = LinkSettings(http_incoming_token_digest=digest(second.token))
        await peer.create_account(account("hub", "USD/2", "test.hub", Relation.PEER, link))
        await hub.delete_account("rafiki_s_bank")
        await until(lambda: hub.peering._auto._proofs._waiting == 0)
        assert hub.accounts() == []


async def test_auto_peers_survive_a_restart_and_are_forgotten_with_their_account(tmp_path: Path) -> None:
    of = settings("test.hub", tmp_path, **OFFERED)
    async with running(of) as hub:
        await hub.peering.answer_auto_peering(asking(), None)
    async with running(of) as hub:
        assert hub.peering._auto.accounts == {"rafiki_s_bank"}
        await hub.delete_account("rafiki_s_bank")
        assert hub.peering._auto.accounts == frozenset()
    async with running(of) as hub:
        assert (hub.peering._auto.accounts, hub.accounts()) == (frozenset(), [])
