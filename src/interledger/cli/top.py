"""`ilp top`: the overview of a node in a terminal, drawn again as it changes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from interledger.cli.state import State
from interledger.cli.stream import Stream
from interledger.cli.top_view import top_lines
from interledger.cli.tree import command
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["top"]

Document = Mapping[str, Any]

TOPIC: Final = "overview"
"""Of `/api/live`: the ribbon has a column for every second."""

AGAIN_S: Final = 1.0
"""Until a node that was lost is asked again."""

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
REST_OF_LINE: Final = "\x1b[K"
REST_OF_SCREEN: Final = "\x1b[J"

QUIT: Final = (b"q", b"Q", b"\x03", b"\x1b", b"")
"""Keys that end it: q, Ctrl-C, Escape (an arrow key begins with it, and is longer), and no keyboard any more."""


@command("top")
@click.option("--count", type=click.IntRange(1), metavar="COUNT", help="Stop after so many looks, one a second.")
@click.pass_obj
def top(state: State, count: int | None) -> None:
    """The node as it moves: health, what is at risk, a column for every second, and where accounts stand.

    \b
      ilp top
      ilp top --node bob
      ilp top --count 60 -o ndjson --fields at,now.packets_per_second

    It ends with q or Ctrl-C. Where there is no terminal it is printed once.
    """
    is_screen = state.is_table and not state.fields and state.console.is_terminal and count is None
    stream = Stream(state, "ilp_address")
    looks = count or (None if is_screen else 1)

    async def plain(api: ApiClient) -> None:
        left = looks
        async for overview in _overviews(api):
            stream.put(overview, lambda: "\n".join(top_lines(overview, state.console, exact=state.exact)))  # noqa: B023 - called at once
            left = None if left is None else left - 1
            if left == 0:
                return

    if not is_screen:
        state.call(plain)
        return
    with _screen(state):
        state.call(lambda api: _draw(api, state))


async def _overviews(api: ApiClient) -> AsyncGenerator[Document]:
    """The overview now, and whenever the node says that it is another one: once a second. Raises `LinkError` when it
    says no more, `ApiError`.
    """
    yield await api.overview()
    async for event in api.watch(TOPIC):
        yield event.data
    raise LinkError("the node has ended the stream")


async def _draw(api: ApiClient, state: State) -> None:
    """Until a key ends it. Raises `LinkError` when there is no node at the start, `ApiError`."""
    ends = asyncio.Event()
    _listen(ends)
    drawing = asyncio.ensure_future(_follow(api, state))
    waiting = asyncio.ensure_future(ends.wait())
    try:
        await asyncio.wait((drawing, waiting), return_when=asyncio.FIRST_COMPLETED)
        if drawing.done():
            drawing.result()
    finally:
        for task in (drawing, waiting):
            task.cancel()
        await asyncio.gather(drawing, waiting, return_exceptions=True)
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


async def _follow(api: ApiClient, state: State) -> None:
    """Draw for ever, whatever becomes of the node, once it has answered."""
    lines: list[str] = []
    while True:
        try:
            async with aclosing(_overviews(api)) as overviews:
                async for overview in overviews:
                    lines = top_lines(overview, state.console, exact=state.exact)
                    _show(state, lines)
        except LinkError:
            if not lines:
                raise
        mark = state.console.mark("✗")
        _show(state, lines, f"  {mark} The node does not answer; trying again. Above is what it said last.")
        await asyncio.sleep(AGAIN_S)


def _show(state: State, lines: Sequence[str], lost: str = "") -> None:
    shown = [*lines[: _height() - 2], *([lost] if lost else [])]
    text = "".join(f"{state.console.encode(line)}{REST_OF_LINE}\n" for line in shown)
    state.console.out.write(HOME + text + REST_OF_SCREEN)
    state.console.out.flush()


def _listen(ends: asyncio.Event) -> None:
    import os

    def pressed() -> None:
        if os.read(sys.stdin.fileno(), 16) in QUIT:
            ends.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), pressed)


def _height() -> int:
    import shutil

    return max(shutil.get_terminal_size().lines, 4)


@contextmanager
def _screen(state: State) -> Iterator[None]:
    """The other screen of the terminal, keys as they are pressed; both as before when it is over."""
    import termios
    import tty

    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    state.console.out.write(ENTER)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        state.console.out.write(LEAVE)
        state.console.out.flush()
