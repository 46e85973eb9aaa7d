"""How the money of one packet is divided among its streams (RFC 29 section 5.3.8)."""

from __future__ import annotations

from collections.abc import Iterable

from interledger.transport.stream.frames import StreamMoney

__all__ = ["split_amount"]


def split_amount(amount: int, money: Iterable[StreamMoney]) -> dict[int, int]:
    """`amount` divided by shares: stream id -> its part. The parts add up to `amount`, unless there is no stream.

    Frames for the same stream count together. Where all shares are zero, the lowest stream gets everything: money that
    was sent to a connection is never left unowned.
    """
    shares: dict[int, int] = {}
    for frame in money:
        shares[frame.stream_id] = shares.get(frame.stream_id, 0) + frame.shares
    if not shares:
        return {}
    total = sum(shares.values())
    # RFC 29: "implementations SHOULD round the stream amounts down"
    parts = {stream_id: amount * part // total if total else 0 for stream_id, part in shares.items()}
    # RFC 29: "The remainder SHOULD be allocated to the lowest-numbered open stream"
    lowest = min(parts)
    parts[lowest] += amount - sum(parts.values())
    return parts
