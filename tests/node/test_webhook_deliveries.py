"""What is remembered of deliveries: in order, within bounds, and all of it in the store."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from interledger.clock import Timestamp
from interledger.errors import NotFoundError
from interledger.node import webhook_deliveries
from interledger.node.webhook_deliveries import Deliveries, Delivery


class Store:
    """Facts, as a store keeps them."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def put_fact(self, name: str, value: Any, *, secret: bool = False) -> None:
        if value is None:
            self.facts.pop(name, None)
        else:
            self.facts[name] = value


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_deliveries, "DONE_KEPT", 2)
    monkeypatch.setattr(webhook_deliveries, "WAITING_MAX", 4)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def queue(store: Store) -> Deliveries:
    return Deliveries(store, {})  # type: ignore[arg-type] # the one method that is needed


def delivery(number: int, webhook: str = "whk_1", state: str = "waiting", next_at: int | None = None) -> Delivery:
    at = Timestamp(1_000 + number)
    due = Timestamp(at if next_at is None else next_at)
    return Delivery(f"dlv_{webhook}_{number}", webhook, "x", "{}", state, 0, at, due if state == "waiting" else None)


def numbers(found: list[Delivery]) -> str:
    return "".join(one.id[-1] for one in found)


def test_newest_first_and_each_webhook_its_own(queue: Deliveries) -> None:
    for number in range(3):
        queue.put(delivery(number))
    queue.put(delivery(7, "whk_2"))
    assert numbers(queue.of("whk_1")) == "210"
    assert numbers(queue.of("whk_2")) == "7"
    assert queue.of("whk_3") == []


def test_what_is_due_first_is_next(queue: Deliveries) -> None:
    queue.put(delivery(0, next_at=5_000))
    queue.put(delivery(1, next_at=2_000))
    found = queue.next_of("whk_1")
    assert found is not None
    assert numbers([found]) == "1"
    queue.put(replace(found, state="delivered", next_at=None))
    assert queue.next_of("whk_1") == queue.waiting("whk_1")[0]
    assert queue.next_of("whk_2") is None


def test_history_costs_nothing_that_waits(queue: Deliveries, store: Store) -> None:
    queue.put(delivery(0))
    for number in range(1, 6):
        queue.put(delivery(number, state="delivered"))
    assert numbers(queue.of("whk_1")) == "540"
    assert len(store.facts) == 3


def test_of_too_many_that_wait_the_oldest_is_lost_and_that_is_said_once(
    queue: Deliveries, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(7):
        queue.put(delivery(number))
    assert numbers(queue.waiting("whk_1")) == "3456"
    assert queue.outcomes == {("whk_1", "dropped"): 3}
    assert len(store.facts) == 4
    assert len(caplog.records) == 1
    for one in queue.waiting("whk_1"):
        queue.put(replace(one, state="delivered", next_at=None))
    for number in range(5):
        queue.put(delivery(number))
    assert len(caplog.records) == 2, "it was taken meanwhile, so it is said again"


def test_an_earlier_life_is_read_in_order(queue: Deliveries, store: Store) -> None:
    for number in (0, 1, 2):
        queue.put(delivery(number))
    queue.put(replace(delivery(1), state="failed", next_at=None))
    again = Deliveries(store, dict(reversed(store.facts.items())))  # type: ignore[arg-type] # as above
    assert numbers(again.of("whk_1")) == "210"
    assert numbers(again.waiting("whk_1")) == "02"
    assert again.outcomes == {}


def test_what_was_done_meanwhile_is_seen(queue: Deliveries, store: Store) -> None:
    one = delivery(0)
    queue.put(one)
    assert queue.is_current(one)
    queue.put(replace(one, tries=1))
    assert not queue.is_current(one)
    queue.forget_all("whk_1")
    assert (queue.of("whk_1"), store.facts) == ([], {})
    assert not queue.is_current(one)
    with pytest.raises(NotFoundError):
        queue.get("whk_1", one.id)
    with pytest.raises(NotFoundError):
        queue.get("whk_9", one.id)
