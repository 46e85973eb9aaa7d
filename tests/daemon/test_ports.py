"""Who has a port."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from interledger.daemon import ports
from interledger.daemon.ports import find_listener, port_is_taken


def test_a_port_that_is_taken_and_by_whom() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port_is_taken("127.0.0.1", port)
        if sys.platform == "linux":
            found = find_listener(port)
            assert found is not None
            assert found.pid == os.getpid()
    assert not port_is_taken("127.0.0.1", port)
    assert find_listener(port) is None


def test_where_the_system_tells_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "_PROC_NET", (tmp_path / "none",))
    assert find_listener(1) is None


def test_an_address_that_is_not_ours_is_not_taken() -> None:
    assert not port_is_taken("192.0.2.1", 0)
