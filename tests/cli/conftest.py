"""Consoles that write into memory, and accounts as the transcripts have them."""

from __future__ import annotations

import io
from typing import Any

import pytest

from interledger.cli.console import Console


@pytest.fixture
def terminal() -> Console:
    """A terminal without colour."""
    return Console(io.StringIO(), io.StringIO(), is_terminal=True, shows_progress=True, width=100)


@pytest.fixture
def pipe() -> Console:
    """Not a terminal."""
    return Console(io.StringIO(), io.StringIO())


def account_document(**changes: Any) -> dict[str, Any]:
    """An account document of the API."""
    limits = {"owes_us_max": None, "we_owe_max": None, "packet_amount_max": None, "packets_per_minute": None}
    document: dict[str, Any] = {
        "id": "bob",
        "relation": "peer",
        "asset_code": "EUR",
        "asset_scale": 9,
        "ilp_address": "test.bob",
        "position": {"receivable": "0", "payable": "0", "net": "0"},
        "pending": {"in": "0", "out": "0"},
        "limits": limits | {"amount_per_minute": None} | changes.pop("limits", {}),
        "room": None,
        "link": {"kind": "HTTP", "up": True, "since": "2026-11-21T11:00:00.000Z"} | changes.pop("link", {}),
        "settle_threshold": None,
        "settle_to": None,
    }
    net = int(changes.pop("net", 0))
    document["position"] = {"receivable": str(max(net, 0)), "payable": str(max(-net, 0)), "net": str(net)}
    return document | changes


@pytest.fixture
def make_account() -> Any:
    """`account_document`"""
    return account_document
