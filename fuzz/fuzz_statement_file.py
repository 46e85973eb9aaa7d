"""Invariant: any octets are the booked movements of a bank statement, of whole units, or a DecodeError."""

from __future__ import annotations

from interledger.accounts.asset import Asset
from interledger.errors import DecodeError
from interledger.settlement.engines.bank.camt053 import read_camt053

LAYERS = ()
IBAN = "DE89370400440532013000"
SEEDS: tuple[bytes, ...] = (
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id>'
    b"<IBAN>DE89370400440532013000</IBAN></Id></Acct><Ntry>"
    b'<Amt Ccy="EUR">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts></Ntry></Stmt>'
    b"</BkToCstmrStmt></Document>",
    b'<!DOCTYPE x [<!ENTITY a "b">]><Document/>',
)


def check(octets: bytes) -> None:
    try:
        bookings = read_camt053(octets, IBAN, Asset("EUR", 2))
    except DecodeError:
        return
    assert all(booking.amount >= 0 and booking.event for booking in bookings)


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
