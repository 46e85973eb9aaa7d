"""Secrets at rest: what opens them, and the one time when those that an older program wrote in the clear are sealed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from interledger.accounts.account import SECRET_FIELDS
from interledger.errors import StoreError
from interledger.node.account_changes import with_token_apart
from interledger.store.base import StoredState
from interledger.store.documents import Kind
from interledger.store.sealing import Sealer

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["make_sealer", "seal_what_was_clear"]

logger = logging.getLogger("interledger.node")

FACT: Final = "sealing"
"""Says that this store has no secret in the clear, nor a trace of one."""

FORM: Final = 1


def make_sealer(node: Node) -> Sealer:
    """What seals the secrets of this node's store."""
    settings = node.settings
    return Sealer(settings.secret_seed, node.entropy, forget_lost=settings.forget_lost_secrets)


async def seal_what_was_clear(node: Node, state: StoredState, sealer: Sealer) -> None:
    """Seal the secrets of a store that an older program wrote. Killed anywhere, the next start does it again.

    Raises `StoreError` when they cannot be written; that traces of them stay is only told.
    """
    _forget_lost(node, state, sealer)
    if state.facts.get(FACT) == FORM:
        return
    if state.accounts or state.facts:
        for account in map(with_token_apart, state.accounts):
            if any(getattr(account.link, name) is not None for name in SECRET_FIELDS):
                node.store.put_account(account)
        node.peering.keep_secrets()
        await node.commit()
        try:
            await asyncio.to_thread(node.store.scrub)
        except StoreError as error:
            logger.warning("secrets are sealed now, but traces of them are left: %s", error)
            return
        logger.info("the secrets in the store are sealed now")
    node.store.put_fact(FACT, FORM)


def _forget_lost(node: Node, state: StoredState, sealer: Sealer) -> None:
    """What the operator gave up is not asked for again."""
    lost = set(sealer.lost)
    for kind, key in sorted(lost):
        logger.warning("the secrets of the %s %s are lost: sealed with another secret_seed", kind, key)
        if kind == Kind.FACT:
            node.store.put_fact(key, None)
    for account in state.accounts:
        if (Kind.ACCOUNT, account.id) in lost:
            node.store.put_account(account)
