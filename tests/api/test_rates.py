"""`/rates` and `/api/rates`: numbers are read from the text of the body and written back digit for digit."""

from __future__ import annotations

from typing import Any

import pytest

JSON = {"content_type": "application/json"}


async def test_compatible_rates_are_exact_numbers(call: Any, node: Any) -> None:
    body = b'{"USD": 1, "eur": 1.0843000000000000000001, "JPY": "0.0065", "XRP": 9.2e-1, "SHIB": 1e-8}'
    answer = await call("PUT", "/rates", body, **JSON)
    assert answer.status == 200
    assert node.values == {
        "USD": "1",
        "EUR": "1.0843000000000000000001",
        "JPY": "0.0065",
        "XRP": "0.92",
        "SHIB": "0.00000001",
    }
    expected = b'{"USD":1,"EUR":1.0843000000000000000001,"JPY":0.0065,"XRP":0.92,"SHIB":0.00000001}'
    assert answer.body == expected
    assert (await call("GET", "/rates", token=None)).body == expected


@pytest.mark.parametrize(
    "body", [b'{"USD": 0}', b'{"USD": -1}', b'{"USD": 1e400}', b'{"USD": "x"}', b'{"USD": true}', b'{"USD": null}',
             b'{"U D": 1}', b'{"usd": 1, "USD": 2}', b'{"USD": Infinity}']
)  # fmt: skip
async def test_compatible_rates_refuse(call: Any, node: Any, body: bytes) -> None:
    node.values = {"USD": "1"}
    assert (await call("PUT", "/rates", body, **JSON)).status == 400
    assert node.values == {"USD": "1"}


async def test_rates_can_be_sent_back(call: Any, node: Any) -> None:
    answer = await call("PUT", "/api/rates", b'{"items": [{"code": "EUR", "value": 0.9213}]}', **JSON)
    item = {"code": "EUR", "value": "0.9213", "source": "static", "as_of": None}
    assert answer.json == {"items": [item], "next_cursor": None}
    assert (await call("PUT", "/api/rates", answer.json)).json == answer.json
    assert (await call("GET", "/api/rates", token="bob-token")).json == answer.json
    assert node.values == {"EUR": "0.9213"}


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"code": "EUR"}], "items[0].value"),
        ([{"value": "1"}], "items[0].code"),
        ([{"code": "EUR", "value": "1"}, {"code": "eur", "value": "1"}], "items[1].value"),
        ([{"code": "EUR", "value": "1", "rate": "1"}], "items[0].rate"),
    ],
)
async def test_rates_refuse(call: Any, items: list[Any], field: str) -> None:
    answer = await call("PUT", "/api/rates", {"items": items})
    assert (answer.status, answer.json["field"]) == (400, field)
