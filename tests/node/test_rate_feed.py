"""The rate feed against scripted sources and a virtual clock: what it takes, what it tells, when it asks again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.errors import LinkError
from interledger.node.rate_feed import ECB_URL, RateFeed, RateSource, SourceKind
from interledger.routing.exchange import AlarmKind, ExchangeTable, NoRate, NoRateReason, RateAlarm

START = 1_700_000_000_000
URL = "https://rates.example/latest"
HTTP = RateSource(name="web", kind=SourceKind.HTTP, where=URL)
ECB = RateSource(name="ecb", kind=SourceKind.ECB, where=ECB_URL)
GOOD = b'{"base": "USD", "rates": {"EUR": 0.8}}'
ECB_BODY = b"<Cube><Cube time='2023-11-14'><Cube currency='USD' rate='1.25'/></Cube></Cube>"


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class World:
    """Clock, dice, web and operator in one."""

    script: list[Answer | Exception] = field(default_factory=list)
    time: int = START
    dice: bytes = b"\x7f\xff"
    asked: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    alarms: list[RateAlarm] = field(default_factory=list)
    changes: int = 0
    table: ExchangeTable = field(default_factory=ExchangeTable)
    after_wait: Callable[[], Awaitable[None]] | None = None

    def now(self) -> Timestamp:
        return Timestamp(self.time)

    def octets(self, count: int) -> bytes:
        return self.dice[:count]

    async def fetch(
        self, method: str, url: str, *, headers: Mapping[str, str], timeout_ms: int, limit_octets: int
    ) -> Answer:
        assert (method, timeout_ms, limit_octets) == ("GET", 5_000, 65_536)
        assert "Accept" in headers
        self.asked.append(url)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += int(seconds * 1000)
        if self.after_wait is not None:
            await self.after_wait()

    def feed(self, *sources: RateSource) -> RateFeed:
        return RateFeed(
            self.table,
            sources,
            fetch=self.fetch,
            clock=self,
            entropy=self,
            on_alarm=self.alarms.append,
            on_change=self.count_change,
            sleep=self.sleep,
        )

    def count_change(self) -> None:
        self.changes += 1

    def told(self) -> list[tuple[str, str | None]]:
        """What the operator heard since the last call."""
        heard = [(str(alarm.kind), alarm.code) for alarm in self.alarms]
        self.alarms.clear()
        return heard

    def rate(self) -> str:
        """EUR for one USD, or why not."""
        found = self.table.quote(Asset("USD", 2), Asset("EUR", 2), spread=0, now=self.now())  # type: ignore[arg-type]
        return str(found.reason) if isinstance(found, NoRate) else str(found.rate)


async def test_http() -> None:
    world = World([Answer(GOOD)])
    feed = world.feed(HTTP)
    assert await feed.poll()
    assert (world.asked, world.changes, world.told(), world.rate()) == ([URL], 1, [], "4/5")
    (status,) = feed.status()
    assert status == (HTTP, START, None)


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("https://r.example/x", "https://r.example/x?base=USD"),
        ("https://r.example/?k=1", "https://r.example/?k=1&base=USD"),
    ],
)
async def test_http_asks_for_a_base(where: str, asked: str) -> None:
    world = World([Answer(GOOD), Answer(b'{"base": "EUR", "rates": {"USD": 1.25}}')])
    feed = world.feed(RateSource(name="web", kind=SourceKind.HTTP, where=where, base="USD"))
    assert await feed.poll()
    assert world.asked == [asked]
    assert not await feed.poll()
    assert world.told() == [("refused", None)]


async def test_ecb() -> None:
    world = World([Answer(ECB_BODY)])
    assert await world.feed(ECB).poll()
    assert (world.asked, world.rate()) == ([ECB_URL], "4/5")
    # Dated by its day: still good after Easter, not after a week.
    day = 1_699_920_000_000
    world.time = day + 6 * 86_400_000 - 1
    assert world.rate() == "4/5"
    world.time += 1
    assert world.rate() == NoRateReason.STALE


FAILURES: list[tuple[str, Answer | Exception, str, str]] = [
    ("nobody there", LinkError("connection refused"), "unreachable", "web gives no rates: connection refused"),
    ("operating system", OSError("no route"), "unreachable", "no route"),
    ("too slow", TimeoutError("slow"), "unreachable", "slow"),
    ("status", Answer(b"", 500), "unreachable", "status 500"),
    ("redirect", Answer(b"", 302), "unreachable", "status 302"),
    ("not JSON", Answer(b"<html>"), "refused", "cannot be read: not JSON"),
    ("NaN", Answer(b'{"base": "USD", "rates": {"EUR": NaN}}'), "refused", "NaN"),
    ("other base", Answer(b'{"base": "GBP", "rates": {"EUR": 1}}'), "refused", "no value for USD"),
    ("a bug", ZeroDivisionError("secret detail"), "unreachable", "web gives no rates: ZeroDivisionError"),
]


@pytest.mark.parametrize(("name", "answer", "kind", "text"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_a_failure_keeps_the_last_good_table_and_is_told_once(
    name: str, answer: Answer | Exception, kind: str, text: str
) -> None:
    world = World([Answer(GOOD), answer, answer, Answer(GOOD)])
    feed = world.feed(HTTP)
    await feed.poll()
    assert not await feed.poll()
    assert text in world.alarms[0].text
    assert text in (feed.status()[0].last_error or "")
    assert (world.told(), world.rate()) == ([(kind, None)], "4/5")
    assert not await feed.poll()
    assert world.told() == []
    assert await feed.poll()
    assert (world.told(), feed.status()[0].last_error) == ([("recovered", None)], None)


async def test_RK_09_rates_too_old_are_told_once_and_again_when_well() -> None:
    world = World([Answer(GOOD), LinkError("gone"), LinkError("gone"), Answer(GOOD)])
    feed = world.feed(HTTP)
    await feed.poll()
    world.time += 300_000
    assert world.rate() == NoRateReason.STALE
    await feed.poll()
    assert world.told() == [("unreachable", None), ("stale", "USD"), ("stale", "EUR")]
    await feed.poll()
    assert world.told() == []
    await feed.poll()
    assert world.told() == [("recovered", None), ("recovered", "USD"), ("recovered", "EUR")]
    assert world.rate() == "4/5"


async def test_A21_a_jump_is_told_once_and_confirmed() -> None:
    jump = Answer(b'{"base": "USD", "rates": {"EUR": 8}}')
    world = World([Answer(GOOD), jump])
    feed = world.feed(HTTP)
    await feed.poll()
    assert await feed.poll()
    assert await feed.poll()
    assert (world.told(), world.rate()) == ([("jump", "EUR")], NoRateReason.DOUBTFUL)
    assert "EUR is stopped" in (feed.status()[0].last_error or "")
    world.table.confirm("web", "EUR")
    await feed.poll()
    assert (world.told(), world.rate()) == ([("recovered", "EUR")], "8")


async def test_A21_one_zero_stops_one_asset() -> None:
    world = World([Answer(GOOD), Answer(b'{"base": "USD", "rates": {"EUR": 0, "GBP": 0.8}}')])
    feed = world.feed(HTTP)
    await feed.poll()
    assert await feed.poll()
    assert (world.told(), world.rate()) == ([("refused", "EUR")], NoRateReason.DOUBTFUL)


# --- files ------------------------------------------------------------------------------------------------------------


def write(path: Path, text: str, at_ms: int = START) -> None:
    path.write_text(text)
    os.utime(path, ns=(at_ms * 10**6, at_ms * 10**6))


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    source = RateSource(name="file", kind=SourceKind.FILE, where=str(path))
    world = World()
    feed = world.feed(source)
    assert not await feed.poll()
    assert world.told() == [("unreachable", None)]
    write(path, GOOD.decode())
    assert await feed.poll()
    assert (world.told(), world.rate(), world.changes) == ([("recovered", None)], "4/5", 1)
    assert await feed.poll()
    assert world.changes == 1
    # What an operator wrote does not age, and may jump.
    world.time += 10**10
    assert world.rate() == "4/5"
    write(path, '{"base": "USD", "rates": {"EUR": 80}}', START + 1)
    await feed.poll()
    assert (world.rate(), world.changes, world.told()) == ("80", 2, [])


async def test_a_broken_file_stays_a_trouble_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    world = World()
    feed = world.feed(RateSource(name="file", kind=SourceKind.FILE, where=str(path)))
    write(path, GOOD.decode())
    await feed.poll()
    write(path, '{"base": "USD", "rates": {"EUR": 0.8,}}', START + 1)
    assert [await feed.poll(), await feed.poll()] == [False, False]
    assert (world.told(), world.rate()) == ([("refused", None)], "4/5")
    path.unlink()
    assert not await feed.poll()
    assert world.told() == [("unreachable", None), ("recovered", None)]
    write(path, GOOD.decode())
    assert await feed.poll()
    assert world.told() == [("recovered", None)]


async def test_a_refused_value_of_an_unchanged_file_stays_told(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    write(path, '{"base": "USD", "rates": {"EUR": 0, "GBP": 1}}')
    world = World()
    feed = world.feed(RateSource(name="file", kind=SourceKind.FILE, where=str(path)))
    assert [await feed.poll(), await feed.poll()] == [True, True]
    assert world.told() == [("refused", "EUR")]


async def test_a_file_with_an_age_is_dated_by_its_last_change(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    write(path, GOOD.decode(), START - 50_000)
    world = World()
    feed = world.feed(RateSource(name="file", kind=SourceKind.FILE, where=str(path), max_age_ms=60_000))
    await feed.poll()
    assert world.rate() == "4/5"
    world.time += 10_000
    await feed.poll()
    assert (world.rate(), world.told()) == (NoRateReason.STALE, [("stale", "USD"), ("stale", "EUR")])


async def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    write(path, " " * 100_000)
    world = World()
    assert not await world.feed(RateSource(name="file", kind=SourceKind.FILE, where=str(path))).poll()
    assert "65537 octets" in world.alarms[0].text


# --- when it asks -----------------------------------------------------------------------------------------------------


async def run(world: World, count: int, *sources: RateSource) -> list[float]:
    """Let the feed run until it waited `count` times; what it waited, in s."""
    feed = world.feed(*sources)
    enough = asyncio.Event()

    async def after_wait() -> None:
        if len(world.waits) >= count:
            enough.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    world.after_wait = after_wait
    feed.start()
    feed.start()
    await enough.wait()
    await feed.stop()
    await feed.stop()
    return world.waits


@pytest.mark.parametrize(
    ("dice", "seconds"),
    [(b"\x00\x00", 54.0), (b"\x7f\xff", 59.999), (b"\xff\xff", 66.0)],
    ids=["least", "middle", "most"],
)
async def test_polls_with_jitter(dice: bytes, seconds: float) -> None:
    world = World([Answer(GOOD)], dice=dice)
    assert await run(world, 3, HTTP) == [seconds] * 3
    assert (len(world.asked), world.rate()) == (3, "4/5")


async def test_asks_sooner_after_a_failure_then_less_and_less() -> None:
    world = World([LinkError("gone")], dice=b"\x00\x00")
    assert await run(world, 8, HTTP) == [0.9, 1.8, 3.6, 7.2, 14.4, 28.8, 54.0, 54.0]


async def test_the_ecb_is_asked_once_an_hour_at_most() -> None:
    world = World([Answer(ECB_BODY)], dice=b"\x00\x00")
    assert await run(world, 2, ECB) == [3240.0, 3240.0]


async def test_each_source_has_its_own_rhythm_and_the_first_its_precedence() -> None:
    world = World([Answer(GOOD)], dice=b"\x00\x00")
    slow = RateSource(name="slow", kind=SourceKind.HTTP, where=URL, poll_ms=120_000)
    waits = await run(world, 4, HTTP, slow)
    assert set(waits) == {54.0, 108.0}
    assert [value.source for value in world.table.values()] == ["web", "web", "slow", "slow"]


async def test_stop_without_start() -> None:
    await World().feed(HTTP).stop()


def test_ages() -> None:
    ages = [RateSource(name="x", kind=kind, where="x").age_max_ms for kind in SourceKind]
    assert ages == [None, 300_000, 6 * 86_400_000]


def test_alarm_kinds_are_words() -> None:
    assert [str(kind) for kind in AlarmKind] == ["jump", "refused", "stale", "unreachable", "recovered"]
