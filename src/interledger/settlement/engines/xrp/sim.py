"""The simulator of the XRP Ledger as a server: a WebSocket that answers as rippled does, a ledger every few seconds.

For trying and testing: see `sim_ledger`. It listens on this machine only, and forgets everything when it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta
from typing import Any, Final, final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from interledger.clock import Clock, SystemClock
from interledger.errors import LinkError
from interledger.settlement.engines.xrp.ledger import ripple_time
from interledger.settlement.engines.xrp.sim_api import SimApi, transaction_event
from interledger.settlement.engines.xrp.sim_ledger import SimLedger

__all__ = ["CLOSE_MS", "XrpSimulator"]

CLOSE_MS: Final = 4_000
"""The real ledger closes every three to five seconds."""

REQUEST_OCTETS_MAX: Final = 1024 * 1024

EVENTS_WAITING_MAX: Final = 1_000
"""For one client that does not read; then it is cut off."""


@final
class XrpSimulator:
    """`async with XrpSimulator() as simulator:` runs it; `simulator.url` is where."""

    def __init__(
        self,
        port: int = 0,
        *,
        close_ms: int = CLOSE_MS,
        faucet: int = 0,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        """`faucet`: drops that every account has which is asked for. A port of 0: any that is free."""
        self._clock = clock or SystemClock()
        self._host, self._wanted_port, self._close_ms = host, port, close_ms
        self.skipped_s = 0
        """Seconds that the ledger's time is ahead of the clock."""
        self.ledger = SimLedger(self._now())
        self.api = SimApi(self.ledger, self.close_ledger, faucet)
        self._clients: dict[ServerConnection, _Client] = {}
        self._server: Server | None = None
        self._closing: asyncio.Task[None] | None = None

    def _now(self) -> int:
        return ripple_time(self._clock.now()) + self.skipped_s

    async def start(self) -> None:
        """Raises `LinkError` when the port cannot be had."""
        try:
            self._server = await serve(self._talk, self._host, self._wanted_port, max_size=REQUEST_OCTETS_MAX)
        except OSError as error:
            raise LinkError(f"cannot listen on {self._host}:{self._wanted_port}: {error.strerror}") from None
        self._closing = asyncio.create_task(self._close_ledgers())

    async def stop(self) -> None:
        """May be called again."""
        if self._closing is not None:
            self._closing.cancel()
            await asyncio.gather(self._closing, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> XrpSimulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where engines find it."""
        port = next(iter(self._server.sockets)).getsockname()[1] if self._server is not None else self._wanted_port
        return f"ws://{self._host}:{port}"

    # ------------------------------------------------------------------ ledgers

    def close_ledger(self) -> None:
        """A ledger, now."""
        done = self.ledger.close(self._now())
        for client in list(self._clients.values()):
            for transaction in done:
                event = transaction_event(transaction, self.ledger.index)
                if client.wants(event):
                    client.put(event)
            if "ledger" in client.streams:
                client.put({"type": "ledgerClosed", **self.api.ledger_event(len(done))})

    async def _close_ledgers(self) -> None:
        while True:
            await asyncio.sleep(timedelta(milliseconds=self._close_ms).total_seconds())
            self.close_ledger()

    # ------------------------------------------------------------------ clients

    async def _talk(self, connection: ServerConnection) -> None:
        client = self._clients[connection] = _Client()
        writing = asyncio.create_task(client.write_to(connection))
        try:
            async for text in connection:
                client.put(self._answer(client, text))
        except ConnectionClosed:
            pass
        finally:
            del self._clients[connection]
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    def _answer(self, client: _Client, text: str | bytes) -> dict[str, Any]:
        try:
            request = json.loads(text)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return {"type": "error", "error": "jsonInvalid"}
        command = request.get("command")
        if command not in ("subscribe", "unsubscribe"):
            return self.api.answer(request)
        client.change(request, wanted=command == "subscribe")
        result = self.api.ledger_event() if "ledger" in (request.get("streams") or ()) else {}
        return {"id": request.get("id"), "type": "response", "status": "success", "result": result}


@final
class _Client:
    """What a client wants to hear of, and what waits for it."""

    def __init__(self) -> None:
        self.streams: set[str] = set()
        self.accounts: set[str] = set()
        self._waiting: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def change(self, request: dict[str, Any], *, wanted: bool) -> None:
        for mine, names in ((self.streams, request.get("streams")), (self.accounts, request.get("accounts"))):
            (mine.update if wanted else mine.difference_update)(str(name) for name in names or ())

    def wants(self, event: dict[str, Any]) -> bool:
        """Whether it hears of a transaction."""
        if "transactions" in self.streams:
            return True
        text = json.dumps([event["transaction"], event["meta"]])
        return any(address in text for address in self.accounts)

    def put(self, document: dict[str, Any]) -> None:
        if self._waiting.qsize() < EVENTS_WAITING_MAX:
            self._waiting.put_nowait(document)
        else:
            self._waiting.put_nowait(None)

    async def write_to(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while (document := await self._waiting.get()) is not None:
                await connection.send(json.dumps(document))
            await connection.close(1008, "events are not read")
