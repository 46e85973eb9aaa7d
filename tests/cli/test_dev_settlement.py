"""What `ilp dev` says of settlement: what runs, what agrees, what waits, what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.accounts.asset import parse_asset
from interledger.cli.console import Console
from interledger.cli.dev_settlement import (
    assets_for,
    example_amount,
    ledger_errors,
    settled_document,
    settled_lines,
    settlement_lines,
)
from interledger.cli.errors import CliError
from interledger.daemon.ledgers.programs import LedgerError, MissingProgramError
from interledger.daemon.settled import Settled
from interledger.errors import InvalidRequestError

DOCUMENT: dict[str, Any] = {
    "settlement": {
        "ledger": {"kind": "bank", "text": "a bank in files"},
        "engines": {"alice-usd-9": {"node": "alice", "asset": "USD/9", "data_dir": ".ilp/settlement/alice-usd-9"}},
        "links": [{"left": "alice", "right": "hub", "asset": "USD/9", "threshold": "5000000000"}],
    }
}
USD = parse_asset("USD/9")
UNIT = 10**9


def row(given: int, waiting: int, moved: int, taken: int, **more: Any) -> Settled:
    values = {"on_its_way": 0, "is_busy": False, "transaction": None} | more
    return Settled("alice", "hub", USD, given * UNIT, waiting * UNIT, moved * UNIT, taken * UNIT, **values)


def test_what_runs(pipe: Console) -> None:
    assert settlement_lines(DOCUMENT, pipe, 10) == [
        "  ✓ settlement  a bank in files",
        "                alice ─ hub from 5.00 USD",
    ]
    assert settlement_lines({"settlement": None}, pipe, 10) == []
    assert settlement_lines({}, pipe, 10) == []


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], ["  Settled   nothing yet"]),
        ([row(0, 0, 0, 0)], ["  Settled   nothing yet"]),
        (
            [row(9, 0, 9, 9, transaction="0xabc")],
            [
                "  Settled   alice → hub   9.00 USD",
                "            ✓ both books and bank agree to the unit",
                "            last transaction 0xabc",
            ],
        ),
        (
            [row(9, 4, 5, 5, approvals=(2,))],
            [
                "  Settled   alice → hub   5.00 USD",
                "            ✓ both books and bank agree to the unit; 4.00 USD are still to be paid",
                "            ! payment 2 waits for you:  ilp engine approve 2 --data-dir .ilp/settlement/alice-usd-9",
            ],
        ),
        (
            [row(9, 2, 7, 5, on_its_way=UNIT)],
            [
                "  Settled   alice → hub   7.00 USD",
                "            · under way: alice's books 9.00 USD, of which its engine has yet to pay 2.00 USD",
                "            bank 7.00 USD, hub's books 5.00 USD",
                "            ! 1.00 USD wait for alice's engine",
            ],
        ),
    ],
)
def test_what_agrees(pipe: Console, rows: list[Settled], lines: list[str]) -> None:
    assert settled_lines(rows, DOCUMENT, pipe) == lines


def test_for_programs() -> None:
    [document] = settled_document([row(9, 4, 5, 5, approvals=(2,))])
    assert document["moved"] == {"amount": "5000000000", "asset_code": "USD", "asset_scale": 9}
    assert (document["exact"], document["approvals"], document["payer"]) == (True, ["2"], "alice")


@pytest.mark.parametrize(
    ("asset", "amount"),
    [("USD/9", "10 USD"), ("KES/2", "10 KES"), ("JPY/0", "10 JPY"), ("LTC/8", "0.1 LTC"), ("BTC/8", "0.0001 BTC")],
)
def test_an_amount_to_try(asset: str, amount: str) -> None:
    assert example_amount(parse_asset(asset)) == amount


def test_what_the_holders_keep() -> None:
    assert assets_for(None, None) == "USD/9,EUR/9"
    assert assets_for(None, "litecoin") == "LTC/8,LTC/8"
    assert assets_for("KES/2", "anvil") == "KES/2"
    with pytest.raises(InvalidRequestError, match="There is no ledger “doge”"):
        assets_for(None, "doge")


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            MissingProgramError("anvil is not installed.", "npm install it"),
            ("anvil is not installed.", "Nothing was started. Install it:  npm install it"),
        ),
        (LedgerError("the chain is gone"), ("the chain is gone.",)),
    ],
)
def test_what_goes_wrong_is_said(error: Exception, lines: tuple[str, ...]) -> None:
    with pytest.raises(CliError) as caught, ledger_errors():
        raise error
    assert caught.value.lines == lines
