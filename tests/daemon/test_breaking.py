"""What a development network can break, and that all of it can be put back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from interledger.api.client import ApiClient, ApiError
from interledger.daemon.dev import DevNetwork
from interledger.daemon.topology import parse_assets, parse_topology


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[DevNetwork]:
    one = DevNetwork(parse_topology("line:3", parse_assets("USD/9,EUR/9"), 0), tmp_path, durability="process")
    await one.start()
    yield one
    await one.stop()


def api(network: DevNetwork, name: str) -> ApiClient:
    return ApiClient(network.neighbours.url(name), network.nodes[name].settings.admin_auth_token)


async def pay(network: DevNetwork, amount: str = "1 USD") -> Any:
    return await api(network, "alice").pay(network.pointer("bob"), account="alice", send=amount)


async def test_a_slow_link_is_slow_and_a_mended_one_is_not(network: DevNetwork) -> None:
    hub = api(network, "hub")
    found = await hub.call("PUT", "/api/dev/links/hub/alice", {"delay_ms": 60})
    link = found["links"][0]
    assert (link["left"], link["right"], link["delay_ms"], link["cut"]) == ("alice", "hub", 60, False)
    slow = await pay(network)
    assert slow["state"] == "delivered"
    assert slow["duration_ms"] > 240  # its tests and its packets, each there and back
    await hub.call("POST", "/api/dev/mend")
    assert (await pay(network))["duration_ms"] < slow["duration_ms"]


async def test_what_a_lossy_link_loses_is_unknown_or_sent_again(network: DevNetwork) -> None:
    await api(network, "hub").call("PUT", "/api/dev/links/alice/hub", {"loss_percent": 100})
    with pytest.raises(ApiError):
        async with asyncio.timeout(8):
            await api(network, "alice").ping("test.bob", timeout_ms=500)
    await api(network, "hub").call("POST", "/api/dev/mend")
    assert (await pay(network))["state"] == "delivered"


async def test_a_cut_link_is_down_for_everybody_to_see(network: DevNetwork) -> None:
    hub = api(network, "hub")
    await hub.call("PUT", "/api/dev/links/hub/bob", {"cut": True})
    assert not (await hub.account("bob"))["link"]["up"]
    assert not (await api(network, "bob").account("hub"))["link"]["up"]
    assert (await pay(network))["state"] == "failed"
    kinds = [event["kind"] for event in (await hub.events())["items"]]
    assert kinds.count("link.down") == 1
    await hub.call("PUT", "/api/dev/links/hub/bob", {})
    assert (await hub.account("bob"))["link"]["up"]
    assert (await pay(network))["state"] == "delivered"


async def test_a_killed_node_comes_back_with_its_books(network: DevNetwork) -> None:
    hub = api(network, "hub")
    await pay(network, "2 USD")
    before = (await api(network, "bob").account("hub"))["position"]
    found = await hub.call("POST", "/api/dev/nodes/bob/kill")
    assert [node["name"] for node in found["nodes"] if not node["running"]] == ["bob"]
    assert "bob" not in network.neighbours.names()
    assert (await pay(network, "1 USD"))["state"] != "delivered"
    with pytest.raises(ApiError, match="does not run"):
        await hub.call("POST", "/api/dev/nodes/bob/kill")
    await hub.call("POST", "/api/dev/nodes/bob/start")
    assert (await api(network, "bob").account("hub"))["position"] == before
    async with asyncio.timeout(8):
        while (await pay(network))["state"] != "delivered":  # noqa: ASYNC110 - the other end dials again by itself
            await asyncio.sleep(0.2)


async def test_a_rate_jumps_everywhere_and_comes_back(network: DevNetwork) -> None:
    hub = api(network, "hub")
    found = await hub.call("PUT", "/api/dev/rates/USD", {"percent": 10})
    assert {rate["code"]: (rate["value"], rate["jump_percent"]) for rate in found["rates"]}["USD"] == ("1.01343", 10)
    for name in ("alice", "bob"):
        assert next(r["value"] for r in await api(network, name).rates() if r["code"] == "USD") == "1.01343"
    await hub.call("PUT", "/api/dev/rates/USD", {"percent": 0})
    assert next(r["value"] for r in await hub.rates() if r["code"] == "USD") == "0.9213"


REFUSED = (
    ("POST", "/api/dev/nodes/hub/kill", {}, 409),
    ("POST", "/api/dev/nodes/bob/start", {}, 409),
    ("POST", "/api/dev/nodes/nobody/kill", {}, 404),
    ("PUT", "/api/dev/links/alice/bob", {}, 404),
    ("PUT", "/api/dev/links/alice/hub", {"delay_ms": 60_001}, 400),
    ("PUT", "/api/dev/links/alice/hub", {"loss_percent": 101}, 400),
    ("PUT", "/api/dev/links/alice/hub", {"delay": 5}, 400),
    ("PUT", "/api/dev/rates/USD", {"percent": -91}, 400),
    ("PUT", "/api/dev/rates/XYZ", {"percent": 1}, 404),
)


async def test_what_cannot_be_done_is_said(network: DevNetwork) -> None:
    for method, path, body, status in REFUSED:
        with pytest.raises(ApiError) as error:
            await api(network, "hub").call(method, path, body)
        assert error.value.status == status, path


async def test_who_may(network: DevNetwork) -> None:
    with pytest.raises(ApiError) as error:
        await ApiClient(network.neighbours.url("hub"), "wrong").call("POST", "/api/dev/mend")
    assert error.value.status == 401


async def test_a_node_of_its_own_has_none_of_it() -> None:
    from interledger.daemon.serve import open_node
    from interledger.node.settings import Settings

    settings = Settings(
        secret_seed=bytes(32), http_bind_address="127.0.0.1:0", durability="memory", admin_auth_token="t" * 16
    )
    node = await open_node(settings)
    try:
        for path in ("/api/dev", "/api/dev/mend"):
            with pytest.raises(ApiError) as error:
                await ApiClient(f"http://127.0.0.1:{node.port}", "t" * 16).call("GET", path)
            assert error.value.status == 404
    finally:
        await node.stop()
