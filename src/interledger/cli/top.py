"""`ilp top`: the overview of a node in a terminal, drawn again as it changes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import click

from interledger.cli.state import State
from interledger.cli.stream import Stream
from interledger.cli.top_view import top_lines
from interledger.cli.tree import command
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["top"]

EVERY_S: Final = 1.0
"""The ribbon has a column for every second."""

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
        while True:
            overview = await api.overview()
            stream.put(overview, lambda: "\n".join(top_lines(overview, state.console, exact=state.exact)))  # noqa: B023 - called at once
            left = None if left is None else left - 1
            if left == 0:
                return
            await asyncio.sleep(EVERY_S)

    if not is_screen:
        state.call(plain)
        return
    with _screen(state):
        state.call(lambda api: _draw(api, state))


async def _draw(api: ApiClient, state: State) -> None:
    """Until a key ends it. Raises `LinkError` when there is no node at the start, `ApiError`."""
    ends = asyncio.Event()
    _listen(ends)
    lines, lost = top_lines(await api.overview(), state.console, exact=state.exact), ""
    try:
        while not ends.is_set():
            shown = [*lines[: _height() - 2], *([lost] if lost else [])]
            text = "".join(f"{state.console.encode(line)}{REST_OF_LINE}\n" for line in shown)
            state.console.out.write(HOME + text + REST_OF_SCREEN)
            state.console.out.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await ends.wait()
            try:
                lines, lost = top_lines(await api.overview(), state.console, exact=state.exact), ""
            except LinkError:
                lost = (
                    f"  {state.console.mark('✗')} The node does not answer; trying again. Above is what it said last."
                )
    finally:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


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
