"""A bank of one's own, in files: it takes payment files (pain.001), books them, and writes statements (camt.053)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, final
from xml.sax.saxutils import escape

from interledger.accounts.asset import Asset, parse_amount
from interledger.daemon.ledgers.base import DevLedger, Moved
from interledger.daemon.ledgers.programs import LedgerError
from interledger.daemon.process import read_private_json, write_private_json
from interledger.settlement.engine.base import SettlementEngine
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.quantity import Quantity

__all__ = ["BankLedger", "iban_of"]

logger = logging.getLogger("interledger.daemon")

LOOK_MS: Final = 200
SCALE: Final = 2
BOOK: Final = "book.json"
NO_CURRENCIES: Final = frozenset({"XRP", "ETH", "BTC", "LTC", "JPY"})
"""What banks do not keep, or not in hundredths."""


@final
class BankLedger(DevLedger):
    """The only bank that there is. Payments wait for a person first: `ilp engine approve`."""

    kind: ClassVar[str] = "bank"
    assets: ClassVar[str] = "USD/9,EUR/9"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._customers: dict[str, Path] = {}
        """The folders of the engines, by IBAN."""
        self._working: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Nothing has to be installed."""

    async def start(self, assets: Sequence[Asset]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._working = asyncio.ensure_future(self._work())

    async def stop(self) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
            self._working = None

    def settles(self, asset: Asset) -> bool:
        return len(asset.code) == 3 and asset.code.isalpha() and asset.code not in NO_CURRENCIES

    async def engine(self, directory: Path, name: str, asset: Asset) -> SettlementEngine:
        place, iban = directory / "bank", iban_of(directory.name)
        self._customers[iban] = place
        options = {"iban": iban, "name": name, "asset": f"{asset.code}/{SCALE}", "directory": str(place)}
        return make_engine(find_engine("bank"), options)

    def text(self) -> str:
        return f"a bank in files, in {self.directory}; each payment waits for  ilp engine approve"

    async def moved(self, asset: Asset, payer: Mapping[str, Any], payee: Mapping[str, Any]) -> Moved:
        """What the bank has booked from one account to the other."""
        booked = [
            (number, entry)
            for number, entry in self._book().items()
            if (entry["from"], entry["to"], entry["currency"]) == (payee.get("iban"), payer.get("iban"), asset.code)
        ]
        total = sum(parse_amount(entry["amount"], SCALE) for _, entry in booked)
        return Moved(Quantity(total, SCALE), booked[-1][0] if booked else None)

    # ------------------------------------------------------------------ the bank's work

    def _book(self) -> dict[str, dict[str, str]]:
        return dict(read_private_json(self.directory / BOOK) or {})

    async def _work(self) -> None:
        while True:
            for iban, place in self._customers.items():
                for order in sorted(place.joinpath("out").glob("*.xml")):
                    try:
                        self._execute(iban, order)
                    except (LedgerError, OSError) as error:
                        logger.warning("the bank: %s: %s", order, error)
            await asyncio.sleep(LOOK_MS / 1000)

    def _execute(self, iban: str, order: Path) -> None:
        """Booked first, and once for its id; then both customers are told, and the order is put away."""
        number, entry = _read(order.read_bytes())
        if entry["from"] != iban or entry["to"] not in self._customers:
            raise LedgerError("it is not from the account whose order it is, or to one that is not here")
        book = self._book()
        if number not in book:
            write_private_json(self.directory / BOOK, {**book, number: entry})
        for owner, sign in ((entry["from"], "DBIT"), (entry["to"], "CRDT")):
            box = self._customers[owner] / "in"
            draft = box / f"{number}.draft"
            draft.write_text(_statement(owner, sign, number, entry), encoding="utf-8")
            draft.rename(box / f"{number}-{sign}.xml")
        executed = order.parent / "executed"
        executed.mkdir(exist_ok=True)
        order.rename(executed / order.name)


def iban_of(name: str) -> str:
    """An account number of a bank that does not exist, with the right check digits."""
    digits = f"{int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') % 10**10:010d}"
    account = f"00000000{digits}"
    # ISO 13616: D is 13 and E is 14.
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02d}{account}"


def _read(octets: bytes) -> tuple[str, dict[str, str]]:
    """The id of an order, and what it says."""
    root = ElementTree.fromstring(octets)  # noqa: S314  # our own engines wrote it

    def text(*path: str) -> str:
        found = root.find("/".join((".", "", *(f"{{*}}{name}" for name in path))))
        if found is None or found.text is None:
            raise LedgerError(f"the order has no {path[-1]}")
        return found.text

    amount = root.find(".//{*}InstdAmt")
    entry = {
        "from": text("DbtrAcct", "Id", "IBAN"),
        "to": text("CdtrAcct", "Id", "IBAN"),
        "amount": text("InstdAmt"),
        "currency": "" if amount is None else amount.get("Ccy", ""),
        "reference": text("RmtInf", "Ustrd"),
    }
    return text("EndToEndId"), entry


def _statement(iban: str, sign: str, number: str, entry: Mapping[str, str]) -> str:
    """One booking, as a statement."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <Stmt>
      <Id>{number}</Id>
      <Acct><Id><IBAN>{iban}</IBAN></Id></Acct>
      <Ntry>
        <Amt Ccy="{entry["currency"]}">{entry["amount"]}</Amt>
        <CdtDbtInd>{sign}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <AcctSvcrRef>{number}-{sign}</AcctSvcrRef>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>{number}</EndToEndId></Refs>
            <RmtInf><Ustrd>{escape(entry["reference"])}</Ustrd></RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
    </Stmt>
  </BkToCstmrStmt>
</Document>
"""
