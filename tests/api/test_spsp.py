"""SPSP at its three paths. What the answer says is tested with `application/spsp/server.py`."""

from __future__ import annotations

from typing import Any

import pytest

SPSP = "application/spsp4+json"


@pytest.mark.parametrize(
    ("path", "accept", "destination"),
    [
        ("/accounts/bob/spsp", None, "test.hub.bob.tok"),
        ("/accounts/BOB/spsp", SPSP, "test.hub.bob.tok"),
        ("/.well-known/pay", SPSP, "test.hub.bob.tok"),
        ("/alice", SPSP, "test.hub.alice.tok"),
        ("/alice", "application/json, application/spsp4+json", "test.hub.alice.tok"),
    ],
)
async def test_an_account_can_be_asked(call: Any, path: str, accept: str | None, destination: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = await call("GET", path, token=None, **headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == SPSP
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json == {"destination_account": destination, "shared_secret": "A" * 43 + "="}


@pytest.mark.parametrize("path", ["/accounts/nobody/spsp", "/accounts/x/spsp", "/nobody", "/x"])
async def test_SP_05_nobody_is_404_in_the_words_of_spsp(call: Any, path: str) -> None:
    answer = await call("GET", path, token=None, accept=SPSP)
    assert (answer.status, answer.json["id"]) == (404, "InvalidReceiverError")


async def test_H16_a_verifier_asks_with_a_key_of_receipts(call: Any) -> None:
    headers = {"receipt_nonce": "A" * 22 + "==", "receipt_secret": "A" * 43 + "="}
    answer = await call("GET", "/alice", token=None, accept=SPSP, **headers)
    assert (answer.status, answer.json["receipts_enabled"]) == (200, True)
    assert answer.json["destination_account"] == "test.hub.alice.receipts"
    for wrong in ({"receipt_nonce": "x"}, headers | {"receipt_secret": "x"}):
        refused = await call("GET", "/alice", token=None, accept=SPSP, **wrong)
        assert (refused.status, refused.json["id"]) == (400, "InvalidReceiptHeadersError")


async def test_no_default_account(call: Any, node: Any) -> None:
    node.settings.default_spsp_account = None
    assert (await call("GET", "/.well-known/pay", token=None, accept=SPSP)).status == 404


async def test_the_wallet_path_answers_only_who_asks_for_spsp(call: Any) -> None:
    answer = await call("GET", "/alice", token=None, accept="text/html")
    assert (answer.status, answer.problem, answer.headers["vary"]) == (404, "not-found", "Accept")


@pytest.mark.parametrize("path", ["/accounts/bob/spsp", "/.well-known/pay", "/alice"])
async def test_SP_06_preflight(call: Any, path: str) -> None:
    answer = await call("OPTIONS", path, token=None)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")


async def test_head_has_no_body(call: Any) -> None:
    answer = await call("HEAD", "/alice", token=None, accept=SPSP)
    assert (answer.status, answer.body) == (200, b"")


async def test_F5_queries_are_counted_by_address(call: Any, node: Any) -> None:
    node.settings.spsp_queries_per_minute = 3
    statuses = [
        (await call("GET", path, token=None, accept=SPSP)).status for path in ("/alice", "/bob", "/x", "/alice")
    ]
    assert statuses == [200, 200, 404, 429]
    elsewhere = await call("GET", "/alice", token=None, accept=SPSP, x_forwarded_for="198.51.100.1")
    assert elsewhere.status == 200
    refused = await call("GET", "/bob", token=None, accept=SPSP)
    assert (refused.problem, refused.headers["retry-after"]) == ("too-many-requests", "20")
