"""The settings of settlement: rows of the table in `settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from interledger.node.settings_access import AccessSettings
from interledger.node.settings_parsers import bind_text, is_loopback_host, parse_bind_address, parse_token, whole_number
from interledger.node.settings_routes import DAY_MS
from interledger.node.settings_rows import setting

__all__ = ["SettlementSettings", "settlement_faults"]

BIND: Final = "settlement_api_bind_address"


@dataclass(frozen=True, kw_only=True)
class SettlementSettings(AccessSettings):
    """Where engines call, and when balances are settled without a threshold."""

    settlement_api_bind_address: str | None = setting(
        bind_text,
        None,
        "HOST:PORT",
        "Where settlement engines tell the node what came in, and send messages (RFC 38); 127.0.0.1:7771 is usual. No",
        "engine can call without it. Whoever calls there says what peers have paid: keep it to this machine, or give",
        "a  settlement_token. Port 0 takes a free one.",
    )
    settlement_token: str | None = setting(
        parse_token,
        None,
        "TOKEN",
        "What engines present to the node, and the node to engines. Without it nobody is asked for one.",
        secret=True,
    )
    settle_every_ms: int | None = setting(
        whole_number(1_000, 30 * DAY_MS),
        None,
        "MS",
        "How often, in milliseconds, whatever is owed to accounts with a  settle_threshold  is settled, below the",
        "threshold too. Without it they are settled when they reach it.",
        aliases=("settle_every",),
    )

    @property
    def settlement_bind(self) -> tuple[str, int] | None:
        """(host, port) where engines call."""
        text = self.settlement_api_bind_address
        return None if text is None else parse_bind_address(text)


def settlement_faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for values that are good alone but not together."""
    text = values[BIND]
    if text is None or values["settlement_token"] or is_loopback_host(parse_bind_address(text)[0]):
        return []
    return [(BIND, f"is {text}: any machine could say there what was paid. Use 127.0.0.1 or give a  settlement_token")]
