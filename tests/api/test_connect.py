"""`interledger.connect`: names of the development network, and money in and out as values."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import interledger
from interledger.accounts.asset import Asset, Money
from interledger.api.client import ApiClient
from interledger.api.connect import Connection, PaymentIncompleteError, connect
from interledger.errors import InvalidRequestError, NotFoundError

TO = "$localhost:7780/bob"
USD, EUR = Asset("USD", 9), Asset("EUR", 9)


def client(call: Any, token: str) -> ApiClient:
    """Calls the application in this process."""

    async def fetch(method: str, url: str, *, headers: Any, body: bytes, timeout_ms: int, limit_octets: int) -> Any:
        given = {name.replace("-", "_"): value for name, value in headers.items()}
        return await call(method, url.removeprefix("http://node.test"), body or None, token=None, **given)

    class Stream:
        def __init__(self, method: str, url: str, **more: Any) -> None:
            self.asked = lambda: fetch(method, url, limit_octets=0, **more)

        async def __aenter__(self) -> Any:
            answer = await self.asked()

            class Answer:
                status = answer.status

                async def __aiter__(self) -> Any:
                    yield answer.body

            return Answer()

        async def __aexit__(self, *error: object) -> None:
            pass

    return ApiClient("http://node.test", token, fetch=fetch, fetch_stream=Stream)


async def test_pay_gives_money(call: Any, node: Any) -> None:
    async with Connection(client(call, "alice-token")) as alice:
        result = await alice.pay(TO, "10 USD")
    assert alice.account == "alice"
    assert (result.sent, result.delivered) == (Money(10_000_000_000, USD), Money(9_185_361_000, EUR))
    assert result.rate == Fraction(9_185_361, 10_000_000)
    assert str(result.delivered) == "9.185361 EUR"


async def test_deliver_and_quote(call: Any, node: Any) -> None:
    async with Connection(client(call, "admin-token"), "alice") as alice:
        quote = await alice.quote(TO, deliver="9 EUR")
        assert (quote.send_max, quote.deliver_min) == (Money(10_000_000_000, USD), Money(9_000_000_000, EUR))
        assert quote.rate == Fraction(9, 10)
        await alice.pay(TO, deliver="9 EUR")
    assert node.started[0].terms["deliver"] == 9_000_000_000


async def test_balance_is_seen_from_the_account(call: Any, node: Any) -> None:
    node.positions["alice"] = node.position("alice")._replace(payable=5, net=-5)
    async with Connection(client(call, "alice-token")) as alice:
        assert await alice.balance() == Money(5, USD)


@pytest.mark.parametrize(
    ("rates", "max_fee", "min_rate"),
    [
        ({"USD": "1", "EUR": "1.25"}, "1%", Fraction(792, 1000)),
        ({"USD": "1", "EUR": "1.25"}, "0", Fraction(8, 10)),
        ({"USD": "1", "EUR": "3"}, "0", Fraction(333_333_333_333_333_334, 10**18)),
    ],
)
async def test_max_fee_is_counted_from_the_nodes_rates(
    call: Any, node: Any, rates: dict[str, str], max_fee: str, min_rate: Fraction
) -> None:
    node.values = rates
    async with Connection(client(call, "alice-token")) as alice:
        await alice.pay(TO, "10 USD", max_fee=max_fee)
    assert node.started[0].terms["min_rate"] == min_rate


async def test_max_fee_within_one_asset_needs_no_rates(call: Any, node: Any) -> None:
    quote = node.quote

    async def same_asset(account: str, receiver: str, **terms: Any) -> Any:
        return (await quote(account, receiver, **terms))._replace(destination_asset=USD)

    node.quote = same_asset
    async with Connection(client(call, "alice-token")) as alice:
        await alice.pay(TO, "10 USD", max_fee="0.5%")
        with pytest.raises(InvalidRequestError, match="not a share"):
            await alice.pay(TO, "10 USD", max_fee="much")
    assert node.started[0].terms["min_rate"] == Fraction(995, 1000)


async def test_what_cannot_be_asked(call: Any, node: Any) -> None:
    with pytest.raises(InvalidRequestError, match="Open the connection"):
        await Connection(client(call, "alice-token")).balance()
    with pytest.raises(InvalidRequestError, match="name an account"):
        await Connection(client(call, "admin-token")).__aenter__()
    async with Connection(client(call, "alice-token")) as alice:
        with pytest.raises(InvalidRequestError, match="one of the two"):
            await alice.pay(TO)
        with pytest.raises(InvalidRequestError, match="no rate from USD to EUR"):
            await alice.pay(TO, "1 USD", max_fee="1%")


async def test_a_payment_that_stops_half_way_says_how_far_it_came(call: Any, node: Any) -> None:
    async with Connection(client(call, "alice-token")) as alice:
        node.on_pay = lambda payment: payment.end("partial", sent=5, delivered=4, destination_asset=EUR, error="T04")
        with pytest.raises(PaymentIncompleteError, match="T04") as caught:
            await alice.pay(TO, "10 USD")
        assert caught.value.result.delivered == Money(4, EUR)
        node.on_pay = lambda payment: payment.end("failed")
        with pytest.raises(PaymentIncompleteError) as caught:
            await alice.pay(TO, "10 USD")
        assert (caught.value.result.delivered, caught.value.result.rate) == (None, None)


def test_names_are_those_of_the_development_network(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="ilp dev up"):
        connect("alice", directory=tmp_path)
    file = tmp_path / ".ilp" / "dev.json"
    file.parent.mkdir()
    nodes = {"alice": {"url": "http://127.0.0.1:7770", "token": "t", "account": "alice"}, "hub": {"url": "http://h"}}
    file.write_text(json.dumps({"nodes": nodes}))
    connection = connect("alice", directory=tmp_path)
    assert (connection.api.base_url, connection.account) == ("http://127.0.0.1:7770", "alice")
    assert connect("hub", directory=tmp_path).account is None
    with pytest.raises(NotFoundError, match="Did you mean  alice"):
        connect("alcie", directory=tmp_path)
    with pytest.raises(NotFoundError, match="There are  alice, hub"):
        connect("zzz", directory=tmp_path)
    file.write_text("[]")
    with pytest.raises(NotFoundError, match="cannot be read"):
        connect("alice", directory=tmp_path)
    assert connect("http://node.test", "t", account="bob").account == "bob"


def test_the_package_loads_its_names_when_asked() -> None:
    assert interledger.Money is Money
    assert interledger.connect is connect
    assert set(interledger.__all__) <= set(dir(interledger))
    for name in interledger.__all__:
        assert getattr(interledger, name) is not None
    with pytest.raises(AttributeError, match="nothing_such"):
        interledger.nothing_such  # noqa: B018 - the look-up is what is tested
