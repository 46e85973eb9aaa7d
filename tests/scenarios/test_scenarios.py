"""Runs the text scenarios of this folder: accounts, routes and rates, then a line per packet with its outcome.

A `.scn` file is read top to bottom. `#` starts a comment. Times are milliseconds since the scenario began.

    node test.hub                                   the connector's address
    spread 0.002
    window 1000                                     min message window
    rate USD 1                                      value of one whole unit in a common base
    account alice USD/2 child owes_us_max=1000      any field of an account
    route test.bob bob                              a static route; or  bob:3,carol/dave  (see routing/targets.py)
    100ms                                           the clock moves on, and timers run
    alice > 1000 to test.bob.x #1 expires=10000     a Prepare comes in from alice
    bob < 915 #1 expires=9000                       ... and this one left for bob
    bob fulfills #1 | bob rejects #1 T04 | bob fulfills #1 wrong
    alice < fulfill #1 | alice < reject #1 T04      ... and this answer left for alice
    nothing                                         nothing more has left
    alice owes 100 | we owe bob 91 | fee USD/2 3 | fx EUR/2 -91 | unknown bob 91
    down bob | up bob | disk full                   a link or the disk fails
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.asset import parse_asset
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.table import Origin, Route, RoutingTable
from interledger.routing.targets import parse_targets

START = 1_700_000_000_000
FOLDER = Path(__file__).parent


class Wire:
    """A link that writes down what is sent over it."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world, self.up = name, world, True
        self.onward: dict[str, RequestId] = {}

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None:
        tag = self.world.tag_of[prepare.execution_condition]
        self.onward[tag] = request_id
        self.world.sent.append(f"{self.name} < {prepare.amount} {tag} expires={prepare.expires_at - START}")

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        what = "fulfill" if isinstance(reply, Fulfill) else "reject"
        code = "" if isinstance(reply, Fulfill) else f" {reply.code}"
        self.world.sent.append(f"{self.name} < {what} #{request_id}{code}")

    def ready(self) -> bool:
        return self.up


class NobodyHere:
    """A node without receivers of its own."""

    def find(self, destination: str) -> AccountId | Refused:
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody here")


class World:
    """One connector and its wires."""

    def __init__(self) -> None:
        self.now = START
        self.sent: list[str] = []
        self.tag_of: dict[bytes, str] = {}
        self.wires: dict[str, Wire] = {}
        self.ledger = Ledger()
        self.routes = RoutingTable()
        self.exchange = ExchangeTable()
        self.values: dict[str, Fraction] = {}
        self.disk_full = False
        self.static: dict[str, tuple[Route, ...]] = {}
        self.connector = Connector(
            Address("test.hub"),
            ledger=self.ledger,
            routes=self.routes,
            exchange=self.exchange,
            receivers=NobodyHere(),
            limits=Limits(),
        )
        self.routes.replace(Origin.OWN, {"test.hub": AccountId("")})

    def write(self) -> None:
        """What the store does: write the batch, then let its effects go. Fulfills first, and even if writing fails."""
        while (batch := self.ledger.take_batch()) is not None:
            for send, request_id, reply in batch.replies:
                send(request_id, reply)
            for send_prepare, cancel, request_id, prepare in batch.prepares:
                (cancel if self.disk_full else send_prepare)(request_id, prepare)
            assert self.ledger.check() == []

    def run(self, line: str) -> None:
        for pattern, action in ACTIONS:
            match = re.fullmatch(pattern, line)
            if match:
                action(self, *match.groups())
                self.write()
                return
        raise ValueError(f"what does this line mean?  {line}")

    # -- set-up

    def node(self, address: str) -> None:
        self.connector.address = Address(address)
        self.routes.replace(Origin.OWN, {address: AccountId("")})

    def spread(self, text: str) -> None:
        self.connector.spread = Fraction(text)

    def limit(self, name: str, value: str) -> None:
        self.connector.limits = replace(self.connector.limits, **{name: int(value)})

    def rate(self, code: str, value: str) -> None:
        self.values[code] = Fraction(value)
        self.exchange.update(Quotes("static", dict(self.values), None, Timestamp(self.now)), Timestamp(self.now))
        self.connector.rates_changed()

    def account(self, name: str, asset: str, relation: str, fields: str) -> None:
        options = {key: int(value) for key, value in (pair.split("=") for pair in fields.split())}
        account = Account(
            id=AccountId(name),
            asset=parse_asset(asset),
            ilp_address=Address(f"{self.connector.address}.{name}"),
            relation=Relation(relation),
            **options,
        )
        self.wires[name] = Wire(name, self)
        peer = self.connector.attach(account.id, account, self.wires[name], is_local=False, first_request_id=1)
        if account.owes_us_max is not None:
            peer.ledger_account.debit_max = account.owes_us_max
        if account.we_owe_max is not None:
            peer.ledger_account.credit_max = account.we_owe_max

    def route(self, prefix: str, targets: str) -> None:
        prefix = "" if prefix == '""' else prefix
        self.static[prefix] = parse_targets(prefix, targets)
        self.routes.replace_routes(Origin.STATIC, (route for routes in self.static.values() for route in routes))
        self.connector.routes_changed()

    # -- what happens

    def later(self, ms: str) -> None:
        self.now += int(ms)
        self.connector.handle_timer(Timestamp(self.now))

    def arrives(self, name: str, amount: str, destination: str, tag: str, expires: str) -> None:
        condition = hashlib.sha256(hashlib.sha256(tag.encode()).digest()).digest()
        self.tag_of[condition] = tag
        prepare = Prepare(int(amount), Timestamp(START + int(expires)), condition, Address(destination), b"data")
        prepare = Prepare.decode(prepare.encode())
        reply = self.connector.receive_prepare(AccountId(name), RequestId(int(tag[1:])), prepare, Timestamp(self.now))
        if reply is not None:
            self.wires[name].send_reply(RequestId(int(tag[1:])), reply)

    def answers(self, name: str, verb: str, tag: str, rest: str) -> None:
        reply: Reply
        if verb == "fulfills":
            reply = Fulfill(bytes(32) if rest == "wrong" else hashlib.sha256(tag.encode()).digest())
        else:
            reply = Reject(rest or "F99", "test.far", "no")
        request_id = self.wires[name].onward[tag]
        if verb == "loses":
            self.connector.receive_no_reply(AccountId(name), request_id, reply, Timestamp(self.now))
        else:
            self.connector.receive_reply(AccountId(name), request_id, reply, Timestamp(self.now))

    def down(self, name: str) -> None:
        self.wires[name].up = False
        self.connector.link_lost(AccountId(name), Timestamp(self.now))

    def up(self, name: str) -> None:
        self.wires[name].up = True

    def fill_disk(self) -> None:
        self.disk_full = True

    # -- what is expected

    def expect(self, name: str, what: str) -> None:
        line = f"{name} < {what}"
        assert self.sent, f"nothing left; expected: {line}"
        assert self.sent.pop(0).startswith(line)

    def expect_nothing(self) -> None:
        assert self.sent == []

    def owes(self, name: str, amount: str) -> None:
        assert self.connector.peers[AccountId(name)].ledger_account.net == int(amount)

    def we_owe(self, name: str, amount: str) -> None:
        assert self.connector.peers[AccountId(name)].ledger_account.net == -int(amount)

    def pending(self, name: str, amount: str) -> None:
        account = self.connector.peers[AccountId(name)].ledger_account
        assert account.debits_pending + account.credits_pending == int(amount)

    def holds(self, kind: str, asset: str, amount: str) -> None:
        account = self.ledger.find(f"{kind}/{asset}", parse_asset(asset))
        assert account is not None
        assert -account.net == int(amount)

    def unknown(self, name: str, amount: str) -> None:
        ledger_account = self.connector.peers[AccountId(name)].ledger_account
        assert sum(u.amount for u in self.ledger.unknown.values() if u.account is ledger_account) == int(amount)

    def proved(self, count: str) -> None:
        assert sum(u.fulfillment is not None for u in self.ledger.unknown.values()) == int(count)


ACTIONS = (
    (r"node (\S+)", World.node),
    (r"spread (\S+)", World.spread),
    (r"limit (\w+) (\d+)", World.limit),
    (r"rate (\w+) (\S+)", World.rate),
    (r"account (\w+) (\S+) (\w+)((?: \w+=\d+)*)", World.account),
    (r"route (\S+) (\S+)", World.route),
    (r"(\d+)ms", World.later),
    (r"(\w+) > (\d+) to (\S+) (#\d+) expires=(\d+)", World.arrives),
    (r"(\w+) (fulfills|rejects|loses) (#\d+) ?(\w*)", World.answers),
    (r"down (\w+)", World.down),
    (r"up (\w+)", World.up),
    (r"disk full", World.fill_disk),
    (r"(\w+) < (.+)", World.expect),
    (r"nothing", World.expect_nothing),
    (r"(\w+) owes (-?\d+)", World.owes),
    (r"we owe (\w+) (-?\d+)", World.we_owe),
    (r"pending (\w+) (\d+)", World.pending),
    (r"(fee|fx|loss) (\S+) (-?\d+)", World.holds),
    (r"unknown (\w+) (\d+)", World.unknown),
    (r"proved (\d+)", World.proved),
)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.scn")), ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    world = World()
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = re.sub(r"(^|\s)# .*|^#$", "", text).strip()
        if not line:
            continue
        try:
            world.run(line)
        except AssertionError as error:
            raise AssertionError(f"{path.name}:{number}: {line}\n{error}\nstill to come: {world.sent}") from None
    assert world.sent == [], f"{path.name}: more left than the scenario says"
