"""BTP peers for `hostile.arena`: an honest one, and the raw socket of one that is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from interledger.ilp.packet import TYPE_FULFILL, TYPE_PREPARE, Fulfill
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpResponse, decode_btp, encode_ilp, split_ilp
from tests.link.btp.sockets import RawClient, raw_client
from tests.support.hostile import HONEST_TOKEN, HOSTILE_TOKEN, Hub, Send, prepare_octets

__all__ = ["ELSEWHERE", "HOSTILE", "honest_btp", "socket_to"]

ELSEWHERE: Final = "127.0.0.2"
"""Another address of this machine, so that an attack has another source than the honest peer."""

HOSTILE: Final = f"btp-{HOSTILE_TOKEN}"
"""The hostile peer's token."""

HONEST: Final = f"btp-{HONEST_TOKEN}"


@asynccontextmanager
async def socket_to(hub: Hub, token: str | None = None, *, source: str | None = ELSEWHERE) -> AsyncIterator[RawClient]:
    """A WebSocket to the node, authenticated when there is a token."""
    async with raw_client(f"btp+ws://127.0.0.1:{hub.port}/", source=source) as client:
        if token is not None:
            await client.send(auth_message(1, "", token).encode())
            (answer,) = await client.receive()
            assert decode_btp(answer) == BtpResponse(1)
        yield client


@asynccontextmanager
async def honest_btp(hub: Hub, on_prepare: Callable[[], None] = lambda: None) -> AsyncIterator[Send]:
    """The honest peer over BTP: sends Prepares, and fulfills those that come."""
    waiting: dict[int, asyncio.Future[bool]] = {}
    last_id = 0

    async def read(client: RawClient) -> None:
        while packets := await client.receive():
            for packet in packets:
                common = split_ilp(packet)
                assert common is not None, packet
                _, request_id, ilp = common
                if ilp[0] == TYPE_PREPARE:
                    on_prepare()
                    await client.send(encode_ilp(1, request_id, Fulfill(bytes(32)).encode()))
                else:
                    waiting.pop(request_id).set_result(ilp[0] == TYPE_FULFILL)

    async with socket_to(hub, HONEST, source=None) as client:
        reading = asyncio.create_task(read(client))

        async def send() -> bool:
            nonlocal last_id
            last_id += 1
            answer = waiting[last_id] = asyncio.get_running_loop().create_future()
            await client.send(encode_ilp(6, last_id, prepare_octets(hub.destination)))
            return await answer

        try:
            yield send
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
