"""How a program without asyncio uses the asynchronous client: its calls run in an event loop in a thread of their own.

One thread serves one client and all that is made from it. It begins with the first call and ends with `close`, or when
nobody has the client any more. Many threads may use one client at the same time, and a notebook that has an event loop
of its own may use it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, final

from interledger.api.calls import Fetch, FetchStream
from interledger.api.client import ApiClient
from interledger.errors import InvalidRequestError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["LoopThread", "SyncCalls"]

T = TypeVar("T")
Self = TypeVar("Self", bound="SyncCalls")


@final
class LoopThread:
    """An event loop in a thread. It is made when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: weakref.finalize[[asyncio.AbstractEventLoop, threading.Thread], LoopThread] | None = None
        self._closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`. Who interrupts the wait (Ctrl-C) cancels it."""
        try:
            loop = self._started()
        except InvalidRequestError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """What `items` gives, one by one; closed when the reader leaves."""
        try:
            while True:
                try:
                    item = self.run(_next(items))
                except _EndError:
                    return
                yield item
        finally:
            with contextlib.suppress(InvalidRequestError):  # closed before: then so is what ran in it
                self.run(_closed(items))

    def close(self) -> None:
        """End the thread. What is under way in it is cancelled."""
        with self._lock:
            self._closed = True
            stop, self._stop, self._loop = self._stop, None, None
        if stop is not None:
            stop()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise InvalidRequestError("This client is closed. Make another one.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # A daemon: a program that forgets to close a client still ends.
                thread = threading.Thread(target=_serve, args=(self._loop,), name="interledger-client", daemon=True)
                thread.start()
                self._stop = weakref.finalize(self, _stop, self._loop, thread)
            return self._loop


class SyncCalls:
    """What every synchronous client has. `with` closes it; so does `close`.

    `tls`: whom to trust, in place of the system's authorities (`link.tls` makes such contexts).
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        fetch: Fetch | None = None,
        fetch_stream: FetchStream | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._client = ApiClient(base_url, token, fetch=fetch, fetch_stream=fetch_stream, tls=tls)
        self._thread = LoopThread()

    @classmethod
    def of(cls: type[Self], client: ApiClient) -> Self:
        """Of an asynchronous client, which nothing else may use from then on."""
        made = cls.__new__(cls)
        made._client, made._thread = client, LoopThread()
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Of the node."""
        return self._client.base_url

    def close(self) -> None:
        """End the client's thread. May be called again."""
        self._thread.close()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request to anything that answers with a JSON object. Raises `ApiError`, `LinkError`."""
        return self._run(self._client.call(method, path, body))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.run(work)

    def _iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        return self._thread.iterate(items)


class _EndError(Exception):
    """Of an iteration: `StopAsyncIteration` cannot leave a task."""


async def _next(items: AsyncIterator[T]) -> T:
    try:
        return await anext(items)
    except StopAsyncIteration:
        raise _EndError from None


async def _closed(items: AsyncIterator[object]) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join()
