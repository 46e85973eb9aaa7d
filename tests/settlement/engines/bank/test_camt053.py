"""Statements: what is booked is read exactly; what is no statement is refused."""

from __future__ import annotations

import pytest

from interledger.accounts.asset import Asset
from interledger.errors import DecodeError
from interledger.settlement.engines.bank import camt053
from interledger.settlement.engines.bank.camt053 import Booking, read_camt053

IBAN, EUR = "DE89370400440532013000", Asset("EUR", 2)


def document(entries: str, iban: str = IBAN, form: str = "camt.053.001.08") -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{form}"><BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id>'
        f"<IBAN>{iban}</IBAN></Id></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def entry(
    amount: str = "5.00", sign: str = "CRDT", status: str = "<Cd>BOOK</Cd>", more: str = "", code: str = "EUR"
) -> str:
    return f'<Ntry><Amt Ccy="{code}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>{more}</Ntry>'


@pytest.mark.parametrize(
    ("entries", "bookings"),
    [
        ("", []),
        (entry(), [Booking("S1/0/0", True, 500, "", "")]),
        (entry(status="BOOK"), [Booking("S1/0/0", True, 500, "", "")]),  # until version 2
        (entry(status="<Cd>PDNG</Cd>") + entry("7"), [Booking("S1/1/0", True, 700, "", "")]),
        (entry(more="<RvslInd>true</RvslInd>"), []),
        (
            entry(
                "3.00", "DBIT",
                more="<AcctSvcrRef>R</AcctSvcrRef><NtryDtls>"
                '<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs><Amt Ccy="EUR">1.00</Amt></TxDtls>'
                '<TxDtls><Refs><AcctSvcrRef>T</AcctSvcrRef></Refs><Amt Ccy="EUR">2.00</Amt>'
                "<RmtInf><Ustrd>x</Ustrd><Ustrd>y</Ustrd></RmtInf></TxDtls></NtryDtls>",
            ),
            [Booking("R/0", False, 100, "A", ""), Booking("T", False, 200, "", "x y")],
        ),
    ],
)  # fmt: skip
def test_what_is_booked(entries: str, bookings: list[Booking]) -> None:
    assert read_camt053(document(entries), IBAN, EUR) == bookings


def test_another_account_of_the_same_customer_is_not_ours() -> None:
    assert read_camt053(document(entry(), "NL91ABNA0417164300"), IBAN, EUR) == []


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<",
        b"\xff\xfe<\x00",
        b"<Document/>",
        document(entry(), form="pain.001.001.09"),
        document(entry("5.001")),
        document(entry("-5")),
        document(entry("5,00")),
        document(entry(code="USD")),
        document(entry(sign="BOTH")),
        document(entry("3", more="<NtryDtls><TxDtls/><TxDtls/></NtryDtls>")),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + document(entry("&a;")),
        '<?xml version="1.0" encoding="UTF-16"?><x/>'.encode("utf-16"),
    ],
)
def test_what_is_no_statement(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        read_camt053(octets, IBAN, EUR)


def test_a_statement_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt053, "STATEMENT_OCTETS_MAX", 10)
    with pytest.raises(DecodeError, match="at most 10 octets"):
        read_camt053(document(""), IBAN, EUR)
