"""A connector whose links are lists, whose disk is a function call, and whose time is an argument."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import parse_asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reply
from interledger.link.base import RequestId
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.table import Origin, RoutingTable

NOW = Timestamp(1_700_000_000_000)


class Wire:
    """A link that keeps what is sent."""

    def __init__(self) -> None:
        self.prepares: list[tuple[RequestId, Prepare]] = []
        self.replies: list[tuple[RequestId, Reply]] = []
        self.up = True

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        self.prepares.append((request_id, prepare))

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        self.replies.append((request_id, reply))

    def ready(self) -> bool:
        return self.up


class Receivers:
    """`test.hub.local.*` is whoever the test says."""

    def __init__(self) -> None:
        self.name: AccountId | None = None

    def find(self, destination: str) -> AccountId | Refused:
        return self.name or Refused(ErrorCode.F02_UNREACHABLE, "nobody here")


class Hub:
    """test.hub with peers; `commit` is its disk."""

    def __init__(self, limits: Limits = Limits(), spread: str = "0") -> None:  # noqa: B008  # an immutable tuple
        self.ledger = Ledger()
        self.routes = RoutingTable()
        self.exchange = ExchangeTable()
        self.receivers = Receivers()
        self.wires: dict[str, Wire] = {}
        self.static: dict[str, AccountId] = {}
        self.connector = Connector(
            Address("test.hub"),
            ledger=self.ledger,
            routes=self.routes,
            exchange=self.exchange,
            receivers=self.receivers,
            spread=Fraction(spread),
            limits=limits,
        )
        self.routes.replace(Origin.OWN, {"test.hub": AccountId("/own")})
        self.rate("USD", "1")
        self.rate("EUR", "2")

    def rate(self, code: str, value: str, max_age_ms: int | None = None) -> None:
        quotes = Quotes(f"says {code}", {code: Fraction(value)}, None, NOW, max_age_ms)
        self.exchange.update(quotes, NOW)
        self.connector.rates_changed()

    def attach(self, name: str, asset: str = "USD/2", *, is_local: bool = False, **more: Any) -> Peer:
        """A peer called `name`, with a route `test.hub.<name>`."""
        account = Account(
            id=AccountId(name),
            asset=parse_asset(asset),
            ilp_address=Address(f"test.hub.{name}"),
            **{"relation": Relation.CHILD, **more},
        )
        self.wires[name] = Wire()
        peer = self.connector.attach(
            account.id, account, self.wires[name], is_local=is_local, first_request_id=2**32 - 1
        )
        self.route(f"test.hub.{name}", name)
        return peer

    def route(self, prefix: str, name: str) -> None:
        self.static[prefix] = AccountId(name)
        self.routes.replace(Origin.STATIC, self.static)
        self.connector.routes_changed()

    def send(self, name: str, amount: int, to: str, tag: str = "x", *, expires: int = 10_000, now: int = 0) -> Any:
        """A Prepare from `name`, request id 7. The answer, if there is one at once. Times in ms after NOW."""
        return self.connector.receive_prepare(
            AccountId(name), RequestId(7), prepare(amount, to, tag, expires), Timestamp(NOW + now)
        )

    def answer(self, name: str, reply: Reply, *, now: int = 1, at: int = -1) -> None:
        """`name` answers one of the Prepares it got, the last one."""
        request_id, _ = self.wires[name].prepares[at]
        self.connector.receive_reply(AccountId(name), request_id, reply, Timestamp(NOW + now))

    def commit(self, *, fails: bool = False) -> None:
        """The disk: what was decided is written, and its effects are let go."""
        while (batch := self.ledger.take_batch()) is not None:
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for send_prepare, cancel, request_id, onward in batch.prepares:
                (cancel if fails else send_prepare)(request_id, onward)
        assert self.ledger.check() == []

    def net(self, name: str) -> int:
        return self.connector.peers[AccountId(name)].ledger_account.net


def secret(tag: str = "x") -> bytes:
    return hashlib.sha256(tag.encode()).digest()


def prepare(amount: int, to: str, tag: str = "x", expires: int = 10_000, data: bytes = b"data") -> Prepare:
    condition = hashlib.sha256(secret(tag)).digest()
    return Prepare.decode(Prepare(amount, Timestamp(NOW + expires), condition, Address(to), data).encode())
