"""From a URL to the addresses that may be called: the name is asked once, and each of its addresses is checked.

Whoever connects takes one of these and asks for the name no more, so that it cannot change its meaning in between (F1).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from interledger.errors import LinkError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.urls import IpAddress, Url

__all__ = ["FetchError", "NameNotFoundError", "NotAllowedError", "Resolve", "checked_addresses", "resolve_name"]

Resolve = Callable[[str, int], Awaitable[list[IpAddress]]]
"""All addresses of a name. Raises `OSError` when there is none."""


class FetchError(LinkError):
    """A URL could not be fetched. The sentence says why."""


class NotAllowedError(FetchError):
    """The egress policy forbids it, or the URL cannot be read."""


class NameNotFoundError(FetchError):
    """The host's name is not found."""


async def checked_addresses(url: Url, egress: EgressPolicy, resolve: Resolve | None = None) -> list[IpAddress]:
    """All addresses of `url`, each of which `egress` allows: connect to one of these, and ask for the name no more.

    Raises `NotAllowedError`, `NameNotFoundError`.
    """
    reason = egress.refuses_url(url)
    if reason is None:
        addresses = await _addresses(url, resolve or resolve_name)
        reason = egress.refuses_addresses(url, addresses)
    if reason is not None:
        raise NotAllowedError(f"{url.origin} may not be called: {reason}")
    return addresses


async def _addresses(url: Url, resolve: Resolve) -> list[IpAddress]:
    literal = url.address
    if literal is not None:
        return [literal]
    try:
        addresses = await resolve(url.host, url.port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise NameNotFoundError(f"the name {url.host} is not found")
    return addresses


async def resolve_name(host: str, port: int) -> list[IpAddress]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
