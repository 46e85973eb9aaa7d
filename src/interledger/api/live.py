"""`/api/live`: what a page shows, kept current while somebody looks at it.

Every topic is a document that some other path has too. While a stream is open its documents are made now and then, each
at its own pace, and sent when they are others than before: however much happens, a reader gets the latest state and no
queue grows. Whoever comes back gets the state as it is then, so nothing has to be made up for. With no reader there is
no stream, and nothing is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from interledger.accounts.account import parse_account_id
from interledger.accounts.books.documents import unknown_document
from interledger.api.auth import Access
from interledger.api.documents import account_document, list_document, payment_document
from interledger.api.facade import NodeFacade
from interledger.api.json_text import encode_json
from interledger.api.operations import Call, Operation
from interledger.api.overview import (
    account_look_document,
    counts_document,
    flow_document,
    health_document,
    overview_document,
)
from interledger.api.overview import topology_document as links_document
from interledger.api.packets import packets_document
from interledger.api.payments import whole_document
from interledger.api.rates import rates_document
from interledger.api.received import incoming_document
from interledger.api.routes import routes_document
from interledger.api.settlements import settlement_document
from interledger.api.sse import KEEP_ALIVE, KEEP_ALIVE_S, EventStream, sse_event
from interledger.errors import InvalidRequestError, NotFoundError

__all__ = ["OPERATIONS", "TOPICS"]

STEP_S: Final = 0.1
"""No topic is looked at more often."""

ROWS: Final = 50
"""Of a table: as many as a page shows."""

ROUTES_MAX: Final = 1_000
TOPICS_MAX: Final = 20


class Topic(NamedTuple):
    """`make(node, name)` makes the document; `name` is what stands behind the colon. `every_ms`: how often at most."""

    every_ms: int
    make: Callable[[NodeFacade, str], Any]
    meaning: str
    takes_name: bool = False


def _health(node: NodeFacade, name: str) -> Any:
    return health_document(node.live.overview.health())


def _counts(node: NodeFacade, name: str) -> Any:
    return counts_document(node.live.overview.moves())


def _seconds(node: NodeFacade, name: str) -> Any:
    return {"items": [flow_document(flow) for flow in node.live.overview.moves().seconds]}


def _positions(node: NodeFacade, name: str) -> Any:
    if name:
        return account_document(node.account(name), node)
    return list_document(account_look_document(look, node) for look in node.live.overview.accounts())


def _payments(node: NodeFacade, name: str) -> Any:
    return list_document(payment_document(payment.snapshot) for payment in islice(node.payments(), ROWS))


def _received(node: NodeFacade, name: str) -> Any:
    now = node.incoming.now()
    return list_document(incoming_document(one, now) for one in islice(node.incoming.all(), ROWS))


def _packets(node: NodeFacade, name: str) -> Any:
    records = (one for one in node.live.packets.latest() if not name or name in (one.incoming, one.outgoing))
    return packets_document(node, list(islice(records, ROWS)))


def _payment(node: NodeFacade, name: str) -> Any:
    payment = node.payment_history.get(name).snapshot
    return whole_document(node, payment)


def _settlements(node: NodeFacade, name: str) -> Any:
    account = node.account(name).id if name else None
    return list_document(settlement_document(one) for one in node.settlements.latest(account, ROWS))


def _unknown(node: NodeFacade, name: str) -> Any:
    now = node.books.now()
    return list_document(unknown_document(item, now) for item in islice(node.books.unknown(), ROWS))


TOPICS: Final = {
    "overview": Topic(1_000, lambda node, name: overview_document(node), "all of the overview"),
    "health": Topic(1_000, _health, "`health` and `needs` of the overview"),
    "counts": Topic(500, _counts, "`now`, `day` and `profit` of the overview"),
    "seconds": Topic(1_000, _seconds, "the last 90 seconds"),
    "links": Topic(1_000, lambda node, name: links_document(node), "the topology"),
    "positions": Topic(500, _positions, "all accounts; `positions:bob` is one", True),
    "payments": Topic(1_000, _payments, "the latest payments"),
    "incoming": Topic(1_000, _received, "the latest payments that came in"),
    "payment": Topic(100, _payment, "`payment:ID`, one payment", True),
    "packets": Topic(500, _packets, "the latest packets; `packets:bob` are those of one account", True),
    "routes": Topic(1_000, lambda node, name: routes_document(node, ROUTES_MAX), "the routes"),
    "rates": Topic(1_000, lambda node, name: rates_document(node), "the rates"),
    "settlements": Topic(1_000, _settlements, "the latest settlements; `settlements:bob` are those of one", True),
    "unknown": Topic(1_000, _unknown, "unknown amounts"),
}
"""Topic -> how its document is made."""


async def get_live(call: Call) -> Response:
    """`event` is the topic, `data` its document. The first of each comes at once."""
    names = _parse_topics(call.request.query_params.get("topics", ""), call.node)
    return EventStream(lambda: _stream(call.node, names))


async def _stream(node: NodeFacade, names: list[str]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    leave = node.live.pulse.watch()
    sees_packets = any(name.partition(":")[0] == "packets" for name in names)
    stop_recording = node.live.packets.watch() if sees_packets else leave
    sent: dict[str, bytes] = {}
    due = dict.fromkeys(names, 0.0)
    last_sent, number = loop.time(), 0
    try:
        yield b"retry: 1000\n\n"
        while node.ready:
            for name, at in due.items():
                now = loop.time()
                if at > now:
                    continue
                kind, _, rest = name.partition(":")
                topic = TOPICS[kind]
                due[name] = now + topic.every_ms / 1000
                document = _made(topic, node, rest)
                octets = encode_json(document)
                if octets != sent.get(name):
                    sent[name], last_sent, number = octets, now, number + 1
                    yield sse_event(document, event=name, event_id=number)
            if loop.time() - last_sent >= KEEP_ALIVE_S:
                last_sent = loop.time()
                yield KEEP_ALIVE
            await asyncio.sleep(max(min(due.values()) - loop.time(), STEP_S))
    finally:
        leave()
        stop_recording()


def _made(topic: Topic, node: NodeFacade, name: str) -> Any:
    """What is gone since the stream began is `null`."""
    try:
        return topic.make(node, name)
    except NotFoundError:
        return None


def _parse_topics(text: str, node: NodeFacade) -> list[str]:
    """Raises `InvalidRequestError` for a topic that is none, `NotFoundError` for one of nobody."""
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not 0 < len(names) <= TOPICS_MAX:
        raise InvalidRequestError(f"topics has 1 to {TOPICS_MAX} of {', '.join(TOPICS)}", "topics")
    for name in names:
        kind, colon, rest = name.partition(":")
        topic = TOPICS.get(kind)
        if topic is None or bool(colon) > topic.takes_name or (kind == "payment" and not rest):
            raise InvalidRequestError(f"“{name[:50]}” is no topic. There are {', '.join(TOPICS)}", "topics")
        if rest:
            topic.make(node, parse_account_id(rest) if kind != "payment" else rest)
    return names


OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/live", access=Access.ADMIN, handler=get_live,
        summary="What a page shows, kept current while somebody looks: server-sent events", answer="events",
        problems=(400, 404, 429), parameters=("topics", "Last-Event-ID"), tags=("live",),
    ),
)  # fmt: skip
"""The operations of this module."""
