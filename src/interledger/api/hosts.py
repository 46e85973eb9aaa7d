"""For which names the API answers: a web page must not reach a node of this machine under the page's own name.

A page of evil.example may say that evil.example is 127.0.0.1 (DNS rebinding): for the browser our answers are the
page's own then, and it may read them. Such a request says `Host: evil.example`. A node that others can reach by the
network is asked under names it need not know, and what is open to all there is open anyway: its name is not asked for.
"""

from __future__ import annotations

import ipaddress
from typing import Final, final
from urllib.parse import urlsplit

from starlette.requests import Request

from interledger.api.problems import Problem
from interledger.api.settings_facade import NodeSettings
from interledger.node.settings_parsers import is_loopback_host, parse_bind_address

__all__ = ["HostGate", "host_of", "is_loopback_name"]

LOCAL: Final = "localhost"


@final
class HostGate:
    """Judges the `Host` header of every request."""

    def __init__(self, settings: NodeSettings) -> None:
        host, _ = parse_bind_address(settings.http_bind_address)
        self._is_open = not is_loopback_host(host)
        public = urlsplit(settings.public_url or "").hostname
        self._names = {LOCAL, *settings.host_names, *({public} if public else ())}

    def admit(self, request: Request) -> None:
        """Raises `misdirected`, which says what to set."""
        if self._is_open:
            return
        name = host_of(request)
        if name in self._names or is_loopback_name(name):
            return
        raise Problem(
            "misdirected",
            "This node listens on its own machine only, and is not called so. If a proxy leads here, set  public_url"
            "  or  host_names",
        )


def host_of(request: Request) -> str:
    """What the request's `Host` says, without the port, in lower case."""
    host = request.headers.get("host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def is_loopback_name(name: str) -> bool:
    """Whether the name, or address, is always this machine's."""
    if name == LOCAL or name.endswith("." + LOCAL):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
