"""`ilp packet watch` and `ilp packet list`: packets as they have their outcome, and those that were."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

import click

from interledger.cli.console import Console
from interledger.cli.money import money, parse_moment, time_of_day
from interledger.cli.output import Column, cut_middle, printable, render_table
from interledger.cli.packet_trace_view import OUTCOMES, milliseconds
from interledger.cli.state import State
from interledger.cli.stream import Stream
from interledger.cli.tree import command
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.client import ApiClient
    from interledger.api.live_calls import StreamedEvent

__all__ = ["Watch", "list_packets", "packet_line", "watch"]

Document = Mapping[str, Any]

WAITS_S: Final = (0.2, 1.0, 2.0, 5.0)
"""Before the node is tried again; the last one for ever."""

CALM_S: Final = 2.0
"""So long after the last second with too many packets, each has a line again."""

TEXT_WIDTH: Final = 40

_CODE = click.option("--code", metavar="CODE", help="Rejected with this code: T04")
_ACCOUNT = click.option("--account", metavar="ACCOUNT", help="Came from this account, or went to it.")
_OUTCOME = click.option(
    "--outcome", type=click.Choice(tuple(OUTCOMES)), metavar="OUTCOME", help="fulfilled, rejected, unknown, in_flight."
)


@command("watch")
@_CODE
@_ACCOUNT
@_OUTCOME
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Stop after so many packets.")
@click.pass_obj
def watch(state: State, code: str | None, account: str | None, outcome: str | None, limit: int | None) -> None:
    """Packets as they have their outcome: a line each, or a line a second when there are more than 200 in one.

    \b
      ilp packet watch
      ilp packet watch --code T04 -o ndjson
    """
    stream = Stream(state)
    asks: dict[str, Any] = {"code": code and code.upper(), "account": account, "outcome": outcome}
    if state.is_table and not (state.curl or state.url):
        state.console.note("  Waiting for packets. Stop with Ctrl-C")

    def put(packet: Document) -> None:
        stream.put(packet, lambda: packet_line(packet, state.console, exact=state.exact))

    one = Watch(put, state.console, counts=state.is_table and not state.fields, limit=limit)
    state.call(lambda api: one.run(api, asks))


@command("list")
@_CODE
@_ACCOUNT
@_OUTCOME
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, metavar="COUNT", help="How many, the newest first.")
@click.pass_obj
def list_packets(state: State, code: str | None, account: str | None, outcome: str | None, limit: int) -> None:
    """Packets of the node, newest first: those it refused, and as far as they are recorded those that went on.

    \b
      ilp packet list
      ilp packet list --code T04 --limit 100 -o ndjson
    """
    asks: dict[str, Any] = {"code": code and code.upper(), "account": account, "outcome": outcome, "limit": limit}
    page = state.call(lambda api: api.packets(**asks))

    def render() -> list[str]:
        if not page["items"]:
            more = "" if page["recording"] else " Those that go on are recorded with  packet_log = true"
            return [f"No packets.{more}"]
        columns = (
            Column("PACKET", lambda row: row["id"], keep=9),
            Column("TIME", lambda row: time_of_day(row["at"]), keep=2),
            Column("OUTCOME", lambda row: _outcome(row, state.console), keep=8),
            Column("AMOUNT", lambda row: money(row["amount_in"], exact=state.exact), right=True, keep=7),
            Column("FROM", lambda row: row["incoming"], keep=5),
            Column("TO", lambda row: row["outgoing"] or "–", keep=4),
            Column("AFTER", lambda row: _took(row), right=True, keep=1),
        )
        return render_table(page["items"], columns, state.console)

    state.emit_list(page["items"], render)


def packet_line(packet: Document, console: Console, *, exact: bool = False) -> str:
    """`12:00:27.212  f9cccf91  ✗ T04  0.55 USD alice → –  3.1 ms  the packet is larger than this account may send`"""
    moment = parse_moment(packet["at"]).astimezone()
    at = moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03}"
    amount = money(packet["amount_in"], exact=exact)
    goes = packet["amount_out"]
    if goes and goes["asset_code"] != packet["amount_in"]["asset_code"]:
        amount += f" = {money(goes, exact=exact)}"
    way = f"{packet['incoming']} → {packet['outgoing'] or '–'}"
    why = cut_middle(printable(packet["message"] or ""), TEXT_WIDTH)
    parts = [f"{at}  {packet['id']}", _outcome(packet, console), amount, way, _took(packet), why]
    return "  ".join(part for part in parts if part)


def _outcome(packet: Document, console: Console) -> str:
    mark, word = OUTCOMES[packet["outcome"]]
    return console.mark(mark, packet["code"] or word)


def _took(packet: Document) -> str:
    us = packet["answered_after_us"]
    return milliseconds(us) if us else ""


class _EnoughError(Exception):
    """As many as were asked for."""


@final
class Watch:
    """Prints packets over as many connections as it takes. `counts`: one line a second where there are too many."""

    def __init__(
        self,
        put: Callable[[Document], None],
        console: Console,
        *,
        counts: bool = True,
        limit: int | None = None,
        sleep: Callable[[float], Any] = asyncio.sleep,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._put, self._console, self._counts, self._left, self._sleep = put, console, counts, limit, sleep
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._crowded_until = 0.0
        self._seen: Counter[str] = Counter()

    async def run(self, api: ApiClient, asks: Mapping[str, Any]) -> None:
        """Until enough has come. Raises `LinkError` when the node cannot be reached at the start, `ApiError`."""
        await api.packets(**asks, limit=1)
        tried = 0
        while True:
            try:
                async for event in api.tail_packets(**asks):
                    tried = 0
                    self.take(event)
            except _EnoughError:
                return
            except LinkError:
                pass
            if not tried:
                self._console.note("— the connection was lost; packets until it is back are missed —")
            await self._sleep(WAITS_S[min(tried, len(WAITS_S) - 1)])
            tried += 1

    def take(self, event: StreamedEvent) -> None:
        """A packet, or how many more there were in the last second."""
        if event.event == "missed":
            self._crowd(int(event.data["packets"]))
            return
        if self._counts and self._monotonic() < self._crowded_until:
            self._seen[event.data["outcome"]] += 1
        else:
            self._seen.clear()
            self._put(event.data)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise _EnoughError

    def _crowd(self, missed: int) -> None:
        if not self._counts:
            self._console.note(f"— {missed:,} packets more in this second —")
            return
        seen = sum(self._seen.values())
        words = ", ".join(f"{count} {OUTCOMES[name][1]}" for name, count in self._seen.most_common())
        looked = f"   of {seen} looked at: {words}" if seen else ""
        self._console.print(f"{_clock()}  {self._console.mark('·')} {missed + seen:,} packets in a second{looked}")
        self._console.out.flush()
        self._seen.clear()
        self._crowded_until = self._monotonic() + CALM_S


def _clock() -> str:
    from datetime import datetime

    return datetime.now().astimezone().strftime("%H:%M:%S")
