"""The client against the application in the same process, and once over a socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from interledger.api.calls import LINE_OCTETS_MAX
from interledger.api.client import POLLS_FAILED_MAX, ApiClient, ApiError
from interledger.clock import SystemClock
from interledger.errors import LinkError
from interledger.link.listener import Listener

URL = "http://node.test"
TO = "$localhost:7780/bob"

ALL = ["read", "operate", "money"]


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """Both ways of fetching, to the application in this process; `stream` replaces what a stream says."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.stream: list[bytes | Exception] | None = None
        self.silent = 0
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    async def fetch(
        self, method: str, url: str, *, headers: Any, body: bytes, timeout_ms: int, limit_octets: int
    ) -> Response:
        self.seen.append((method, url.removeprefix(URL), dict(headers)))
        if self.silent:
            self.silent -= 1
            raise LinkError(f"{URL} cannot be reached")
        answer = await self.call(
            method,
            url.removeprefix(URL),
            body or None,
            token=None,
            **{k.replace("-", "_"): v for k, v in headers.items()},
        )
        return Response(answer.status, answer.headers, answer.body)

    @asynccontextmanager
    async def fetch_stream(
        self, method: str, url: str, *, headers: Any, body: bytes, timeout_ms: int
    ) -> AsyncIterator[Any]:
        response = await self.fetch(method, url, headers=headers, body=body, timeout_ms=timeout_ms, limit_octets=0)
        parts = [response.body] if self.stream is None else self.stream

        class Answer:
            status = response.status

            async def __aiter__(self) -> AsyncIterator[bytes]:
                for part in parts:
                    if isinstance(part, Exception):
                        raise part
                    yield part

        yield Answer()


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def wire(call: Any) -> Wire:
    return Wire(call)


@pytest.fixture
def client(wire: Wire) -> ApiClient:
    return ApiClient(URL + "/", "admin-token", fetch=wire.fetch, fetch_stream=wire.fetch_stream, sleep=no_sleep)


async def test_every_resource(client: ApiClient, node: Any) -> None:
    assert (await client.status())["accounts"] == 2
    assert await client.whoami() == {"is_admin": True, "account": None, "token": None, "may": ALL}
    assert (await client.ping("test.far", timeout_ms=50))["round_trip_us"] == 3100
    made = await client.create_account({"id": "carol", "asset_code": "USD", "asset_scale": 2})
    assert made["ilp_address"] == "test.hub.carol"
    assert [account["id"] for account in await client.accounts()] == ["alice", "bob", "carol"]
    changed = await client.update_account("carol", {"limits": {"we_owe_max": "5"}})
    assert changed["limits"]["we_owe_max"] == (await client.account("carol"))["limits"]["we_owe_max"] == "5"
    assert (await client.delete_account("carol"))["id"] == "carol"
    routes = await client.set_routes({"test.far": "alice"})
    assert routes == await client.routes()
    assert routes[0]["account"] is None
    rates = await client.set_rates({"EUR": "1.08"})
    assert rates == await client.rates() == [{"code": "EUR", "value": "1.08", "source": "static", "as_of": None}]
    assert (await client.quote(TO, account="alice", send="10 USD"))["send_max"]["amount"] == "10000000000"


async def test_payments(client: ApiClient, node: Any) -> None:
    payment = await client.pay(TO, account="alice", send="10 USD", deliver=None)
    assert payment["state"] == "delivered"
    assert await client.payment(payment["id"]) == {**payment, "trace": None, "cost": None}
    assert await client.payments(limit=1) == ([payment], None)
    assert (await client.payments(cursor=payment["id"]))[0] == []
    assert (await client.cancel_payment(payment["id"]))["state"] == "cancelled"


async def test_readiness(client: ApiClient, node: Any, wire: Wire) -> None:
    assert await client.is_ready()
    node.ready = False
    assert not await client.is_ready()
    wire.call.app = fail_with(418, b"a teapot")
    with pytest.raises(ApiError):
        await client.is_ready()


def fail_with(status: int, body: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def test_a_problem_is_an_api_error(client: ApiClient) -> None:
    with pytest.raises(ApiError) as caught:
        await client.account("a/../b?c")
    error = caught.value
    assert (error.status, error.kind, error.problem["status"]) == (404, "not-found", 404)
    with pytest.raises(ApiError, match="receiver is needed"):
        await client.pay(None, account="alice", send="1")  # type: ignore[arg-type] # what a wrong program does


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (500, b"<html>", ApiError, "HTTP 500"),
        (500, b"[]", ApiError, "HTTP 500"),
        (400, b'{"title": "No"}', ApiError, "No"),
        (200, b"<html>", LinkError, "not the API of a node"),
        (200, b"[]", LinkError, "not the API of a node"),
    ],
)
async def test_what_is_no_node(
    client: ApiClient, wire: Wire, status: int, body: bytes, error: type[Exception], words: str
) -> None:
    wire.call.app = fail_with(status, body)
    with pytest.raises(error, match=words):
        await client.status()


def line(**changes: Any) -> bytes:
    return json.dumps({"id": "pay_1", "state": "sending", "ended_at": None} | changes).encode() + b"\n"


async def test_lines_may_come_in_any_pieces(client: ApiClient, wire: Wire, node: Any) -> None:
    octets = line(sent=1) + line(sent=2) + line(state="delivered", ended_at="now")
    wire.stream = [octets[i : i + 7] for i in range(0, len(octets), 7)]
    seen = [document async for document in client.pay_with_progress(TO, account="alice", send="1", idempotency_key="k")]
    assert [document["state"] for document in seen] == ["sending", "sending", "delivered"]
    assert wire.seen[0][2]["Idempotency-Key"] == "k"


@pytest.mark.parametrize("end", [[], [LinkError("broke")]])
async def test_a_broken_stream_is_followed_by_asking_never_by_paying_again(
    client: ApiClient, wire: Wire, node: Any, end: list[Any]
) -> None:
    node.on_pay = lambda payment: payment.end()
    wire.stream = [line(), *end]
    payment = await client.pay(TO, account="alice", send="1")
    assert payment["state"] == "delivered"
    assert [method for method, _, _ in wire.seen] == ["POST", "GET"]


async def test_a_node_that_is_gone_for_a_while_is_asked_again(client: ApiClient, wire: Wire) -> None:
    wire.stream = [line(), LinkError("broke")]
    documents = client.pay_with_progress(TO, account="alice", send="1")
    assert (await anext(documents))["state"] == "sending"
    wire.silent = 3
    assert (await anext(documents))["state"] == "delivered"
    documents = client.pay_with_progress(TO, account="alice", send="1")
    await anext(documents)
    wire.silent = POLLS_FAILED_MAX
    with pytest.raises(LinkError, match="pay_1 may still go on"):
        await anext(documents)


@pytest.mark.parametrize(
    ("stream", "error", "words"),
    [
        ([LinkError("broke")], LinkError, "broke"),
        ([], LinkError, "said nothing"),
        ([b"x" * (LINE_OCTETS_MAX + 1)], LinkError, "no end"),
        ([b"<html>\n"], LinkError, "not the API"),
        ([b'{"error": {"status": 500, "detail": "a fault"}}\n'], ApiError, "a fault"),
    ],
)
async def test_a_stream_that_says_nothing_of_use(
    client: ApiClient, wire: Wire, stream: Any, error: type[Exception], words: str
) -> None:
    wire.stream = stream
    with pytest.raises(error, match=words):
        await client.pay(TO, account="alice", send="1")


def test_its_token_is_not_shown(client: ApiClient) -> None:
    assert repr(client) == f"ApiClient({URL!r})"


def test_importing_it_loads_no_server_and_no_cryptography() -> None:
    program = (
        "import sys, interledger.api.client; "
        "print(*[m for m in ('starlette', 'httptools', 'cryptography', 'sqlite3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


async def test_over_a_socket(call: Any, node: Any) -> None:
    node.on_pay = lambda payment: asyncio.get_running_loop().call_later(0.01, payment.end)
    listener = Listener("127.0.0.1", 0, clock=SystemClock(), app=call.app)
    await listener.start()
    try:
        client = ApiClient(f"http://127.0.0.1:{listener.port}", "alice-token")
        assert await client.whoami() == {"is_admin": False, "account": "alice", "token": None, "may": ALL}
        seen = [document["state"] async for document in client.pay_with_progress(TO, send="10")]
        assert seen == ["sending", "delivered"]
        with pytest.raises(ApiError) as caught:
            await client.accounts()
        assert caught.value.kind == "forbidden"
    finally:
        await listener.stop()
    with pytest.raises(LinkError):
        await client.whoami()
