"""One packet at every node of a development network, in the order of its way.

All nodes run in one process, and the execution condition is the same at every hop, so that nothing has to be added to
the wire to find them. Of a packet that nobody recorded, those nodes know that refused it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from interledger.api.packets import packet_document
from interledger.errors import NotFoundError
from interledger.node.node import Node

__all__ = ["packet_path"]

_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


def packet_path(nodes: Mapping[str, Node], prefix: str, *, may_open: bool) -> dict[str, Any]:
    """`hops`: each with `node`, its `packet`, and `wire_us`, what the way there and back took beside the node's own
    time; null for the first, and where it is not known. Raises `NotFoundError`.
    """
    prefix = prefix.lower()
    found: dict[str, dict[str, Any]] = {}
    for name, node in nodes.items():
        records = node.live.packets.find(prefix) if _PREFIX.fullmatch(prefix) else []
        if records:
            found[name] = packet_document(records[0], node, whole=True, may_open=may_open)
    if not found:
        raise NotFoundError(f"No node of this network keeps a packet “{prefix[:64]}”")
    hops: list[dict[str, Any]] = []
    for name in _in_order(found):
        wire = _wire_us(hops[-1]["packet"], found[name]) if hops else None
        hops.append({"node": name, "wire_us": wire, "packet": found[name]})
    return {"condition": hops[0]["packet"]["condition"], "hops": hops}


def _in_order(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """From the node that sent it, along `outgoing`. The accounts of these networks are called as the nodes are."""
    firsts = [name for name, packet in found.items() if packet["incoming"] == name or packet["incoming"] not in found]
    order: list[str] = []
    at: str | None = next(iter([*firsts, *found]))
    while at is not None and at in found and at not in order:
        order.append(at)
        at = found[at]["outgoing"]
    return [*order, *(name for name in found if name not in order)]


def _wire_us(here: Mapping[str, Any], there: Mapping[str, Any]) -> int | None:
    sent: int | None
    answered: int | None
    took: int | None
    sent, answered, took = here["sent_after_us"], here["answered_after_us"], there["answered_after_us"]
    if sent is None or answered is None or took is None:
        return None
    return max(0, answered - sent - took)
