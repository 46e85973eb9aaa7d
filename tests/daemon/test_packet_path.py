"""One packet at every node it went through, from one node of a development network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from interledger.api.client import ApiClient, ApiError
from interledger.daemon.dev import DevNetwork
from interledger.daemon.topology import parse_assets, parse_topology


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[DevNetwork]:
    one = DevNetwork(parse_topology("line:3", parse_assets("USD/9,EUR/9"), 0), tmp_path, durability="memory")
    await one.start()
    yield one
    await one.stop()


def api(network: DevNetwork, name: str) -> ApiClient:
    return ApiClient(network.neighbours.url(name), network.nodes[name].settings.admin_auth_token)


async def way_of(network: DevNetwork, asked: str, query: str) -> Any:
    await api(network, "alice").pay(network.pointer("bob"), account="alice", send="1 USD")
    one = (await api(network, "alice").call("GET", f"/api/packets?{query}"))["items"][0]
    return await api(network, asked).call("GET", f"/api/dev/packets/{one['condition'][:16]}")


@pytest.mark.parametrize("asked", ["alice", "hub", "bob"])
async def test_a_fulfilled_packet_at_every_node_whoever_is_asked(network: DevNetwork, asked: str) -> None:
    way = await way_of(network, asked, "outcome=fulfilled")
    assert [hop["node"] for hop in way["hops"]] == ["alice", "hub", "bob"]
    assert {hop["packet"]["condition"] for hop in way["hops"]} == {way["condition"]}
    assert way["hops"][0]["wire_us"] is None
    assert all(hop["wire_us"] >= 0 for hop in way["hops"][1:])
    amounts = [hop["packet"]["amount_in"]["asset_code"] for hop in way["hops"]]
    assert amounts == ["USD", "USD", "EUR"]


async def test_a_refused_packet_ends_where_it_was_refused_with_the_values_compared(network: DevNetwork) -> None:
    way = await way_of(network, "alice", "code=F08")
    assert [hop["node"] for hop in way["hops"]] == ["alice", "hub"]
    steps = {step["step"]: step for step in way["hops"][1]["packet"]["journey"]}
    refused = next(step for step in steps.values() if step["state"] == "refused")
    assert int(refused["compared"]["room"]) < int(refused["compared"]["needed"])


async def test_what_nobody_keeps_is_said(network: DevNetwork) -> None:
    for text in ("ffffffff", "no", "zz" * 8):
        with pytest.raises(ApiError) as error:
            await api(network, "hub").call("GET", f"/api/dev/packets/{text}")
        assert error.value.status == 404


async def test_neighbours_of_a_packet_are_of_its_payment(network: DevNetwork) -> None:
    alice = api(network, "alice")
    await alice.pay(network.pointer("bob"), account="alice", send="1 USD")
    packets = (await alice.packets())["items"]
    whole = await alice.packet(packets[1]["condition"])
    assert (whole["newer"], whole["older"]) == (packets[0]["condition"], packets[2]["condition"])
    assert (await alice.packet(packets[0]["condition"]))["newer"] is None
    assert (await alice.packet(packets[-1]["condition"]))["older"] is None
