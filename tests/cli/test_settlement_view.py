"""What `ilp settlement` prints, from fixed documents."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.settlement_view import settlement_lines, settlements_lines

NOW = datetime(2026, 11, 21, 12, 2, 10, tzinfo=UTC)

LIST = """\
SETTLEMENT  WITH       AMOUNT        STATE                     SINCE     TROUBLE
set_4H2     to bob       450.00 EUR  ! trying again in 41 s    12:01:00  sepa-sim says 503
set_4H1     to bob     1,450.00 EUR  · waits for its engine    12:01:00
set_4H0     to alice      10.00 USD  ✓ settled                 2026-11-20 11:00:00
set_3Z9     from lago      8.20 USD  ! waits for approval      12:01:00
set_3Z8     from lago      8.20 USD  ✓ credited                12:01:30
set_3Z7     to kivu        1.00 USD  · void                    12:01:30"""

SHOW = """\
set_4H2   450.00 EUR to bob   ! trying again in 41 s
  Made     12:01:00, by threshold
  Engine   https://sepa-sim.test
  Key      4h2-key
  Trouble  sepa-sim says 503
  Again    12:02:51   now:  ilp settlement retry set_4H2"""

HELD = """\
set_3Z9   8.20 USD from lago   ! waits for approval
  Made     12:01:00
  Key      k
  Agree    ilp settlement approve set_3Z9   or refuse:  ilp settlement void set_3Z9"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def settlement(number: str, account: str, cents: int, code: str, state: str, **changes: Any) -> dict[str, Any]:
    document = {
        "id": f"set_{number}", "direction": "out", "account": account, "state": state, "key": "k", "engine": None,
        "amount": {"amount": str(cents), "asset_code": code, "asset_scale": 2}, "cause": None, "error": None,
        "made_at": "2026-11-21T12:01:00.000Z", "done_at": None, "next_at": None,
    }  # fmt: skip
    return document | changes


RETRYING = settlement(
    "4H2", "bob", 45_000, "EUR", "sending", error="sepa-sim says 503", next_at="2026-11-21T12:02:51.500Z",
    cause="threshold", engine="https://sepa-sim.test", key="4h2-key",
)  # fmt: skip
CAME = settlement("3Z9", "lago", 820, "USD", "held", direction="in")
DONE = "2026-11-21T12:01:30.000Z"


def test_list(terminal: Console) -> None:
    terminal.width = 120
    items = [
        RETRYING,
        settlement("4H1", "bob", 145_000, "EUR", "sending"),
        settlement("4H0", "alice", 1_000, "USD", "settled", done_at="2026-11-20T11:00:00.000Z"),
        CAME,
        settlement("3Z8", "lago", 820, "USD", "credited", direction="in", done_at=DONE),
        settlement("3Z7", "kivu", 100, "USD", "void", done_at=DONE),
    ]
    lines = settlements_lines(items, terminal, now=NOW)
    assert [line.split() for line in lines] == [line.split() for line in LIST.splitlines()]
    assert settlements_lines([], terminal) == ["Nothing was settled yet. Settle now:  ilp settlement create ACCOUNT"]


def test_show(terminal: Console) -> None:
    assert "\n".join(settlement_lines(RETRYING, terminal, now=NOW)) == SHOW
    assert "\n".join(settlement_lines(CAME, terminal, now=NOW)) == HELD


def test_what_an_engine_says_moves_no_cursor(terminal: Console) -> None:
    lines = settlement_lines({**RETRYING, "error": "a\x1b[2Jb"}, terminal, now=NOW)
    assert "\x1b" not in "".join(lines)
