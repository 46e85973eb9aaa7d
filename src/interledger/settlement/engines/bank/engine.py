"""The bank engine. Money moves when a person has agreed and a bank has booked it, and only then.

payment -> `ilp engine approve` -> out/ILP….xml (pain.001), for the operator's bank
statements of the bank (camt.053) -> in/ -> a debit with our id: paid; a credit with an account's reference: received
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from interledger.accounts.asset import Asset, parse_asset
from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InvalidRequestError, SettingsError
from interledger.settlement.engine.base import (
    CannotPayError,
    EngineAccount,
    EngineHost,
    EngineOption,
    MessageRefusedError,
    Payment,
    SettlementEngine,
)
from interledger.settlement.engines.bank.camt053 import Booking, read_camt053
from interledger.settlement.engines.bank.iban import parse_iban
from interledger.settlement.engines.bank.pain001 import Party, Transfer, encode_pain001
from interledger.settlement.quantity import Quantity

__all__ = ["BankEngine"]

LOOK_MS: Final = 1_000
NAME_MAX: Final = 70
"""Characters of a name that every bank takes (EPC)."""

_REFERENCE: Final = re.compile(r"ILP[0-9A-F]{12}")
_ASSET: Final = re.compile(r"([A-Z]{3})/([0-5])")
_BIC: Final = re.compile(r"[A-Z0-9]{8}(?:[A-Z0-9]{3})?")


class BankEngine(SettlementEngine):
    """Peers tell each other IBAN, name and the reference that a payment to them carries."""

    name = "bank"
    options = (
        EngineOption("iban", "Our account."),
        EngineOption("name", "Whose it is, as the bank knows it."),
        EngineOption("bic", "Our bank, where the IBAN does not say it.", ""),
        EngineOption("asset", "What is paid, and its decimal places.", "EUR/2"),
        EngineOption("directory", "Where payment files are put (out) and statements are found (in).", "./bank"),
    )

    def __init__(self, options: Mapping[str, str]) -> None:
        try:
            self._us = _party(options["name"], options["iban"], options["bic"])
        except InvalidRequestError as error:
            raise SettingsError(str(error)) from None
        if _ASSET.fullmatch(options["asset"]) is None:
            raise SettingsError(f"asset is a currency and its decimal places, EUR/2, not “{options['asset']}”")
        self._asset: Asset = parse_asset(options["asset"])
        self.scale = self._asset.scale
        self._directory = Path(options["directory"])
        self._host: EngineHost

    async def start(self, host: EngineHost) -> None:
        self._host = host
        for name in ("out", "in", "done", "refused"):
            self._place(name).mkdir(parents=True, exist_ok=True)
        host.spawn("reading statements", self._watch)

    # ------------------------------------------------------------------ who is who

    async def setup_account(self, account: EngineAccount) -> None:
        self._learn(account, await self._host.send_message(account.id, self._card(account)))

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        self._learn(account, message)
        return self._card(account)

    def _card(self, account: EngineAccount) -> bytes:
        """Where we are paid, and what the payment has to say so that we know whose it is."""
        if "ours" not in account.details:
            account.remember(ours=f"ILP{self._host.random(6).hex().upper()}")
        card = {"name": self._us.name, "iban": self._us.iban, "bic": self._us.bic, "reference": account.details["ours"]}
        return json.dumps(card).encode()

    def _learn(self, account: EngineAccount, message: bytes) -> None:
        """The peer's card. Another account number than before is for a person: that is how money is stolen."""
        try:
            card = parse_json_object(message)
            texts = [card.get(name, "") for name in ("name", "iban", "bic", "reference")]
            if not all(type(text) is str for text in texts) or _REFERENCE.fullmatch(texts[3]) is None:
                raise InvalidRequestError("a card has name, iban, bic and reference")
            party = _party(*texts[:3])
        except (DecodeError, InvalidRequestError) as error:
            raise MessageRefusedError(str(error)) from None
        known = account.details.get("iban")
        if known not in (None, party.iban):
            self._host.alarm(f"{account.id} says its account is {party.iban} now; {known} is kept. Ask them yourself")
            raise MessageRefusedError("another IBAN than before is not taken by a message")
        account.remember(name=party.name, iban=party.iban, bic=party.bic, theirs=texts[3])

    # ------------------------------------------------------------------ paying

    async def pay(self, payment: Payment) -> None:
        details = payment.account.details
        if payment.note is None and "iban" not in details:
            raise CannotPayError(f"{payment.account.id} has not said what its account is")
        if payment.note is None:
            payee = {name: details[name] for name in ("name", "iban", "bic", "theirs")}
            payment.remember({"id": f"ILP{self._host.random(12).hex().upper()}", "payee": payee})
        await self._host.approval(payment)
        note = dict(payment.note or {})
        if not note.get("written") and not self._is_booked(note["id"]):
            self._write(payment, note)
            payment.remember(note | {"written": True})
        while not self._is_booked(note["id"]):
            await self._host.sleep(LOOK_MS)

    def _write(self, payment: Payment, note: Mapping[str, Any]) -> None:
        """The file, whole or not at all; the same one when it is written again."""
        payee = note["payee"]
        transfer = Transfer(
            note["id"],
            self._us,
            Party(payee["name"], payee["iban"], payee["bic"]),
            payment.amount,
            self._asset,
            payee["theirs"],
            payment.approved_at or payment.made_at,
        )
        path = self._place("out").joinpath(f"{note['id']}.xml")
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(encode_pain001(transfer))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)

    def _is_booked(self, number: str) -> bool:
        return bool(self._host.get(f"booked-{number}"))

    # ------------------------------------------------------------------ statements

    async def _watch(self) -> None:
        while True:
            for path in sorted(self._place("in").glob("*.xml")):
                self._take(path)
            await self._host.sleep(LOOK_MS)

    def _take(self, path: Path) -> None:
        try:
            for booking in read_camt053(path.read_bytes(), self._us.iban, self._asset):
                self._book(booking)
        except DecodeError as error:
            self._host.alarm(f"{path.name} is not read: {error}")
            path.rename(self._place("refused").joinpath(path.name))
        else:
            path.rename(self._place("done").joinpath(path.name))

    def _book(self, booking: Booking) -> None:
        if not booking.is_credit:
            if booking.id.startswith("ILP"):
                self._host.put(f"booked-{booking.id}", booking.event)
            return
        words = {booking.id, *_REFERENCE.findall(booking.text)}
        account = next((one for one in self._host.accounts if one.details.get("ours") in words), None)
        if account is not None:
            self._host.received(account.id, booking.event, Quantity(booking.amount, self.scale))
        elif not self._host.get(f"stray-{booking.event}"):
            self._host.put(f"stray-{booking.event}", booking.amount)
            self._host.alarm(f"{booking.amount} units came in with no account's reference: {booking.event}")

    def _place(self, name: str) -> Path:
        return self._directory.joinpath(name)


def _party(name: str, iban: str, bic: str) -> Party:
    """Raises `InvalidRequestError`."""
    if not (1 <= len(name) <= NAME_MAX and name.isprintable()):
        raise InvalidRequestError(f"a name has 1 to {NAME_MAX} characters")
    if bic and _BIC.fullmatch(bic) is None:
        raise InvalidRequestError("a BIC has 8 or 11 letters and digits")
    return Party(name, parse_iban(iban), bic)
