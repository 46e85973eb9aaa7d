"""Every command that asks a node, against three real ones: what is printed, and the exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.api.client import ApiClient
from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.pay import _send
from interledger.cli.state import State, Target

Ilp = Callable[..., Any]
"""Runs a command line: `.code`, `.out`, `.err`, `.json`."""

# ---------------------------------------------------------------------- paying


def test_pay(ilp: Ilp, bob: str) -> None:
    result = ilp("pay", "--from", "alice", bob, "10 USD")
    assert result.code == 0
    assert result.out.startswith("  ✓ Delivered 9.18536")
    assert "fee 0.03 USD    path alice → hub → bob" in result.err
    assert "Send     10.00 USD" in result.err
    assert "████████████████████████████████ 10.00 USD" in result.err


def test_pay_in_json_writes_nothing_else(ilp: Ilp, bob: str) -> None:
    result = ilp("pay", "--from", "alice", bob, "1 USD", "-o", "json", "--fields", "state,sent,packets.rejected")
    assert result.json["state"] == "delivered"
    assert result.json["sent"] == {"amount": "1000000000", "asset_code": "USD", "asset_scale": 9}
    assert result.err == ""


def test_pay_so_that_an_amount_arrives(ilp: Ilp, bob: str) -> None:
    result = ilp("pay", "--from", "alice", bob, "--deliver", "5 EUR")
    assert (result.code, result.out.splitlines()[0][:26]) == (0, "  ✓ Delivered 5.00 EUR for")
    assert "Deliver  5.00 EUR" in result.err


def test_dry_run_sends_nothing(ilp: Ilp, bob: str) -> None:
    before = ilp("balance", "alice", "--json").out
    result = ilp("pay", "--from", "alice", bob, "--deliver", "5 EUR", "--dry-run")
    assert result.code == 0
    assert "so that exactly 5.00 EUR arrive (rate 0.918536, fee 0.02 USD)." in result.out
    assert ilp("balance", "alice", "--json").out == before


def test_pay_by_interledger_rs_spelling(ilp: Ilp, bob: str) -> None:
    result = ilp("pay", "alice", "--amount", "1000000", "--to", bob)
    assert (result.code, "for 0.001 USD" in result.out) == (0, True)
    assert ilp("pay", "alice", "--amount", "1.5", "--to", bob).code == 2


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        (("BOB", "10 USD", "--min-rate", "0.93"), 5, "✗ Not sent: the rate is 0.918536, you asked for at least 0.93."),
        (("BOB", "10 USD", "--min-rate", "cheap"), 2, "✗ “cheap” is not a rate."),
        (("BOB", "$10"), 2, "✗ “$10” does not say which dollar. Write  '10 USD'"),
        (("BOB", "10 EUR"), 2, "alice is kept in USD"),
        (("BOB",), 2, "✗ Say what to send, or what to deliver: one of the two."),
        (("BOB", "10 USD", "--deliver", "5 EUR"), 2, "one of the two"),
        ((), 2, "✗ POINTER is missing: whom to pay?"),
        (("BOBBY", "10 USD"), 4, "Is the pointer right? Looks like  $wallet.example/name"),
    ],
)
def test_what_is_not_paid(ilp: Ilp, bob: str, args: tuple[str, ...], code: int, err: str) -> None:
    words = [word.replace("BOBBY", bob + "by").replace("BOB", bob) for word in args]
    result = ilp("pay", "--from", "alice", *words)
    assert result.code == code
    assert err in result.err
    assert result.out == ""


@pytest.mark.slow
def test_part_is_delivered_when_a_limit_is_reached(ilp: Ilp, bob: str) -> None:
    assert ilp("account", "set", "alice", "--owes-us-max", "25 USD", "--node", "hub").code == 0
    result = ilp("pay", "--from", "alice", bob, "40 USD", "--json")
    assert ilp("account", "set", "alice", "--owes-us-max", "500 USD", "--node", "hub", "--yes").code == 0
    assert result.code == 8
    assert result.json["state"] == "partial"


async def interrupt_when_paying(node: Any) -> None:
    """Ctrl-C for this process, as soon as a payment of the node delivered something."""
    api = ApiClient(node["url"], node["token"])
    async with asyncio.timeout(20):
        while not any(one["state"] == "sending" and one["packets"]["fulfilled"] for one in (await api.payments())[0]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
def test_ctrl_c_stops_a_payment(ilp: Ilp, bob: str, place: Path) -> None:
    alice = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["alice"]
    assert ilp("account", "set", "alice", "--owes-us-max", "25 USD", "--node", "hub").code == 0
    watcher = threading.Thread(target=asyncio.run, args=(interrupt_when_paying(alice),))
    watcher.start()
    result = ilp("pay", "--from", "alice", bob, "400 USD")
    watcher.join()
    ilp("account", "set", "alice", "--owes-us-max", "500 USD", "--node", "hub", "--yes")
    assert result.code == 130
    assert "Stopped at" in result.out
    assert "Stopping: waiting for" in result.err


class HangingApi:
    """A node whose payment never ends, and that is interrupted from within."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    async def pay_with_progress(self, receiver: str, **_: Any) -> AsyncIterator[dict[str, Any]]:
        usd = {"asset_code": "USD", "asset_scale": 2}
        yield {
            "id": "pay_A",
            "sent": {"amount": "1", **usd},
            "unknown": {"amount": "0", **usd},
            "packets": {"sent": 5, "fulfilled": 1, "rejected": 0},
            "ended_at": None,
            "duration_ms": None,
        }
        for _again in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
        await asyncio.sleep(60)

    async def cancel_payment(self, payment_id: str) -> None:
        await asyncio.sleep(60)


def test_ctrl_c_twice_leaves_it_to_the_node(monkeypatch: pytest.MonkeyPatch, pipe: Console) -> None:
    monkeypatch.setattr("interledger.api.client.ApiClient", HangingApi)
    body = {"receiver": "$x", "account": "alice", "slippage": None, "min_rate": None}
    with pytest.raises(CliError) as caught:
        _send(State(_console=pipe), Target("http://x"), body, {"id": "q", "send_max": {"amount": "10"}})
    assert caught.value.code == 130
    assert caught.value.lines[1] == "Look later:  ilp payment show A"
    assert "Stopping: waiting for 4 packets in flight" in pipe.err.getvalue()  # type: ignore[attr-defined]  # a StringIO


def test_quote(ilp: Ilp, bob: str) -> None:
    result = ilp("quote", "--from", "alice", bob, "10 USD")
    assert result.code == 0
    assert "Deliver  at least 9.09 EUR    rate 0.918536" in result.out
    assert ilp("quote", "--from", "alice", bob, "10 USD", "--json").json["send_max"]["amount"] == "10000000000"


# ---------------------------------------------------------------------- looking


def test_payments(ilp: Ilp, bob: str) -> None:
    paid = ilp("pay", "--from", "alice", bob, "1 USD", "-q").out.strip()
    listed = ilp("payment", "list")
    assert paid in listed.out
    assert "✓ delivered" in listed.out
    shown = ilp("payment", "show", paid.removeprefix("pay_").lower())
    assert shown.out.startswith(f"{paid}   ✓ delivered   today ")
    assert f"to {bob}   (promised at least 0.90)" in shown.out
    assert ilp("payment", "show", "zzzz").code == 4
    assert ilp("payment", "list", "--from", "bob").out.startswith("No payments yet.")


async def begin_payment(node: Any, receiver: str) -> str:
    """One that has delivered something and goes on, whoever listens."""
    api = ApiClient(node["url"], node["token"])
    async for one in api.pay_with_progress(receiver, account="alice", send="400 USD"):
        if one["packets"]["fulfilled"]:
            break
    return one["id"]


async def end_of_payment(node: Any, payment_id: str) -> Any:
    api = ApiClient(node["url"], node["token"])
    async with asyncio.timeout(20):
        while (found := await api.payment(payment_id))["ended_at"] is None:  # noqa: ASYNC110  # another process says so
            await asyncio.sleep(0.02)
    return found


@pytest.mark.slow
def test_a_payment_is_cancelled(ilp: Ilp, bob: str, place: Path) -> None:
    alice = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["alice"]
    assert ilp("account", "set", "alice", "--owes-us-max", "100 USD", "--node", "hub").code == 0
    payment = asyncio.run(begin_payment(alice, bob))
    dry = ilp("payment", "cancel", payment, "--dry-run")
    assert (dry.code, dry.out.splitlines()[0]) == (0, f"  Would send no more of payment {payment}.")
    assert ilp("payment", "show", payment, "--json").json["ended_at"] is None
    told = ilp("payment", "cancel", payment.removeprefix("pay_").lower())
    ilp("account", "set", "alice", "--owes-us-max", "500 USD", "--node", "hub", "--yes")
    assert (told.code, told.out.startswith(f"✓ {payment} sends no more. Sent so far ")) == (0, True), told
    assert asyncio.run(end_of_payment(alice, payment))["state"] in ("cancelled", "partial")
    again = ilp("payment", "cancel", payment)
    assert (again.code, again.err.startswith(f"✗ {payment} has ended: ")) == (1, True)


def test_account_list_and_show(ilp: Ilp) -> None:
    result = ilp("account", "list")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[:3]] == ["ACCOUNT", "alice", "bob"]
    assert "At risk" in result.out
    assert ilp("account", "list", "-q").out == "alice\nbob\n"
    assert ilp("account", "list", "--json").json["next_cursor"] is None
    assert [json.loads(line)["id"] for line in ilp("account", "list", "-o", "ndjson").out.splitlines()] == [
        "alice",
        "bob",
    ]
    assert (
        ilp("account", "list", "-o", "tsv", "--fields", "id,link.kind").out == "id\tlink.kind\nalice\tBTP\nbob\tHTTP\n"
    )
    shown = ilp("account", "show", "bob")
    assert shown.out.startswith("bob   peer   EUR, scale 9   ✓ up, by HTTP")
    assert "settle" not in shown.out


def test_a_name_that_is_nearly_right(ilp: Ilp) -> None:
    result = ilp("account", "show", "bbo")
    assert (result.code, result.err) == (4, "✗ There is no account “bbo”. Did you mean  bob ?\n")
    assert ilp("account", "show", "nobody").err == "✗ There is no account “nobody”. All:  ilp account list\n"
    problem = ilp("account", "show", "bbo", "-o", "json").json
    assert problem["type"].endswith("/problems/not-found")
    assert problem["exit_code"] == 4


def test_an_account_from_making_to_removing(ilp: Ilp, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    created = ilp(
        *("account", "create", "carol", "--asset", "USD/9", "--relation", "peer", "--owes-us-max", "5"),
        *("--packets-per-minute", "60", "--http-incoming-token-file", str(token)),
    )
    assert created.code == 0
    assert created.out.startswith("✓ Made account carol.")
    assert "owes us at most 5.00, 60 packets a minute" in created.out
    assert ilp("account", "create", "carol", "--asset", "USD/9").code == 1
    assert ilp("account", "create", "dave").err.startswith("✗ --asset is missing")

    asked = ilp("account", "set", "carol", "--owes-us-max", "6 USD")
    assert (asked.code, "nobody can be asked" in asked.err) == (2, True)
    dry = ilp("account", "set", "carol", "--owes-us-max", "none", "--dry-run")
    assert "  carol may owe us  5.00 → none USD   (without any limit)" in dry.err
    changed = ilp(
        "account", "set", "carol", "--owes-us-max", "6 USD", "--packets-per-minute", "none", "--yes", "--json"
    )
    assert changed.json["limits"]["owes_us_max"] == "6000000000"
    assert changed.json["limits"]["packets_per_minute"] is None
    assert (
        ilp("account", "set", "carol", "--btp-outgoing-token", "t0ken").err.strip()
        == "carol btp_outgoing_token → (set)"
    )
    assert ilp("account", "set", "carol").code == 2
    assert ilp("account", "set", "carol", "--owes-us-max", "6 EUR").code == 2
    assert ilp("account", "set", "carol", "--packets-per-minute", "x").code == 2
    assert ilp("account", "set", "carol", "--btp-outgoing-token-file", "/nowhere").code == 2

    assert "Would delete account carol." in ilp("account", "delete", "carol", "--dry-run").out
    assert ilp("account", "delete", "carol").code == 2
    assert ilp("account", "delete", "carol", "--yes").out == "✓ Deleted carol.\n"
    assert ilp("account", "delete", "carol", "--yes").code == 4


def test_accounts_as_ilp_cli_spells_them(ilp: Ilp) -> None:
    made = ilp(
        *("accounts", "create", "erin", "--asset-code", "USD", "--asset-scale", "9", "--min-balance", "-1000"),
        *("--max-packet-amount", "7", "--routing-relation", "Peer", "--ilp-over-http-incoming-token", "s3", "--json"),
    )
    assert made.json["limits"]["owes_us_max"] == "1000"
    assert made.json["limits"]["packet_amount_max"] == "7"
    assert made.json["relation"] == "peer"
    assert made.err == "  This is spelled  ilp account create  now.\n"
    assert ilp("accounts", "balance", "erin").code == 0
    assert ilp("accounts", "update-settings", "erin", "--ilp-over-http-outgoing-token", "x").code == 0
    assert ilp("accounts", "delete", "erin").code == 0


def test_balance(ilp: Ilp) -> None:
    everywhere = ilp("balance")
    assert [line.split()[0] for line in everywhere.out.splitlines()] == [
        "NODE",
        "alice",
        "alice",
        "hub",
        "hub",
        "bob",
        "bob",
    ]
    assert len(ilp("balance", "--node", "bob").out.splitlines()) == 3
    assert ilp("balance", "bob").out.splitlines()[0].split() == ["ACCOUNT", "POSITION"]


def test_routes(ilp: Ilp) -> None:
    assert "test.hub    (this node)  own" in ilp("route", "list").out
    assert "test.carol" in ilp("route", "set", "test.carol", "bob").out
    assert "test.carol" not in ilp("route", "set", "--remove", "test.carol").out
    assert ilp("route", "set", "--remove", "test.carol").code == 4
    assert ilp("route", "set", "test.carol").code == 2
    assert ilp("route", "set").code == 2
    assert ilp("routes", "set", "test.dave", "--destination", "bob", "-q").code == 0
    replaced = ilp("routes", "set-all", "--pair", "test.alice", "alice", "--pair", "test.bob", "bob", "-q")
    assert list(dict.fromkeys(replaced.out.split())) == ["test.alice", "test.bob", "test.hub"]
    shared = ilp("route", "set", "test.far", "bob:3,alice").out
    assert ["test.far", "bob", "static", "3", "of", "4"] in [line.split() for line in shared.splitlines()]
    assert "stands in" in ilp("route", "set", "test.far", "bob/alice").out
    assert ilp("route", "set", "test.far", "bob/bob").code == 2
    assert ilp("route", "set", "--remove", "test.far").code == 0


def test_rates(ilp: Ilp) -> None:
    assert "USD       0.9213" in ilp("rate", "list").out
    assert "FOO" in ilp("rate", "set", "foo", "2").out
    assert "USD" in ilp("rate", "list").out
    assert ilp("rate", "set").code == 2
    assert ilp("rate", "set", "FOO").code == 2
    assert ilp("rate", "set", "FOO", "cheap").code == 2


def test_ping(ilp: Ilp) -> None:
    assert ilp("ping", "test.bob").out.startswith("✓ test.bob answers in ")
    rejected = ilp("ping", "test.nobody")
    assert (rejected.code, "F02 (Unreachable)" in rejected.out) == (7, True)
    assert ilp("ping", "no address").code == 2


def test_status(ilp: Ilp, place: Path, bob: str) -> None:
    result = ilp("status")
    assert result.code == 0
    assert result.out.startswith("test.hub   ✓ ready   http://localhost:")
    assert "Accounts   2, 2 up" in result.out
    url = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["bob"]["url"]
    assert ilp("status", "--node", url, "-q").out == "test.bob\n"
    assert ilp("status", "--node", "alice", "-q").out == "test.alice\n"
    assert ilp("status", ILP_CLI_NODE_URL=url, ILP_CLI_API_AUTH="wrong").code == 6
    assert ilp("account", "show", "alice", "--auth", "wrong").code == 6
    assert ilp("pay", bob, "1 USD", "--node", "alice", "--auth", "wrong").code == 6
    assert ilp("status", "--node", "carol").err.startswith("✗ There is no node “carol”.\n  There are  alice  hub  bob")


def test_curl_asks_nothing_and_shows_no_token(ilp: Ilp) -> None:
    result = ilp("rate", "set", "FOO", "3", "--replace", "--curl")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("curl -X PUT http://localhost:")
    assert "Bearer $ILP_CLI_API_AUTH" in result.out
    assert "FOO" not in ilp("rate", "list", "--fields", "value").out or "USD" in ilp("rate", "list").out
    assert len(ilp("account", "list", "--curl").out.splitlines()) == 1


def test_dev_status_and_up_know_what_runs(ilp: Ilp) -> None:
    result = ilp("dev", "status")
    assert result.code == 0
    assert "✓ links  alice ─ hub by BTP, hub ─ bob by HTTP" in result.out
    assert "token" not in ilp("dev", "status", "--json").out
    again = ilp("dev", "up")
    assert (again.code, again.out.splitlines()[1]) == (
        0,
        "  Status  ilp dev status      Start again  ilp dev up --fresh",
    )
    assert "token" not in ilp("dev", "up", "--json").out
    assert ilp("dev", "up", "--detach").out == again.out
