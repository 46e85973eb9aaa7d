"""A node as a program: node, HTTP API and listener in one process, until a signal says stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from interledger.api.app import create_app
from interledger.api.engine_calls import create_settlement_app
from interledger.api.incoming_socket import create_sockets
from interledger.codec.timestamp import format_rfc3339
from interledger.daemon.logs import start_logging
from interledger.daemon.process import run, settle_garbage, stop_on_signals, write_private_json
from interledger.dashboard.app import add_dashboard
from interledger.node.node import Node
from interledger.node.settings import Settings
from interledger.node.watchdog import refuse_new

__all__ = ["NODE_FILE", "certificate_path", "finish_in_flight", "node_url", "open_node", "serve"]

logger = logging.getLogger("interledger.daemon")

NODE_FILE: Final = "node.json"
"""In the data directory while the node runs: where it listens, and its process. The command line looks there."""

PATIENCE_MS: Final = 5_000
"""How long a stop waits for what peers have. Most answer in some hundred milliseconds; who starts the node again would
rather not wait the thirty seconds that a packet may be held for."""

QUIET_MS: Final = 200
"""So long no packet may have come: what peers sent before they heard that they should not is answered, not cut off. It
is waited for a second at most: a peer that goes on sending regardless holds nothing up."""

QUIET_MAX_MS: Final = 1_000

LOOK_MS: Final = 20


def node_url(node: Node) -> str:
    """Where the node's API is reached from this machine."""
    host, _ = node.settings.bind
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):
        host = "localhost"
    scheme = "http" if node.settings.tls_certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{node.port}"


def certificate_path(node: Node) -> str | None:
    """The file whose first certificate the node presents: programs of this machine trust it. None without TLS."""
    certificate = node.settings.tls_certificate
    return None if certificate is None else str(Path(certificate).absolute())


async def open_node(settings: Settings, add_pages: Callable[[Starlette], None] = add_dashboard) -> Node:
    """A node that is started, with its API and what `add_pages` serves beside it.

    Raises `LinkError` when the port cannot be had, `StoreError`.
    """
    node = Node(settings)
    node.upgrade = create_sockets(node)
    app = create_app(node)
    add_pages(app)
    await node.start(app, create_settlement_app(node))
    return node


def serve(settings: Settings, on_ready: Callable[[Node], None]) -> None:
    """Run a node until SIGINT or SIGTERM. `on_ready` is called once, when it takes packets."""
    start_logging(settings.log_level, settings.log_format)
    run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[Node], None]) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    node = await open_node(settings)
    node.intake.stopper = stop.set
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, node.links.tls.reload)
    place = None if settings.directory is None else settings.directory / NODE_FILE
    try:
        if place is not None:
            write_private_json(place, _node_document(node))
        settle_garbage()
        logger.info(
            "started address=%s url=%s accounts=%d durability=%s",
            node.address,
            node_url(node),
            len(node.accounts()),
            settings.durability,
        )
        on_ready(node)
        await stop.wait()
        await finish_in_flight(node)
    finally:
        if place is not None:
            place.unlink(missing_ok=True)
        await node.stop()
    logger.info("stopped")


async def finish_in_flight(node: Node, patience_ms: int = PATIENCE_MS) -> int:
    """Take no new packets (T03), and wait for the answers to those that peers have; the number of those that are left.

    What is left is written down, and in flight again after the next start, if it has not expired by then.
    """
    node.ready = False  # /readyz: send no more here
    status = node.status()
    left, came, quiet_ms = status.in_flight, status.packets["prepares"], 0
    logger.info("stopping packets_in_flight=%d", left)
    for waited_ms in range(0, patience_ms, LOOK_MS):
        # At each look: an account may be attached anew meanwhile.
        refuse_new(node.connector.peers.values())
        if not left and (quiet_ms >= QUIET_MS or waited_ms >= QUIET_MAX_MS):
            break
        await asyncio.sleep(LOOK_MS / 1_000)
        status = node.status()
        quiet_ms = quiet_ms + LOOK_MS if status.packets["prepares"] == came else 0
        left, came = status.in_flight, status.packets["prepares"]
    if left:
        logger.warning("stopping without the answers to %d packets; the next start waits for them", left)
    return left


def _node_document(node: Node) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "started_at": format_rfc3339(node.started_at),
        "url": node_url(node),
        "certificate": certificate_path(node),
        "ilp_address": node.address,
    }
