"""`ilp ledger` and `ilp unknown`, against real nodes and a stopped one's directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.cli.check_view import check_lines
from interledger.cli.console import Console
from interledger.cli.ledger_view import (
    compare_lines,
    decision_lines,
    item_lines,
    statement_lines,
    unknown_lines,
)
from interledger.cli.status import risk_lines
from interledger.cli.unproven import unproven_lines
from interledger.clock import Timestamp
from interledger.store.sqlite import DATABASE, SqliteStore
from tests.support.postgres import Place

Ilp = Callable[..., Any]
USD = Asset("USD", 9)


def test_the_books_of_a_running_node(ilp: Ilp, bob: str) -> None:
    assert ilp("pay", "--from", "alice", bob, "10 USD").code == 0
    accounts = ilp("ledger", "accounts").out
    assert "owes us 10.00 USD" in accounts
    assert "fx/EUR/9" in accounts
    check = ilp("ledger", "check")
    assert (check.code, check.out.splitlines()[-1]) == (0, "Books are sound.")
    assert "every asset sums to zero           EUR USD, posted and pending" in check.out
    assert ilp("ledger", "check", "--json").json["sound"] is True
    statement = ilp("ledger", "statement", "alice", "--by", "day").out.splitlines()
    assert statement[0].startswith("peer/alice   USD/9")
    assert statement[-1] == "  After    owes us 10.00 USD"
    profit = ilp("ledger", "profit").out
    assert "USD → EUR" in profit
    assert "At the node's rates of now: 0.0" in profit
    assert "assets:peer:alice  0 USD = 10.000000000 USD" in ilp("ledger", "export").out
    assert ilp("ledger", "export", "--format", "csv").out.startswith("at,kind,account,amount")


def test_our_books_beside_those_of_the_peers(ilp: Ilp) -> None:
    result = ilp("ledger", "compare")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()] == ["PEER", "alice", "bob"]
    assert result.out.count("· does not say") == 2  # their accounts of the hub do not have peer_balance


def test_L5_a_correction_is_shown_before_it_is_done(ilp: Ilp) -> None:
    order = ("ledger", "correct", "bob", "correction/EUR/9", "12.50", "EUR/9", "--reason", "paid twice")
    before = ilp("ledger", "accounts", "--json").out
    shown = ilp(*order)
    assert (shown.code, ilp("ledger", "accounts", "--json").out) == (2, before)
    assert "Would do: Debit peer/bob and credit correction/EUR/9 with 12.50 EUR." in shown.err
    dry = ilp(*order, "--dry-run")
    assert (dry.code, dry.out.splitlines()[-1]) == (0, "  Nothing was done yet.")
    done = ilp(*order, "--yes")
    assert (done.code, done.out.startswith("✓ Done: Debit peer/bob")) == (0, True)
    assert "correction: paid twice, operator (" in ilp("ledger", "statement", "correction/EUR/9").out
    assert ilp("ledger", "correct", "bob", "x", "1", "EUR/9", "--yes").code == 2
    assert ilp("ledger", "correct", "eve", "correction/EUR/9", "1", "EUR/9", "--reason", "x", "--yes").code == 4


def test_nothing_is_unknown(ilp: Ilp) -> None:
    result = ilp("unknown", "list")
    assert (result.code, result.out) == (0, "✓ Nothing is unknown: every packet has a proven outcome.\n")
    assert ilp("unknown", "show", "unk_3").code == 4
    assert ilp("unknown", "resolve", "unk_3", "delivered", "--reason", "x", "--yes").code == 4
    assert ilp("unknown", "prove", "unk_3", "00" * 32).code == 4


def test_nothing_is_unproven(ilp: Ilp) -> None:
    result = ilp("unproven", "list")
    assert (result.code, result.out.startswith("✓ Peers count all")) == (0, True)
    assert ilp("unproven", "resolve", "unp_3", "owed", "--reason", "x", "--yes").code == 4
    assert ilp("unproven", "add", "bob", "00" * 32, "--reason", "x", "--yes").code == 4


def test_claims_in_a_table(pipe: Console) -> None:
    amount = {"amount": "500", "asset_code": "USD", "asset_scale": 2}
    item = {"id": "unp_3", "account": "bob", "amount": amount, "age_ms": 60_000, "proof": "ab" * 32}
    lines = unproven_lines([item], pipe)
    assert lines[1].split()[:4] == ["unp_3", "bob", "5.00", "USD"]


# ---------------------------------------------------------------------- without a node


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The directory of a node that was killed with an item unknown."""
    store = SqliteStore(tmp_path / "node", reserve_octets=4096)
    store.open()
    ledger = Ledger()
    store.load(ledger)
    alice, bob = ledger.account("peer/alice", USD), ledger.account("peer/bob", USD)
    ledger.post(((alice, bob, 5 * 10**9),), "settled")
    held = ledger.hold(((alice, bob, 7),), bytes(32), 1_000, True)
    assert isinstance(held, Hold)
    ledger.give_up(held)
    batch = ledger.take_batch()
    assert batch is not None
    store.put_fact("song", "canary")  # so that the database takes the commit from the log
    store.write(b"".join(batch.records), Timestamp(1_795_262_400_000), store.take_changes())
    store.close()
    return tmp_path / "node"


def test_the_books_of_a_stopped_node(ilp: Ilp, stopped: Path) -> None:
    place = ("--data-dir", str(stopped))
    check = ilp("ledger", "check", *place)
    assert (check.code, check.out.splitlines()[-1]) == (0, "Books are sound.")
    assert "? 1 unknown item" in check.out
    assert "After    owes us 5.00 USD" in ilp("ledger", "statement", "alice", *place).out
    assert "? unk_1  0.000000007 USD" in ilp("ledger", "statement", "bob", "--asset", "USD/9", *place).out
    assert ilp("ledger", "profit", *place).out == "Nothing was earned or lost.\n"
    assert "balance Assets:Peer:Alice  5.000000000 USD" in ilp("ledger", "export", "--format", "beancount", *place).out
    assert ilp("ledger", "statement", "eve", *place).code == 4
    assert ilp("ledger", "check", "--data-dir", str(stopped.parent)).code == 4


def test_the_books_of_a_stopped_node_in_postgresql(ilp: Ilp, tmp_path: Path, postgres_place: Place) -> None:
    from interledger.store.postgres import PostgresStore

    store = PostgresStore(postgres_place.url, directory=tmp_path, reserve_octets=0)
    store.open()
    ledger = Ledger()
    store.load(ledger)
    ledger.post(((ledger.account("peer/alice", USD), ledger.account("peer/bob", USD), 5 * 10**9),), "settled")
    batch = ledger.take_batch()
    assert batch is not None
    store.write(b"".join(batch.records), Timestamp(1_795_262_400_000))
    url = ("--store", postgres_place.url)
    assert "in use by another node" in ilp("ledger", "check", *url).err
    store.close()
    assert ilp("ledger", "check", *url).out.splitlines()[-1] == "Books are sound."
    assert "After    owes us 5.00 USD" in ilp("ledger", "statement", "alice", *url).out
    # The directory says that the books are elsewhere, the environment where.
    place = ("--data-dir", str(tmp_path))
    missing = ilp("ledger", "check", *place)
    assert (missing.code, "name it by  --store" in missing.err) == (4, True)
    wrong = ilp("ledger", "check", "--store", "mysql://canary")
    assert (wrong.code != 0, "canary" in wrong.err) == (True, False)


def test_J5_damage_is_exit_code_10(ilp: Ilp, stopped: Path) -> None:
    octets = (stopped / DATABASE).read_bytes()
    at = octets.index(b"settled")
    (stopped / DATABASE).write_bytes(octets[:at] + b"s3ttled" + octets[at + 7 :])
    result = ilp("ledger", "check", "--data-dir", str(stopped))
    assert result.code == 10
    assert "commit 1 of the journal is damaged" in result.err


def test_a_directory_that_a_node_uses(ilp: Ilp, stopped: Path) -> None:
    store = SqliteStore(stopped, reserve_octets=4096)
    store.open()
    result = ilp("ledger", "check", "--data-dir", str(stopped))
    assert (result.code, "in use by another node" in result.err) == (1, True)
    store.close()
    shutil.rmtree(stopped)


# ---------------------------------------------------------------------- lines


def test_faults_are_named_with_their_place(pipe: Console) -> None:
    document = {
        "sound": False, "opening": {"commit": 88, "at": "2026-11-20T10:00:00.000Z"}, "commits": 5, "records": 9,
        "snapshots": 1, "holds": 2, "unknown": 0, "unproven": 0,
        "trial_balances": [{"asset_code": "EUR", "asset_scale": 9, "posted": "5", "pending": "0"}],
        "faults": [
            {"text": "peer/bob (EUR/9) had 5 debits", "commit": 90, "record": 3, "at": "2026-11-20T10:00:00.000Z"},
            {"text": "EUR/9 does not sum to zero", "commit": None, "record": None, "at": None},
        ],
    }  # fmt: skip
    lines = check_lines(document, pipe)
    assert lines[0].startswith("  ✗ every asset sums to zero")
    assert "after commit 88" in lines[2]
    assert any(line.startswith("    First difference at record 3 of commit 90 (2026-11-20") for line in lines)
    assert lines[-1].startswith("Books are not sound. Do not delete anything.")


def test_an_item_as_people_read_it(pipe: Console) -> None:
    item = {
        "id": "unk_19", "account": "kivu", "amount": {"amount": "780000", "asset_code": "KES", "asset_scale": 3},
        "age_ms": 240_000, "proof": None, "condition": "9c" * 32, "expires_at": "2026-11-20T10:00:00.000Z",
        "held_at": "2026-11-20T10:00:00.000Z", "gave_up_at": "2026-11-20T10:00:00.000Z",
        "incoming": {"account": "peer/alice", "amount": {"amount": "6", "asset_code": "USD", "asset_scale": 0}},
    }  # fmt: skip
    assert unknown_lines([item, item], pipe)[1:] == [
        "unk_19  kivu  780.00 KES   4 min  none yet; will ask kivu when its link is up",
        "unk_19  kivu  780.00 KES   4 min  none yet; will ask kivu when its link is up",
    ]
    assert unknown_lines([item | {"proof": "ab" * 32}], pipe)[1].endswith("4 min  its fulfillment")
    lines = item_lines(item, pipe)
    assert lines[0] == "unk_19   ? 780.00 KES to kivu, for 4 min"
    assert any(line == "  Came from  peer/alice, 6 USD: was not charged" for line in lines)
    proven = item_lines(item | {"proof": "ab" * 32}, pipe)
    assert f"  Proof      {'ab' * 32}" in proven


def test_a_statement_that_was_cut(pipe: Console) -> None:
    document = {
        "name": "fee/USD/9", "asset_code": "USD", "asset_scale": 9, "kept_from": None, "opening_net": "0",
        "lines": [], "more": 7, "closing_net": "-5", "pending": {"in": "0", "out": "3"}, "unknown": [], "unproven": [],
    }  # fmt: skip
    assert statement_lines(document, pipe) == [
        "fee/USD/9   USD/9",
        "  Before   0.00 USD",
        "  Nothing was posted.",
        "  ! 7 lines more. Ask for less time, or  --by hour",
        "  After    0.000000005 USD credit",
        "  Held     0 in, 0.000000003 out USD",
    ]


def test_books_that_differ(pipe: Console) -> None:
    asset = {"asset_code": "USD", "asset_scale": 2}
    items = [
        {"account": "bob", **asset, "ours": "500", "theirs": "430", "unexplained": "70", "problem": None},
        {"account": "eve", **asset, "ours": "-5", "theirs": None, "unexplained": "0", "problem": "F02"},
        {"account": "kim", **asset, "ours": "5", "theirs": "4", "unexplained": "0", "problem": None},
    ]
    assert compare_lines(items, pipe)[1] == "bob   owes us 5.00 USD  owes us 4.30 USD  ✗ 0.70 USD that nothing explains"
    assert compare_lines(items, pipe)[2].endswith("· does not say: F02")
    assert compare_lines(items, pipe)[3].endswith("✓ agree, but for what is in flight or unknown")
    assert compare_lines([], pipe) == ["There are no peers."]


def test_what_is_at_risk(pipe: Console) -> None:
    risk = {"account": "bob", "asset_code": "USD", "asset_scale": 2, "owed": "500", "in_flight": "0", "unknown": "7"}
    assert risk_lines([risk, risk | {"account": "eve", "owed": "0", "in_flight": "1"}], pipe) == [
        "  At risk    bob  USD  5.00 owed to us, 0.07 unknown",
        "             eve  USD  0.01 in flight, 0.07 unknown",
    ]


def test_a_decision_without_effects(pipe: Console) -> None:
    decision = {"text": "5 USD was not delivered", "effects": [], "memo": {"reason": "r", "by": "b"}, "done_at": None}
    assert decision_lines(decision, pipe) == [
        "  Would do: 5 USD was not delivered.", "  Reason: r   by b", "  Nothing was done yet."]  # fmt: skip
