"""What `ilp route explain`, `ilp ping` and `ilp balance --peer` print, from fixed documents."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest

from interledger.cli.balance import peer_balance_lines
from interledger.cli.console import Console
from interledger.cli.ping import ping_lines, summary_lines
from interledger.cli.route import learned_lines
from interledger.cli.route_explain import explanation_lines
from interledger.cli.state import State


@pytest.fixture
def state() -> State:
    return State(_console=Console(StringIO(), StringIO()))


def usd(amount: int) -> dict[str, Any]:
    return {"amount": str(amount), "asset_code": "USD", "asset_scale": 2}


def eur(amount: int) -> dict[str, Any]:
    return {"amount": str(amount), "asset_code": "EUR", "asset_scale": 2}


def route(account: str | None, prefix: str, why_not: str | None, **more: Any) -> dict[str, Any]:
    base = {"account": account, "prefix": prefix, "origin": "static", "weight": 1, "priority": 0, "up": True}
    base |= {"path": None, "speaker": None, "since": None}
    return {**base, "why_not": why_not, "chosen": why_not is None, **more}


FOUND: dict[str, Any] = {
    "destination": "test.bob.x",
    "account": "alice",
    "amount": usd(100),
    "outcome": "forwarded",
    "next": {"account": "bob", "amount": eur(91), "less_ms": 1_000, "room": eur(17_815)},
    "refusal": None,
    "room": None,
    "candidates": [
        route("bob", "test.bob", None),
        route("lago", "test.bob", "stands in for bob", priority=1),
        route("isp", "", "shorter prefix", origin="default"),
    ],
    "nearest": [],
}


def refused(code: str, name: str, step: str, message: str) -> dict[str, Any]:
    refusal = {"code": code, "name": name, "step": step, "message": message, "triggered_by": "test.hub"}
    refusal["amount_max"] = usd(50) if code == "F08" else None
    return {**FOUND, "outcome": "refused", "refusal": refusal}


def test_the_way_and_what_others_lost_by(state: State) -> None:
    assert explanation_lines(FOUND, state) == [
        "  → bob   by test.bob, static",
        "          1.00 USD leaves as 0.91 EUR, 1 s less to expiry, room 178.15 EUR",
        "",
        "  CONSIDERED  PREFIX        ORIGIN    WHY NOT",
        "  ✓ bob       test.bob      static    chosen: longest prefix",
        "  · lago      test.bob      static    stands in for bob",
        "  · isp       (everything)  default   shorter prefix",
    ]


def test_a_share_of_the_packets(state: State) -> None:
    shared = [
        route("bob", "test.bob", None, weight=3),
        route("lago", "test.bob", "shares: 1 of 4 packets, not this one"),
    ]
    assert explanation_lines({**FOUND, "candidates": shared}, state)[-2:] == [
        "  ✓ bob       test.bob  static   chosen: its turn, 3 of 4 packets",
        "  · lago      test.bob  static   shares: 1 of 4 packets, not this one",
    ]


def test_a_route_that_a_peer_announced(state: State) -> None:
    learned = {"origin": "learned", "speaker": "test.bob", "path": ["test.bob", "test.far"]}
    longer = {"origin": "learned", "speaker": "test.lago", "path": ["test.lago", "test.x", "test.far"], "priority": 1}
    rows = [
        route("bob", "test.far", None, **learned),
        route("lago", "test.far", "bob is nearer", **longer),
        route("isp", "", "shorter prefix", origin="default"),
    ]
    assert explanation_lines({**FOUND, "candidates": rows}, state) == [
        "  → bob   by test.far, learned from bob, 2 hops",
        "          1.00 USD leaves as 0.91 EUR, 1 s less to expiry, room 178.15 EUR",
        "",
        "  CONSIDERED  PREFIX        HOPS   WHY NOT",
        "  ✓ bob       test.far         2   chosen: longest prefix, nearest",
        "  · lago      test.far         3   bob is nearer",
        "  · isp       (everything)     –   shorter prefix",
    ]


def test_learned_routes_with_age_path_and_speaker(state: State) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    learned = {"origin": "learned", "speaker": "test.bob", "path": ["test.bob", "test.far"]}
    rows = [route("bob", "test.far", None, since="2026-11-21T11:56:00.000Z", **learned)]
    assert learned_lines(state, rows, now) == [
        "PREFIX    ACCOUNT  HOPS    AGE  SAID BY   PATH",
        "test.far  bob         2  4 min  test.bob  test.bob test.far",
    ]
    assert learned_lines(state, []) == ["No peer announces routes. Which peers there are:  ilp account list"]


def test_no_route(state: State) -> None:
    found = refused("F02", "Unreachable", "route", "no route to the destination")
    found |= {"next": None, "candidates": [], "nearest": ["test.bob", "test.mx"]}
    assert explanation_lines(found, state) == [
        "  ✗ No route. A packet would be rejected F02.",
        "    Nearest: test.bob, test.mx.",
    ]


def test_no_room(state: State) -> None:
    found = refused("T04", "Insufficient Liquidity", "hold", "a credit limit has no room for this amount now")
    found["room"] = usd(31)
    assert explanation_lines(found, state)[2:6] == [
        "    Room     alice may still owe us 0.31 USD",
        "    Room     we may still owe bob 178.15 EUR",
        "    More     ilp explain T04",
        "",
    ]
    assert explanation_lines(found, state)[7].endswith("this would be the way: longest prefix")


def test_too_large(state: State) -> None:
    found = refused("F08", "Amount Too Large", "convert", "the packet is larger than the next link takes")
    assert explanation_lines(found, state)[2] == "    At most  0.50 USD"


def test_what_the_node_answers_or_receives_itself(state: State) -> None:
    answered = {**FOUND, "outcome": "answered", "candidates": [], "next": None}
    assert explanation_lines(answered, state) == ["  ✓ This node answers packets to test.bob.x itself."]
    own = {
        **FOUND,
        "candidates": [route(None, "test.hub", None, origin="own")],
        "next": {**FOUND["next"], "room": None},
    }
    assert explanation_lines(own, state)[0] == "  → a receiver on this node   by test.hub, own"
    without_money = {**own, "next": {**own["next"], "amount": None}}
    assert explanation_lines(without_money, state)[1] == ""


def answer(us: int, code: str | None = None, hops: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"destination": "test.bob", "round_trip_us": us, "code": code, "triggered_by": None, "hops": list(hops)}


def test_the_nodes_on_the_way(state: State) -> None:
    hops = tuple(
        {"address": name, "round_trip_us": us, "code": None} for name, us in (("test.hub", 900), ("test.bob", 12_345))
    )
    assert ping_lines(answer(12_400, hops=hops), state) == [
        "✓ test.bob answers in 12.4 ms",
        "   1  test.hub      0.9 ms",
        "   2  test.bob     12.3 ms",
    ]


def test_several_pings(state: State) -> None:
    answers = [answer(1_000), answer(10_000_000, "lost"), answer(3_000), answer(500, "F02")]
    assert ping_lines(answers[1], state) == ["? test.bob did not answer within 10000.0 ms"]
    assert summary_lines(answers) == [
        "  4 sent, 2 answered, 50 % lost",
        "  fastest 1.0 ms, median 3.0 ms, slowest 3.0 ms",
    ]
    assert summary_lines(answers[1:2]) == ["  1 sent, 0 answered, 100 % lost"]


@pytest.mark.parametrize(
    ("ours", "theirs", "pending", "lines"),
    [
        (
            100,
            100,
            0,
            ["  Our books      bob owes us 1.00 USD", "  bob’s books    bob owes us 1.00 USD", "✓ The books agree."],
        ),
        (
            -100,
            -90,
            15,
            [
                "  Our books      we owe bob 1.00 USD",
                "  bob’s books    we owe bob 0.90 USD",
                "! They differ by 0.10 USD. No more than is in flight: ask again when nothing is.",
            ],
        ),
        (
            0,
            90,
            0,
            [
                "  Our books      nothing owed",
                "  bob’s books    bob owes us 0.90 USD",
                "! They differ by 0.90 USD. More than is in flight. See  ilp ledger check  and ask bob for theirs.",
            ],
        ),
    ],
)
def test_two_books(state: State, ours: int, theirs: int, pending: int, lines: list[str]) -> None:
    document = {
        "account": "bob",
        "asset_code": "USD",
        "asset_scale": 2,
        "owes_us_by_our_books": str(ours),
        "owes_us_by_their_books": str(theirs),
        "difference": str(ours - theirs),
        "pending": {"in": str(pending), "out": "0"},
    }
    assert peer_balance_lines(document, state) == lines
