"""Names that accounts may have, and URLs that others reach us by."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import account, running, settings

from interledger.accounts.account import parse_account_id
from interledger.errors import InvalidRequestError
from interledger.node.peer_accounts import btp_url_of, free_name, http_url_of, name_of, new_token, own_url
from interledger.node.peer_check import base_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bob's Bank", "bob_s_bank"), ("Crédit", "credit"), ("happy-life", "happy_life"), ("x", ""), ("…", ""),
        ("银行", ""), ("__a__", ""), ("A" * 60, "a" * 24), ("", ""),
    ],
)  # fmt: skip
def test_a_name_of_any_text(text: str, name: str) -> None:
    assert name_of(text) == name


@given(st.text())
def test_what_is_made_is_a_name(text: str) -> None:
    name = name_of(text)
    assert name == "" or parse_account_id(name) == name


async def test_a_free_name_is_no_path_of_the_node_and_nobody_elses() -> None:
    async with running(settings("test.hub")) as node:
        await node.create_account(account("bob", "USD/9", "test.hub.bob"))
        wishes = [("bob",), ("api",), ("?", "carol"), (None, ""), ("bob", "carol")]
        assert [free_name(node, *wish) for wish in wishes] == ["bob_2", "api_2", "carol", "peer", "bob_2"]


async def test_tokens_of_ours_have_32_random_octets_and_are_all_different() -> None:
    async with running(settings("test.hub")) as node:
        tokens = {new_token(node) for _ in range(100)}
        assert len(tokens) == 100
        assert {len(urlsafe_b64decode(token + "=")) for token in tokens} == {32}


async def test_our_own_url() -> None:
    async with running(settings("test.hub")) as node:
        assert own_url(node) == f"http://127.0.0.1:{node.port}"
    async with running(settings("test.hub", public_url="https://hub.example/node")) as node:
        assert own_url(node) == "https://hub.example/node"
    async with running(settings("test.hub", http_bind_address="0.0.0.0:0", allow_plain_text=True)) as node:
        with pytest.raises(InvalidRequestError, match="public_url"):
            own_url(node)


@pytest.mark.parametrize("base", ["https://hub.example", "http://127.0.0.1:7770", "https://hub.example/node"])
def test_a_base_is_found_again_in_its_urls(base: str) -> None:
    assert base_of(http_url_of(base, "carol")) == base_of(btp_url_of(base, "carol")) == base_of(base + "/ilp") == base
    assert base_of(f"ws{base.removeprefix('http')}/ilp/btp") == base
    assert (base_of(None), base_of("https://rafiki.example:3002/")) == (None, None)
