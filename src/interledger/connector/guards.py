"""What an account may send: checks that may refuse, and may neither change a packet, nor wait, nor see the reply.

A tuple of guards is made when an account is attached, never per packet. That a packet has not expired is asked of every
account and looked at before them; credit is not a guard either: it is the hold.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from interledger.accounts.account import Account
from interledger.accounts.ledger import LedgerAccount
from interledger.clock import Timestamp
from interledger.codec.oer import UINT64_MAX
from interledger.ilp.error_codes import AmountTooLarge, ErrorCode
from interledger.ilp.packet import Prepare

__all__ = ["Compared", "Guard", "Refused", "guards_for", "packet_amount_guard", "packet_rate_guard", "value_guard"]


class Compared(NamedTuple):
    """The two values of which one was too small, for people: `room` of the limit was left, `needed` was asked for.

    `unit`: `source` or `target` (units of the incoming or outgoing account's asset), `ms` or `packets`. Of a credit
    limit also what it is, what was posted, and what was in flight then.
    """

    limit_name: str
    room: int
    needed: int
    unit: str = "source"
    limit: int | None = None
    posted: int | None = None
    pending: int | None = None
    beyond: LedgerAccount | None = None
    """Of `target`: the outgoing account, of a packet that was never put into its books."""


class Refused(NamedTuple):
    """Why a packet goes no further: what its Reject will say. `compared` stays here."""

    code: ErrorCode
    message: str
    data: bytes = b""
    compared: Compared | None = None


class Guard(Protocol):
    """Why a packet may not come in, or None. `dry`: say so, and do not count the packet."""

    def __call__(self, prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None: ...


_MINUTE_US: Final = 60_000_000

PAUSED: Final = Refused(ErrorCode.T03_CONNECTOR_BUSY, "this account is paused; try again later")


def guards_for(account: Account, packets_per_minute_default: int | None) -> tuple[Guard, ...]:
    """The guards of an account, cheapest and most telling first."""
    guards: list[Guard] = [_refuse_paused] if account.paused else []
    packets = account.packets_per_minute or packets_per_minute_default
    if packets is not None:
        guards.append(packet_rate_guard(packets, account.packet_amount_max))
    elif account.packet_amount_max < UINT64_MAX:
        guards.append(packet_amount_guard(account.packet_amount_max))
    if account.amount_per_minute is not None:
        guards.append(value_guard(account.amount_per_minute))
    return tuple(guards)


def _refuse_paused(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused:
    """T03: who sends tries again later, perhaps on another way."""
    return PAUSED


def packet_rate_guard(packets_per_minute: int, packet_amount_max: int = UINT64_MAX) -> Guard:
    """T05 beyond so many packets a minute, one minute's worth at once; F08 as `packet_amount_guard` (CR-31).

    Nearly every account has both limits, and one call for two is one call less per packet.
    """
    interval = _MINUTE_US // packets_per_minute
    ahead_max = _MINUTE_US - interval
    due = 0

    def guard(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
        nonlocal due
        now_us = now * 1000
        if due < now_us:
            due = now_us
        elif due - now_us > ahead_max:
            compared = Compared("packets_per_minute", 0, 1, "packets", packets_per_minute)
            return Refused(ErrorCode.T05_RATE_LIMITED, "too many packets, slow down", b"", compared)
        if not dry:
            due += interval
        return None if prepare.amount <= packet_amount_max else _too_large(prepare.amount, packet_amount_max)

    return guard


def packet_amount_guard(packet_amount_max: int) -> Guard:
    """F08, with both amounts, for a packet that is too large (CR-31, PK-07)."""

    def guard(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
        return None if prepare.amount <= packet_amount_max else _too_large(prepare.amount, packet_amount_max)

    return guard


def _too_large(amount: int, packet_amount_max: int) -> Refused:
    data = AmountTooLarge(amount, packet_amount_max).encode()
    compared = Compared("packet_amount_max", packet_amount_max, amount)
    return Refused(ErrorCode.F08_AMOUNT_TOO_LARGE, "the packet is larger than this account may send", data, compared)


def value_guard(amount_per_minute: int) -> Guard:
    """T04 beyond so much value a minute, one minute's worth at once (CR-31). What was refused later still counts."""
    tokens = amount_per_minute * 60_000
    refilled_at = 0

    def guard(prepare: Prepare, now: Timestamp, dry: bool = False) -> Refused | None:
        nonlocal tokens, refilled_at
        tokens = min(tokens + (now - refilled_at) * amount_per_minute, amount_per_minute * 60_000)
        refilled_at = now
        if prepare.amount * 60_000 > tokens:
            compared = Compared("amount_per_minute", tokens // 60_000, prepare.amount, "source", amount_per_minute)
            return Refused(ErrorCode.T04_INSUFFICIENT_LIQUIDITY, "too much value in a short time", b"", compared)
        if not dry:
            tokens -= prepare.amount * 60_000
        return None

    return guard
