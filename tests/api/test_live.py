"""Overview, topology, settings and what goes on while somebody looks, from a real node over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from interledger.accounts.account import Relation
from interledger.api.client import ApiClient, ApiError
from interledger.node.node import Node
from tests.node.loopback import account, running, settings


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    accounts = (
        account("alice", "USD/9", "test.hub.alice", owes_us_max=10**12),
        account("bob", "USD/9", "test.bob", Relation.PEER, owes_us_max=10**12),
    )
    origins = {"ilp_address": "ilp.toml:2", "admin_auth_token": "ILP_ADMIN_AUTH_TOKEN"}
    async with running(settings("test.hub", accounts=accounts, origins=origins)) as one:
        yield one


@pytest.fixture
def client(node: Node) -> ApiClient:
    return ApiClient(f"http://127.0.0.1:{node.port}", "admin-token")


async def test_the_overview(client: ApiClient) -> None:
    overview = await client.overview()
    assert overview["sentence"] == "test.hub is forwarding between 2 accounts in 1 asset."
    assert overview["risk"]["limits"]["amount"] == str(10**12)
    assert overview["risk"]["percent"] == 0
    assert len(overview["seconds"]) == 90
    assert [one["id"] for one in overview["accounts"]] == ["alice", "bob"]
    assert overview["needs"] == [check for check in overview["health"] if check["level"] != "ok"]


async def test_the_topology_has_whoever_has_a_link(client: ApiClient) -> None:
    topology = await client.topology()
    assert topology["ilp_address"] == "test.hub"
    assert topology["peers"] == []


async def test_settings_say_who_set_them_and_no_secret(client: ApiClient) -> None:
    by_key = {one["key"]: one for one in await client.settings()}
    assert (by_key["ilp_address"]["value"], by_key["ilp_address"]["set_by"]) == ("test.hub", "file")
    token = by_key["admin_auth_token"]
    assert (token["value"], token["is_set"], token["set_by"]) == (None, True, "environment")
    assert by_key["limits.in_flight_max"]["value"] == "1000"
    assert by_key["limits.in_flight_max"]["takes_effect"] == "after a restart"


async def test_positions_over_time(node: Node, client: ApiClient) -> None:
    line = node.ledger.account("local/alice", node.account("alice").asset)
    node.ledger.post(((line, node.ledger.account("fee/x", line.asset), 7),), "{}")
    node.live.seconds.beat(node.clock.now())
    assert [point["net"] for point in await client.account_history("alice")] == ["7"]


async def test_a_topic_is_sent_at_once_and_when_it_changes(node: Node, client: ApiClient) -> None:
    stream = client.watch("positions:alice", "unknown")
    first = {event.event: event.data for event in (await anext(stream), await anext(stream))}
    assert first["unknown"]["items"] == []
    assert first["positions:alice"]["position"]["net"] == "0"
    line = node.ledger.account("local/alice", node.account("alice").asset)
    node.ledger.post(((line, node.ledger.account("fee/x", line.asset), 7),), "{}")
    changed = await anext(stream)
    assert (changed.event, changed.data["position"]["net"]) == ("positions:alice", "7")
    await node.delete_account("bob")
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_every_topic_can_be_watched(client: ApiClient) -> None:
    topics = (
        "health",
        "counts",
        "seconds",
        "links",
        "positions",
        "payments",
        "routes",
        "rates",
        "settlements",
        "unknown",
    )
    stream = client.watch(*topics)
    assert [(await anext(stream)).event for _ in topics] == list(topics)
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


@pytest.mark.parametrize("topics", [(), ("weather",), ("health:alice",), ("payment",), ("positions:no such",)])
async def test_what_cannot_be_watched(client: ApiClient, topics: tuple[str, ...]) -> None:
    with pytest.raises(ApiError) as error:
        await anext(client.watch(*topics))
    assert error.value.status == 400


async def test_nobody_has_no_position_to_watch(client: ApiClient) -> None:
    with pytest.raises(ApiError) as error:
        await anext(client.watch("positions:nobody"))
    assert error.value.status == 404


async def test_nothing_beats_when_nobody_looks(node: Node, client: ApiClient) -> None:
    stream = client.watch("health")
    await anext(stream)
    assert node.live.pulse._watchers
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator
    await client.status()
    assert not node.live.pulse._watchers
