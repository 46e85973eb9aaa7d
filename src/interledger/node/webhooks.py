"""Webhooks: events of the node as HTTP requests to programs of others, signed, repeated until they are taken.

An event becomes one delivery for each webhook that wants it, written down together with how far the events were read: a
crash loses none, and none becomes two deliveries. A delivery has one id for ever; a receiver that took it and was not
heard gets the same once more. Deliveries of one webhook are sent one after another, in order while all goes well.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

from interledger.application.webhook_body import webhook_document
from interledger.application.webhook_signature import SIGNATURE_HEADER, sign
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import ConflictError, InterledgerError, NotFoundError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url
from interledger.node.webhook_deliveries import Deliveries, Delivery
from interledger.settlement.retries import retry_delay_ms

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["TRIES_MAX", "WEBHOOKS_MAX", "Webhook", "Webhooks"]

logger = logging.getLogger("interledger.node")

WEBHOOKS_MAX: Final = 20
"""Each is a task and a list of deliveries."""

TRIES_MAX: Final = 10
"""With pauses of 8 s and more, twice as long each time: some 50 minutes. Then it waits for `replay`."""

TIMEOUT_MS: Final = 10_000
ANSWER_MAX: Final = 65_536

FACT: Final = "webhook/"
CURSOR: Final = "webhook_cursor"


@dataclass(frozen=True, slots=True)
class Webhook:
    """`events`: kinds, None for all. `private`: the operator's word that the url may be on a private network."""

    id: str
    url: str
    events: list[str] | None
    private: bool
    secret: str
    created_at: Timestamp

    def __repr__(self) -> str:
        return f"Webhook({self.id!r})"


@final
class Webhooks:
    """`node.webhooks`."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        self._hooks = {name.removeprefix(FACT): Webhook(**v) for name, v in facts.items() if name.startswith(FACT)}
        self.queue = Deliveries(node.store, facts)
        self._cursor = facts.get(CURSOR)
        self._news = asyncio.Event()

    def start(self) -> None:
        """Read on where the last life stopped, and send what waits."""
        if self._cursor is None:
            self._cursor = self._node.live.events.latest_id
        self._node.spawn(self._read_events())
        self._node.spawn(self._send_all())

    # ------------------------------------------------------------------ what there is

    def all(self) -> list[Webhook]:
        """As they were made."""
        return sorted(self._hooks.values(), key=lambda hook: (hook.created_at, hook.id))

    def get(self, webhook_id: str) -> Webhook:
        """Raises `NotFoundError`."""
        try:
            return self._hooks[webhook_id]
        except KeyError:
            raise NotFoundError(f"There is no webhook “{webhook_id[:40]}”.") from None

    def deliveries(self, webhook_id: str) -> list[Delivery]:
        """Newest first. Raises `NotFoundError`."""
        self.get(webhook_id)
        return self.queue.of(webhook_id)

    async def create(self, url: str, events: Sequence[str] | None, *, private: bool) -> Webhook:
        """Raises `InvalidRequestError` for a url, `ConflictError` where there are too many."""
        parse_url(url)
        if len(self._hooks) >= WEBHOOKS_MAX:
            raise ConflictError(f"There are {WEBHOOKS_MAX} webhooks. Delete those that nobody reads.")
        octets = self._node.entropy.octets
        hook = Webhook(
            id=f"whk_{octets(5).hex()}",
            url=url,
            events=None if events is None else list(events),
            private=private,
            secret=f"whsec_{octets(32).hex()}",
            created_at=self._node.clock.now(),
        )
        self._hooks[hook.id] = hook
        self._node.store.put_fact(FACT + hook.id, asdict(hook), secret=True)
        await self._node.commit()
        return hook

    async def delete(self, webhook_id: str) -> Webhook:
        """With all its deliveries. Raises `NotFoundError`."""
        hook = self.get(webhook_id)
        del self._hooks[hook.id]
        self._node.store.put_fact(FACT + hook.id, None)
        self.queue.forget_all(hook.id)
        await self._node.commit()
        return hook

    async def replay(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send it once more, with its old id and body. Raises `NotFoundError`."""
        self.get(webhook_id)
        one = self.queue.get(webhook_id, delivery_id)
        one = replace(one, state="waiting", tries=0, next_at=self._node.clock.now(), done_at=None, error=None)
        self.queue.put(one)
        await self._node.commit()
        self._news.set()
        return one

    async def test(self, webhook_id: str) -> Delivery:
        """Send a delivery that means nothing. Raises `NotFoundError`."""
        now = self._node.clock.now()
        document = {"id": f"test_{now}", "type": "webhook.test", "at": format_rfc3339(now), "data": {"text": "a test"}}
        one = self._add(self.get(webhook_id), document)
        await self._node.commit()
        self._news.set()
        return one

    # ------------------------------------------------------------------ from events to deliveries

    async def _read_events(self) -> None:
        feed = self._node.live.events
        while True:
            channel = feed.subscribe()
            try:
                await self._take_new()
                while await channel.get() is not None:
                    await self._take_new()
                if not channel.is_cut:
                    return  # the node stops
            finally:
                channel.close()

    async def _take_new(self) -> None:
        feed = self._node.live.events
        page = feed.after(self._cursor or 0, None, 1_000)
        if not page.events:
            return
        for event in page.events:
            for hook in self._hooks.values():
                if hook.events is None or event.kind in hook.events:
                    at = format_rfc3339(event.at)
                    self._add(hook, webhook_document(event.id, event.kind, at, event.text, event.data))
        self._cursor = page.events[-1].id
        self._node.store.put_fact(CURSOR, self._cursor)
        self._news.set()

    def _add(self, hook: Webhook, document: Mapping[str, Any]) -> Delivery:
        now = self._node.clock.now()
        one = Delivery(
            id=f"dlv_{self._node.entropy.octets(8).hex()}",
            webhook=hook.id,
            type=document["type"],
            body=json.dumps(document, ensure_ascii=False),
            state="waiting",
            tries=0,
            made_at=now,
            next_at=now,
        )
        self.queue.put(one)
        return one

    # ------------------------------------------------------------------ out

    async def _send_all(self) -> None:
        """One task: each webhook has at most one request at a time."""
        sending: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._news.clear()
                now, wake_at = self._node.clock.now(), None
                for hook in list(self._hooks.values()):
                    if hook.id in sending and not sending[hook.id].done():
                        continue
                    due = self.queue.next_of(hook.id)
                    if due is None or due.next_at is None:
                        continue
                    if due.next_at > now:
                        wake_at = due.next_at if wake_at is None else min(wake_at, due.next_at)
                        continue
                    task = sending[hook.id] = asyncio.get_running_loop().create_task(self._send(hook, due))
                    task.add_done_callback(lambda _: self._news.set())
                try:
                    async with asyncio.timeout(None if wake_at is None else (wake_at - now) / 1000):
                        await self._news.wait()
                except TimeoutError:
                    continue
        finally:
            for task in sending.values():
                task.cancel()
            await asyncio.gather(*sending.values(), return_exceptions=True)

    async def _send(self, hook: Webhook, one: Delivery) -> None:
        """One try. What came of it is written down; a crash before that makes it once more."""
        status, error = await self._post(hook, one)
        self.queue.tries[hook.id] += 1
        if not self.queue.is_current(one):
            return
        now, tries = self._node.clock.now(), one.tries + 1
        if error is None:
            one = replace(one, state="delivered", tries=tries, next_at=None, done_at=now, status=status, error=None)
        elif tries >= TRIES_MAX:
            one = replace(one, state="failed", tries=tries, next_at=None, done_at=now, status=status, error=error)
            logger.warning("webhook %s: %s was not taken in %d tries: %s", hook.id, one.id, tries, error)
        else:
            next_at = Timestamp(now + retry_delay_ms(tries + 3, self._node.entropy.octets(2)))
            one = replace(one, tries=tries, next_at=next_at, status=status, error=error)
        self.queue.put(one)

    async def _post(self, hook: Webhook, one: Delivery) -> tuple[int | None, str | None]:
        """(status or None, why it was not taken or None)."""
        body = one.body.encode("utf-8")
        headers = {
            "Content-Type": "application/json",
            "Interledger-Delivery": one.id,
            SIGNATURE_HEADER: sign(hook.secret, body, self._node.clock.now()),
        }
        send: Callable[..., Any] = partial(fetch, egress=self._egress(hook), tls=self._node.links.tls.development)
        try:
            answer = await send(
                "POST", hook.url, headers=headers, body=body, timeout_ms=TIMEOUT_MS, limit_octets=ANSWER_MAX
            )
        except (InterledgerError, TimeoutError, OSError) as error:
            return None, str(error) or "no answer in time"
        taken = 200 <= answer.status < 300
        return answer.status, None if taken else f"it answered {answer.status}"

    def _egress(self, hook: Webhook) -> EgressPolicy:
        """Public addresses only, unless the operator has said otherwise; decided at every request."""
        if hook.private:
            return EgressPolicy(allowed=frozenset({parse_url(hook.url).authority}))
        return EgressPolicy(development=self._node.settings.development)
