"""Names that the page imports nowhere, and a ledger to talk to."""

from collections.abc import Mapping
from typing import Any

from interledger.settlement.engine.base import EngineAccount, EngineHost, EngineOption, Payment, SettlementEngine
from interledger.settlement.quantity import Quantity

Ledger = Any
