"""A kit for settlement engines: write a class of some fifty lines, run it with `ilp engine run`."""

from interledger.settlement.engine.base import (
    CannotPayError,
    EngineAccount,
    EngineHost,
    EngineOption,
    MessageRefusedError,
    Payment,
    SettlementEngine,
)

__all__ = [
    "CannotPayError",
    "EngineAccount",
    "EngineHost",
    "EngineOption",
    "MessageRefusedError",
    "Payment",
    "SettlementEngine",
]
