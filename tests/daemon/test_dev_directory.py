"""The directory of a development network: dev.json, the lock, and what is wiped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interledger.daemon.dev import DevNetwork
from interledger.daemon.dev_directory import AlreadyRunningError, announce, only_one, running_network, wipe
from interledger.daemon.topology import parse_assets, parse_topology


async def test_dev_json(tmp_path: Path) -> None:
    network = DevNetwork(parse_topology("line:3", parse_assets("USD/9,EUR/9"), 0), tmp_path)
    with only_one(tmp_path):
        await network.start()
        announce(tmp_path, network.document())
        path = tmp_path / "dev.json"
        assert path.stat().st_mode & 0o777 == 0o600
        document = json.loads(path.read_text())
        assert running_network(tmp_path) == document
        assert list(document["nodes"]) == ["alice", "hub", "bob"]
        alice = document["nodes"]["alice"]
        assert (alice["account"], alice["address"], alice["asset"]) == ("alice", "test.alice", "USD/9")
        assert alice["token"] == network.nodes["alice"].settings.admin_auth_token
        assert document["nodes"]["hub"]["account"] is None
        with pytest.raises(AlreadyRunningError) as caught, only_one(tmp_path):
            pass
        assert caught.value.document == document
        await network.stop()
    assert running_network(tmp_path) is None


def test_nothing_ran_here(tmp_path: Path) -> None:
    assert running_network(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_wipe_takes_only_what_is_a_nodes(tmp_path: Path) -> None:
    for name in ("alice", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ("secret_seed" if name == "alice" else "diary")).write_text("")
    (tmp_path / "dev.json").write_text("{}")
    wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    wipe(tmp_path / "none")
