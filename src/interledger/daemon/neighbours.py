"""What the dashboards of a development network know of each other: who there is, and how to go from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from starlette.applications import Starlette

from interledger.api.app import add_operations
from interledger.api.auth import Caller
from interledger.daemon.breaking import Breaking
from interledger.daemon.breaking_calls import breaking_operations
from interledger.daemon.serve import node_url
from interledger.dashboard.app import add_dashboard
from interledger.node.node import Node

__all__ = ["Neighbours"]


@final
class Neighbours:
    """All nodes run in one process, so that each can let somebody in at another who was let in by itself."""

    def __init__(self, nodes: Mapping[str, Node], breaking: Breaking) -> None:
        self._nodes = nodes
        self._breaking = breaking
        self._apps: dict[str, Starlette] = {}

    def pages_of(self, name: str) -> Callable[[Starlette], None]:
        """For `open_node`: the dashboard of the node called `name`."""

        def add(app: Starlette) -> None:
            self._apps[name] = app
            add_operations(app, breaking_operations(self._breaking, name))
            add_dashboard(app, _Seen(self, name))

        return add

    def names(self) -> list[str]:
        """Those that run."""
        return list(self._nodes)

    def url(self, name: str) -> str:
        """Where a node's API is."""
        return node_url(self._nodes[name])

    def login_url(self, name: str, caller: Caller) -> str | None:
        """An address that opens the dashboard of a node once, for what `caller` may do; None: there is no such node."""
        if name not in self._nodes:
            return None
        code = self._apps[name].state.logins.issue(caller).code
        return f"{self.url(name)}/ui/?code={code}"

    def operators_url(self, name: str) -> str | None:
        """The same for the operator, who started the network."""
        return self.login_url(name, Caller(True, None))


@final
class _Seen:
    """The network as one of its nodes shows it."""

    def __init__(self, neighbours: Neighbours, name: str) -> None:
        self._neighbours = neighbours
        self._name = name

    def view(self) -> Mapping[str, Any]:
        nodes = [{"name": name, "url": self._neighbours.url(name)} for name in self._neighbours.names()]
        return {"name": self._name, "nodes": nodes}

    def login_url(self, name: str, caller: Caller) -> str | None:
        return self._neighbours.login_url(name, caller)
