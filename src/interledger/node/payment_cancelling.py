"""A payment that is told to stop: before anything was sent, or while money is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from interledger.errors import PaymentError
from interledger.node.payment import Payment
from interledger.transport.stream import payment as stream
from interledger.transport.stream.shell import StreamPayer

__all__ = ["CancelledEarlyError", "cancel_when_asked", "unless_cancelled"]

T = TypeVar("T")


class CancelledEarlyError(PaymentError):
    """Nothing was sent yet."""


async def unless_cancelled(payment: Payment, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. Raises `CancelledEarlyError` when the payment is cancelled before that."""
    loop = asyncio.get_running_loop()
    working, waiting = loop.create_task(work), loop.create_task(payment.cancelled.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CancelledEarlyError(stream.PaymentFailure.CANCELLED.sentence)
        return working.result()
    finally:
        working.cancel()
        waiting.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


async def cancel_when_asked(payment: Payment, payer: StreamPayer) -> None:
    """Tell the sender when the payment is told."""
    await payment.cancelled.wait()
    payer.cancel()
