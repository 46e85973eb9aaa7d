"""The API of RFC 38 that every engine of the kit has, over a real port."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit import Ledger, ToyEngine, call, running, until

from interledger.settlement.quantity import Quantity

FIVE = {"amount": "5", "scale": 2}
OCTETS = {"Content_Type": "application/octet-stream"}


async def test_an_account_from_birth_to_death(tmp_path: Path) -> None:
    engine = ToyEngine(Ledger())
    async with running(tmp_path, engine) as process:
        made = await call(process, "POST", "/accounts", {"id": "bob"})
        assert (made.status, json.loads(made.body)) == (201, {"id": "bob"})
        assert (await call(process, "POST", "/accounts", {"id": "bob"})).status == 201
        assert process.state.account("bob").details == {"address": "addr-bob"}
        paid = await call(process, "POST", "/accounts/bob/settlements", FIVE, key="k1")
        # TRAP SE-2: the answer is a quantity, for the Java connector.
        assert (paid.status, json.loads(paid.body)) == (201, FIVE)
        await until(lambda: engine.ledger.transfers)
        assert engine.ledger.transfers == {"addr-bob-1": 5}
        assert (await call(process, "DELETE", "/accounts/bob")).status == 204
        assert engine.closed == ["bob"]
        assert (await call(process, "DELETE", "/accounts/bob")).status == 404
        assert (await call(process, "POST", "/accounts/bob/settlements", FIVE, key="k2")).status == 404
        # What was answered once is answered again, whatever happened since.
        assert (await call(process, "POST", "/accounts/bob/settlements", FIVE, key="k1")).status == 201
    assert engine.ledger.total == 5


async def test_SE_09_the_engine_names_an_account_that_has_no_name(tmp_path: Path) -> None:
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        made = await call(process, "POST", "/accounts", {})
        assert made.status == 201
        assert process.state.account(json.loads(made.body)["id"])


async def test_SE_01_SE_02_settling_again_with_the_same_key(tmp_path: Path) -> None:
    engine = ToyEngine(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        for _ in range(5):
            again = await call(process, "POST", "/accounts/bob/settlements", FIVE, key="k1")
            assert (again.status, json.loads(again.body)) == (201, FIVE)
        other = await call(process, "POST", "/accounts/bob/settlements", {"amount": "6", "scale": 2}, key="k1")
        assert other.status == 409
        await until(lambda: not process.state.open_payments())
    assert engine.ledger.total == 5


@pytest.mark.parametrize(
    ("path", "body", "key", "status"),
    [
        ("/accounts/bob/settlements", FIVE, None, 400),
        ("/accounts/bob/settlements", FIVE, "a key", 400),
        ("/accounts/bob/settlements", {"amount": "-5", "scale": 2}, "k", 400),
        ("/accounts/bob/settlements", {"amount": 5.5, "scale": 2}, "k", 400),
        ("/accounts/bob/settlements", b"x" * 5_000, "k", 400),
        ("/accounts/eve/settlements", FIVE, "k", 404),
        ("/accounts/b%2Fb/settlements", FIVE, "k", 404),
        ("/accounts", {"id": "a/b"}, None, 400),
        ("/accounts", b"[", None, 400),
        ("/nowhere", FIVE, None, 404),
    ],
)
async def test_what_is_refused(tmp_path: Path, path: str, body: object, key: str | None, status: int) -> None:
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        assert (await call(process, "POST", path, body, key=key)).status == status
        assert process.state.owed("bob") == Quantity(0, 0)


async def test_a_settlement_of_nothing_does_nothing(tmp_path: Path) -> None:
    engine = ToyEngine(Ledger())
    async with running(tmp_path, engine) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        nothing = {"amount": "0", "scale": 9}
        assert (await call(process, "POST", "/accounts/bob/settlements", nothing, key="k1")).status == 201
        assert process.state.open_payments() == []


async def test_messages_of_the_peers_engine(tmp_path: Path) -> None:
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        await call(process, "POST", "/accounts", {"id": "bob"})
        answer = await call(process, "POST", "/accounts/bob/messages", b"\x00hello", **OCTETS)
        assert (answer.status, answer.body) == (201, b"re:\x00hello")
        # SE-08: a refusal of the engine is a 4xx, which becomes F00.
        assert (await call(process, "POST", "/accounts/bob/messages", b"refuse", **OCTETS)).status == 400
        assert (await call(process, "POST", "/accounts/eve/messages", b"hello", **OCTETS)).status == 404
        assert (await call(process, "POST", "/accounts/bob/messages", b"x" * 32_768, **OCTETS)).status == 400


async def test_a_form_of_a_web_page_can_send_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, ToyEngine(Ledger())) as process:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            for path in ("/accounts", "/accounts/bob/settlements", "/accounts/bob/messages", "/payments/1/approve"):
                assert (await call(process, "POST", path, b"{}", key="k", Content_Type=kind)).status in (400, 404)
        assert process.state.accounts() == []


async def test_I9_a_token_is_asked_for_everywhere(tmp_path: Path) -> None:
    async with running(tmp_path, ToyEngine(Ledger()), token="a-secret") as process:
        for method, path in (("GET", "/"), ("POST", "/accounts"), ("DELETE", "/accounts/x"), ("GET", "/payments")):
            assert (await call(process, method, path, {})).status == 401
            assert (await call(process, method, path, {}, Authorization="Bearer wrong")).status == 401
        assert (await call(process, "POST", "/accounts", {}, Authorization="Bearer a-secret")).status == 201


async def test_a_fault_of_the_engine_shows_nothing_of_its_inside(tmp_path: Path) -> None:
    def fail(step: str) -> None:
        raise RuntimeError("the private key is 7")

    async with running(tmp_path, ToyEngine(Ledger(), fail)) as process:
        answer = await call(process, "POST", "/accounts", {"id": "bob"})
        assert answer.status == 500
        assert b"private" not in answer.body
