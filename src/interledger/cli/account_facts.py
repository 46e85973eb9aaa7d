"""What `ilp account show` says beyond the account's document: what is on its way to the peer, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from interledger.accounts.asset import format_amount
from interledger.cli.account_view import asset_of, position_of
from interledger.cli.console import Console
from interledger.cli.settlement_view import progress_of

__all__ = ["unknown_note", "with_settlements"]

Document = Mapping[str, Any]

SENDING: Final = "sending"
"""The state of a settlement that its engine has not confirmed."""


def with_settlements(
    account: Document, settlements: Sequence[Document], console: Console, now: datetime
) -> dict[str, Any]:
    """The account's document with `on_its_way` and `next` for `account_lines`. `settlements`: those of the account."""
    sending = [one for one in settlements if one["state"] == SENDING and one["direction"] == "out"]
    facts: dict[str, Any] = {}
    if sending:
        latest = sending[0]
        text = f"{latest['id']}, {progress_of(latest, console, now)}"
        if len(sending) > 1:
            text += f"; {len(sending)} settlements (ilp settlement list {account['id']})"
        facts["on_its_way"] = {"amount": str(sum(int(one["amount"]["amount"]) for one in sending)), "text": text}
    coming = _next(account, console)
    if coming:
        facts["next"] = coming
    return {**account, **facts}


def _next(account: Document, console: Console) -> str:
    """When it is settled, and by which engine."""
    threshold, engine = account["settle_threshold"], account.get("settlement_engine_url")
    if threshold is None or not engine:
        return ""
    asset, position = asset_of(account), position_of(account)
    owed = 0 if position.owes_us else position.amount
    by = f"by {urlsplit(engine).netloc or engine}"
    left = int(threshold) - owed
    if left <= 0:
        return f"settle now, {by}"
    return f"settle when we owe {format_amount(left, asset, thousands=console.is_terminal)} {asset.code} more, {by}"


def unknown_note(count: int, at_risk: Sequence[Document]) -> str | None:
    """`2 unknown items with kivu (ilp unknown list)`; None when there are none."""
    if not count:
        return None
    peers = list(dict.fromkeys(str(risk["account"]) for risk in at_risk if risk["unknown"] != "0"))
    with_ = f" with {', '.join(peers)}" if peers else ""
    return f"{count} unknown item{'' if count == 1 else 's'}{with_} (ilp unknown list)"
