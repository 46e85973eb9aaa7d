"""The answers of the books as JSON documents: the API gives them out, and so does the command line without a node."""

from __future__ import annotations

from typing import Any

from interledger.accounts.asset import Asset
from interledger.accounts.books.chart import row_of
from interledger.accounts.books.check import CheckReport, Fault
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.profit import ProfitReport
from interledger.accounts.books.readings import ItemHistory
from interledger.accounts.books.statement import StatementReport
from interledger.accounts.ledger import LedgerAccount, Unknown
from interledger.accounts.unproven import Unproven
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = [
    "check_document", "ledger_account_document", "memo_document", "profit_document", "statement_document",
    "unknown_document",
    "unproven_document",
]  # fmt: skip

Document = dict[str, Any]


def ledger_account_document(account: LedgerAccount) -> Document:
    """One line of the chart of accounts, as it stands. Amounts in units."""
    row = row_of(account.name)
    return {
        "name": account.name,
        **_asset(account.asset),
        "class": row.account_class.value,
        "meaning": row.meaning,
        "net": str(account.net),
        "debits_posted": str(account.debits_posted),
        "credits_posted": str(account.credits_posted),
        "debits_pending": str(account.debits_pending),
        "credits_pending": str(account.credits_pending),
    }


def check_document(report: CheckReport) -> Document:
    """What a check found."""
    return {
        "sound": report.sound,
        "opening": {"commit": report.opening_seq, "at": _moment(report.opening_at)},
        "last": {"commit": report.last_seq, "at": _moment(report.last_at)},
        "commits": report.commits,
        "records": report.records,
        "snapshots": report.snapshots,
        "holds": report.holds,
        "unknown": report.unknown,
        "unproven": report.unproven,
        "trial_balances": [
            {
                **_asset(balance.asset),
                "posted": str(balance.posted),
                "pending": str(balance.pending),
                "accounts": balance.accounts,
            }
            for balance in report.balances
        ],
        "faults": [_fault(fault) for fault in report.faults],
    }


def statement_document(report: StatementReport) -> Document:
    """A statement. `net`: after the line, above zero when the counterpart owes us."""
    return {
        "name": report.name,
        **_asset(report.asset),
        "kept_from": _moment(report.kept_from),
        "opening_net": str(report.opening_net),
        "lines": [
            {
                "at": _moment(line.at),
                "kind": line.kind.value,
                "with": list(line.others),
                "debit": str(line.debit),
                "credit": str(line.credit),
                "net": str(line.net),
                "packets": line.packets,
                "memo": memo_document(line.memo),
                "commit": line.seq,
                "record": line.number,
            }
            for line in report.lines
        ],
        "more": report.more,
        "debits": str(report.debits),
        "credits": str(report.credits),
        "closing_net": str(report.closing_net),
        "pending": {"in": str(report.pending_in), "out": str(report.pending_out)},
        "unknown": [unknown_document(item) for item in report.unknown],
        "unproven": [unproven_document(item) for item in report.unproven],
    }


def profit_document(report: ProfitReport) -> Document:
    """Profit and loss; amounts in units of their asset."""
    return {
        "kept_from": _moment(report.kept_from),
        "assets": [
            {
                **_asset(result.asset),
                "fees": str(result.fees),
                "losses": str(result.losses),
                "corrections": str(result.corrections),
                "taken": str(result.taken),
                "given": str(result.given),
                "position": str(result.position),
            }
            for result in report.assets
        ],
        "pairs": [
            {
                "packets": pair.packets,
                "taken": _money(pair.taken, pair.taken_asset),
                "given": _money(pair.given, pair.given_asset),
            }
            for pair in report.pairs
        ],
    }


def unknown_document(item: Unknown, now: int | None = None, history: ItemHistory | None = None) -> Document:
    """An unknown item. `age_ms`: since the packet expired; `proof`: its fulfillment, where it came too late."""
    document: Document = {
        "id": f"unk_{item.id}",
        "account": item.account.name.partition("/")[2],
        "ledger_account": item.account.name,
        "amount": _money(item.amount, item.account.asset),
        "condition": item.condition.hex(),
        "expires_at": format_rfc3339(item.expires_at),
        "age_ms": None if now is None else max(now - item.expires_at, 0),
        "proof": None if item.fulfillment is None else item.fulfillment.hex(),
    }
    if history is not None:
        source = history.incoming
        document |= {
            "held_at": _moment(history.held_at),
            "gave_up_at": _moment(history.gave_up_at),
            "incoming": None if source is None else {"account": source[0], "amount": _money(source[2], source[1])},
        }
    return document


def unproven_document(item: Unproven, now: int | None = None) -> Document:
    """What a peer does not count. `age_ms`: since it was set aside; `proof`: its fulfillment."""
    return {
        "id": f"unp_{item.id}",
        "account": item.account.name.partition("/")[2],
        "amount": _money(item.amount, item.account.asset),
        "condition": item.condition.hex(),
        "proof": item.fulfillment.hex(),
        "since": format_rfc3339(Timestamp(item.since)),
        "age_ms": None if now is None else max(now - item.since, 0),
    }


def memo_document(memo: Memo) -> Document | None:
    """Who wrote an entry by hand, and why; None for what nobody wrote."""
    if not memo.kind:
        return None
    return {"kind": memo.kind, "by": memo.by or None, "reason": memo.reason or None, "id": memo.id or None}


def _fault(fault: Fault) -> Document:
    return {"text": fault.text, "commit": fault.seq, "record": fault.number, "at": _moment(fault.at)}


def _asset(asset: Asset) -> Document:
    return {"asset_code": asset.code, "asset_scale": asset.scale}


def _money(amount: int, asset: Asset) -> Document:
    return {"amount": str(amount), **_asset(asset)}


def _moment(at: Timestamp | None) -> str | None:
    return format_rfc3339(at) if at else None
