"""The transcripts of the specification, byte for byte, from fixed data. What this version cannot know is left out there
too: dashboard, settlement, receipts on the way in; everything else is as it is written.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from interledger.cli.account_edit import change_lines
from interledger.cli.check_view import check_lines
from interledger.cli.config import fault_lines
from interledger.cli.console import Console
from interledger.cli.dev_view import already_running_lines, port_taken_lines, started_lines
from interledger.cli.errors import CliError, error_lines, no_node_error
from interledger.cli.explain import explain_lines
from interledger.cli.explain_texts import Explanation
from interledger.cli.ledger_view import unknown_lines
from interledger.cli.output import pick_fields, to_json
from interledger.cli.packet_trace_view import Hop, trace_lines
from interledger.cli.packet_view import decode_hex
from interledger.cli.pay import _not_sent
from interledger.cli.pay_view import (
    Terms,
    dry_run_lines,
    header_lines,
    rate_too_low_error,
    result_lines,
    stopping_line,
)
from interledger.cli.payment_view import Cost, payment_lines
from interledger.cli.progress import progress_line
from interledger.cli.state import State
from interledger.errors import InvalidRequestError
from interledger.node.settings_load import SettingsReport
from interledger.node.settings_sources import Fault


def money(amount: str, code: str, scale: int = 9) -> dict[str, Any]:
    return {"amount": str(int(Fraction(amount) * 10**scale)), "asset_code": code, "asset_scale": scale}


def payment(**changes: Any) -> dict[str, Any]:
    """pay_7QX4 as the transcripts tell of it."""
    document = {
        "id": "pay_7QX4",
        "state": "delivered",
        "account": "alice",
        "receiver": "$bob.test",
        "sent": money("10", "USD"),
        "delivered": money("9.185361", "EUR"),
        "in_flight": money("0", "USD"),
        "unknown": money("0", "USD"),
        "deliver_min": money("9.185", "EUR"),
        "send_max": money("10", "USD"),
        "packets": {"sent": 21, "fulfilled": 19, "rejected": 2},
        "error": None,
        "code": None,
        "started_at": "2026-11-21T11:52:07.000Z",
        "ended_at": "2026-11-21T11:52:07.186Z",
        "duration_ms": 186,
    }
    return document | changes


def terms(send: str = "10", deliver: str = "9.185", **changes: Any) -> Terms:
    quote = {
        "id": "quo_1",
        "send_max": money(send, "USD"),
        "deliver_min": money(deliver, "EUR"),
        "rate": {"numerator": "9185361", "denominator": "10000000"},
    }
    known: dict[str, Any] = {
        "pointer": "$localhost:7780/bob",
        "name": "bob",
        "market": Fraction("0.9213"),
        "path": ["alice", "hub", "bob"],
        "hub": ("hub", Fraction("0.003")),
    }
    return Terms(quote, **(known | changes))


def shown(error: CliError) -> str:
    return "\n".join([*error_lines(error), f"exit {int(error.code)}"])


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local moments are those of the transcripts."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


# ---------------------------------------------------------------------- 2. first minutes

DEV = {
    "pid": 4127,
    "started_at": datetime.now(UTC).strftime("%Y-%m-%dT") + "11:50:12.000Z",
    "margin": "3/1000",
    "nodes": {
        "alice": {
            "url": "http://localhost:7770",
            "token": "t",
            "account": "alice",
            "address": "test.alice",
            "asset": "USD/9",
            "wallet": "$localhost:7770/alice",
        },
        "hub": {"url": "http://localhost:7790", "account": None, "address": "test.hub", "asset": None, "wallet": None},
        "bob": {
            "url": "http://localhost:7780",
            "token": "t",
            "account": "bob",
            "address": "test.bob",
            "asset": "EUR/9",
            "wallet": "$localhost:7780/bob",
        },
    },
    "links": [["alice", "hub", "BTP", "USD/9"], ["hub", "bob", "HTTP", "EUR/9"]],
}

UP = """\
  ✓ alice  test.alice  USD/9      http://localhost:7770   wallet $localhost:7770/alice
  ✓ hub    test.hub    USD ↔ EUR  http://localhost:7790   rate 0.9213, margin 0.30 %
  ✓ bob    test.bob    EUR/9      http://localhost:7780   wallet $localhost:7780/bob
  ✓ links  alice ─ hub by BTP, hub ─ bob by HTTP
  Ready in 1.4 s. State in ./.ilp

  Dashboard  http://localhost:7790/ui/?code=4F7K-22QX  (works once)
  Try        ilp pay --from alice '$localhost:7780/bob' '10 USD'
  Stop       Ctrl-C, or  ilp dev down"""

UP_AGAIN = """\
  Already running since 11:50:12 (pid 4127).
  Status  ilp dev status      Start again  ilp dev up --fresh"""

PORT_TAKEN = """\
✗ Port 7790 is taken by another program (python3, pid 911).
  Nothing was started. Use other ports:  ilp dev up --port 8790
exit 1"""


def test_dev_up(terminal: Console) -> None:
    dashboard = "http://localhost:7790/ui/?code=4F7K-22QX"
    assert "\n".join(started_lines(DEV, terminal, seconds=1.4, directory="./.ilp", dashboard=dashboard)) == UP
    assert "\n".join(already_running_lines(DEV)) == UP_AGAIN
    assert shown(CliError(1, *port_taken_lines(7790, "python3", 911, 8790))) == PORT_TAKEN  # type: ignore[arg-type]  # a number is enough here


# ---------------------------------------------------------------------- 3. paying

PAY = """\
  To       bob   $localhost:7780/bob   EUR
  Send     10.00 USD
  Deliver  at least 9.18 EUR    rate 0.918536, fee 0.03 USD    path alice → hub → bob
  ████████████████████████████████ 10.00 USD   19 fulfilled, 2 rejected   186 ms
  ✓ Delivered 9.185361 EUR for 10.00 USD
  Payment pay_7QX4   receipt verified   (ilp payment show 7QX4)"""

PROGRESS = "  ███████████████▌················  4.95 USD   9 fulfilled, 1 rejected, 4 in flight   64 ms"

PAY_JSON = """\
{"id":"pay_7QX4","state":"delivered",
 "sent":{"amount":"10000000000","asset_code":"USD","asset_scale":9},
 "delivered":{"amount":"9185361000","asset_code":"EUR","asset_scale":9}}"""

DRY_RUN = """\
  Would send at most 5.45 USD so that exactly 5.00 EUR arrive (rate 0.918536, fee 0.02 USD).
  Nothing was sent."""

PARTIAL = """\
  ! Part delivered: 409.92 KES for 3.20 USD
  ? 0.40 USD more may have arrived: kivu stopped answering. Counted as sent until proved otherwise.
  1.40 USD was not sent. Payment pay_7QT0   (ilp payment show 7QT0)"""

MIN_RATE = """\
✗ Not sent: the rate is 0.918536, you asked for at least 0.93.
  hub keeps 0.30 %; the market is at 0.9213. See  ilp rate list
exit 5"""

NOBODY = """\
✗ Not sent: nobody answers at https://nobody.test/.well-known/pay (name not found).
  Is the pointer right? Looks like  $wallet.example/name
exit 4"""

STOPPED = """\
  Stopping: waiting for 4 packets in flight (at most 30 s; Ctrl-C again leaves them to the node)
  ! Stopped at 6.05 USD sent, 5.557143 EUR delivered. The rest was not sent."""


def test_pay(terminal: Console) -> None:
    lines = header_lines(terms(), terminal)
    lines.append(progress_line(payment(), 10 * 10**9, 0, terminal))
    lines += result_lines(payment(), terminal, receipt="receipt verified")
    assert "\n".join(lines) == PAY


def test_the_bar_on_its_way(terminal: Console) -> None:
    packets = {"sent": 14, "fulfilled": 9, "rejected": 1}
    moment = payment(state="sending", sent=money("4.95", "USD"), packets=packets, ended_at=None, duration_ms=None)
    assert progress_line(moment, 10 * 10**9, 64, terminal) == PROGRESS


def test_pay_in_json() -> None:
    assert to_json(pick_fields(payment(), ["id", "state", "sent", "delivered"])) == PAY_JSON


def test_dry_run() -> None:
    assert "\n".join(dry_run_lines(terms("5.4434", "5", fixed_delivery=True))) == DRY_RUN


def test_part_delivered(terminal: Console) -> None:
    ended = payment(
        id="pay_7QT0",
        state="partial",
        sent=money("3.20", "USD"),
        delivered=money("409.92", "KES", 2),
        unknown=money("0.40", "USD"),
        send_max=money("5", "USD"),
    )
    assert "\n".join(result_lines(ended, terminal, blame="kivu")) == PARTIAL


def test_a_rate_below_the_least() -> None:
    assert shown(rate_too_low_error(terms(), "0.93")) == MIN_RATE


def test_nobody_there() -> None:
    detail = "nobody answers at https://nobody.test/.well-known/pay (name not found). Is the pointer right?"
    problem = {"type": "https://interledger-py.dev/problems/receiver-unresolved", "detail": detail}
    assert shown(_not_sent(CliError(4, detail, problem=problem))) == NOBODY  # type: ignore[arg-type]  # as above


def test_which_dollar() -> None:
    from interledger.accounts.asset import parse_money

    with pytest.raises(InvalidRequestError) as caught:
        parse_money("$10")
    assert f"✗ {caught.value}" == "✗ “$10” does not say which dollar. Write  '10 USD'"


def test_stopping(terminal: Console) -> None:
    ended = payment(state="cancelled", sent=money("6.05", "USD"), delivered=money("5.557143", "EUR"))
    assert "\n".join([stopping_line(4), *result_lines(ended, terminal)]) == STOPPED


# ---------------------------------------------------------------------- 4. accounts

SET = "  lago may owe us  10,000.00 → 15,000.00 MXN   (272.00 USD more at risk)"


def test_account_set(make_account: Callable[..., dict[str, Any]]) -> None:
    lago = make_account(id="lago", asset_code="MXN", asset_scale=2, limits={"owes_us_max": "1000000"})
    values = {"MXN": Fraction("0.0544"), "USD": Fraction(1)}
    changes = {"limits": {"owes_us_max": "1500000"}}
    assert change_lines(lago, changes, values, thousands=True) == ([SET], True)


# ---------------------------------------------------------------------- 5. looking into

SHOW = """\
pay_7QX4   ✓ delivered   today 11:52:07, 186 ms
  Sent       10.00 USD         from alice
  Delivered   9.185361 EUR     to $bob.test   (promised at least 9.18)
  Rate        0.918536         0.9213 before the fee of 0.30 %
  Fee         0.03 USD         hub

  NO.  SENT  OUTCOME         0        50       100      150    ms
    1  0.10  · test F99      ▆▆
    2  1.00  ✗ F08           ▆
    3  0.55  ✓ fulfilled       ▆▆
    4  0.55  ✓ fulfilled         ▆▆▆
  … 8 more fulfilled (--all)
   13  0.55  ✗ T04                   ▆
  … 9 more fulfilled
  22 packets: 19 fulfilled, 2 rejected, 1 test"""

DECODE = """\
✗ Octet 10 is missing: the amount needs 8 octets, 7½ are there (a space in the middle?).
  Read so far: type 12 (Prepare), length 148.
exit 2"""

EXPLAIN = """\
F02  Unreachable                                          final, do not try again
  No node on the way knows a route to the destination.
  Usual reasons    a mistyped address; the receiver's node is off; a route was
                   never announced, or was held back by a filter
  See it           ilp route explain ADDRESS
  As a connector   ilp route list --via PEER
  Source           RFC 27, error codes"""


def test_payment_show(terminal: Console) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    cost = Cost("0.9213", "0.30 %", "0.03 USD", "hub")
    packets = [row(1, "0.10", "test", "F99", 0, 9), row(2, "1.00", "rejected", "F08", 0, 5)]
    packets += [row(3, "0.55", "fulfilled", None, 12, 22), row(4, "0.55", "fulfilled", None, 23, 37)]
    packets += [row(number, "0.55", "fulfilled", None, 40, 60) for number in range(5, 13)]
    packets += [row(13, "0.55", "rejected", "T04", 46, 49)]
    packets += [row(number, "0.55", "fulfilled", None, 90, 186) for number in range(14, 23)]
    traced = payment(trace={"began_at": "2026-11-21T11:52:07.000Z", "packets": packets, "more": False})
    assert "\n".join(payment_lines(traced, terminal, now=now, cost=cost)) == SHOW
    assert len(payment_lines(traced, terminal, now=now, cost=cost, whole_trace=True)) == 5 + 2 + 22 + 1
    lines = payment_lines(payment(), terminal, now=now, cost=cost)
    assert lines[5:] == ["", "  21 packets: 19 fulfilled, 2 rejected"]


def row(number: int, amount: str, outcome: str, code: str | None, sent_ms: int, answered_ms: int) -> dict[str, Any]:
    """A packet of a payment's trace."""
    return {
        "number": number, "count": 1, "id": "f9cccf91", "amount": money(amount, "USD")["amount"], "delivered": None,
        "sent_us": sent_ms * 1_000, "answered_us": answered_ms * 1_000, "outcome": outcome, "code": code,
    }  # fmt: skip


TRACE = """\
packet f9cccf91   0.55 USD to test.bob.~k3.Xy2w   ✗ rejected T04 by test.hub after 3.1 ms

  alice   sent      0.55 USD          expires 11:52:37.059
    │ BTP, 0.4 ms
  hub     ✓ admit   account alice
          ✓ route   test.bob → bob, longest prefix
          ✓ convert 0.55 USD × 9185361/10000000 = 0.505194855 EUR
          ✗ hold    alice has 0.31 USD of room, 0.55 is needed
          · forward not reached
    ╎ not sent
  bob

  Why  hub lets alice owe it at most 500.00 USD. alice owed 494.19 and 5.50 was in flight.
  Now  alice has 400.31 USD of room.
  More ilp explain T04
  STREAM (decrypted: this node has the secret)
       sequence 13, Prepare, deliver at least 0.504900000 EUR
       StreamMoney stream 1 shares 1 · ConnectionNewAddress source address test.alice.x
  Trace f9cccf91f9cccf91f9cccf91f9cccf91"""


def packet(**changes: Any) -> dict[str, Any]:
    """A record of the API: packet 13 as hub saw it."""
    words = ("admit", "route", "convert", "hold", "forward")
    journey = [
        {"step": step, "state": "done" if step in words[:3] else "not_reached", "text": "not reached", "compared": None}
        for step in words
    ]
    compared = {"limit": "owes_us_max", "room": "310000000", "needed": "550000000", "unit": "source"}
    compared |= {"asset_code": "USD", "asset_scale": 9, "limit_value": "500000000000"}
    compared |= {"posted": "494190000000", "in_flight": "5500000000"}
    journey[3] |= {"state": "refused", "text": "too little room", "compared": compared}
    document: dict[str, Any] = {
        "id": "f9cccf91", "condition": "f9cccf91" * 8, "at": "2026-11-21T11:52:07.059Z", "outcome": "rejected",
        "code": "T04", "message": "too little room", "triggered_by": "test.hub", "destination": "test.bob.~k3.Xy2w",
        "incoming": "alice", "amount_in": money("0.55", "USD"), "expires_in": "2026-11-21T11:52:37.059Z",
        "outgoing": None, "amount_out": money("0.505194855", "EUR"), "expires_out": None, "sent_after_us": None,
        "answered_after_us": 3_100, "payment": None, "journey": journey, "stream": None, "stream_reply": None,
    }  # fmt: skip
    return document | changes


def hops() -> list[Hop]:
    accounts = {"alice": {"link": {"kind": "BTP"}}, "bob": {"link": {"kind": "HTTP"}}}
    frames = [
        {"frame": "StreamMoney", "fields": {"stream_id": "1", "shares": "1"}},
        {"frame": "ConnectionNewAddress", "fields": {"source_address": "test.alice.x"}},
    ]
    inside = {"packet_type": "Prepare", "sequence": 13, "prepare_amount": "504900000", "frames": frames}
    went = {"outgoing": "hub", "amount_out": money("0.55", "USD"), "sent_after_us": 100, "answered_after_us": 4_000}
    journey = [{**step, "state": "done", "compared": None} for step in packet()["journey"]]
    alice = packet(payment="pay_7QX4", journey=journey, stream=inside, receiver_asset=money("0", "EUR"), **went)
    room = money("400.31", "USD")
    route = "test.bob → bob, longest prefix"
    return [Hop("alice", alice, {}), Hop("hub", packet(), accounts, "bob", route, room)]


def test_packet_trace(terminal: Console) -> None:
    """`Now` says what is known: whether the same amount went through later as another packet is not."""
    assert "\n".join(trace_lines(hops(), terminal)) == TRACE


def test_packet_trace_of_one_node_alone(terminal: Console) -> None:
    lines = trace_lines(hops()[1:], terminal)
    assert lines[:4] == [*TRACE.splitlines()[:3], "    │ BTP"]
    assert lines[-4:] == [line for line in TRACE.splitlines() if line[:6] in ("  Why ", "  Now ", "  More", "  Trac")]


def test_decode() -> None:
    with pytest.raises(CliError) as caught:
        decode_hex(("0c8194000000002", "0c8558"))
    assert shown(caught.value) == DECODE


def test_explain() -> None:
    reasons = (
        "a mistyped address; the receiver's node is off; a route was never announced, or was held back by a filter"
    )
    explanation = Explanation(reasons, "ilp route explain ADDRESS", "ilp route list --via PEER")
    assert "\n".join(explain_lines("F02", explanation)) == EXPLAIN


# ---------------------------------------------------------------------- 7. books, unknown items

# That a hold is not older than it may be, and that engines say the same, is not part of the check; so it is said
# without a verdict, and only where there are some.
LEDGER_CHECK = """\
  ✓ every asset sums to zero           USD EUR MXN KES, posted and pending
  ✓ stored balances equal the journal  1,204,118 records, 1.4 s
  · packets in flight                  58 open
  · settlements                        212 today, 1 waiting
  ? 2 unknown items, 994.50 KES set aside
Books are sound."""

UNKNOWN_LIST = """\
ITEM    PEER  AMOUNT       FOR    EVIDENCE
unk_19  kivu  780.00 KES   4 min  none yet; will ask kivu when its link is up
unk_20  kivu  214.50 KES   4 min  none yet; will ask kivu when its link is up"""


def unknown_items() -> list[dict[str, Any]]:
    amounts = {"unk_19": "780", "unk_20": "214.50"}
    return [
        {"id": item, "account": "kivu", "amount": money(amount, "KES", 2), "age_ms": 245_000, "proof": None}
        for item, amount in amounts.items()
    ]


def test_ledger_check(terminal: Console) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    balances = [
        {"asset_code": code, "asset_scale": 9, "posted": "0", "pending": "0"} for code in ("USD", "EUR", "MXN", "KES")
    ]
    done = [{"done_at": "2026-11-21T11:00:00.000Z"}] * 212 + [{"done_at": "2026-11-20T11:00:00.000Z"}]
    document = {
        "sound": True, "opening": {"commit": 0, "at": "2026-11-20T10:00:00.000Z"}, "commits": 5, "records": 1_204_118,
        "snapshots": 1, "holds": 58, "unknown": 2, "trial_balances": balances, "faults": [],
    }  # fmt: skip
    settlements = [*done, {"done_at": None}]
    lines = check_lines(document, terminal, took_ms=1_400, settlements=settlements, unknown=unknown_items(), now=now)
    assert "\n".join(lines) == LEDGER_CHECK


def test_unknown_list(terminal: Console) -> None:
    assert "\n".join(unknown_lines(unknown_items(), terminal)) == UNKNOWN_LIST


# ---------------------------------------------------------------------- 8. when something is missing

NO_NODE = """\
✗ No node answers at http://localhost:7790.
  Start one to try things:  ilp dev up      Use another:  ilp context use NAME
exit 3"""

CHECK = """\
✗ ilp.toml:31  limits.packet_per_minute is not a setting. Did you mean  limits.packets_per_minute ?
✗ ilp.toml:40  accounts.bob.token is written in the file, and anyone on this machine can read it (mode 0644).
               Use  accounts.bob.token_file  or  chmod 600 ilp.toml
2 faults, 41 settings read. The running node is not changed."""


def test_no_node() -> None:
    assert shown(no_node_error("http://localhost:7790")) == NO_NODE


def test_config_check() -> None:
    state = State(_console=Console(io.StringIO(), io.StringIO()))
    faults = [
        Fault(
            "ilp.toml:31",
            "limits.packet_per_minute is not a setting. Did you mean  limits.packets_per_minute ?",
        ),
        Fault(
            "ilp.toml:40",
            "accounts.bob.token is written in the file, and anyone on this machine can read it (mode 0644).",
            "Use  accounts.bob.token_file  or  chmod 600 ilp.toml",
        ),
    ]
    report = SettingsReport(faults=faults, read_count=41, path=Path("ilp.toml"))
    assert "\n".join(fault_lines(report, state)) == CHECK
