"""Keeps an `ExchangeTable` fresh: asks each source of rates in turn, for ever, and tells the operator when one fails.

What was good stays in the table until it is too old; the table itself refuses what cannot be believed. Nothing here
touches a packet.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, final

from interledger.application.spsp.shell import Fetch
from interledger.clock import Clock, Entropy, Timestamp
from interledger.errors import DecodeError, InterledgerError, LinkError
from interledger.routing.exchange import AlarmKind, ExchangeTable, Quotes, RateAlarm
from interledger.routing.rate_sources import RATES_OCTETS_MAX, parse_ecb_xml, parse_rates_json

__all__ = ["ECB_URL", "RateFeed", "RateSource", "SourceKind", "SourceStatus"]

logger = logging.getLogger("interledger.rates")

ECB_URL: Final = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"

POLL_MS: Final = 60_000
ECB_POLL_MS_MIN: Final = 3_600_000
"""The ECB publishes once a working day. Asking every minute would be rude, and gets one blocked."""

HTTP_AGE_MAX_MS: Final = 300_000
"""Five polls may fail before a rate is too old; interledger-rs allows as many."""

ECB_AGE_MAX_MS: Final = 6 * 86_400_000
"""From Maundy Thursday's date to the afternoon of Easter Tuesday."""

TIME_LIMIT_MS: Final = 5_000
RETRY_MS_MIN: Final = 1_000
"""The first wait after a failure; it doubles up to the poll interval."""

RETRY_DOUBLINGS_MAX: Final = 20
JITTER_SHARE: Final = 10
"""Waits differ by up to a tenth, so that nodes started together do not ask together."""


class SourceKind(enum.StrEnum):
    """Where rates come from and in which format."""

    FILE = "file"
    HTTP = "http"
    ECB = "ecb"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSource:
    """One source. `where` is a file's path or a URL. Durations in ms; None takes the kind's own."""

    name: str
    kind: SourceKind
    where: str
    poll_ms: int = POLL_MS
    max_age_ms: int | None = None
    """How old its values may be. A file without it does not age: it says what the operator wrote."""
    base: str | None = None
    """http: asked for as `?base=`, and the answer has to be in it."""

    @property
    def interval_ms(self) -> int:
        return max(self.poll_ms, ECB_POLL_MS_MIN) if self.kind is SourceKind.ECB else self.poll_ms

    @property
    def age_max_ms(self) -> int | None:
        if self.max_age_ms is not None:
            return self.max_age_ms
        return {SourceKind.FILE: None, SourceKind.HTTP: HTTP_AGE_MAX_MS, SourceKind.ECB: ECB_AGE_MAX_MS}[self.kind]

    @property
    def url(self) -> str:
        """What is asked over HTTP."""
        if self.base is None:
            return self.where
        return f"{self.where}{'&' if '?' in self.where else '?'}base={self.base}"


class SourceStatus(NamedTuple):
    """How a source does, for people."""

    source: RateSource
    last_success_at: Timestamp | None
    last_error: str | None


@final
class _State:
    """What the feed remembers of one source."""

    __slots__ = ("active", "failures", "file_signature", "last_error", "last_success_at")

    def __init__(self) -> None:
        self.active: dict[tuple[AlarmKind, str | None], RateAlarm] = {}
        self.failures = 0
        self.file_signature: tuple[int, int, int] | None = None
        self.last_error: str | None = None
        self.last_success_at: Timestamp | None = None


@final
class RateFeed:
    """Polls `sources` into `table`. `on_change` runs when rates changed, `on_alarm` when a trouble begins or ends."""

    def __init__(
        self,
        table: ExchangeTable,
        sources: Sequence[RateSource],
        *,
        fetch: Fetch,
        clock: Clock,
        entropy: Entropy,
        on_alarm: Callable[[RateAlarm], None],
        on_change: Callable[[], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._table = table
        self._states = {source: _State() for source in sources}
        self._fetch = fetch
        self._clock = clock
        self._entropy = entropy
        self._on_alarm = on_alarm
        self._on_change = on_change
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []
        for source in sources:
            table.add_source(source.name)

    def start(self) -> None:
        """Begin to poll. A second call changes nothing."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._poll_for_ever(source), name=f"rates {source.name}") for source in self._states
            ]

    async def stop(self) -> None:
        """End all polling. Returns when nothing runs any more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def poll(self) -> bool:
        """Ask every source once, now. Whether all answered with something usable."""
        return all(await asyncio.gather(*(self._poll_source(source) for source in self._states)))

    def status(self) -> tuple[SourceStatus, ...]:
        """Each source, when it last answered well, and what is wrong with it now."""
        return tuple(SourceStatus(source, s.last_success_at, s.last_error) for source, s in self._states.items())

    async def _poll_for_ever(self, source: RateSource) -> None:
        while True:
            await self._poll_source(source)
            wait_ms = source.interval_ms
            failures = self._states[source].failures
            if failures:
                wait_ms = min(wait_ms, RETRY_MS_MIN << min(failures - 1, RETRY_DOUBLINGS_MAX))
            await self._sleep(self._with_jitter(wait_ms) / 1000)

    async def _poll_source(self, source: RateSource) -> bool:
        state = self._states[source]
        trouble: list[RateAlarm] = []
        try:
            quotes = await self._read(source, state)
        except DecodeError as error:
            trouble = [_alarm(AlarmKind.REFUSED, source, f"the rates of {source.name} cannot be read: {error}")]
        except (OSError, InterledgerError) as error:
            trouble = [_alarm(AlarmKind.UNREACHABLE, source, f"{source.name} gives no rates: {error}")]
        except Exception as error:
            # A bug in here must not end the polling for good: the table would go stale and stop every pair.
            logger.exception("asking %s for rates failed", source.name)
            trouble = [_alarm(AlarmKind.UNREACHABLE, source, f"{source.name} gives no rates: {type(error).__name__}")]
        else:
            if quotes is not None:
                trouble = self._take(quotes)
            else:
                trouble = [alarm for alarm in state.active.values() if alarm.kind is not AlarmKind.STALE]
        whole = [alarm for alarm in trouble if alarm.code is None]
        if whole:
            state.file_signature = None
        state.failures = state.failures + 1 if whole else 0
        state.last_error = trouble[0].text if trouble else None
        if not whole:
            state.last_success_at = self._clock.now()
        self._tell(source, state, trouble + self._stale(source))
        return not whole

    async def _read(self, source: RateSource, state: _State) -> Quotes | None:
        """What the source says now; None when it is a file that did not change."""
        if source.kind is SourceKind.FILE:
            return _read_file(source, state)
        headers = {"Accept": "application/json" if source.kind is SourceKind.HTTP else "application/xml, text/xml"}
        answer = await self._fetch(
            "GET", source.url, headers=headers, timeout_ms=TIME_LIMIT_MS, limit_octets=RATES_OCTETS_MAX
        )
        if answer.status != 200:
            raise LinkError(f"it answers with status {answer.status}")
        if source.kind is SourceKind.ECB:
            return parse_ecb_xml(answer.body, source=source.name, max_age_ms=source.age_max_ms)
        return parse_rates_json(
            answer.body,
            source=source.name,
            as_of=self._clock.now(),
            max_age_ms=source.age_max_ms,
            base=source.base,
        )

    def _take(self, quotes: Quotes) -> list[RateAlarm]:
        version = self._table.version
        alarms = self._table.update(quotes, self._clock.now())
        if self._table.version != version:
            self._on_change()
        return list(alarms)

    def _stale(self, source: RateSource) -> list[RateAlarm]:
        now = self._clock.now()
        return [
            RateAlarm(AlarmKind.STALE, source.name, value.code, f"the value of {value.code} is too old; it is stopped")
            for value in self._table.values()
            if value.source == source.name and value.is_stale(now)
        ]

    def _tell(self, source: RateSource, state: _State, alarms: Sequence[RateAlarm]) -> None:
        """Report what began and what ended; what goes on was reported when it began."""
        active = {(alarm.kind, alarm.code): alarm for alarm in alarms}
        before, state.active = state.active, active
        for key, alarm in active.items():
            if key not in before:
                logger.warning("%s", alarm.text)
                self._on_alarm(alarm)
        for kind, code in before:
            if (kind, code) not in active:
                text = f"{code or source.name} is well again (it was: {kind})"
                self._on_alarm(RateAlarm(AlarmKind.RECOVERED, source.name, code, text))

    def _with_jitter(self, wait_ms: int) -> int:
        dice = int.from_bytes(self._entropy.octets(2), "big")
        span = wait_ms // JITTER_SHARE
        return wait_ms - span + 2 * span * dice // 65_535


def _alarm(kind: AlarmKind, source: RateSource, text: str) -> RateAlarm:
    return RateAlarm(kind, source.name, None, text)


def _read_file(source: RateSource, state: _State) -> Quotes | None:
    """The file's rates, dated by its last change. Small and local, so it is read at once."""
    with open(source.where, "rb") as file:
        found = os.fstat(file.fileno())
        signature = (found.st_mtime_ns, found.st_size, found.st_ino)
        if signature == state.file_signature:
            return None
        body = file.read(RATES_OCTETS_MAX + 1)
    state.file_signature = signature
    as_of = Timestamp(found.st_mtime_ns // 1_000_000)
    return parse_rates_json(body, source=source.name, as_of=as_of, max_age_ms=source.age_max_ms, base=source.base)
