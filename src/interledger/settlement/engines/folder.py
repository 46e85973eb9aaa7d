"""A ledger that is a folder, for trying things: whoever may write there has money without end.

Each engine has a subfolder, its address; a payment is a file in the payee's, which appears whole or not at all. It does
all that an engine has to do, and is the example of docs/howto/write-a-settlement-engine.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, SettingsError
from interledger.settlement.engine.base import (
    EngineAccount,
    EngineHost,
    EngineOption,
    MessageRefusedError,
    Payment,
    SettlementEngine,
)
from interledger.settlement.quantity import Quantity

__all__ = ["FolderEngine"]

LOOK_MS: Final = 100
_ADDRESS: Final = re.compile(r"[a-z0-9]{1,32}")
_SCALE: Final = re.compile(r"[0-9]{1,2}")


class FolderEngine(SettlementEngine):
    """Both peers' engines see `directory`."""

    name = "folder"
    options = (
        EngineOption("directory", "The folder that is the ledger; both engines have to see it."),
        EngineOption("address", "Our subfolder; made at random when it is not given.", ""),
        EngineOption("scale", "Decimal places of what can be paid.", "2"),
    )

    def __init__(self, options: Mapping[str, str]) -> None:
        if _SCALE.fullmatch(options["scale"]) is None or _ADDRESS.fullmatch(options["address"] or "a") is None:
            raise SettingsError("scale is a number of at most two digits, address letters and digits")
        self.scale = int(options["scale"])
        self._directory = Path(options["directory"])
        self._address = options["address"]
        self._host: EngineHost

    async def start(self, host: EngineHost) -> None:
        self._host = host
        self._address = self._address or host.get("address") or host.random(8).hex()
        host.put("address", self._address)
        self._inbox.joinpath("taken").mkdir(parents=True, exist_ok=True)
        host.spawn("reading the folder", self._watch)

    async def setup_account(self, account: EngineAccount) -> None:
        """Each tells the other its address: one message and its answer."""
        self._learn(account, await self._host.send_message(account.id, self._greeting()))

    async def receive_message(self, account: EngineAccount, message: bytes) -> bytes:
        self._learn(account, message)
        return self._greeting()

    async def pay(self, payment: Payment) -> None:
        if "address" not in payment.account.details:
            await self.setup_account(payment.account)
        if payment.note is None:
            # A name of its own, kept before anything is written: the file is the same one however often we come here.
            name = f"{self._address}-{self._host.random(8).hex()}"
            payment.remember({"to": payment.account.details["address"], "name": name})
        note = payment.note or {}
        self._write(self._directory.joinpath(note["to"]), note["name"], payment.quantity)

    def _write(self, folder: Path, name: str, quantity: Quantity) -> None:
        if folder.joinpath(name).exists() or folder.joinpath("taken", name).exists():
            return
        draft = self._inbox.joinpath("taken", f"draft-{name}")
        draft.write_bytes(quantity.encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, folder.joinpath(name))
        draft.unlink()

    async def _watch(self) -> None:
        while True:
            for path in sorted(self._inbox.iterdir()):
                if path.is_file():
                    self._take(path)
            await self._host.sleep(LOOK_MS)

    def _take(self, path: Path) -> None:
        sender = path.name.partition("-")[0]
        account = next((a for a in self._host.accounts if a.details.get("address") == sender), None)
        if account is None:
            return  # it may introduce itself later
        self._host.received(account.id, path.name, Quantity.decode(path.read_bytes()))
        path.rename(self._inbox.joinpath("taken", path.name))

    @property
    def _inbox(self) -> Path:
        return self._directory.joinpath(self._address)

    def _greeting(self) -> bytes:
        return json.dumps({"address": self._address}).encode()

    def _learn(self, account: EngineAccount, message: bytes) -> None:
        try:
            address = parse_json_object(message).get("address")
        except DecodeError as error:
            raise MessageRefusedError(str(error)) from None
        if type(address) is not str or _ADDRESS.fullmatch(address) is None:
            raise MessageRefusedError("address is letters and digits")
        account.remember(address=address)
