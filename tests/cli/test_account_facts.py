"""What is on its way to a peer, what comes next, and who has unknown items."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from interledger.cli.account_facts import unknown_note, with_settlements
from interledger.cli.account_view import account_lines
from interledger.cli.console import Console

NOW = datetime(2026, 11, 21, 12, 4, 0, tzinfo=UTC)
UNIT = 10**9


def sending(**changes: Any) -> dict[str, Any]:
    return {
        "id": "set_4H2",
        "direction": "out",
        "state": "sending",
        "amount": {"amount": str(450 * UNIT), "asset_code": "EUR", "asset_scale": 9},
        "error": None,
        "next_at": None,
        **changes,
    }


def test_a_settlement_on_its_way_and_the_next_one(terminal: Console, make_account: Callable[..., Any]) -> None:
    bob = make_account(net=-400 * UNIT, settle_threshold=str(450 * UNIT), settlement_engine_url="http://sepa-sim:3000/")
    failed = sending(error="503", next_at="2026-11-21T12:04:41.000Z")
    lines = account_lines(with_settlements(bob, [failed], terminal, NOW), terminal)
    assert "  On its way     450.00 EUR   set_4H2, ! trying again in 41 s" in lines
    assert "  Next           settle when we owe 50.00 EUR more, by sepa-sim:3000" in lines
    owed = make_account(net=-450 * UNIT, settle_threshold=str(450 * UNIT), settlement_engine_url="http://sepa-sim/")
    assert "  Next           settle now, by sepa-sim" in account_lines(
        with_settlements(owed, [], terminal, NOW), terminal
    )


def test_several_settlements_are_added_up(pipe: Console, make_account: Callable[..., Any]) -> None:
    bob = make_account()
    facts = with_settlements(bob, [sending(), sending(error="refused"), sending(state="settled")], pipe, NOW)
    assert facts["on_its_way"] == {
        "amount": str(900 * UNIT),
        "text": "set_4H2, · waits for its engine; 2 settlements (ilp settlement list bob)",
    }
    assert "next" not in facts
    assert with_settlements(bob, [sending(error="refused")], pipe, NOW)["on_its_way"]["text"] == "set_4H2, ! refused"


def test_whose_items_are_unknown() -> None:
    risk = [{"account": "kivu", "unknown": "5"}, {"account": "bob", "unknown": "0"}]
    assert unknown_note(2, risk) == "2 unknown items with kivu (ilp unknown list)"
    assert unknown_note(1, []) == "1 unknown item (ilp unknown list)"
    assert unknown_note(0, risk) is None
