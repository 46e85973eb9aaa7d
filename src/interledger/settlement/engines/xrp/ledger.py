"""The XRP Ledger seen from our account: its objects as validated ledgers have them, and transactions that count once.

A transaction is signed, kept, and sent until a validated ledger has it, or until its last ledger has gone by without
it: only then may another one be made in its place.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from interledger.codec.strict_json import JsonNumber, parse_json_object
from interledger.errors import DecodeError, LinkError
from interledger.settlement.engine.base import CannotPayError, EngineHost
from interledger.settlement.engines.xrp.keys import XrpKey

__all__ = ["Channel", "LedgerError", "Sent", "XrpLedger", "ripple_time"]

TIMEOUT_S: Final = 15

ANSWER_OCTETS_MAX: Final = 4 * 1024 * 1024

ANSWER_DEPTH_MAX: Final = 40
"""Of what a transaction of somebody else's has changed."""

LEDGERS: Final = 40
"""A transaction is in one of so many ledgers (some two minutes), or never."""

FEE_MAX_DROPS: Final = 10_000
"""No transaction offers more; the usual fee is 10 drops."""

RIPPLE_EPOCH: Final = 946_684_800
"""The ledger counts seconds from 2000-01-01."""

UNDER_WAY: Final = "transaction"
"""The name under which the host keeps the transaction that is under way."""

_PAGES_MAX: Final = 200


class LedgerError(LinkError):
    """The server did not answer, or not with what was asked. `code`: its own word for why."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Channel(NamedTuple):
    """A payment channel, as a validated ledger has it. Amounts in drops."""

    source: str
    destination: str
    amount: int
    balance: int
    public: str
    settle_delay: int
    expiration: int | None
    cancel_after: int | None

    @classmethod
    def read(cls, node: Mapping[str, Any]) -> Channel:
        """Of a ledger entry, or of what is left of one in a transaction's metadata."""
        return cls(
            source=str(node["Account"]),
            destination=str(node["Destination"]),
            amount=int(node["Amount"]),
            balance=int(node["Balance"]),
            public=str(node["PublicKey"]),
            settle_delay=int(node["SettleDelay"]),
            expiration=int(node["Expiration"]) if "Expiration" in node else None,
            cancel_after=int(node["CancelAfter"]) if "CancelAfter" in node else None,
        )


class Sent(NamedTuple):
    """A transaction that a validated ledger has, and what came of it there: `tesSUCCESS`, or why not."""

    hash: str
    result: str
    sequence: int


def ripple_time(ms: int) -> int:
    """The ledger's seconds, of ms UTC."""
    return ms // 1_000 - RIPPLE_EPOCH


@final
class XrpLedger:
    """A server (`ws://` or `wss://`) of the XRP Ledger, asked one thing at a time."""

    def __init__(self, url: str, key: XrpKey, host: EngineHost, *, look_ms: int) -> None:
        self._url = url
        self._key = key
        self._host = host
        self._look_ms = look_ms
        self._connection: ClientConnection | None = None
        self._asking = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._number = 0

    async def close(self) -> None:
        """Let go of the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    # ------------------------------------------------------------------ asking

    async def request(self, command: str, **fields: Any) -> Any:
        """The server's result. Raises `LedgerError`."""
        async with self._asking:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    answer = await self._exchange({"command": command, **fields})
            except (OSError, TimeoutError, WebSocketException, DecodeError) as error:
                await self.close()
                raise LedgerError(f"{self._url} does not answer: {error or type(error).__name__}") from None
        if answer.get("status") != "success":
            code = str(answer.get("error"))
            raise LedgerError(f"{self._url} answers {code} to {command}: {answer.get('error_message', '')}", code)
        return answer["result"]

    async def _exchange(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._connection is None:
            self._connection = await connect(self._url, max_size=ANSWER_OCTETS_MAX, open_timeout=TIMEOUT_S)
        self._number += 1
        await self._connection.send(json.dumps({"id": str(self._number), **body}))
        while True:
            text = await self._connection.recv()
            octets = text.encode() if isinstance(text, str) else text
            answer = parse_json_object(octets, octets_max=ANSWER_OCTETS_MAX, depth_max=ANSWER_DEPTH_MAX)
            if answer.get("id") == str(self._number):
                return answer

    async def channel(self, channel: str) -> Channel | None:
        """None: there is none, or no validated ledger has it yet. Raises `LedgerError`."""
        try:
            found = await self.request("ledger_entry", payment_channel=channel, ledger_index="validated")
        except LedgerError as error:
            if error.code != "entryNotFound":
                raise
            return None
        return Channel.read(found["node"])

    async def last_of(self, channel: str) -> Channel | None:
        """How a channel of ours was when it was closed; None when no ledger that the server has tells of that."""
        marker: Mapping[str, Any] = {}
        for _ in range(_PAGES_MAX):
            page = await self.request("account_tx", account=self._key.address, ledger_index_min=-1, limit=200, **marker)
            for entry in page["transactions"]:
                for node in entry.get("meta", {}).get("AffectedNodes", ()):
                    gone = node.get("DeletedNode")
                    if entry.get("validated") and gone is not None and gone["LedgerIndex"] == channel:
                        return Channel.read(gone["FinalFields"])
            if "marker" not in page:
                break
            marker = {"marker": _as_sent(page["marker"])}
        return None

    async def sequence(self) -> int:
        """Of our next transaction. Raises `CannotPayError` while our account is none of the ledger's, `LedgerError`."""
        try:
            account = await self.request("account_info", account=self._key.address, ledger_index="current")
        except LedgerError as error:
            if error.code == "actNotFound":
                raise CannotPayError(f"{self._key.address} is no account of the ledger yet: pay XRP to it") from None
            raise
        return int(account["account_data"]["Sequence"])

    async def fee(self) -> int:
        """Of a transaction now, in drops."""
        drops = (await self.request("fee"))["drops"]
        return max(int(drops["open_ledger_fee"]), int(drops["base_fee"]))

    # ------------------------------------------------------------------ sending

    async def send(self, name: str, fields: Mapping[str, Any]) -> Sent:
        """The transaction of that name, once: made when it is not, and waited for until a validated ledger has it.

        Its outcome is known under this name until `forget`. Raises `CannotPayError` when no server takes it, or a
        ledger has refused it; `LedgerError`.
        """
        async with self._sending:
            done = self._host.get(f"done {name}")
            if done is None:
                under_way = self._host.get(UNDER_WAY)
                if under_way is not None and under_way["name"] != name:
                    await self._finish(under_way)
                    under_way = None
                done = await self._finish(under_way or await self._make(name, fields))
        sent = Sent(*done)
        if sent.result != "tesSUCCESS":
            self.forget(name)
            raise CannotPayError(f"{name}: the ledger says {sent.result}")
        return sent

    def forget(self, name: str) -> None:
        """What came of it is kept elsewhere: the next one of that name is another."""
        self._host.put(f"done {name}", None)

    async def _make(self, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        sequence = await self.sequence()
        validated = await self._validated()
        fee = await self.fee()
        if fee > FEE_MAX_DROPS:
            raise CannotPayError(f"{name}: the fee is {fee} drops now, more than {FEE_MAX_DROPS}")
        last = validated + LEDGERS
        whole = {**fields, "Sequence": sequence, "Fee": str(fee), "LastLedgerSequence": last}
        signed = self._key.sign_transaction(whole)
        kept = {"name": name, "fields": dict(fields), **signed._asdict(), "sequence": sequence, "last": last}
        self._host.put(UNDER_WAY, {**kept, "first": validated})
        return {**kept, "first": validated}

    async def _validated(self) -> int:
        return int((await self.request("ledger", ledger_index="validated"))["ledger_index"])

    async def _finish(self, made: Mapping[str, Any]) -> tuple[str, str, int]:
        while True:
            answer = await self.request("submit", tx_blob=made["blob"])
            result = str(answer["engine_result"])
            if result.startswith("tem"):  # no ledger can ever have it
                self._host.put(UNDER_WAY, None)
                raise CannotPayError(f"{made['name']}: {result} {answer.get('engine_result_message', '')}")
            # Before it is looked for: a ledger that has gone by then is one that cannot take it any more.
            validated = await self._validated()
            found = await self._find(made)
            if found is not None:
                done = (made["hash"], found, int(made["sequence"]))
                self._host.put(f"done {made['name']}", list(done))
                self._host.put(UNDER_WAY, None)
                return done
            if validated > made["last"] and await self._is_nowhere(made):
                self._host.put(UNDER_WAY, None)
                made = await self._make(made["name"], made["fields"])
            await self._host.sleep(self._look_ms)

    async def _find(self, made: Mapping[str, Any]) -> str | None:
        """What a validated ledger says of it."""
        try:
            found = await self.request("tx", transaction=made["hash"])
        except LedgerError as error:
            if error.code != "txnNotFound":
                raise
            return None
        return str(found["meta"]["TransactionResult"]) if found.get("validated") else None

    async def _is_nowhere(self, made: Mapping[str, Any]) -> bool:
        """Whether the server has all ledgers that may have it, and none does."""
        try:
            await self.request(
                "tx", transaction=made["hash"], min_ledger=max(made["first"], 1), max_ledger=made["last"]
            )
        except LedgerError as error:
            if error.code != "txnNotFound":
                raise
        else:
            return False
        range_ = await self.request("server_info")
        return _covers(str(range_["info"].get("complete_ledgers", "")), made["first"], made["last"])


def _as_sent(marker: Any) -> Any:
    """Where a list goes on, with numbers as numbers again: the server wants it back as it was."""
    if isinstance(marker, dict):
        return {name: _as_sent(value) for name, value in marker.items()}
    return int(marker) if isinstance(marker, JsonNumber) else marker


def _covers(ranges: str, first: int, last: int) -> bool:
    """Whether the server has all of these ledgers: `32570-94000000,94000003-94000010`."""
    for part in ranges.split(","):
        low, _, high = part.partition("-")
        if low.isdigit() and (high or low).isdigit() and int(low) <= first and last <= int(high or low):
            return True
    return False
