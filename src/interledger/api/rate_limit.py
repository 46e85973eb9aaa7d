"""How often somebody may ask: so many requests a minute for each token, or for each address that shows none."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, final

from starlette.requests import Request

from interledger.api.problems import Problem

__all__ = ["CALLS_PER_MINUTE", "RateLimit", "source_of"]

CALLS_PER_MINUTE: Final = 6_000
"""Of the API, for each token: 100 a second for ever, and a minute's worth at once. A page of the dashboard takes ten, a
stream of events is one. A program that runs wild takes a tenth of a core at most, and packets take their own way."""

SOURCES_MAX: Final = 10_000
"""Addresses or tokens remembered; the one that asked longest ago is forgotten first. About a megabyte."""

_MINUTE_S: Final = 60.0


@final
class RateLimit:
    """A minute's worth at once, then one request per `60 / per_minute` seconds. `monotonic` tells seconds."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float], who: str = "your address") -> None:
        """`who`: whose requests are counted, as the refusal says it."""
        self._interval = _MINUTE_S / per_minute
        self._who = who
        self._monotonic = monotonic
        self._due: OrderedDict[str, float] = OrderedDict()
        """Source -> when all it asked so far is paid for."""

    def admit(self, source: str) -> None:
        """Count one request. Raises a `too-many-requests` problem that says how long to wait."""
        now = self._monotonic()
        due = max(self._due.get(source, now), now)
        wait = due + self._interval - now - _MINUTE_S
        if wait > 0:
            headers = {"Retry-After": str(math.ceil(wait))}
            detail = f"Too many requests from {self._who}: wait {headers['Retry-After']} s"
            raise Problem("too-many-requests", detail, headers=headers)
        self._due[source] = due + self._interval
        self._due.move_to_end(source)
        if len(self._due) > SOURCES_MAX:
            self._due.popitem(last=False)


def source_of(request: Request, trusted_proxies: frozenset[str]) -> str:
    """The address a request comes from. What a trusted proxy adds to X-Forwarded-For is believed, and nothing more.

    Of IPv6 the network: one customer has 2^64 addresses. Of what cannot be read, the text.
    """
    source = request.client.host if request.client is not None else ""
    for header in reversed(request.headers.getlist("x-forwarded-for")):
        for said in reversed(header.split(",")):
            if source not in trusted_proxies:
                return _network(source)
            source = said.strip()[:64]
    return _network(source)


def _network(source: str) -> str:
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return source
