"""The development network in this process: started, used, stopped, started again with its balances."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from interledger.daemon.dev import DevNetwork, PortTakenError
from interledger.daemon.dev_directory import wipe
from interledger.daemon.topology import Topology, parse_assets, parse_topology
from interledger.errors import ConflictError

UNIT = 10**9


def line(assets: str = "USD/9,EUR/9", shape: str = "line:3") -> Topology:
    return parse_topology(shape, parse_assets(assets), 0)


async def pay(network: DevNetwork, source: str, destination: str, units: int) -> int:
    payment = network.nodes[source].pay(source, network.pointer(destination), send=units)
    ended = await payment.done()
    assert ended.state == "delivered"
    return ended.delivered


def net(network: DevNetwork, node: str, account: str) -> int:
    return network.nodes[node].position(account).net


async def test_a_payment_and_a_second_start(tmp_path: Path) -> None:
    network = DevNetwork(line(), tmp_path)
    await network.start()
    delivered = await pay(network, "alice", "bob", 10 * UNIT)
    assert 9_185_360_000 <= delivered <= 9_185_361_000
    await network.stop()

    network = DevNetwork(line(), tmp_path)  # other ports: the links find each other all the same
    await network.start()
    assert net(network, "alice", "hub") == -10 * UNIT == -net(network, "hub", "alice")
    assert net(network, "hub", "bob") == -delivered == -net(network, "bob", "hub")
    assert await pay(network, "bob", "alice", UNIT) > UNIT
    await network.stop()


@pytest.mark.parametrize(("shape", "source", "destination"), [("line:5", "alice", "bob"), ("star:3", "carol", "bob")])
async def test_other_shapes(tmp_path: Path, shape: str, source: str, destination: str) -> None:
    network = DevNetwork(line("USD/2,KES/2,JPY/0", shape), tmp_path, durability="memory")
    await network.start()
    try:
        send = 10 ** network.nodes[source].account(source).asset.scale * 50
        payment = network.nodes[source].pay(source, network.pointer(destination), send=send)
        assert (await payment.done()).state == "delivered"
    finally:
        await network.stop()


async def test_another_shape_in_the_same_directory(tmp_path: Path) -> None:
    network = DevNetwork(line(), tmp_path)
    await network.start()
    await network.stop()
    network = DevNetwork(line("USD/9,EUR/9", "star:2"), tmp_path)
    await network.start()
    assert [account.id for account in network.nodes["hub"].accounts()] == ["alice", "bob"]
    await pay(network, "alice", "bob", UNIT)
    await network.stop()
    network = DevNetwork(line("GBP/9"), tmp_path)
    with pytest.raises(ConflictError):  # what is owed in USD cannot become GBP
        await network.start()
    assert network.nodes == {}


async def test_a_taken_port_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        try:
            shape = parse_topology("line:3", parse_assets("USD,EUR"), port)
        except ValueError:
            pytest.skip("the free port is too low for three")
        network = DevNetwork(shape, tmp_path)
        with pytest.raises(PortTakenError) as caught:
            await network.start()
    assert caught.value.port in {node.port for node in shape.nodes}
    assert "is taken by another program" in str(caught.value)
    assert not os.listdir(tmp_path)


async def test_a_network_over_TLS_and_back(tmp_path: Path) -> None:
    """Links and wallets by https and wss; the authority is made once, and plain text is there again without it."""
    network = DevNetwork(line(), tmp_path, tls=True)
    await network.start()
    assert network.pointer("bob").startswith("https://localhost:")
    assert network.nodes["alice"].account("hub").link.btp_url.startswith("wss://")
    await pay(network, "alice", "bob", UNIT)
    document = network.document()["nodes"]["hub"]
    assert (document["url"][:8], document["certificate"]) == ("https://", str(tmp_path / "tls" / "hub.pem"))
    await network.stop()
    authority = (tmp_path / "tls" / "ca.pem").read_bytes()

    for tls in (True, False):
        network = DevNetwork(line(), tmp_path, tls=tls)
        await network.start()
        await pay(network, "alice", "bob", UNIT)
        await network.stop()
    assert (tmp_path / "tls" / "ca.pem").read_bytes() == authority
    wipe(tmp_path)
    assert (tmp_path / "tls" / "ca.pem").exists()
