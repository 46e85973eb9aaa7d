"""`/api/accounts/{account}/peer-balance`."""

from __future__ import annotations

from typing import Any


async def test_both_books_and_what_is_between_them(call: Any, node: Any) -> None:
    node.positions["bob"] = type(node.position("bob"))(receivable=50, net=50, pending_in=3)
    answer = await call("GET", "/api/accounts/bob/peer-balance")
    assert answer.json == {
        "account": "bob",
        "asset_code": "EUR",
        "asset_scale": 9,
        "owes_us_by_our_books": "50",
        "owes_us_by_their_books": "40",
        "difference": "10",
        "pending": {"in": "3", "out": "0"},
    }


async def test_a_peer_that_does_not_say_and_an_account_that_is_none(call: Any) -> None:
    answer = await call("GET", "/api/accounts/alice/peer-balance")
    assert (answer.status, answer.problem) == (502, "peer-failed")
    assert (await call("GET", "/api/accounts/nobody/peer-balance")).status == 404
    assert (await call("GET", "/api/accounts/bob/peer-balance", token="bob-token")).status == 403
