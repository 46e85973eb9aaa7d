"""Quotes and payments: what is asked for exactly, who may, streams, hanging up, and asking twice."""

from __future__ import annotations

import asyncio
import json
from fractions import Fraction
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.api.payments import QUOTES_MAX, PaymentResource

ADMIN, ALICE, BOB = "admin-token", "alice-token", "bob-token"
TO = "$localhost:7780/bob"
NDJSON = "application/x-ndjson"
TEN = {"receiver": TO, "send": "10"}


def money(amount: int, code: str = "USD", scale: int = 9) -> dict[str, Any]:
    return {"amount": str(amount), "asset_code": code, "asset_scale": scale}


DELIVERED = {
    "id": "pay_1",
    "state": "delivered",
    "account": "alice",
    "receiver": TO,
    "redirected_to": None,
    "sent": money(10_000_000_000),
    "delivered": money(9_185_361_000, "EUR"),
    "in_flight": money(0),
    "unknown": money(0),
    "deliver_min": None,
    "send_max": money(10_000_000_000),
    "rate": {"numerator": "9185361000", "denominator": "10000000000"},
    "packets": {"sent": 21, "fulfilled": 19, "rejected": 2},
    "waiting": None,
    "error": None,
    "code": None,
    "receipt": None,
    "started_at": "2026-11-21T12:00:00.000Z",
    "ended_at": "2026-11-21T12:00:00.186Z",
    "duration_ms": 186,
}


async def test_pay_waits_for_the_end(call: Any, node: Any) -> None:
    answer = await call("POST", "/api/payments", TEN, token=ALICE)
    assert (answer.status, answer.headers["location"]) == (201, "/api/payments/pay_1")
    assert answer.json == DELIVERED
    assert node.started[0].terms["slippage"] == Fraction(1, 100)


@pytest.mark.parametrize(
    ("send", "units"),
    [
        ("10", 10_000_000_000),
        ("0.000000001", 1),
        ("10.50 USD", 10_500_000_000),
        (money(1050, scale=2), 10_500_000_000),
        ({"amount": 5, "asset_code": "usd", "asset_scale": "0"}, 5_000_000_000),
    ],
)
async def test_what_is_sent_is_exact(call: Any, node: Any, send: Any, units: int) -> None:
    body = {"account": "Alice", "receiver": TO, "send": send, "slippage": 0.015, "min_rate": "0.9"}
    assert (await call("POST", "/api/payments", body)).status == 201
    terms = node.started[0].terms
    assert terms == {"send": units, "deliver": None, "slippage": Fraction(15, 1000), "min_rate": Fraction(9, 10)}


@pytest.mark.parametrize("deliver", ["5", "5 EUR", money(5, "EUR", 0)])
async def test_what_is_delivered_is_in_the_receivers_asset_which_is_learned(call: Any, node: Any, deliver: Any) -> None:
    answer = await call("POST", "/api/payments", {"receiver": TO, "deliver": deliver}, token=ALICE)
    assert answer.status == 201
    assert node.quotes[0]["send"] == 1_000_000_000
    assert (node.started[0].terms["send"], node.started[0].terms["deliver"]) == (None, 5_000_000_000)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"account": None}, 400, "account"),
        ({"account": "nobody"}, 404, None),
        ({"receiver": None}, 400, "receiver"),
        ({"receiver": ""}, 400, "receiver"),
        ({"receiver": "x" * 2001}, 400, "receiver"),
        ({"send": None}, 400, "send"),
        ({"deliver": "1"}, 400, "send"),
        ({"send": 10}, 400, "send"),
        ({"send": ""}, 400, "send"),
        ({"send": "0"}, 400, "send"),
        ({"send": "$10"}, 400, "send"),
        ({"send": "10 EUR"}, 400, "send"),
        ({"send": "1e3"}, 400, "send"),
        ({"send": "0.0000000001"}, 400, "send"),
        ({"send": money(1, scale=10)}, 400, "send.amount"),
        ({"send": {"amount": "1"}}, 400, "send.asset_scale"),
        ({"send": money(1) | {"unit": "x"}}, 400, "send.unit"),
        ({"send": str(2**64)}, 400, "send"),
        ({"send": None, "deliver": "1 USD"}, 400, "deliver"),
        ({"slippage": "1"}, 400, "slippage"),
        ({"slippage": "-0.1"}, 400, "slippage"),
        ({"slippage": True}, 400, "slippage"),
        ({"min_rate": "x"}, 400, "min_rate"),
        ({"amount": "1"}, 400, "amount"),
        ({"receiver": "$nobody.test", "send": None, "deliver": "1"}, 422, None),
    ],
)
async def test_terms_are_refused(call: Any, node: Any, changes: dict[str, Any], status: int, field: str | None) -> None:
    answer = await call("POST", "/api/payments", {"account": "alice"} | TEN | changes)
    assert (answer.status, answer.json.get("field")) == (status, field)
    assert node.started == []


async def test_nobody_spends_from_another_account(call: Any, node: Any) -> None:
    answer = await call("POST", "/api/payments", TEN | {"account": "alice"}, token=BOB)
    assert (answer.status, answer.problem) == (403, "forbidden")
    assert node.started == []


# Streams, and hanging up.


async def test_progress_is_a_document_a_line_and_the_last_is_final(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: asyncio.get_running_loop().call_later(0.01, payment.end)
    answer = await call("POST", "/api/payments", TEN, token=ALICE, accept=NDJSON)
    assert (answer.status, answer.headers["content-type"]) == (201, NDJSON)
    assert [json.loads(line)["state"] for line in answer.body.splitlines()] == ["sending", "delivered"]


async def test_a_fault_in_a_stream_is_its_last_line(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: payment.changed.put_nowait(None)
    answer = await call("POST", "/api/payments", TEN, token=ALICE, accept=NDJSON)
    last = json.loads(answer.body.splitlines()[-1])
    assert last["error"]["type"].endswith("internal-error")
    assert b"NoneType" not in answer.body


async def test_hanging_up_does_not_stop_a_payment(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: None
    call.hang_up_after = 1
    await asyncio.wait_for(call("POST", "/api/payments", TEN, token=ALICE, accept=NDJSON), 1)
    assert node.started[0].state == "sending"


async def test_who_waits_and_is_cancelled_does_not_stop_a_payment(call: Any, node: Any) -> None:
    begun = asyncio.Event()
    node.on_pay = lambda payment: begun.set()
    waiting = asyncio.ensure_future(call("POST", "/api/payments", TEN, token=ALICE))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert node.started[0].state == "sending"
    node.started[0].end()
    for _ in range(5):
        await asyncio.sleep(0)


async def test_prefer_respond_async_does_not_wait(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: None
    answer = await call("POST", "/api/payments", TEN, token=ALICE, prefer="respond-async")
    assert (answer.status, answer.json["state"], answer.json["ended_at"]) == (202, "sending", None)
    assert (answer.json["delivered"], answer.json["rate"], answer.json["duration_ms"]) == (None, None, None)


# Asking twice.


async def test_the_same_key_and_body_are_one_payment(call: Any, node: Any) -> None:
    first = await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="k1")
    second = await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="k1")
    assert first.json["id"] == second.json["id"] == "pay_1"
    other = await call("POST", "/api/payments", TEN | {"send": "11"}, token=ALICE, idempotency_key="k1")
    assert (other.status, other.problem) == (409, "conflict")
    assert len(node.started) == 1
    # Keys belong to who uses them.
    await call("POST", "/api/payments", TEN | {"account": "alice"}, idempotency_key="k1")
    await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="k2")
    await call("POST", "/api/payments", TEN, token=ALICE)
    assert len(node.started) == 4


async def test_a_key_whose_payment_is_forgotten_never_pays_again(call: Any, node: Any) -> None:
    await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="k1")
    node.started.clear()
    again = await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="k1")
    assert (again.status, again.problem, node.started) == (409, "conflict", [])
    assert "pay_1 was begun, which is not remembered any more" in again.json["detail"]


async def test_a_receiver_that_another_host_answers_for_is_told(call: Any, node: Any) -> None:
    # RFC 26: "the client MUST ensure it affords the sender an opportunity to verify both the originally resolved and
    # ultimate endpoint hosts"
    node.on_quote = lambda quote: quote._replace(redirected_to="wallet.example")
    answer = await call("POST", "/api/quotes", TEN, token=ALICE)
    assert answer.json["redirected_to"] == "wallet.example"


async def test_a_key_has_to_be_one(call: Any) -> None:
    assert (await call("POST", "/api/payments", TEN, token=ALICE, idempotency_key="a b")).status == 400


# Looking, and stopping.


async def test_lists_come_in_pages_newest_first(call: Any) -> None:
    for _ in range(3):
        await call("POST", "/api/payments", TEN, token=ALICE)
    await call("POST", "/api/payments", TEN, token=BOB)
    page = (await call("GET", "/api/payments?limit=2", token=ALICE)).json
    assert ([item["id"] for item in page["items"]], page["next_cursor"]) == (["pay_3", "pay_2"], "pay_2")
    page = (await call("GET", "/api/payments?limit=2&cursor=pay_2", token=ALICE)).json
    assert ([item["id"] for item in page["items"]], page["next_cursor"]) == (["pay_1"], None)
    assert len((await call("GET", "/api/payments")).json["items"]) == 4
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=pay_9"):
        assert (await call("GET", f"/api/payments?{query}", token=ALICE)).status == 400


async def test_one_payment_is_seen_and_stopped_by_its_own(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: None
    await call("POST", "/api/payments", TEN, token=ALICE, prefer="respond-async")
    unseen = await call("GET", "/api/payments/pay_1", token=BOB)
    missing = await call("GET", "/api/payments/pay_2", token=BOB)
    assert unseen.status == missing.status == 404
    assert unseen.json["detail"].replace("pay_1", "") == missing.json["detail"].replace("pay_2", "")
    assert (await call("POST", "/api/payments/pay_1/cancel", token=BOB)).status == 404
    assert (await call("GET", "/api/payments/pay_1", token=ALICE)).json["state"] == "sending"
    stopped = await call("POST", "/api/payments/pay_1/cancel", token=ALICE)
    assert (stopped.status, stopped.json["state"]) == (202, "cancelled")
    assert stopped.json["error"]["type"].endswith("payment-cancelled")


@pytest.mark.parametrize(
    ("state", "kind"),
    [("partial", "payment-partial"), ("failed", "payment-failed"), ("unknown", "payment-unknown")],
)
async def test_how_it_ended_is_in_the_document(call: Any, node: Any, state: str, kind: str) -> None:
    node.on_pay = lambda payment: payment.end(state, code="T04", sent=3, unknown=1)
    answer = await call("POST", "/api/payments", TEN, token=ALICE)
    assert answer.status == 201
    assert answer.json["error"]["type"].endswith(kind)
    assert (answer.json["error"]["code"], answer.json["code"], answer.json["unknown"]) == ("T04", "T04", money(1))


# Quotes.


async def test_a_quote_can_be_taken_once(call: Any, node: Any) -> None:
    answer = await call("POST", "/api/quotes", TEN, token=ALICE)
    quote = answer.json
    assert answer.status == 201
    assert quote.pop("id").startswith("quo_")
    assert quote == {
        "account": "alice",
        "receiver": TO,
        "redirected_to": None,
        "send_max": money(10_000_000_000),
        "deliver_min": money(9_000_000_000, "EUR"),
        "rate": {"numerator": "9", "denominator": "10"},
    }
    taken = {"receiver": TO, "quote_id": answer.json["id"]}
    assert (await call("POST", "/api/payments", taken | {"send": "1"}, token=ALICE)).status == 400
    assert (await call("POST", "/api/payments", taken | {"receiver": "$x.test"}, token=ALICE)).status == 400
    assert (await call("POST", "/api/payments", taken, token=BOB)).status == 404
    assert (await call("POST", "/api/payments", taken, token=ALICE)).status == 201
    assert node.started[0].terms["quote"].send_max == 10_000_000_000
    assert (await call("POST", "/api/payments", taken, token=ALICE)).status == 404


async def test_quotes_are_refused(call: Any) -> None:
    assert (await call("POST", "/api/quotes", TEN | {"quote_id": "quo_1"}, token=ALICE)).status == 400
    answer = await call("POST", "/api/quotes", TEN | {"receiver": "$nobody.test"}, token=ALICE)
    assert (answer.status, answer.problem) == (422, "receiver-unresolved")


async def test_quotes_are_bounded(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.api.payments.QUOTES_MAX", 2)
    first = (await call("POST", "/api/quotes", TEN, token=ALICE)).json["id"]
    for _ in range(2):
        await call("POST", "/api/quotes", TEN, token=ALICE)
    assert (await call("POST", "/api/payments", {"receiver": TO, "quote_id": first}, token=ALICE)).status == 404
    assert QUOTES_MAX == 1_000
    assert PaymentResource().operations()


# As interledger-rs has it.


async def test_compatible_payment(call: Any, node: Any) -> None:
    body = {"receiver": TO, "source_amount": "10000000000", "slippage": 0.025, "other": 1}
    answer = await call("POST", "/accounts/alice/payments", body, token=ALICE)
    assert (answer.status, answer.json) == (
        200,
        {
            "from": "test.hub.alice",
            "to": TO,
            "source_asset_scale": 9,
            "source_asset_code": "USD",
            "source_amount": 10_000_000_000,
            "sent_amount": 10_000_000_000,
            "in_flight_amount": 0,
            "delivered_amount": 9_185_361_000,
            "destination_asset_scale": 9,
            "destination_asset_code": "EUR",
        },
    )
    assert node.started[0].terms == {"send": 10_000_000_000, "slippage": Fraction(25, 1000)}


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        (ADMIN, {"receiver": TO, "source_amount": 1}, 401),
        (BOB, {"receiver": TO, "source_amount": 1}, 403),
        (ALICE, {"receiver": TO}, 400),
        (ALICE, {"receiver": TO, "source_amount": 0}, 400),
        (ALICE, {"receiver": TO, "source_amount": 2**64}, 400),
        (ALICE, {"source_amount": 1}, 400),
        (ALICE, {"receiver": TO, "source_amount": 1, "slippage": 1}, 400),
    ],
)
async def test_compatible_payment_refuses(call: Any, node: Any, token: str, body: Any, status: int) -> None:
    assert (await call("POST", "/accounts/alice/payments", body, token=token)).status == status
    assert node.started == []


async def test_compatible_payment_that_fails_is_an_error(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: payment.end("failed", error="no route to the destination", code="F02")
    answer = await call("POST", "/accounts/alice/payments", {"receiver": TO, "source_amount": 1}, token=ALICE)
    assert (answer.status, answer.problem, answer.json["code"]) == (502, "payment-failed", "F02")
    assert answer.json["payment"]["state"] == "failed"
    assert node.started[0].terms["slippage"] == Fraction(15, 1000)


async def test_compatible_payment_to_an_asset_that_is_not_told(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: payment.end(destination_asset=None, sent=1)
    answer = await call("POST", "/accounts/alice/payments", {"receiver": TO, "source_amount": 1}, token=ALICE)
    assert answer.json["destination_asset_code"] is None


def test_the_money_of_the_documents_is_an_asset() -> None:
    assert str(Asset("USD", 9)) == "USD/9"
