"""What the simulator of the XRP Ledger answers: the part of rippled's WebSocket API that payment channels need.

Requests are objects with `command` and `id`. `sim_fund` and `ledger_accept` are the simulator's: money for an account,
and a ledger at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, final

from interledger.settlement.engines.xrp.keys import is_address
from interledger.settlement.engines.xrp.sim_ledger import (
    BASE_FEE,
    OWNER_RESERVE,
    RESERVE,
    SimLedger,
    SimState,
    SimTransaction,
)
from interledger.settlement.engines.xrp.sim_results import RESULTS

__all__ = ["SimApi", "SimApiError", "transaction_event"]

BUILD: Final = "interledger-py xrp-sim (a simulator, no ledger)"

PAGE: Final = 200


class SimApiError(Exception):
    """The error that is answered: rippled's word for it."""


@final
class SimApi:
    """The API of one ledger. `now`: the time in the ledger's seconds."""

    def __init__(self, ledger: SimLedger, close: Callable[[], None], faucet: int = 0) -> None:
        """`faucet`: drops that an account begins with which somebody asks for; 0: there is no faucet."""
        self._ledger = ledger
        self._faucet = faucet
        self._close = close
        self._commands: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "ping": lambda _: {},
            "server_info": self._server_info,
            "fee": self._fee,
            "ledger": self._get_ledger,
            "ledger_current": lambda _: {"ledger_current_index": ledger.index + 1},
            "ledger_closed": lambda _: {"ledger_hash": _hash(ledger.index), "ledger_index": ledger.index},
            "ledger_entry": self._ledger_entry,
            "account_info": self._account_info,
            "account_channels": self._account_channels,
            "account_tx": self._account_tx,
            "submit": self._submit,
            "tx": self._tx,
            "ledger_accept": self._ledger_accept,
            "sim_fund": self._sim_fund,
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer to a request that is not about subscriptions."""
        head = {"id": request.get("id"), "type": "response"}
        failed = {**head, "status": "error", "request": dict(request)}
        command = self._commands.get(str(request.get("command")))
        try:
            if command is None:
                raise SimApiError("unknownCmd")
            return {**head, "status": "success", "result": command(request)}
        except SimApiError as error:
            text = str(error)
            return {**failed, "error": text, "error_message": text}
        except (KeyError, TypeError, ValueError) as error:
            said = f"{type(error).__name__}: {error}"
            return {**failed, "error": "invalidParams", "error_message": said}

    def ledger_event(self, count: int = 0) -> dict[str, Any]:
        """Of the stream `ledger`, and of the answer to subscribing to it."""
        ledger = self._ledger
        return {
            "fee_base": BASE_FEE,
            "fee_ref": BASE_FEE,
            "ledger_hash": _hash(ledger.index),
            "ledger_index": ledger.index,
            "ledger_time": ledger.closed_at,
            "reserve_base": RESERVE,
            "reserve_inc": OWNER_RESERVE,
            "txn_count": count,
            "validated_ledgers": f"{ledger.first}-{ledger.index}",
        }

    # ------------------------------------------------------------------ the server and its ledgers

    def _server_info(self, request: Mapping[str, Any]) -> dict[str, Any]:
        ledger = self._ledger
        validated = {
            "age": 1,
            "base_fee_xrp": _xrp(BASE_FEE),
            "hash": _hash(ledger.index),
            "reserve_base_xrp": _xrp(RESERVE),
            "reserve_inc_xrp": _xrp(OWNER_RESERVE),
            "seq": ledger.index,
        }
        info = {
            "build_version": "1.9.4",
            "server_name": BUILD,
            "complete_ledgers": f"{ledger.first}-{ledger.index}",
            "hostid": "xrp-sim",
            "io_latency_ms": 1,
            "last_close": {"converge_time_s": 1, "proposers": 0},
            "load_factor": 1,
            "peers": 0,
            "pubkey_node": "n9KorY8QtTdRx7TVDpwnG9NvyxsDwHUKUEeDLY3AkiGncVaSXZi5",
            "server_state": "full",
            "validated_ledger": validated,
            "validation_quorum": 0,
        }
        return {"info": info}

    def _fee(self, request: Mapping[str, Any]) -> dict[str, Any]:
        fee = str(BASE_FEE)
        drops = {"base_fee": fee, "median_fee": fee, "minimum_fee": fee, "open_ledger_fee": fee}
        return {"drops": drops, "ledger_current_index": self._ledger.index + 1}

    def _get_ledger(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._state(request)
        index = self._ledger.index
        header = {"ledger_index": str(index), "close_time": self._ledger.closed_at, "closed": True, "accepted": True}
        return {"ledger": header, "ledger_hash": _hash(index), "ledger_index": index, "validated": True}

    def _state(self, request: Mapping[str, Any]) -> SimState:
        """The ledger that a request is about. Old ones are not kept."""
        asked = request.get("ledger_index", "current")
        if asked in ("current", "closed"):
            return self._ledger.open
        if asked == "validated" or asked == self._ledger.index:
            return self._ledger.validated
        raise SimApiError("lgrNotFound")

    def _ledger_accept(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._close()
        return {"ledger_current_index": self._ledger.index + 1}

    # ------------------------------------------------------------------ what is in them

    def _ledger_entry(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request.get("payment_channel") or request["index"]).upper()
        found = self._state(request).channels.get(name)
        if found is None:
            raise SimApiError("entryNotFound")
        return {"index": name, "ledger_index": self._ledger.index, "node": found, "validated": True}

    def _account_info(self, request: Mapping[str, Any]) -> dict[str, Any]:
        address = str(request["account"])
        if self._faucet and address not in self._ledger.open.accounts and is_address(address):
            self._ledger.fund(address, self._faucet)
        found = self._state(request).accounts.get(address)
        if found is None:
            raise SimApiError("actNotFound")
        data = {"LedgerEntryType": "AccountRoot", "Flags": 0, "PreviousTxnID": "0" * 64, "PreviousTxnLgrSeq": 2}
        index = self._ledger.index
        return {"account_data": {**data, **found}, "ledger_current_index": index + 1, "ledger_index": index}

    def _account_channels(self, request: Mapping[str, Any]) -> dict[str, Any]:
        names = {"channel_id": "index", "account": "Account", "destination_account": "Destination",
                 "amount": "Amount", "balance": "Balance", "public_key_hex": "PublicKey",
                 "settle_delay": "SettleDelay", "expiration": "Expiration", "cancel_after": "CancelAfter"}  # fmt: skip
        found = [
            {name: entry[key] for name, key in names.items() if key in entry}
            for entry in self._state(request).channels.values()
            if entry["Account"] == request["account"]
            and request.get("destination_account") in (None, entry["Destination"])
        ]
        return {"account": request["account"], "channels": found, "ledger_index": self._ledger.index}

    def _account_tx(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Newest first."""
        address, begin = request["account"], int(request.get("marker", {}).get("seq", 0))
        found = [t for t in reversed(self._ledger.transactions.values()) if _touches(t, address)]
        page = found[begin : begin + PAGE]
        more = {"marker": {"ledger": 0, "seq": begin + PAGE}} if len(found) > begin + PAGE else {}
        rows = [{"meta": _meta(t), "tx": _document(t), "validated": True} for t in page]
        return {"account": address, "transactions": rows, "limit": PAGE, **more}

    # ------------------------------------------------------------------ transactions

    def _submit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            taken = self._ledger.submit(str(request["tx_blob"]))
        except ValueError:
            raise SimApiError("invalidTransaction") from None
        code, message = RESULTS[taken.result]
        return {
            "engine_result": taken.result,
            "engine_result_code": code,
            "engine_result_message": message,
            "tx_blob": taken.blob,
            "tx_json": {**taken.fields, "hash": taken.hash},
        }

    def _tx(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = str(request["transaction"]).upper()
        found = self._ledger.transactions.get(name) or next((t for t in self._ledger.pending if t.hash == name), None)
        if found is None:
            raise SimApiError("txnNotFound")
        return {**_document(found), "meta": _meta(found), "validated": bool(found.ledger)}

    def _sim_fund(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._ledger.fund(str(request["account"]), int(request["drops"]))
        return {}


def transaction_event(transaction: SimTransaction, index: int) -> dict[str, Any]:
    """Of the streams `transactions` and of accounts."""
    code, message = RESULTS[transaction.result]
    return {
        "type": "transaction",
        "engine_result": transaction.result,
        "engine_result_code": code,
        "engine_result_message": message,
        "ledger_hash": _hash(index),
        "ledger_index": index,
        "meta": _meta(transaction),
        "status": "closed",
        "transaction": _document(transaction),
        "validated": True,
    }


def _touches(transaction: SimTransaction, address: str) -> bool:
    if address in (transaction.fields.get("Account"), transaction.fields.get("Destination")):
        return True
    return any(
        address in (fields.get("Account"), fields.get("Destination"))
        for change in transaction.changes
        for node in change.values()
        for fields in (node.get("FinalFields") or node.get("NewFields") or {},)
    )


def _document(transaction: SimTransaction) -> dict[str, Any]:
    where = {"ledger_index": transaction.ledger, "inLedger": transaction.ledger, "date": transaction.date}
    return {**transaction.fields, "hash": transaction.hash, **(where if transaction.ledger else {})}


def _meta(transaction: SimTransaction) -> dict[str, Any]:
    return {"AffectedNodes": transaction.changes, "TransactionIndex": 0, "TransactionResult": transaction.result}


def _hash(index: int) -> str:
    return f"{index:064X}"


def _xrp(drops: int) -> Any:
    """As rippled says it: a number with six places. It is of a fee or a reserve, which nobody counts with here."""
    return timedelta(microseconds=drops).total_seconds()
