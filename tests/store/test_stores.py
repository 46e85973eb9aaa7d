"""What every store must do, run on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interledger.accounts import snapshot
from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.snapshot import capture
from interledger.clock import Timestamp
from interledger.errors import NotFoundError
from interledger.ilp.address import Address
from interledger.store import base
from interledger.store.base import PAYMENTS_READ, SETTLED_READ, Durability, Store, StoredState
from interledger.store.documents import Kind
from interledger.store.memory import MemoryStore
from interledger.store.open import open_store
from interledger.store.sqlite import SqliteStore

USD = Asset("USD", 9)
NOW = Timestamp(1_700_000_000_000)
PROOF = bytes(range(32))
BOB = Account(id=AccountId("bob"), asset=USD, ilp_address=Address("test.bob"))


class Home:
    """A store that can be closed and opened again, with a ledger on it."""

    def __init__(self, make: Callable[[], Store]) -> None:
        self.make = make
        self.store = make()
        self.ledger = Ledger()
        self.store.open()
        self.state = self.store.load(self.ledger)

    def write(self, *, snapshot: bool = False) -> None:
        batch = self.ledger.take_batch()
        records = b"".join(batch.records) if batch else b""
        taken = capture(self.ledger) if snapshot else None
        self.store.write(records, NOW, self.store.take_changes(), taken)

    def again(self) -> StoredState:
        self.store.close()
        self.store = self.make()
        self.store.open()
        self.ledger = Ledger()
        self.state = self.store.load(self.ledger)
        return self.state

    def pay(self, amount: int) -> None:
        alice, bob = self.ledger.account("peer/alice", USD), self.ledger.account("peer/bob", USD)
        hold = self.ledger.hold(((alice, bob, amount),), bytes(32), 1000, True)
        assert isinstance(hold, Hold)
        self.ledger.execute(hold, PROOF)

    def nets(self) -> dict[str, int]:
        return {a.name: a.net for a in self.ledger.accounts}


def make_postgres(url: str, durability: Durability, directory: Path) -> Store:
    from interledger.store.postgres import PostgresStore

    return PostgresStore(url, durability, directory=directory / "node", reserve_octets=4096)


@pytest.fixture(params=["memory", "power", "process", "postgres power", "postgres process"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    kind, _, durability = request.param.rpartition(" ")
    if durability == "memory":
        kept = MemoryStore()
        made = Home(lambda: kept)
    elif kind == "postgres":
        url = request.getfixturevalue("postgres_place").url
        made = Home(lambda: make_postgres(url, Durability(durability), tmp_path))
    else:
        made = Home(lambda: SqliteStore(tmp_path / "node", Durability(durability), reserve_octets=4096))
    yield made
    made.store.close()


def test_a_new_store_is_empty(home: Home) -> None:
    assert home.state == StoredState()
    assert home.ledger.accounts == []


def test_books_come_back(home: Home) -> None:
    home.pay(5)
    home.write()
    home.pay(2**64 - 1)
    home.pay(2**64 - 1)
    home.write()
    state = home.again()
    assert home.nets() == {"peer/alice": 2**65 + 3, "peer/bob": -(2**65 + 3)}
    assert state.records_replayed == 8 + 2 * 2
    home.pay(1)
    home.write()
    home.again()
    assert home.nets()["peer/alice"] == 2**65 + 4


def test_settlements_that_are_done_are_found_for_ever_and_the_latest_are_read(home: Home) -> None:
    home.store.put_settlement("leftover/bob/USD", {"amount": "1", "scale": 12})
    for number in range(SETTLED_READ + 5):
        home.store.put_settlement(f"done/in/bob/{number}", {"number": number})
    home.write()
    state = home.again()
    assert len(state.settlements) == SETTLED_READ + 1
    assert [key in state.settlements for key in ("done/in/bob/4", "done/in/bob/5", "leftover/bob/USD")] == [0, 1, 1]
    history = home.store.history
    documents = [history.read_document(Kind.SETTLED, f"done/in/bob/{n}") for n in (0, 1_004, 1_005)]
    assert documents == [{"number": 0}, {"number": 1_004}, None]
    assert history.read_document(Kind.SETTLED, "leftover/bob/USD") is None


def test_what_was_not_written_is_gone(home: Home) -> None:
    home.pay(5)
    home.write()
    home.pay(7)
    home.again()
    assert home.nets()["peer/alice"] == 5


def test_a_snapshot_stands_for_the_journal_before_it(home: Home) -> None:
    home.pay(5)
    home.write()
    assert home.store.octets_since_snapshot > 0
    home.pay(7)
    home.write(snapshot=True)
    assert home.store.octets_since_snapshot == 0
    assert home.again().records_replayed == 0
    home.pay(1)
    home.write()
    assert home.again().records_replayed == 2 + 2
    assert home.nets()["peer/alice"] == 13
    home.write(snapshot=True)  # a snapshot without records, as at a clean end
    assert home.again().records_replayed == 0
    assert home.nets()["peer/alice"] == 13


def test_J11_books_of_an_earlier_version_go_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of version 3 and a journal without claims; then claims, over a start and over the next snapshot."""
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "VERSION", 3)
        home.pay(50)
        home.write(snapshot=True)
        home.pay(7)
        home.write()
    home.again()
    assert home.nets() == {"peer/alice": 57, "peer/bob": -57}
    home.ledger.unproven.set_aside(home.ledger.accounts[0], 7, PROOF, NOW)
    home.write()
    for with_snapshot in (False, True):
        if with_snapshot:
            home.write(snapshot=True)
        home.again()
        assert home.nets() == {"peer/alice": 50, "peer/bob": -57, "peer/alice/unproven": 7}
        assert [item.amount for item in home.ledger.unproven.items.values()] == [7]
        assert home.ledger.check() == []


def test_documents_come_back_and_are_replaced_and_forgotten(home: Home) -> None:
    home.store.put_account(BOB)
    home.store.set_routes({"test.carl": "carl", "": "bob"})
    home.store.set_rates({"EUR": "1.1", "USD": "1"})
    home.store.put_payment("p1", {"sent": "5"})
    home.store.put_payment("p2", {"sent": "0"})
    home.store.put_fact("seed", "canary")
    home.store.put_fact("count", 3)
    home.write()
    state = home.again()
    assert state.accounts == [BOB]
    assert state.routes == {"test.carl": "carl", "": "bob"}
    assert state.rates == {"EUR": "1.1", "USD": "1"}
    assert state.payments == [{"sent": "5"}, {"sent": "0"}]
    assert state.facts == {"seed": "canary", "count": 3}
    home.store.delete_account(BOB.id)
    home.store.set_routes({})
    home.store.put_payment("p1", {"sent": "6"})
    home.store.put_fact("seed", None)
    home.write()
    state = home.again()
    assert (state.accounts, state.routes, state.rates["EUR"]) == ([], {}, "1.1")
    assert state.payments == [{"sent": "6"}, {"sent": "0"}]
    assert state.facts == {"count": 3}


def test_documents_wait_for_a_durable_step_and_the_last_word_counts(home: Home) -> None:
    told: list[int] = []
    home.store.on_change = lambda: told.append(1)
    home.store.put_fact("x", 1)
    home.store.put_fact("x", 2)
    assert len(told) == 2
    assert len(home.store.take_changes()) == 1
    assert home.store.take_changes() == []
    home.store.put_fact("x", 3)
    assert home.again().facts == {}


def test_I1_a_document_and_the_records_beside_it_are_one_step(home: Home) -> None:
    home.pay(5)
    home.store.put_fact("settlement 1", "done")
    home.write()
    assert home.again().facts == {"settlement 1": "done"}
    assert home.nets()["peer/alice"] == 5


def test_the_latest_payments_are_read_at_a_start_and_all_of_them_page_by_page(home: Home) -> None:
    count = PAYMENTS_READ + 7
    for number in range(count):
        home.store.put_payment(f"p{number}", {"n": number})
    home.write()
    home.store.put_payment("p3", {"n": 3, "changed": True})
    home.write()
    assert [payment["n"] for payment in home.again().payments] == list(range(7, count))
    history = home.store.history
    assert history.read_document(Kind.PAYMENT, "p3") == {"n": 3, "changed": True}
    assert [key for key, _ in history.read_documents(Kind.PAYMENT, None, 2)] == [f"p{count - 1}", f"p{count - 2}"]
    older = history.read_documents(Kind.PAYMENT, "p7", 5)
    assert [(key, body["n"]) for key, body in older] == [(f"p{n}", n) for n in (6, 5, 4, 3, 2)]
    assert history.read_documents(Kind.PAYMENT, "p0", 5) == []
    assert history.read_documents(Kind.SETTLED, None, 5) == []
    with pytest.raises(NotFoundError, match="no payment “p99999”"):
        history.read_documents(Kind.PAYMENT, "p99999", 5)


def test_payments_are_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PAYMENTS_KEPT", 20)
    monkeypatch.setattr(base, "FORGET_EVERY", 10)
    for number in range(23):
        home.store.put_payment(f"p{number}", {"n": number})
    home.write()
    assert [payment["n"] for payment in home.again().payments] == list(range(3, 23))
    for number in range(23, 26):  # too few to look
        home.store.put_payment(f"p{number}", {"n": number})
    home.write()
    assert len(home.again().payments) == 23


def test_closed_twice_and_reserve_given_back_twice(home: Home) -> None:
    home.store.release_reserve()
    home.store.release_reserve()
    home.store.close()
    home.store.close()


@pytest.mark.parametrize(
    ("durability", "kind"), [("memory", MemoryStore), ("power", SqliteStore), ("process", SqliteStore)]
)
def test_the_store_that_settings_ask_for(tmp_path: Path, durability: str, kind: type) -> None:
    store = open_store(str(tmp_path / "node"), durability)
    assert isinstance(store, kind)
    assert store.load(Ledger()) == StoredState()
    store.close()
