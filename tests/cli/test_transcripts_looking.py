"""The transcripts of the specification, byte for byte: a part delivered, one account, routes, books, peers, refusals.

`test_transcripts.py` has the others. Where the program says something else, the decision 0033 says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.api.calls import ApiError
from interledger.application.peering.invitation import Invitation
from interledger.cli.check_view import check_lines
from interledger.cli.console import Console
from interledger.cli.errors import as_cli_error
from interledger.cli.ledger_view import decision_lines
from interledger.cli.main import run
from interledger.cli.output import pick_fields, to_json
from interledger.cli.peer_view import invitation_lines, invite_lines
from interledger.cli.progress import progress_line, waiting_line
from interledger.cli.route_explain import explanation_lines
from interledger.cli.state import State
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from tests.cli.test_transcripts import money, payment, shown

NOW = datetime(2026, 11, 21, 12, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local moments are those of the transcripts."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


# ---------------------------------------------------------------------- 3. paying

BUSY = """\
  ███████████████▌················  4.95 USD   9 fulfilled, 1 rejected, 4 in flight   64 ms
  ! hub has no room for a moment (T04); trying again in 40 ms"""

PART = "  ████████████████████············ 3.20 USD   12 fulfilled, 7 rejected, 2 unknown   30.2 s"


def test_the_bar_and_what_holds_it_up(terminal: Console) -> None:
    packets = {"sent": 14, "fulfilled": 9, "rejected": 1}
    waiting = {"code": "T04", "triggered_by": "test.hub", "retry_ms": 40}
    moment = payment(
        state="sending", sent=money("4.95", "USD"), packets=packets, ended_at=None, duration_ms=None, waiting=waiting
    )
    lines = [
        progress_line(moment, 10 * 10**9, 64, terminal),
        waiting_line(moment, terminal, {"test.hub": "hub"}),
    ]
    assert lines == BUSY.splitlines()


def test_the_bar_of_a_part(terminal: Console) -> None:
    packets = {"sent": 21, "fulfilled": 12, "rejected": 7}
    ended = payment(sent=money("3.20", "USD"), unknown=money("0.40", "USD"), packets=packets, duration_ms=30_200)
    assert progress_line(ended, 5 * 10**9, 0, terminal) == PART


# ---------------------------------------------------------------------- 4. accounts

SHOW_JSON = """\
{"id":"bob",
 "position":{"receivable":"0","payable":"412750000000","net":"-412750000000"},
 "limits":{"owes_us_max":"400000000000"}}"""


def test_account_show_in_json(make_account: Callable[..., dict[str, Any]]) -> None:
    bob = make_account(net=-412_750_000_000, limits={"owes_us_max": "400000000000", "we_owe_max": "1"})
    assert to_json(pick_fields(bob, ["id", "position", "limits.owes_us_max"])) == SHOW_JSON


# ---------------------------------------------------------------------- 6. routes

EXPLAINED = """\
  → bob   by test.bob, learned from bob, 1 hop
          1.00 USD leaves as 0.918536 EUR, 1 s less to expiry, room 178.15 EUR

  CONSIDERED   PREFIX         HOPS   WHY NOT
  ✓ bob        test.bob          1   chosen: longest prefix, nearest
  · lago       test.bob          2   bob is nearer
  · northwind  test.             –   shorter prefix
  · shop       test.bob.shop     0   not a prefix of it"""

NO_ROUTE = """\
  ✗ No route. A packet would be rejected F02.
    Nearest: test.bob, test.mx, test.ke."""


def candidate(account: str, prefix: str, origin: str, path: list[str] | None, why_not: str | None) -> dict[str, Any]:
    return {
        "account": account, "prefix": prefix, "origin": origin, "weight": 1, "priority": 0, "up": True, "path": path,
        "speaker": path and path[0], "since": None, "why_not": why_not, "chosen": why_not is None,
    }  # fmt: skip


def explained(**changes: Any) -> dict[str, Any]:
    found = {
        "destination": "test.bob.~k3.Xy2w", "account": "alice", "amount": money("1", "USD"), "outcome": "forwarded",
        "next": {"account": "bob", "amount": money("0.918536", "EUR"), "less_ms": 1_000,
                 "room": money("178.15", "EUR")},
        "refusal": None, "room": None, "nearest": [],
        "candidates": [
            candidate("bob", "test.bob", "learned", ["test.bob"], None),
            candidate("lago", "test.bob", "learned", ["test.lago", "test.bob"], "bob is nearer") | {"priority": 1},
            candidate("northwind", "test.", "default", None, "shorter prefix"),
            candidate("shop", "test.bob.shop", "static", None, "not a prefix of it"),
        ],
    }  # fmt: skip
    return found | changes


def test_route_explain(terminal: Console) -> None:
    assert "\n".join(explanation_lines(explained(), State(_console=terminal))) == EXPLAINED


def test_no_route(terminal: Console) -> None:
    refusal = {"code": "F02", "name": "Unreachable", "step": "route", "message": "no route", "amount_max": None}
    found = explained(
        outcome="refused", refusal=refusal, candidates=[], next=None, nearest=["test.bob", "test.mx", "test.ke"]
    )
    assert "\n".join(explanation_lines(found, State(_console=terminal))) == NO_ROUTE


# ---------------------------------------------------------------------- 7. books, unknown items, peers

FAULT = """\
  ✓ every asset sums to zero           EUR, posted and pending
  ✗ stored balances equal the journal  1,204,118 records, 1.4 s
  ✗ peer/bob (EUR): stored 412.750000000, journal says 412.760000000
    First difference at record 3 of commit 88,120 (2026-11-21 11:31:20)
Books are not sound. Do not delete anything.  Next:  ilp ledger export --format csv --by packet"""

RESOLVE = """\
  Would do: unk_19 (780.00 KES, for kivu) counts as delivered.
  peer/kivu   owes us 21,400.00 KES → owes us 20,620.00 KES
  loss   0.00 KES → 780.00 KES debit
  Reason: its statement of today   by amina
  Nothing was done yet."""

INVITE = """\
  Send this to carol over a channel you trust. It works once, until tomorrow 12:04.

  ilpeer1:eyJ1Ijoid3NzOi8vaHViLnRlc3QvaWxwL2J0cCIsImEiOiJVU0QvOSIsInQiOiJrM…q7Q

  carol may owe us at most 500.00 USD. We may owe carol at most 0.00 (change: --we-owe-max).
  (--qr shows it as a code)
  Fingerprint 7C2A 91F0 44DE: the other side sees the same before it accepts.
  Take it back  ilp peer invite --revoke inv_b0b3ab22ad"""

ACCEPT = """\
  hub       test.hub   https://hub.test   fingerprint {fingerprint}
  Asset     USD, scale 9
  Relation  hub becomes our parent, and gives us our ILP address
  Link      BTP: we connect to hub
  Limits    We may owe hub at most 500.00 USD; hub may owe us at most 0.00 USD"""

OFFER = Invitation(
    url="https://hub.test",
    secret="s" * 22,
    address=Address("test.hub"),
    asset=Asset("USD", 9),
    relation=Relation.CHILD,
    link="btp",
    owes_us_max=500 * 10**9,
    we_owe_max=0,
    packet_amount_max=None,
    expires_at=Timestamp(1_795_348_800_000),
)


def test_a_fault_in_the_books(terminal: Console) -> None:
    fault = {
        "text": "peer/bob (EUR): stored 412.750000000, journal says 412.760000000", "commit": 88_120, "record": 3,
        "at": "2026-11-21T11:31:20.004Z",
    }  # fmt: skip
    document = {
        "sound": False, "opening": {"commit": 0, "at": "2026-11-20T10:00:00.000Z"}, "commits": 5, "records": 1_204_118,
        "snapshots": 1, "holds": 0, "unknown": 0, "faults": [fault],
        "trial_balances": [{"asset_code": "EUR", "asset_scale": 9, "posted": "0", "pending": "0"}],
    }  # fmt: skip
    assert "\n".join(check_lines(document, terminal, took_ms=1_400, now=NOW)) == FAULT


def test_a_decision_about_an_unknown_item(terminal: Console) -> None:
    kes = {"asset_code": "KES", "asset_scale": 2}
    decision = {
        "text": "unk_19 (780.00 KES, for kivu) counts as delivered",
        "effects": [
            {"name": "peer/kivu", "before": "2140000", "after": "2062000", **kes},
            {"name": "loss", "before": "0", "after": "78000", **kes},
        ],
        "memo": {"reason": "its statement of today", "by": "amina"},
        "done_at": None,
    }
    assert "\n".join(decision_lines(decision, terminal)) == RESOLVE


def test_an_invitation(terminal: Console) -> None:
    made = {
        "id": "inv_b0b3ab22ad", "name": "carol", "asset_code": "USD", "asset_scale": 9, "url": "https://hub.test",
        "limits": {"owes_us_max": str(500 * 10**9), "we_owe_max": "0"}, "expires_at": "2026-11-22T12:04:00.000Z",
        "invite": "ilpeer1:eyJ1Ijoid3NzOi8vaHViLnRlc3QvaWxwL2J0cCIsImEiOiJVU0QvOSIsInQiOiJrM…q7Q",
        "fingerprint": "7C2A 91F0 44DE",
    }  # fmt: skip
    assert "\n".join(invitation_lines(made, terminal, NOW)) == INVITE


def test_what_an_invitation_offers(terminal: Console) -> None:
    assert "\n".join(invite_lines(OFFER, {}, terminal)) == ACCEPT.format(fingerprint=OFFER.fingerprint)


# ---------------------------------------------------------------------- 8. when the right is missing

MAY_NOT = """\
✗ The token “grafana” may read, not move money.
  Use one that may:  ilp context use NAME      Make one:  ilp token create --may money
exit 6"""


def test_a_token_that_may_not() -> None:
    problem: Any = {
        "type": "https://interledger-py.dev/problems/forbidden", "scope": "money",
        "detail": "The token “grafana” may read, not move money.",
    }  # fmt: skip
    assert shown(as_cli_error(ApiError(403, problem))) == MAY_NOT


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["acount", "list"], "✗ There is no “acount”. Did you mean  ilp account list ?\n"),
        (["explain", "f2"], "✗ “f2” is not an error code. Codes look like F02, T04, R00. List:  ilp explain --list\n"),
    ],
)
def test_what_is_mistyped(typed: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(typed, {}) == 2
    assert capsys.readouterr().err == said
