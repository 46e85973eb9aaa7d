"""A node of one's own to test the API with, and a caller of ASGI applications in the same process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import Asset
from interledger.api.app import create_app
from interledger.clock import Timestamp
from interledger.connector.events import Step
from interledger.connector.explain import Candidate, Explanation
from interledger.errors import ConflictError, InvalidRequestError, LinkError, NotFoundError, ResolveError
from interledger.ilp.address import Address
from interledger.ilp.packet import Reject
from interledger.node.views import NotReady
from interledger.routing.table import Origin, Route
from interledger.routing.targets import parse_targets

ADMIN = "admin-token"
ALICE = "alice-token"
BOB = "bob-token"
USD, EUR = Asset("USD", 9), Asset("EUR", 9)
NOON = Timestamp(1_795_262_400_000)


class Position(NamedTuple):
    receivable: int = 0
    payable: int = 0
    net: int = 0
    pending_in: int = 0
    pending_out: int = 0
    room: int | None = None


class Quote(NamedTuple):
    receiver: str
    send_max: int
    deliver_min: int
    rate: Fraction = Fraction(9, 10)
    source_asset: Asset = USD
    destination_asset: Asset = EUR
    redirected_to: str | None = None


@dataclass
class FakePayment:
    """A payment that ends when the test says so."""

    account: str
    receiver: str
    send_max: int | None
    deliver_min: int | None
    id: str = "pay_1"
    state: str = "sending"
    source_asset: Asset = USD
    destination_asset: Asset | None = None
    sent: int = 0
    delivered: int = 0
    in_flight: int = 0
    unknown: int = 0
    packets: int = 0
    fulfilled: int = 0
    rejected: int = 0
    error: str | None = None
    code: str | None = None
    started_at: Timestamp = NOON
    ended_at: Timestamp | None = None
    redirected_to: str | None = None
    receipt: str | None = None
    waiting: Any = None
    terms: dict[str, Any] = field(default_factory=dict)
    changed: asyncio.Queue[FakePayment] = field(default_factory=asyncio.Queue)

    def end(self, state: str = "delivered", **changes: Any) -> None:
        self.state, self.ended_at = state, Timestamp(NOON + 186)
        for name, value in changes.items():
            setattr(self, name, value)
        self.changed.put_nowait(self.snapshot)

    @property
    def snapshot(self) -> FakePayment:
        return replace(self)

    @property
    def progress(self) -> AsyncIterator[FakePayment]:
        return self._progress()

    async def _progress(self) -> AsyncIterator[FakePayment]:
        seen = self.snapshot
        yield seen
        while seen.ended_at is None:
            seen = await self.changed.get()
            yield seen

    async def done(self) -> FakePayment:
        return [seen async for seen in self.progress][-1]

    def cancel(self) -> None:
        self.end("cancelled")


class FakeKeys:
    """The keys of payments, for as long as the test."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], SimpleNamespace] = {}

    def find(self, caller: str, key: str) -> SimpleNamespace | None:
        return self.kept.get((caller, key))

    def keep(self, caller: str, key: str, body: str, payment_id: str) -> None:
        self.kept[caller, key] = SimpleNamespace(body=body, payment=payment_id)


class FakeTokens:
    """The operator's named tokens, for as long as the test."""

    def __init__(self) -> None:
        self.kept: list[SimpleNamespace] = []

    def find(self, digest: str) -> SimpleNamespace | None:
        return next((token for token in self.kept if token.digest == digest), None)

    def all(self) -> list[SimpleNamespace]:
        return self.kept

    async def create(self, label: str, may: Any, digest: str) -> SimpleNamespace:
        token = SimpleNamespace(id=f"t{len(self.kept)}", label=label, may=may, digest=digest, created_at=NOON)
        self.kept.append(token)
        return token

    async def revoke(self, token_id: str) -> SimpleNamespace:
        for token in self.kept:
            if token.id == token_id:
                self.kept.remove(token)
                return token
        raise NotFoundError("There is no such token.")


class FakeIntake:
    """Whether packets are taken."""

    def __init__(self) -> None:
        self.is_open, self.is_stopping, self.in_flight = True, False, 2

    def close(self) -> None:
        self.is_open = False

    def open(self) -> None:
        if self.is_stopping:
            raise ConflictError("The node is being stopped.")
        self.is_open = True

    def stop(self) -> None:
        self.is_open, self.is_stopping = False, True


class FakeNode:
    """What the API asks of a node, kept in dictionaries."""

    def __init__(self) -> None:
        self.settings = SimpleNamespace(
            admin_auth_token=ADMIN, default_spsp_account="bob", rates_provider="static", spsp_queries_per_minute=600,
            trusted_proxies=frozenset({"127.0.0.1"}), auto_peering_enabled=False,
            http_bind_address="127.0.0.1:7770", public_url="https://hub.example", host_names=("wallet.example",),
        )  # fmt: skip
        self.address = Address("test.hub")
        self.ready, self.read_only, self.port = True, False, 7770
        self.why_not_ready: NotReady | None = None
        stopping = NotReady("stopping", "The node is stopping")
        self.not_ready = lambda: self.why_not_ready if self.ready else stopping
        self.kept: dict[str, Account] = {}
        self.positions: dict[str, Position] = {}
        self.links: dict[str, SimpleNamespace] = {}
        self.static: dict[str, str] = {}
        self.heard: list[Route] = []
        self.values: dict[str, str] = {}
        self.engines: dict[str, str] = {}
        self.started: list[FakePayment] = []
        self.stored: list[FakePayment] = []
        """Older than those, in no memory any more."""
        self.payment_keys = FakeKeys()
        self.intake = FakeIntake()
        self.received: list[Any] = []
        self.learned_from: list[Any] = []
        self.admin_tokens = FakeTokens()
        self.live = SimpleNamespace(traces=SimpleNamespace(get=lambda payment_id: None))
        self.quotes: list[dict[str, Any]] = []
        self.on_quote: Callable[[Quote], Quote] = lambda quote: quote
        self.on_pay: Callable[[FakePayment], None] = lambda payment: payment.end(
            sent=payment.send_max or 7,
            delivered=9_185_361_000,
            destination_asset=EUR,
            packets=21,
            fulfilled=19,
            rejected=2,
        )

    def accounts(self) -> list[Account]:
        return list(self.kept.values())

    def account(self, account_id: str) -> Account:
        if account_id not in self.kept:
            raise NotFoundError(f"There is no account “{account_id}”.")
        return self.kept[account_id]

    async def create_account(self, account: Account) -> Account:
        if account.id in self.kept:
            raise ConflictError(f"There is an account “{account.id}” already.")
        self.kept[account.id] = account
        return account

    async def replace_account(self, account: Account) -> Account:
        self.account(account.id)
        self.kept[account.id] = account
        return account

    async def delete_account(self, account_id: str) -> Account:
        if self.position(account_id) != Position():
            raise ConflictError(f"“{account_id}” has a balance.")
        return self.kept.pop(account_id)

    def position(self, account_id: str) -> Position:
        return self.positions.get(account_id, Position())

    @property
    def learned(self) -> SimpleNamespace:
        return SimpleNamespace(sessions=lambda: self.learned_from, told=lambda account, most: (2, ["test.a", "test.b"]))

    @property
    def incoming(self) -> SimpleNamespace:
        def get(payment_id: str) -> Any:
            found = next((one for one in self.received if one.id == payment_id), None)
            if found is None:
                raise NotFoundError("There is no such payment.")
            return found

        return SimpleNamespace(now=lambda: NOON, all=lambda: self.received, get=get)

    @property
    def webhooks(self) -> SimpleNamespace:
        async def missing(*args: Any) -> Any:
            raise NotFoundError("There is no such webhook.")

        def none(*args: Any) -> Any:
            raise NotFoundError("There is no such webhook.")

        return SimpleNamespace(all=list, get=none, deliveries=none, delete=missing, replay=missing, test=missing)

    @property
    def requests(self) -> FakeNode:
        return self

    @property
    def settlements(self) -> SimpleNamespace:
        def missing(*args: Any, **more: Any) -> Any:
            raise NotFoundError("There is no settlement.")

        async def gone(settlement_id: str) -> Any:
            raise NotFoundError("There is no settlement.")

        async def page(account: str | None, limit: int, cursor: str | None) -> SimpleNamespace:
            return SimpleNamespace(items=[], cursor=None)

        async def set_defaults(engines: dict[str, str]) -> None:
            self.engines = dict(engines)

        def is_on(*args: Any, **more: Any) -> Any:
            raise ConflictError("Settlement is not off.")

        return SimpleNamespace(
            engines=SimpleNamespace(defaults=self.engines, set_defaults=set_defaults),
            latest=lambda account, limit: [],
            get=missing,
            retry=missing,
            by_hand=SimpleNamespace(propose_resume=is_on),
            history=SimpleNamespace(page=page, find=gone),
        )

    async def peer_position(self, account: Account) -> SimpleNamespace:
        if account.id == "alice":
            raise LinkError("alice does not answer peer.balance: F01 unknown peer protocol")
        return SimpleNamespace(ours=self.position(account.id), theirs=40)

    def link_status(self, account_id: str) -> SimpleNamespace:
        return self.links.get(account_id, SimpleNamespace(kind="none", up=False, since=None))

    def authenticate(self, token: str) -> AccountId | None:
        digest = sha256(token.encode()).hexdigest()
        found = [
            a.id
            for a in self.kept.values()
            if a.link.http_incoming_token_digest == digest
            or any(token.digest == digest and token.use.opens_api for token in a.link.incoming_tokens)
        ]
        return found[0] if found else None

    def routes(self) -> list[Route]:
        own = Route(self.address, AccountId("/own"), Origin.OWN)
        return [
            own,
            *self.heard,
            *(route for prefix, text in self.static.items() for route in parse_targets(prefix, text)),
        ]

    async def set_static_routes(self, routes: dict[str, str]) -> None:
        for prefix, text in routes.items():
            for route in parse_targets(prefix, text):
                self.account(route.account)
        self.static = dict(routes)

    async def set_static_route(self, prefix: str, account_id: str) -> None:
        await self.set_static_routes({**self.static, prefix: account_id})

    @property
    def exchange_rates(self) -> SimpleNamespace:
        rates = [SimpleNamespace(code=c, value=v, source="static", as_of=None) for c, v in self.values.items()]
        return SimpleNamespace(quoted=lambda: rates)

    async def set_rates(self, rates: dict[str, str]) -> None:
        self.values = dict(rates)

    async def quote(self, account_id: str, receiver: str, **terms: Any) -> Quote:
        if receiver == "$nobody.test":
            raise ResolveError("nobody answers at https://nobody.test/.well-known/pay")
        self.quotes.append(terms)
        send = terms.get("send") or terms["deliver"] * 10 // 9
        return self.on_quote(Quote(receiver, send, terms.get("deliver") or send * 9 // 10))

    def pay(self, account_id: str, receiver: str, **terms: Any) -> FakePayment:
        payment = FakePayment(account_id, receiver, terms.get("send"), terms.get("deliver"), terms=terms)
        payment.id = f"pay_{len(self.started) + 1}"
        self.started.insert(0, payment)
        self.on_pay(payment)
        return payment

    def payments(self) -> list[FakePayment]:
        return self.started

    def payment(self, payment_id: str) -> FakePayment:
        for payment in self.started:
            if payment.id == payment_id:
                return payment
        raise NotFoundError("no such payment")

    @property
    def payment_history(self) -> SimpleNamespace:
        async def find(payment_id: str) -> FakePayment:
            found = next((payment for payment in self.stored if payment.id == payment_id), None)
            return found or self.payment(payment_id)

        async def older(before: str | None, limit: int) -> list[FakePayment]:
            ids = [payment.id for payment in self.stored]
            if before not in (None, *ids, *(payment.id for payment in self.started)):
                raise NotFoundError("no such payment")
            return self.stored[ids.index(before) + 1 if before in ids else 0 :][:limit]

        return SimpleNamespace(get=self.payment, find=find, older=older)

    async def ping(self, destination: str, timeout_ms: int = 10_000, *, kind: str = "echo") -> SimpleNamespace:
        if destination == "test.silent":
            raise TimeoutError
        failed = destination == "test.nowhere"
        return SimpleNamespace(
            round_trip_ms=3.1, code="F02" if failed else None, triggered_by="test.hub" if failed else ""
        )

    async def trace(self, destination: str, timeout_ms: int = 10_000) -> list[SimpleNamespace]:
        return [SimpleNamespace(address="test.isp", round_trip_ms=1.5, code="R02")]

    @property
    def explainer(self) -> FakeNode:
        return self

    def explain(self, destination: str, account_id: str | None, amount: int | None) -> SimpleNamespace:
        if account_id is not None:
            self.account(account_id)
        elif amount:
            raise InvalidRequestError("An amount needs an account that it comes from", "account")
        route = Route("test.far", AccountId("bob"), Origin.STATIC, 3)
        refusal = None if destination == "test.far" else Reject("F02", "test.hub", "no route to the destination")
        verdict = Explanation(
            destination=Address(destination),
            incoming=AccountId(account_id or "/self"),
            amount=amount or 0,
            outgoing=None if refusal else AccountId("bob"),
            outgoing_amount=(amount or 0) // 2,
            less_ms=1_000,
            step=Step.ROUTE if refusal else None,
            refusal=refusal,
            why="",
            answered_here=False,
            incoming_room=None,
            outgoing_room=7,
            candidates=() if refusal else (Candidate(route, True, ""),),
        )
        bob = None if refusal else "bob"
        return SimpleNamespace(
            verdict=verdict,
            source_asset=USD if account_id else None,
            outgoing_account=bob,
            outgoing_asset=EUR if bob else None,
            nearest=["test.far"] if refusal else [],
        )

    def spsp_details(self, account_id: str, receipts: Any = None, /) -> SimpleNamespace:
        account = self.account(account_id)
        token = "tok" if receipts is None else "receipts"
        return SimpleNamespace(destination_account=Address(f"{account.ilp_address}.{token}"), shared_secret=bytes(32))

    def status(self) -> SimpleNamespace:
        return SimpleNamespace(
            address=self.address, version="0.1.0", started_at=NOON, accounts=len(self.kept), links_up=1, in_flight=2,
            packets={"prepares": 5}, unknown=0, read_only=self.read_only, at_risk=[], alarms=["a word to the operator"],
            taking_packets=self.intake.is_open,
        )  # fmt: skip

    def metrics(self) -> list[Any]:
        return []


@dataclass
class Answer:
    """What came back. `problem` is the last part of a problem's type."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=str)

    @property
    def problem(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return str(self.json["type"]).rpartition("/")[2]


class Caller:
    """Calls an ASGI application. A body that is not bytes is sent as JSON, an int in it as it is."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.hang_up_after: int | None = None
        """So many body messages until the caller hangs up."""

    async def __call__(
        self, method: str, target: str, body: Any = None, *, token: str | None = ADMIN, **headers: str
    ) -> Answer:
        fields = {"host": "127.0.0.1:7770"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            fields.setdefault("authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("content-type", "application/json")
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "server": ("127.0.0.1", 7770), "client": ("127.0.0.1", 5),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()],
        }  # fmt: skip
        return await self._run(scope, body or b"")

    async def _run(self, scope: dict[str, Any], body: bytes) -> Answer:
        answer = Answer(0, {}, b"")
        gone = asyncio.Event()
        parts = [body[i : i + 40_000] for i in range(0, len(body), 40_000)] or [b""]
        sent = 0

        async def receive() -> dict[str, Any]:
            if parts:
                part = parts.pop(0)
                return {"type": "http.request", "body": part, "more_body": bool(parts)}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
                return
            answer.body += message["body"]
            sent += 1
            if sent == self.hang_up_after:
                gone.set()

        await self.app(scope, receive, send)
        return answer


@pytest.fixture
def node() -> FakeNode:
    """alice and bob, each with a token."""
    node = FakeNode()
    for name, asset, token in (("alice", USD, ALICE), ("bob", EUR, BOB)):
        link = LinkSettings(http_incoming_token_digest=sha256(token.encode()).hexdigest())
        address = Address(f"test.hub.{name}")
        node.kept[name] = Account(id=AccountId(name), asset=asset, ilp_address=address, link=link, owes_us_max=0)
    node.kept["bob"] = replace(node.kept["bob"], relation=Relation.PEER)
    return node


@pytest.fixture
def call(node: FakeNode) -> Caller:
    return Caller(create_app(node))  # type: ignore[arg-type] # tuples and namespaces stand for the node's values


@pytest.fixture
def make_caller() -> type[Caller]:
    """For an application of one's own."""
    return Caller
