"""The client has a method for every operation of the OpenAPI document, and says what each takes and gives out.

Each method is called with arguments made from its signature. What it asks for is compared with the document: the
method and path, the parameters of the query, the fields of the body, and the type of what comes back.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict
from urllib.parse import parse_qsl, urlsplit

import pytest

from interledger.api import client as client_module
from interledger.api import ledger_calls, live_calls, node_calls, operator_calls, settlement_calls, webhook_calls
from interledger.api import types as documents
from interledger.api.app import all_operations
from interledger.api.client import ApiClient
from interledger.api.openapi import build_document
from interledger.api.operations import Operation
from interledger.api.sync_client import SyncApiClient

NOT_THE_CLIENTS = {
    "POST /api/peers/redeem": "nodes call it: application/peering",
    "POST /api/peers/echo": "nodes call it: node/peer_check",
    "POST /auto-peering": "nodes call it: application/peering",
    "GET /accounts/{account}/spsp": "SPSP: application/spsp",
    "GET /.well-known/pay": "SPSP: application/spsp",
    "GET /{account}": "SPSP: application/spsp",
    "GET /accounts/{account}/payments/incoming": "a WebSocket: incoming_packets, in test_interledger_rs",
    "GET /payments/incoming": "a WebSocket: incoming_packets, in test_interledger_rs",
}

OPERATIONS = {f"{one.method} {one.path}": one for one in all_operations() if one.method != "OPTIONS"}
DOCUMENT = build_document(all_operations())
METHODS = [
    name
    for name, value in inspect.getmembers(ApiClient, inspect.isfunction)
    if not name.startswith("_") and name not in ("call", "incoming_packets")
]
NAMESPACE = {
    **{name: value for module in (documents, client_module, ledger_calls, live_calls, node_calls, operator_calls,
                                  settlement_calls, webhook_calls) for name, value in vars(module).items()},
    **{name: getattr(documents, name) for name in documents.__all__},
    "Amount": str | documents.MoneyDocument,
    "AsyncIterator": AsyncIterator, "Mapping": Mapping, "Sequence": Sequence, "Iterator": Iterator,
}  # fmt: skip


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    body: Any


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Recorder:
    """Both ways of fetching. What comes back has no sense, but a shape."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def fetch(
        self, method: str, url: str, *, headers: Any, body: bytes, timeout_ms: int, limit_octets: int
    ) -> Response:
        place = urlsplit(url)
        is_json = headers.get("Content-Type") == "application/json"
        self.asked.append(
            Asked(method, place.path, dict(parse_qsl(place.query)), json.loads(body) if is_json else body.decode())
        )
        is_rs_list = (method, place.path) == ("GET", "/accounts")
        answer = b"[]" if is_rs_list else b'{"items": [], "next_cursor": null, "status": ""}'
        return Response(200, {}, answer)

    @asynccontextmanager
    async def fetch_stream(
        self, method: str, url: str, *, headers: Any, body: bytes, timeout_ms: int
    ) -> AsyncIterator[Any]:
        await self.fetch(method, url, headers=headers, body=body, timeout_ms=timeout_ms, limit_octets=0)
        line = b"data: {}\n\n" if method == "GET" else b'{"id": "pay_1", "state": "delivered", "ended_at": "now"}\n'

        class Answer:
            status = 200

            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield line

        yield Answer()


def an(kind: Any, name: str) -> Any:
    """A value of a type."""
    origin = get_origin(kind)
    if origin in (types.UnionType, Union):
        return an(next(one for one in get_args(kind) if one is not types.NoneType), name)
    if origin is Literal:
        return get_args(kind)[0]
    if is_typeddict(kind):
        return {field: an(of, field) for field, of in get_type_hints(kind).items()}
    if origin in (list, Sequence):
        return [an(get_args(kind)[0], name)]
    if origin in (Mapping, dict):
        return {"test.x": "bob"}
    return {str: f"{name}-1", int: 7, float: 1.5, bool: True}[kind]


def hints(method: Any) -> dict[str, Any]:
    return get_type_hints(method, NAMESPACE)


async def asked_by(name: str) -> Asked:
    """The one request of a method, with every argument given."""
    recorder = Recorder()
    client = ApiClient("http://node.test", "token", fetch=recorder.fetch, fetch_stream=recorder.fetch_stream)
    method = getattr(client, name)
    types_of = hints(getattr(ApiClient, name))
    positional, keywords = [], {}
    for parameter in inspect.signature(method).parameters.values():
        value = an(types_of[parameter.name], parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    answer = method(*positional, **keywords)
    if inspect.isawaitable(answer):
        await answer
    else:
        assert [item async for item in answer] or name.startswith("all_")
    assert len(recorder.asked) == 1, name
    return recorder.asked[0]


def operation_of(asked: Asked) -> str:
    """`POST /api/webhooks/{webhook}/test`. A path without names in it wins, as in the application."""
    for key, one in sorted(OPERATIONS.items(), key=lambda item: item[1].path.count("{")):
        pattern = re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(one.path))
        if one.method == asked.method and re.fullmatch(pattern, asked.path):
            return key
    raise AssertionError(f"no operation is {asked.method} {asked.path}")


def shape_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return shape_of(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


@pytest.mark.parametrize("name", METHODS)
async def test_a_method_asks_for_what_the_document_knows(name: str) -> None:
    asked = await asked_by(name)
    one = OPERATIONS[operation_of(asked)]
    assert set(asked.query) <= set(one.parameters), "a parameter that the operation has not"
    if one.body is None:
        assert asked.body in ("", {}), "a body that the operation does not take"
        return
    described = DOCUMENT["paths"][one.path][one.method.lower()]["requestBody"]["content"]
    schema = shape_of(next(iter(described.values()))["schema"])
    if "properties" in schema:
        assert set(asked.body) <= set(schema["properties"]), "a field that the operation does not know"
        assert set(schema.get("required", ())) <= set(asked.body)


@pytest.mark.parametrize("name", METHODS)
async def test_a_method_says_what_comes_back(name: str) -> None:
    key = operation_of(await asked_by(name))
    said = str(inspect.signature(getattr(ApiClient, name)).return_annotation)
    assert said in expected_types(OPERATIONS[key]), f"{key} answers with {OPERATIONS[key].answer}"


def expected_types(one: Operation) -> set[str]:
    if one.answer is None or one.answer in ("text", "export"):
        return {"str"}
    if one.answer == "object":
        return {"dict[str, Any]"}
    if one.answer == "Health":
        return {"bool", "HealthDocument"}
    item = one.answer.removesuffix("[]")
    if item.startswith("Compatible") and not is_typeddict(getattr(documents, f"{item}Document", None)):
        return {"dict[str, str]", "dict[str, float | str]"}
    if one.answer == item:
        streams = {"AsyncIterator[StreamedEvent]"} if "Page" in item or item == "events" else set()
        return {f"{item}Document", f"AsyncIterator[{item}Document]", *streams}
    return {
        f"list[{item}Document]", f"AsyncIterator[{item}Document]", f"tuple[list[{item}Document], str | None]",
    }  # fmt: skip


async def test_every_operation_has_a_method() -> None:
    asked = {operation_of(await asked_by(name)) for name in METHODS}
    assert set(OPERATIONS) - asked == set(NOT_THE_CLIENTS)


@pytest.mark.parametrize("name", [*METHODS, "incoming_packets"])
def test_the_synchronous_twin_has_the_same_signature(name: str) -> None:
    one, twin = (inspect.signature(getattr(cls, name)) for cls in (ApiClient, SyncApiClient))
    assert list(one.parameters.values()) == list(twin.parameters.values())
    assert twin.return_annotation == str(one.return_annotation).removeprefix("Async")


def test_the_twin_has_no_method_of_its_own() -> None:
    public = {name for name in dir(SyncApiClient) if not name.startswith("_")}
    of_the_other = {name for name in dir(ApiClient) if not name.startswith("_")}
    assert public - of_the_other == {"base_url", "close", "of"}


def test_no_document_of_the_client_is_untyped() -> None:
    """Every type that a method names is there, and every schema has one."""
    for name in METHODS:
        assert hints(getattr(ApiClient, name))["return"] is not None
    objects = {n for n, schema in DOCUMENT["components"]["schemas"].items() if "additionalProperties" not in schema}
    assert {f"{name}Document" for name in objects} <= set(documents.__all__)
    assert all(issubclass(type(getattr(documents, name)), type(TypedDict("X", {}))) for name in documents.__all__)
