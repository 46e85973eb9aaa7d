"""A simulator of the XRP Ledger: accounts and payment channels, with the ledger's own rules and result codes.

It is no ledger: one process decides, nothing is worth anything, and all is forgotten when it stops. What it knows is
what payment channels need (`Payment` of XRP, `PaymentChannelCreate`, `-Fund`, `-Claim`); of that it refuses what
rippled refuses: a wrong signature, sequence, fee or reserve, a claim without a right, a channel that has expired.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha512
from typing import Any, Final, final

from cryptography.exceptions import InvalidSignature
from xrpl.core.addresscodec import decode_classic_address, is_valid_classic_address
from xrpl.core.binarycodec import XRPLBinaryCodecException, decode, encode_for_signing, encode_for_signing_claim
from xrpl.core.keypairs import XRPLKeypairsException, derive_classic_address, is_valid_message

from interledger.settlement.engines.xrp.claims import DROPS_MAX, channel_id

__all__ = ["BASE_FEE", "GENESIS", "OWNER_RESERVE", "RESERVE", "RULES", "SimLedger", "SimState", "SimTransaction"]

GENESIS: Final = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
"""Of the seed of `masterpassphrase`, as a ledger of rippled's own begins: it has all the XRP."""

BASE_FEE: Final = 10
RESERVE: Final = 1_000_000
OWNER_RESERVE: Final = 200_000

CLOSE: Final = 0x0002_0000
RENEW: Final = 0x0001_0000


class _ResultError(Exception):
    """Why a transaction does nothing but, for a `tec`, cost its fee."""


@dataclass(slots=True)
class SimTransaction:
    """One that a ledger has. `changes`: AffectedNodes of its metadata."""

    hash: str
    blob: str
    fields: dict[str, Any]
    result: str
    changes: list[dict[str, Any]] = field(default_factory=list)
    ledger: int = 0
    date: int = 0


@dataclass(slots=True)
class SimState:
    """What a ledger says of accounts and channels; entries as the ledger's JSON has them."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)


@final
class SimLedger:
    """An open ledger that takes transactions, and the validated one before it. Times in seconds of the ledger."""

    def __init__(self, now: int) -> None:
        self.index = 2
        """Of the last validated ledger."""
        self.first = 2
        self.closed_at = now
        self.open = SimState()
        genesis = {"Account": GENESIS, "Balance": str(DROPS_MAX), "Sequence": 1, "OwnerCount": 0}
        self.open.accounts[GENESIS] = genesis
        self.validated = copy.deepcopy(self.open)
        self.transactions: dict[str, SimTransaction] = {}
        self.pending: list[SimTransaction] = []
        self.gone: dict[str, dict[str, Any]] = {}
        """Channels as they were when they were closed."""

    def submit(self, blob: str) -> SimTransaction:
        """Take it into the open ledger, or say why not. The same one again: as it was. Raises `ValueError`."""
        fields, digest = _read(blob)
        known = self.transactions.get(digest) or next((t for t in self.pending if t.hash == digest), None)
        if known is not None:
            return SimTransaction(digest, blob, fields, "tefPAST_SEQ" if known.ledger else known.result)
        transaction = SimTransaction(digest, blob, fields, "tesSUCCESS")
        try:
            _check_common(self, fields)
        except _ResultError as error:
            transaction.result = str(error)
            return transaction
        before = copy.deepcopy(self.open)
        try:
            RULES[fields["TransactionType"]](self, fields)
        except _ResultError as error:
            transaction.result = str(error)
            self.open = before
            if not transaction.result.startswith("tec"):
                return transaction
        account = self.open.accounts[fields["Account"]]
        account["Balance"] = str(int(account["Balance"]) - int(fields["Fee"]))
        account["Sequence"] += 1
        transaction.changes = _changes(before, self.open, self.gone)
        for entry in self.open.channels.values():
            if entry != before.channels.get(entry["index"]):
                entry |= {"PreviousTxnID": digest, "PreviousTxnLgrSeq": self.index + 1}
        self.pending.append(transaction)
        return transaction

    def close(self, now: int) -> list[SimTransaction]:
        """Validate the open ledger; what it has."""
        self.index += 1
        self.closed_at = max(now, self.closed_at + 1)
        self.validated = copy.deepcopy(self.open)
        done, self.pending = self.pending, []
        for transaction in done:
            transaction.ledger, transaction.date = self.index, self.closed_at
            self.transactions[transaction.hash] = transaction
        return done

    def fund(self, address: str, drops: int) -> None:
        """Money from nowhere but the first account, at once in the validated ledger, too: a simulator can do that."""
        for state in (self.open, self.validated):
            _credit(state, address, drops)
            _credit(state, GENESIS, -drops)


# ---------------------------------------------------------------------- what every transaction has to be


def _read(blob: str) -> tuple[dict[str, Any], str]:
    try:
        fields = decode(blob)
        octets = bytes.fromhex(blob)
    except (XRPLBinaryCodecException, ValueError, IndexError, KeyError) as error:
        raise ValueError(f"this is no transaction: {error}") from None
    return fields, sha512(b"TXN\0" + octets).digest()[:32].hex().upper()


def _check_common(ledger: SimLedger, fields: Mapping[str, Any]) -> None:
    if fields.get("TransactionType") not in RULES:
        raise _ResultError("temUNKNOWN")
    key = str(fields.get("SigningPubKey", ""))
    if not _is_signed(encode_for_signing(dict(fields)), fields.get("TxnSignature"), key):
        raise _ResultError("temBAD_SIGNATURE")
    account = ledger.open.accounts.get(str(fields["Account"]))
    if account is None:
        raise _ResultError("terNO_ACCOUNT")
    if derive_classic_address(key) != fields["Account"]:
        raise _ResultError("tefBAD_AUTH")
    if int(fields.get("Fee", "0")) < BASE_FEE:
        raise _ResultError("telINSUF_FEE_P")
    if fields["Sequence"] != account["Sequence"]:
        raise _ResultError("tefPAST_SEQ" if fields["Sequence"] < account["Sequence"] else "terPRE_SEQ")
    if fields.get("LastLedgerSequence", ledger.index + 1) <= ledger.index:
        raise _ResultError("tefMAX_LEDGER")
    if int(account["Balance"]) < int(fields["Fee"]):
        raise _ResultError("terINSUF_FEE_B")


def _is_signed(message_hex: str, signature: object, key: str) -> bool:
    try:
        return bool(is_valid_message(bytes.fromhex(message_hex), bytes.fromhex(str(signature)), key))
    except (ValueError, XRPLKeypairsException, InvalidSignature):
        return False


def _is_key(text: object) -> bool:
    return type(text) is str and len(text) == 66 and text[:2] in ("ED", "02", "03")


# ---------------------------------------------------------------------- what each kind does


def _pay(ledger: SimLedger, fields: Mapping[str, Any]) -> None:
    drops, destination = _drops(fields.get("Amount")), _destination(fields)
    source = ledger.open.accounts[fields["Account"]]
    if int(source["Balance"]) - drops < max(_reserve(source, 0), int(fields["Fee"])):
        raise _ResultError("tecUNFUNDED_PAYMENT")
    if destination not in ledger.open.accounts and drops < RESERVE:
        raise _ResultError("tecNO_DST_INSUF_XRP")
    _credit(ledger.open, fields["Account"], -drops)
    _credit(ledger.open, destination, drops)


def _create(ledger: SimLedger, fields: Mapping[str, Any]) -> None:
    drops, destination, state = _drops(fields.get("Amount")), _destination(fields), ledger.open
    if not _is_key(fields.get("PublicKey")):
        raise _ResultError("temMALFORMED")
    source = state.accounts[fields["Account"]]
    if int(source["Balance"]) < _reserve(source, 1):
        raise _ResultError("tecINSUFFICIENT_RESERVE")
    if int(source["Balance"]) < _reserve(source, 1) + drops:
        raise _ResultError("tecUNFUNDED")
    if destination not in state.accounts:
        raise _ResultError("tecNO_DST")
    if "CancelAfter" in fields and ledger.closed_at > fields["CancelAfter"]:
        raise _ResultError("tecEXPIRED")
    ids = (decode_classic_address(fields["Account"]), decode_classic_address(destination))
    name = channel_id(*ids, fields["Sequence"]).hex().upper()
    kept = ("Account", "Destination", "Amount", "PublicKey", "SettleDelay", "CancelAfter", "SourceTag",
            "DestinationTag")  # fmt: skip
    state.channels[name] = {
        "LedgerEntryType": "PayChannel",
        "index": name,
        "Balance": "0",
        "Flags": 0,
        "OwnerNode": "0",
        **{key: fields[key] for key in kept if key in fields},
    }
    _credit(state, fields["Account"], -drops)
    source["OwnerCount"] += 1


def _fund(ledger: SimLedger, fields: Mapping[str, Any]) -> None:
    drops, state = _drops(fields.get("Amount")), ledger.open
    channel = _channel(ledger, fields)
    if _close_if_expired(ledger, channel):
        return
    if channel["Account"] != fields["Account"]:
        raise _ResultError("tecNO_PERMISSION")
    if "Expiration" in fields:
        least = min(ledger.closed_at + channel["SettleDelay"], channel.get("Expiration", 1 << 32))
        if fields["Expiration"] < least:
            raise _ResultError("temBAD_EXPIRATION")
        channel["Expiration"] = fields["Expiration"]
    source = state.accounts[fields["Account"]]
    if int(source["Balance"]) < _reserve(source, 0):
        raise _ResultError("tecINSUFFICIENT_RESERVE")
    if int(source["Balance"]) < _reserve(source, 0) + drops:
        raise _ResultError("tecUNFUNDED")
    if channel["Destination"] not in state.accounts:
        raise _ResultError("tecNO_DST")
    channel["Amount"] = str(int(channel["Amount"]) + drops)
    _credit(state, fields["Account"], -drops)


def _claim(ledger: SimLedger, fields: Mapping[str, Any]) -> None:
    flags = fields.get("Flags", 0)
    if flags & CLOSE and flags & RENEW:
        raise _ResultError("temMALFORMED")
    balance = _drops(fields["Balance"]) if "Balance" in fields else None
    amount = _drops(fields["Amount"]) if "Amount" in fields else None
    if balance is not None and amount is not None and balance > amount:
        raise _ResultError("temBAD_AMOUNT")
    _check_claim_signature(fields, balance, amount)
    channel = _channel(ledger, fields)
    if _close_if_expired(ledger, channel):
        return
    by_source = fields["Account"] == channel["Account"]
    if not by_source and fields["Account"] != channel["Destination"]:
        raise _ResultError("tecNO_PERMISSION")
    if balance is not None:
        _redeem(ledger, fields, channel, balance, by_source=by_source)
    if flags & RENEW:
        if not by_source:
            raise _ResultError("tecNO_PERMISSION")
        channel.pop("Expiration", None)
    if flags & CLOSE:
        if not by_source or channel["Balance"] == channel["Amount"]:
            _close(ledger, channel)
        else:
            at = ledger.closed_at + channel["SettleDelay"]
            channel["Expiration"] = min(at, channel.get("Expiration", at))


def _check_claim_signature(fields: Mapping[str, Any], balance: int | None, amount: int | None) -> None:
    if "Signature" not in fields:
        return
    if not _is_key(fields.get("PublicKey")) or balance is None:
        raise _ResultError("temMALFORMED")
    drops = balance if amount is None else amount
    message = encode_for_signing_claim({"channel": fields["Channel"], "amount": str(drops)})
    if not _is_signed(message, fields["Signature"], fields["PublicKey"]):
        raise _ResultError("temBAD_SIGNATURE")


def _redeem(
    ledger: SimLedger, fields: Mapping[str, Any], channel: dict[str, Any], balance: int, *, by_source: bool
) -> None:
    if not by_source and "Signature" not in fields:
        raise _ResultError("temBAD_SIGNATURE")
    if "Signature" in fields and fields["PublicKey"] != channel["PublicKey"]:
        raise _ResultError("temBAD_SIGNER")
    paid = int(channel["Balance"])
    if balance > int(channel["Amount"]) or balance <= paid:
        raise _ResultError("tecUNFUNDED_PAYMENT")
    if channel["Destination"] not in ledger.open.accounts:
        raise _ResultError("tecNO_DST")
    channel["Balance"] = str(balance)
    _credit(ledger.open, channel["Destination"], balance - paid)


RULES: Final[Mapping[str, Callable[[SimLedger, Mapping[str, Any]], None]]] = {
    "Payment": _pay,
    "PaymentChannelCreate": _create,
    "PaymentChannelFund": _fund,
    "PaymentChannelClaim": _claim,
}


# ---------------------------------------------------------------------- parts


def _drops(value: object) -> int:
    """A positive amount of XRP."""
    if type(value) is not str or not value.isascii() or not value.isdigit() or not 0 < int(value) <= DROPS_MAX:
        raise _ResultError("temBAD_AMOUNT")
    return int(value)


def _destination(fields: Mapping[str, Any]) -> str:
    address = fields.get("Destination")
    if type(address) is not str or not is_valid_classic_address(address):
        raise _ResultError("temMALFORMED")
    if address == fields["Account"]:
        raise _ResultError("temDST_IS_SRC")
    return address


def _reserve(account: Mapping[str, Any], more: int) -> int:
    return RESERVE + (int(account["OwnerCount"]) + more) * OWNER_RESERVE


def _channel(ledger: SimLedger, fields: Mapping[str, Any]) -> dict[str, Any]:
    found = ledger.open.channels.get(str(fields.get("Channel", "")).upper())
    if found is None:
        raise _ResultError("tecNO_ENTRY")
    return found


def _close_if_expired(ledger: SimLedger, channel: Mapping[str, Any]) -> bool:
    """Whoever touches a channel that has expired closes it."""
    times = [channel[name] for name in ("Expiration", "CancelAfter") if name in channel]
    if not any(ledger.closed_at >= time for time in times):
        return False
    _close(ledger, channel)
    return True


def _close(ledger: SimLedger, channel: Mapping[str, Any]) -> None:
    ledger.gone[channel["index"]] = dict(channel)
    del ledger.open.channels[channel["index"]]
    _credit(ledger.open, channel["Account"], int(channel["Amount"]) - int(channel["Balance"]))
    ledger.open.accounts[channel["Account"]]["OwnerCount"] -= 1


def _credit(state: SimState, address: str, drops: int) -> None:
    made = {"Account": address, "Balance": "0", "Sequence": 1, "OwnerCount": 0}
    account = state.accounts.setdefault(address, made)
    account["Balance"] = str(int(account["Balance"]) + drops)


def _changes(before: SimState, after: SimState, gone: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """AffectedNodes: of channels all, of accounts the balance."""
    changes: list[dict[str, Any]] = []
    for name in {**before.channels, **after.channels}:
        old, new = before.channels.get(name), after.channels.get(name)
        if old == new:
            continue
        node: dict[str, Any] = {"LedgerEntryType": "PayChannel", "LedgerIndex": name}
        if old is None:
            changes.append({"CreatedNode": {**node, "NewFields": new}})
        elif new is None:
            changes.append({"DeletedNode": {**node, "FinalFields": gone[name]}})
        else:
            changes.append({"ModifiedNode": {**node, "FinalFields": new, "PreviousFields": _differing(old, new)}})
    for address, entry in after.accounts.items():
        if entry != before.accounts.get(address):
            fields = {"LedgerEntryType": "AccountRoot", "FinalFields": dict(entry)}
            changes.append({"ModifiedNode": {**fields, "LedgerIndex": _account_index(address)}})
    return changes


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in old.items() if new.get(name) != value}


def _account_index(address: str) -> str:
    return sha512(b"\0a" + decode_classic_address(address)).digest()[:32].hex().upper()
