"""L2: a web page cannot reach a node of this machine under a name of its own (DNS rebinding)."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.api.app import create_app


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("localhost", True),
        ("localhost:7770", True),
        ("LOCALHOST.:7770", True),
        ("hub.localhost:7770", True),
        ("127.0.0.1:7770", True),
        ("127.9.9.9", True),
        ("[::1]:7770", True),
        ("hub.example", True),
        ("wallet.example:443", True),
        ("evil.example", False),
        ("evil.example:7770", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("hub.example.evil.example", False),
        ("10.0.0.1", False),
        ("[::ffff:10.0.0.1]", False),
        ("", False),
        ("[", False),
        (":7770", False),
    ],
)
@pytest.mark.parametrize("path", ["/api/status", "/livez", "/routes", "/accounts/alice", "/api/accounts"])
async def test_L2_names_that_are_served(call: Any, path: str, host: str, is_served: bool) -> None:
    answer = await call("GET", path, host=host)
    assert (answer.status != 421) is is_served
    assert is_served or answer.problem == "misdirected"


async def test_L2_with_the_right_token_too(call: Any, node: Any) -> None:
    answer = await call("DELETE", "/api/accounts/alice", host="evil.example")
    assert answer.status == 421
    assert "alice" in node.kept


async def test_a_node_that_others_reach_is_not_asked_for_its_name(node: Any, make_caller: Any) -> None:
    node.settings.http_bind_address = "0.0.0.0:7770"
    assert (await make_caller(create_app(node))("GET", "/livez", host="anything.example")).status == 200


async def test_without_a_public_name_there_is_only_this_machine(node: Any, make_caller: Any) -> None:
    node.settings.public_url, node.settings.host_names = None, ()
    call = make_caller(create_app(node))
    assert (await call("GET", "/livez", host="hub.example")).status == 421
    assert (await call("GET", "/livez")).status == 200
