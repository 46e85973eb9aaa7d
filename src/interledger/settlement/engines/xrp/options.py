"""The settings of the engine for XRP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interledger.errors import SettingsError
from interledger.settlement.engine.base import EngineOption

__all__ = ["OPTIONS", "read_numbers"]

OPTIONS: Final = (
    EngineOption("server", "A server of the XRP Ledger: ws://... or wss://..."),
    EngineOption("key_file", "The seed (sEd...) of our account; made when there is none.", secret=True),
    EngineOption("dialect", "What the peers speak: asym or paychan.", "asym"),
    EngineOption("scale", "Decimal places of claims: the peers have to have the same.", "6"),
    EngineOption("deposit", "Drops that a channel of ours is opened with, and topped up by.", "10000000"),
    EngineOption("deposit_back", "Drops of a channel that a peer who dials asks for.", "1000000"),
    EngineOption("deposit_min", "Drops that its own channel must have for that.", "10000000"),
    EngineOption("settle_delay_s", "Of our channels, and of the peers' at least.", "3600"),
    EngineOption("claim_every_ms", "So often a claim is redeemed that is worth the fee.", "300000"),
    EngineOption("look_ms", "Between two looks at the ledger.", "4000"),
)

_NUMBERS: Final = ("scale", "deposit", "deposit_back", "deposit_min", "settle_delay_s", "claim_every_ms", "look_ms")


def read_numbers(options: Mapping[str, str]) -> dict[str, int]:
    """Those that are whole numbers. Raises `SettingsError` for one that is none."""
    return {name: _whole(options, name) for name in _NUMBERS}


def _whole(options: Mapping[str, str], name: str) -> int:
    text = options[name]
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise SettingsError(f"{name} is a whole number, not “{text}”")
    return int(text)
