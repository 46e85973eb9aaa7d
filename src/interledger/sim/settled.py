"""The end of a run that settles: engines that were away are back, operators decide, and every account must be exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from interledger.accounts.account import AccountId
from interledger.settlement.records import Settlement, SettlementState
from interledger.sim.auditor import BreachError
from interledger.sim.engine import PEER, SimEngine
from interledger.sim.node import SimNode
from interledger.sim.settlement_audit import total

__all__ = ["settle_down"]

STEPS_MS: Final = (*[20_000] * 15, *[600_000] * (72 * 6 + 24))
"""28: the longest that an engine is away, and four times the longest time between two attempts."""

Settled = tuple[SimEngine, SimNode, AccountId]
"""An engine, its node, and the account that it settles."""


def settle_down(engines: Sequence[Settled], wait: Callable[[int], None]) -> None:
    """Let time pass until nothing is on its way (28), then check 14, 15, 16 and 18. Raises `BreachError`."""
    if not engines:
        return
    refused: dict[str, Settlement] = {}
    for step_ms in STEPS_MS:
        for _, node, _ in engines:
            refused |= {one.key: one for one in _decide(node)}
        wait(step_ms)
        if not any(_is_busy(engine, node) for engine, node, _ in engines):
            break
    else:
        busy = [f"{node.address} {name}" for engine, node, name in engines if _is_busy(engine, node)]
        raise BreachError(f"28 settlements are still on their way: {', '.join(busy)}")
    for engine, node, name in engines:
        _check(engine, node, name, refused)


def _decide(node: SimNode) -> list[Settlement]:
    if node.settling is None:
        return []
    for engine in node.engines.values():
        engine.side.is_capped = False
    held = [one for one in node.settling.book.open() if one.state is SettlementState.HELD]
    node.auditor.coverage.events["settlement held"] += len(held)
    return node.settling.decide(lambda account, key: node.engines[account].is_lie(key))


def _is_busy(engine: SimEngine, node: SimNode) -> bool:
    settling = node.settling
    return engine.is_busy or settling is None or settling.waits or node.is_writing


def _check(engine: SimEngine, node: SimNode, name: AccountId, refused: dict[str, Settlement]) -> None:
    side, settling = engine.side, node.settling
    if settling is None:
        raise BreachError(f"14 {node.address} does not settle any more")
    account = node.attachments[name].account
    leftover = settling.book.leftover(name, account.asset)
    transfers = engine.chain.transfers.values()
    void = total(side.accepted[key] for key in refused if key in side.accepted)
    side.check(
        [one for one in transfers if one.sender == engine.name],
        [one for one in transfers if one.sender != engine.name],
        engine.state.owed(PEER),
        leftover,
        Fraction(void),
    )
    for event, count in (
        ("settlement settled", len(side.keys)),
        ("settlement credited", len(side.accepted)),
    ):
        side.auditor.coverage.events[event] += count
