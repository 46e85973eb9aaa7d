"""A development network with a bank: nothing moves until a person agrees, then cents do; what is less stays, exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_kit import network, pay, settled

from interledger.accounts.asset import Asset
from interledger.daemon.ledgers.bank import BankLedger, iban_of
from interledger.daemon.settled import approve_payments, compare_settled
from interledger.settlement.engines.bank.iban import parse_iban

UNIT = 10**9
CENT = 10**7


@pytest.mark.slow
async def test_books_and_bank_agree_to_the_unit_and_go_on_after_a_restart(tmp_path: Path) -> None:
    async with network("bank", tmp_path, "USD/9,EUR/9") as line:
        await pay(line, "alice", "bob", 10 * UNIT)
        rows = await settled(
            line, until=lambda row: bool(row.approvals) == (row.payer != "bob" and row.payee != "alice")
        )
        alice = rows["alice", "hub"]
        assert (alice.moved, alice.taken, alice.is_busy) == (0, 0, True)
        assert alice.waiting == alice.given > 5 * UNIT
        await approve_payments(line.document())
        first = await settled(line)
        alice = first["alice", "hub"]
        assert alice.moved == alice.given // CENT * CENT
        assert alice.waiting == alice.given % CENT == alice.unpaid(Asset("USD", 9))
        assert (alice.transaction or "").startswith("ILP")
        assert line.nodes["hub"].position("alice").net == 10 * UNIT - alice.moved

    async with network("bank", tmp_path, "USD/9,EUR/9") as line:
        assert await settled(line) == first
        await pay(line, "alice", "bob", 10 * UNIT)
        await settled(line, until=lambda row: bool(row.approvals) == (row.payer != "bob" and row.payee != "alice"))
        await approve_payments(line.document())
        await settled(line, until=lambda row: row.moved >= first[row.payer, row.payee].moved)
        rows = {(row.payer, row.payee): row for row in await compare_settled(line.document())}
        assert rows["alice", "hub"].given > first["alice", "hub"].given


async def test_an_order_of_a_stranger_is_not_executed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with network("bank", tmp_path, "USD/9,EUR/9", "star:2") as star:
        assert star.settlement is not None
        out = tmp_path / "settlement" / "alice-usd-9" / "bank" / "out"
        out.joinpath("x.xml").write_bytes(b"<Document/>")
        rows = await settled(star)
        assert all(row.moved == 0 for row in rows.values())


@pytest.mark.parametrize("name", ["alice-usd-9", "hub-usd-9", "hub-eur-9", "x", ""])
def test_account_numbers_have_the_right_check_digits(name: str) -> None:
    assert parse_iban(iban_of(name)) == iban_of(name)


def test_what_banks_keep() -> None:
    bank = BankLedger(Path())
    assert [bank.settles(Asset(code, 9)) for code in ("USD", "KES", "XRP", "JPY")] == [True, True, False, False]
