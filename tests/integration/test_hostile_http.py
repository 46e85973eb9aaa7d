"""Hostile HTTP/1.1 peers beside an honest one, which has to notice nothing (reliability E1, E2; performance rule 8)."""

from __future__ import annotations

from tests.support.hostile import arena, beside, honest_http


async def test_nothing_but_honest_traffic() -> None:
    async with arena() as hub, honest_http(hub) as send:
        traffic = await beside(send, None)
    traffic.check()
    assert traffic.share == 1.0
