"""`/api/ledger` and `/api/unknown` of a real node: documents, questions of the query, decisions, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold
from interledger.api.app import create_app
from interledger.api.openapi import build_document
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.settings import Settings

USD = Asset("USD", 9)
PROOF = bytes(range(32))
TOKEN = "admin-token"


@pytest.fixture
async def books(make_caller: Any) -> AsyncIterator[tuple[Node, Any]]:
    """A node in memory with an unknown item, and a caller of its API."""
    settings = Settings(
        ilp_address=Address("test.hub"),
        secret_seed=bytes(32),
        admin_auth_token=TOKEN,
        http_bind_address="127.0.0.1:0",
        durability="memory",
    )
    node = Node(settings)
    await node.start()
    for name in ("alice", "bob"):
        link = LinkSettings(http_incoming_token_digest=sha256(b"bob-token").hexdigest() if name == "bob" else None)
        address = Address(f"test.hub.{name}")
        await node.create_account(
            Account(id=AccountId(name), asset=USD, ilp_address=address, relation=Relation.PEER, link=link)
        )
    alice, bob = node.ledger.accounts[:2]
    held = node.ledger.hold(((alice, bob, 780),), sha256(PROOF).digest(), node.clock.now() - 240_000, True)
    assert isinstance(held, Hold)
    await node.commit()
    node.ledger.give_up(held)
    node.ledger.post(((alice, node.ledger.account("external/bank", USD), 10**9),), "settled")
    await node.commit()
    yield node, make_caller(create_app(node))
    await node.stop()


async def test_the_chart_as_it_stands(books: tuple[Node, Any]) -> None:
    items = (await books[1]("GET", "/api/ledger/accounts")).json["items"]
    assert [(item["name"], item["class"], item["net"]) for item in items] == [
        ("peer/alice", "asset", "1000000000"),
        ("peer/bob", "asset", "0"),
        ("loss/USD/9", "expense", "0"),
        ("peer/bob/suspense", "asset", "0"),
        ("external/bank", "asset", "-1000000000"),
    ]
    assert items[3]["credits_pending"] == "780"


async def test_check(books: tuple[Node, Any]) -> None:
    document = (await books[1]("GET", "/api/ledger/check")).json
    assert (document["sound"], document["faults"], document["unknown"]) == (True, [], 1)
    assert document["trial_balances"] == [
        {"asset_code": "USD", "asset_scale": 9, "posted": "0", "pending": "0", "accounts": 5}
    ]


async def test_statement(books: tuple[Node, Any]) -> None:
    call = books[1]
    document = (await call("GET", "/api/ledger/statement?account=alice&by=day&asset=USD/9")).json
    assert (document["name"], document["closing_net"], document["more"]) == ("peer/alice", "1000000000", 0)
    [line] = document["lines"]
    assert (line["kind"], line["with"], line["debit"]) == ("entry", ["external/bank"], "1000000000")
    assert line["memo"] == {"kind": "settled", "by": None, "reason": None, "id": None}
    later = (await call("GET", "/api/ledger/statement?account=alice&from=2100-01-01T00:00:00Z")).json
    assert (later["lines"], later["opening_net"]) == ([], "1000000000")
    unknown = (await call("GET", "/api/ledger/statement?account=bob")).json["unknown"]
    assert [item["id"] for item in unknown] == ["unk_1"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 400, "account"),
        ("account=eve", 404, None),
        ("account=bob&asset=EUR/9", 404, None),
        ("account=bob&asset=EUR", 400, "asset"),
        ("account=bob&by=year", 400, "by"),
        ("account=bob&from=yesterday", 400, "from"),
        ("account=bob&to=2026-02-30", 400, "to"),
    ],
)
async def test_what_is_no_statement(books: tuple[Node, Any], query: str, status: int, field: str | None) -> None:
    answer = await books[1]("GET", f"/api/ledger/statement?{query}")
    assert (answer.status, answer.json.get("field")) == (status, field)


async def test_profit_and_export(books: tuple[Node, Any]) -> None:
    call = books[1]
    assert (await call("GET", "/api/ledger/profit")).json["pairs"] == []
    answer = await call("GET", "/api/ledger/export?format=csv&by=packet")
    assert answer.headers["content-type"].startswith("text/csv")
    assert b"external/bank,-1.000000000,USD" in answer.body
    assert (await call("GET", "/api/ledger/export")).body.startswith(b"; Books of an Interledger node")
    assert (await call("GET", "/api/ledger/export?format=xls")).json["field"] == "format"


CORRECTION = {"debit": "bob", "credit": "correction/USD/9", "amount": "5", "asset_code": "USD", "asset_scale": 9,
              "reason": "paid twice"}  # fmt: skip


async def test_L5_a_correction_in_two_steps(books: tuple[Node, Any]) -> None:
    node, call = books
    answer = await call("POST", "/api/ledger/corrections", CORRECTION | {"by": "ann"})
    assert answer.status == 201
    decision = answer.json
    assert decision["memo"] | {"id": ""} == {
        "kind": "correction", "by": "operator (ann)", "reason": "paid twice", "id": ""}  # fmt: skip
    assert decision["effects"][0] == {
        "name": "peer/bob", "asset_code": "USD", "asset_scale": 9, "before": "0", "after": "5"}  # fmt: skip
    assert (decision["done_at"], node.position("bob").net) == (None, 0)
    done = (await call("POST", f"/api/ledger/decisions/{decision['id']}/confirm")).json
    assert (done["done_at"] is not None, node.position("bob").net) == (True, 5)
    again = (await call("POST", f"/api/ledger/decisions/{decision['id']}/confirm")).json
    assert (again, node.position("bob").net) == (done, 5)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"reason": ""}, 400), ({"reason": None}, 400), ({"amount": "0"}, 400), ({"amount": 1.5}, 400),
     ({"amount": "1_0"}, 400), ({"credit": "bob"}, 400), ({"debit": "eve"}, 404), ({"by": "x" * 65}, 400),
     ({"why": "x"}, 400)],
)  # fmt: skip
async def test_what_is_no_correction(books: tuple[Node, Any], change: dict[str, Any], status: int) -> None:
    assert (await books[1]("POST", "/api/ledger/corrections", CORRECTION | change)).status == status


async def test_unknown_items(books: tuple[Node, Any]) -> None:
    call = books[1]
    [item] = (await call("GET", "/api/unknown")).json["items"]
    assert (item["id"], item["account"], item["amount"]["amount"], item["proof"]) == ("unk_1", "bob", "780", None)
    assert item["age_ms"] >= 240_000
    assert item["condition"] == sha256(PROOF).hexdigest()
    shown = (await call("GET", "/api/unknown/unk_1")).json
    assert shown["incoming"]["account"] == "peer/alice"
    assert shown["held_at"]
    assert (await call("GET", "/api/unknown/2")).problem == "not-found"
    assert (await call("GET", "/api/unknown/bob")).problem == "not-found"
    status = (await call("GET", "/api/status")).json
    assert status["at_risk"] == [
        {"account": "alice", "asset_code": "USD", "asset_scale": 9, "owed": "1000000000", "in_flight": "0",
         "unknown": "0", "unproven": "0"},
        {"account": "bob", "asset_code": "USD", "asset_scale": 9, "owed": "0", "in_flight": "0", "unknown": "780",
         "unproven": "0"},
    ]  # fmt: skip


async def test_proof_and_resolution(books: tuple[Node, Any]) -> None:
    node, call = books
    wrong = await call("POST", "/api/unknown/unk_1/proof", {"fulfillment": "00" * 32})
    assert (wrong.status, wrong.json["field"]) == (400, "fulfillment")
    assert (await call("POST", "/api/unknown/unk_1/proof", {"fulfillment": "0x"})).status == 400
    for outcome in (None, "maybe"):
        body = {"outcome": outcome, "reason": "x"}
        assert (await call("POST", "/api/unknown/unk_1/resolve", body)).json["field"] == "outcome"
    early = (await call("POST", "/api/unknown/unk_1/resolve", {"outcome": "not-delivered", "reason": "x"})).json
    assert (await call("POST", "/api/unknown/unk_1/proof", {"fulfillment": PROOF.hex()})).json["proof"] == PROOF.hex()
    assert (await call("POST", f"/api/ledger/decisions/{early['id']}/confirm")).problem == "conflict"
    body = {"outcome": "not-delivered", "reason": "bob says so"}
    assert (await call("POST", "/api/unknown/1/resolve", body)).problem == "conflict"
    assert (await call("POST", "/api/unknown/eve/resolve", body)).problem == "not-found"
    decision = (await call("POST", "/api/unknown/bob/resolve", body | {"outcome": "delivered"})).json
    assert (await call("POST", f"/api/ledger/decisions/{decision['id']}/confirm")).status == 200
    assert (node.position("bob").net, node.books.unknown()) == (-780, [])


async def test_only_the_operator_sees_the_books(books: tuple[Node, Any]) -> None:
    call = books[1]
    operations = [
        (path, method)
        for path, methods in build_document(_operations())["paths"].items()
        for method in methods
        if path.startswith(("/api/ledger", "/api/unknown"))
    ]
    assert len(operations) == 13
    for path, method in operations:
        target = path.replace("{account}", "bob").replace("{item}", "unk_1").replace("{decision}", "dec_1")
        assert (await call(method.upper(), target, token=None)).status == 401
        assert (await call(method.upper(), target, token="bob-token")).status == 403


def _operations() -> Any:
    from interledger.api.app import all_operations

    return all_operations()


async def test_A6_claims_are_listed_and_decided_in_two_steps(books: tuple[Node, Any]) -> None:
    node, call = books
    alice = node.ledger.accounts[0]
    claims = [node.ledger.unproven.set_aside(alice, amount, PROOF, node.clock.now()) for amount in (5, 6)]
    items = (await call("GET", "/api/unproven")).json["items"]
    assert [(item["id"], item["account"], item["amount"]["amount"], item["proof"]) for item in items] == [
        (f"unp_{claim.id}", "alice", str(claim.amount), PROOF.hex()) for claim in claims
    ]
    statement = (await call("GET", "/api/ledger/statement?account=alice")).json
    assert [item["id"] for item in statement["unproven"]] == [item["id"] for item in items]
    assert (await call("GET", "/api/ledger/check")).json["unproven"] == 2
    for path, outcome, status in (
        (f"unp_{claims[0].id}", "perhaps", 400), ("unp_999", "owed", 404), ("bob", "owed", 404),
    ):  # fmt: skip
        body = {"outcome": outcome, "reason": "x"}
        assert (await call("POST", f"/api/unproven/{path}/resolve", body)).status == status
    for path, outcome, net in ((f"unp_{claims[0].id}", "lost", 10**9 - 11), ("alice", "owed", 10**9 - 5)):
        body = {"outcome": outcome, "reason": "said so"}
        decision = (await call("POST", f"/api/unproven/{path}/resolve", body)).json
        assert (await call("POST", f"/api/ledger/decisions/{decision['id']}/confirm")).status == 200
        assert alice.net == net
    assert (await call("GET", "/api/unproven")).json["items"] == []
    for body, status in (
        ({"account": "alice", "condition": "xy", "reason": "x"}, 400),
        ({"account": "alice", "condition": "00" * 32, "reason": "x"}, 404),
        ({"account": "nobody", "condition": "00" * 32, "reason": "x"}, 404),
    ):
        assert (await call("POST", "/api/unproven", body)).status == status
