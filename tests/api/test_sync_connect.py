"""The synchronous client and connection with a real node, as a program without asyncio uses them."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from fractions import Fraction

import pytest

import interledger
from interledger.accounts.account import LinkSettings
from interledger.accounts.asset import Asset, Money
from interledger.api.connect import Connection
from interledger.api.sync_client import SyncApiClient
from interledger.api.sync_connect import SyncConnection, connect_sync
from interledger.errors import InvalidRequestError
from interledger.node.node import Node
from tests.node import loopback

USD = Asset("USD", 9)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    accounts = [
        loopback.account(
            name,
            "USD/9",
            f"test.hub.{name}",
            owes_us_max=10**12,
            link=LinkSettings(http_incoming_token_digest=loopback.digest(f"{name}-in")),
        )
        for name in ("alice", "bob")
    ]
    with loopback.in_thread(loopback.settings("test.hub"), *accounts) as node:
        yield node


@pytest.fixture
def url(node: Node) -> str:
    return f"http://127.0.0.1:{node.port}"


def test_a_payment_from_quote_to_history(node: Node, url: str) -> None:
    with SyncApiClient(url, "admin-token") as client:
        bob = loopback.pointer(node, "bob")
        quote = client.quote(bob, account="alice", send="10 USD")
        paid = client.pay(bob, account="alice", quote_id=quote["id"], idempotency_key="order-1")
        assert (paid["state"], paid["sent"]["amount"]) == ("delivered", "10000000000")
        assert client.payment(paid["id"])["trace"] is not None
        steps = [one["state"] for one in client.pay_with_progress(bob, account="alice", send="1 USD")]
        assert steps[-1] == "delivered"
        everything = list(client.all_payments())
        assert [one["id"] for one in everything][-1] == paid["id"]
        newest, cursor = client.payments(limit=1)
        assert newest == everything[:1]
        assert client.payments(limit=1, cursor=cursor)[0] == everything[1:2]


def test_events_come_one_by_one(url: str) -> None:
    with SyncApiClient(url, "admin-token") as client:
        client.create_account({"id": "carol", "asset_code": "USD", "asset_scale": 2})
        client.delete_account("carol")
        kinds = [one.data["kind"] for one in itertools.islice(client.tail_events(since=0, only="account"), 4)]
    assert kinds[-2:] == ["account.created", "account.deleted"]


def test_an_error_is_the_same_as_of_the_other(url: str) -> None:
    with SyncApiClient(url, "wrong") as client, pytest.raises(interledger.ApiError) as refused:
        client.status()
    assert refused.value.kind == "unauthorized"
    with SyncApiClient("http://127.0.0.1:9") as client, pytest.raises(interledger.LinkError):
        client.status()


def test_pay_gives_money(node: Node, url: str) -> None:
    with connect_sync(url, "alice-in") as alice:
        before = alice.balance()
        assert alice.account == "alice"
        assert alice.quote(loopback.pointer(node, "bob"), "2 USD").send_max == Money(2_000_000_000, USD)
        paid = alice.pay(loopback.pointer(node, "bob"), "2 USD", max_fee="1%")
        assert (paid.delivered, paid.rate) == (Money(2_000_000_000, USD), Fraction(1))
        assert alice.balance().amount == before.amount - 2_000_000_000
    with pytest.raises(InvalidRequestError, match="closed"):
        alice.balance()


def test_a_connection_that_cannot_be_opened_leaves_nothing(url: str) -> None:
    with pytest.raises(interledger.ApiError), connect_sync(url, "wrong"):
        pass
    with pytest.raises(InvalidRequestError, match="name an account"), connect_sync(url, "admin-token"):
        pass


@pytest.mark.parametrize("name", ["balance", "quote", "pay"])
def test_both_connections_are_alike(name: str) -> None:
    one, twin = (inspect.signature(getattr(cls, name)) for cls in (Connection, SyncConnection))
    assert one == twin


def test_there_is_no_other_method() -> None:
    assert {name for name in vars(SyncConnection) if not name.startswith("_")} == {
        "account", "balance", "pay", "quote",
    }  # fmt: skip


def test_both_connects_are_alike() -> None:
    one, twin = inspect.signature(interledger.connect), inspect.signature(interledger.connect_sync)
    assert one.parameters == twin.parameters
