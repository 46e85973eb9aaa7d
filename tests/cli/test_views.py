"""What the views say in cases that the transcripts do not have."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from interledger.accounts.asset import Asset, Money
from interledger.cli.aliases import ALIASES, translate
from interledger.cli.commands import root
from interledger.cli.console import Console
from interledger.cli.dev_view import node_lines, port_taken_lines, started_lines, status_lines
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.pay import _failed, _not_sent, _shortest
from interledger.cli.pay_view import Terms, dry_run_lines, exit_code_of, header_lines, rate_too_low_error, result_lines
from interledger.cli.payment_view import payment_lines, payments_lines
from interledger.cli.ping import ping_lines
from interledger.cli.rate import rate_lines
from interledger.cli.route import route_lines
from interledger.cli.state import State
from interledger.cli.status import status_lines as node_status_lines
from interledger.cli.tree import LazyGroup

USD, KES = Asset("USD", 2), Asset("KES", 2)


@pytest.fixture
def state(pipe: Console) -> State:
    return State(_console=pipe)


def payment(**changes: Any) -> dict[str, Any]:
    document = {
        "id": "pay_A",
        "state": "failed",
        "account": "alice",
        "receiver": "$kivu.test/amina",
        "sent": Money(0, USD).as_json(),
        "delivered": None,
        "in_flight": Money(0, USD).as_json(),
        "unknown": Money(0, USD).as_json(),
        "deliver_min": None,
        "send_max": None,
        "packets": {"sent": 0, "fulfilled": 0, "rejected": 0},
        "error": None,
        "code": None,
        "started_at": "2026-11-20T10:00:00.000Z",
        "ended_at": None,
        "duration_ms": None,
    }
    return document | changes


def quote(send: int = 1000, deliver: int = 128000) -> dict[str, Any]:
    return {
        "id": "quo_1",
        "send_max": Money(send, USD).as_json(),
        "deliver_min": Money(deliver, KES).as_json(),
        "rate": {"numerator": "128", "denominator": "1"},
    }


def test_a_payment_of_which_little_is_known(pipe: Console) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    error = {"title": "The payment did not arrive", "detail": "no route"}
    lines = payment_lines(payment(error=error, code="F02"), pipe, now=now)
    assert lines[0].startswith("pay_A   ✗ failed   2026-11-20 ")
    assert lines[1:] == ["  Sent       0.00 USD          from alice", "  Why        no route (F02)", "", "  0 packets"]
    flight = payment(
        state="sending",
        unknown=Money(5, USD).as_json(),
        in_flight=Money(7, USD).as_json(),
        packets={"sent": 5, "fulfilled": 2, "rejected": 0},
    )
    text = "\n".join(payment_lines(flight, pipe, now=now))
    assert "Unknown    0.05 USD          may have arrived; counted as sent" in text
    assert "In flight  0.07 USD" in text
    assert text.endswith("5 packets: 2 fulfilled, 3 without an answer")
    assert payments_lines([payment(), flight], pipe)[2].split()[:3] == ["pay_A", "·", "sending"]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"state": "unknown", "unknown": Money(40, USD).as_json()},
            [
                "  ? 0.40 USD more may have arrived: the answers never came. Counted as sent until proved otherwise.",
                "  Payment pay_A   (ilp payment show A)",
            ],
        ),
        ({"state": "cancelled"}, ["  ! Stopped at 0.00 USD sent, nothing delivered. The rest was not sent."]),
    ],
)
def test_other_ends_of_a_payment(pipe: Console, changes: dict[str, Any], lines: list[str]) -> None:
    assert result_lines(payment(**changes), pipe) == lines


def test_exit_codes_of_payments() -> None:
    states = {"delivered": 0, "partial": 8, "failed": 7, "unknown": 9, "cancelled": 130, "odd": 1}
    assert {name: int(exit_code_of(payment(state=name))) for name in states} == states


def test_a_failure_says_why() -> None:
    error = _failed(payment(code="F02", error={"detail": "No route."}))
    assert (error.code, error.lines) == (7, ("Not sent: No route (F02).", "What that means:  ilp explain F02"))
    assert _failed(payment()).lines == ("Not sent: the network did not take it.",)
    assert _failed(payment()).code is ExitCode.FAILED
    rejected = _not_sent(
        CliError(ExitCode.REJECTED, "ILP says no", problem={"type": "x/payment-failed", "code": "T04"})
    )
    assert (rejected.code, rejected.lines) == (7, ("Not sent: ILP says no",))


def test_without_a_market_there_is_no_fee(pipe: Console) -> None:
    terms = Terms(quote(), "$kivu.test/amina")
    assert header_lines(terms, pipe) == [
        "  To       $kivu.test/amina   KES",
        "  Send     10.00 USD",
        "  Deliver  at least 1280.00 KES    rate 128",
    ]
    assert dry_run_lines(terms)[0] == "  Would send 10.00 USD so that at least 1280.00 KES arrive (rate 128)."
    assert rate_too_low_error(terms, "130").lines[1] == "See  ilp rate list"
    fixed = Terms(quote(), "$kivu.test/amina", fixed_delivery=True, market=Fraction(128))
    assert header_lines(fixed, pipe)[1:] == [
        "  Send     at most 10.00 USD",
        "  Deliver  1280.00 KES    rate 128, fee 0.00 USD",
    ]
    assert Terms(quote(), "x", market=Fraction(100)).fee is None
    assert Terms(quote(1, 128), "x", market=Fraction(129)).fee == "under 0.01 USD"


@pytest.mark.parametrize(
    ("pointer", "asked"),
    [
        ("$kivu.test/amina", "kivu.test"),
        ("https://kivu.test:8443/amina", "kivu.test:8443"),
        ("$kivu.test", "kivu.test"),
    ],
)
def test_another_host_that_answers_is_shown(pipe: Console, pointer: str, asked: str) -> None:
    # RFC 26: "the client MUST ensure it affords the sender an opportunity to verify both the originally resolved and
    # ultimate endpoint hosts"
    terms = Terms(quote() | {"redirected_to": "wallet.example"}, pointer)
    assert header_lines(terms, pipe)[1] == f"  At       wallet.example   ! {asked} sends us there"


def test_paths() -> None:
    links = [("a", "b"), ("b", "c"), ("c", "d")]
    assert _shortest(links, "a", "d") == ["a", "b", "c", "d"]  # type: ignore[arg-type]  # pairs are tuples too
    assert _shortest(links, "a", "z") == []  # type: ignore[arg-type]  # as above


# ---------------------------------------------------------------------- development network

STAR = {
    "pid": 1,
    "started_at": "2026-11-20T10:00:00.000Z",
    "margin": "3/1000",
    "nodes": {
        "alice": {
            "url": "http://localhost:1",
            "address": "test.alice",
            "asset": "USD/9",
            "wallet": "$localhost:1/alice",
        },
        "hub": {"url": "http://localhost:2", "address": "test.hub", "asset": None, "wallet": None},
    },
    "links": [["alice", "hub", "BTP", "USD/9"]],
}


def test_a_network_with_one_holder(pipe: Console) -> None:
    assert node_lines(STAR, pipe) == [
        "  ✓ alice  test.alice  USD/9  http://localhost:1   wallet $localhost:1/alice",
        "  ✓ hub    test.hub    USD    http://localhost:2   margin 0.30 %",
        "  ✓ links  alice ─ hub by BTP",
    ]
    assert started_lines(STAR, pipe, seconds=1, directory="x", detached=True)[-1] == "  Stop       ilp dev down"
    lines = status_lines(STAR, pipe, ["alice"])
    assert (lines[0][:9], lines[1][:7]) == ("  ✓ alice", "  ✗ hub")
    assert port_taken_lines(1, None, None, 2)[0] == "Port 1 is taken by another program."


# ---------------------------------------------------------------------- others


def test_status(pipe: Console, terminal: Console) -> None:
    status = {
        "ilp_address": "test.hub", "url": "http://x", "version": "0.1", "ready": True, "read_only": False,
        "started_at": "2026-11-20T10:00:00.000Z", "accounts": 2, "links_up": 1, "in_flight": 3,
        "packets": {"fulfilled": 12345, "rejected": 0, "refused": 0}, "unknown": 1, "at_risk": [],
        "alarms": ["the disk is full"],
    }  # fmt: skip
    lines = node_status_lines(status, pipe)
    assert lines[0] == "test.hub   ✓ ready   http://x   version 0.1"
    assert lines[2:] == [
        "  Accounts   2, 1 up",
        "  Packets    12345 fulfilled, 0 rejected   3 in flight",
        "  Unknown    ? 1 amount set aside   (ilp unknown list)",
        "  Alarm      ! the disk is full",
    ]
    assert "12,345 fulfilled" in node_status_lines(status, terminal)[3]
    assert "✗ read-only" in node_status_lines({**status, "read_only": True}, pipe)[0]
    assert "· starting" in node_status_lines({**status, "ready": False}, pipe)[0]


def test_ping_with_an_unknown_code(state: State) -> None:
    answer = {"destination": "test.x", "round_trip_us": 1234, "code": "X99"}
    assert ping_lines(answer, state)[0] == "✗ test.x was not reached: X99 after 1.2 ms"


def test_tables_of_nothing(state: State) -> None:
    assert rate_lines(state, []) == ["No rates. Set some:  ilp rate set USD 1 EUR 1.08"]
    assert payments_lines([], state.console)[0].startswith("No payments yet.")
    assert (
        route_lines(state, [{"prefix": "", "account": "up", "origin": "default"}])[1]
        == "(everything)  up       default"
    )


def test_aliases_lead_to_commands() -> None:
    for theirs, ours in ALIASES.items():
        words, note = translate([*theirs, "x"])
        assert note.startswith("ilp ")
        assert words[: len(ours)] == list(ours)
        group: Any = root
        for word in ours:
            if not word.startswith("--"):
                group = group.entries[word] if isinstance(group, LazyGroup) else pytest.fail(word)
        assert not isinstance(group, LazyGroup)
    assert translate(["status"]) == (["status"], "")
    assert translate(["account", "list"]) == (["account", "list"], "")
    assert translate(["routes", "set", "g", "--destination", "bob"])[0] == ["route", "set", "g", "bob"]
    assert translate(["accounts", "delete", "bob"])[0] == ["account", "delete", "bob", "--yes"]


def test_a_console_that_is_not_used() -> None:
    assert Console(io.StringIO(), io.StringIO()).paint("x", "red") == "x"
