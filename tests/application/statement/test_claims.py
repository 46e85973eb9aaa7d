"""The entries that a journal makes: of packets, resolved unknown amounts, and from a snapshot on."""

from __future__ import annotations

from hashlib import sha256

from interledger.accounts.asset import Asset
from interledger.accounts.books.memo import Memo
from interledger.accounts.books.past import Commit, Opening
from interledger.accounts.ledger import Hold, Ledger
from interledger.accounts.snapshot import capture, encode_snapshot
from interledger.application.statement.claims import LATE_CLAIM, ClaimIndex, summarize
from interledger.application.statement.messages import BUCKET_MS, Entry, key_of
from interledger.clock import Timestamp

USD, EUR = Asset("USD", 9), Asset("EUR", 9)
T = 1_700_000_040_000
FOREVER = 2**62


def proof(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def condition(number: int) -> bytes:
    return sha256(proof(number)).digest()


class Journal:
    """A ledger whose every step is a commit."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.commits: list[Commit] = []

    def hold(self, number: int, amount: int, out: int | None = None) -> Hold:
        alice, bob = self.ledger.account("peer/alice", USD), self.ledger.account("peer/bob", EUR)
        fx = [self.ledger.account(f"fx/{asset}", asset) for asset in (USD, EUR)]
        legs = ((alice, fx[0], amount), (fx[1], bob, out or amount))
        hold = self.ledger.hold(legs, condition(number), T, True)
        assert isinstance(hold, Hold)
        return hold

    def commit(self, at: int = T) -> None:
        batch = self.ledger.take_batch()
        assert batch is not None
        self.commits.append(Commit(len(self.commits) + 1, Timestamp(at), b"".join(batch.records)))

    def index(self, opening: Opening | None = None, **more: int) -> ClaimIndex:
        index = ClaimIndex(opening or Opening(0, Timestamp(T), None), **more)
        for commit in self.commits[index.seq :]:
            index.feed(commit)
        return index


def test_packets_count_on_both_sides_once_they_are_executed() -> None:
    journal = Journal()
    journal.ledger.execute(journal.hold(1, 10, 9), proof(1))
    journal.ledger.release(journal.hold(2, 10))
    journal.hold(3, 10)
    journal.commit()
    index = journal.index()
    came, went = index.of("peer/alice", USD, incoming=True), index.of("peer/bob", EUR, incoming=False)
    assert came.entries(0, FOREVER, b"") == [Entry(key_of(condition(1), 10), T)]
    assert went.entries(0, FOREVER, b"") == [Entry(key_of(condition(1), 9), T)]
    assert came.count_of(key_of(condition(1), 10)) == (1, proof(1))
    assert came.count_of(key_of(condition(1), 9)) == (0, None)
    assert index.of("peer/alice", USD, incoming=False).entries(0, FOREVER, b"") == []
    assert index.known_since == 0


def test_unknown_amounts_count_once_they_are_resolved_as_delivered() -> None:
    journal = Journal()
    items = [journal.ledger.give_up(journal.hold(number, 10)) for number in (1, 2, 3)]
    journal.commit()
    journal.ledger.add_evidence(items[0], proof(1))
    journal.ledger.resolve(items[0], delivered=True, memo=Memo(LATE_CLAIM).encode())
    journal.ledger.resolve(items[1], delivered=False, memo="")
    journal.ledger.resolve(items[2], delivered=True, memo="a person")
    journal.commit(T + 70_000)
    went = journal.index().of("peer/bob", EUR, incoming=False)
    assert went.count_of(key_of(condition(1), 10)) == (1, proof(1))
    assert went.count_of(key_of(condition(2), 10)) == (0, None)
    assert went.count_of(key_of(condition(3), 10)) == (1, None)
    assert {entry.at for entry in went.entries(0, FOREVER, b"")} == {T + 70_000}
    assert journal.index().late_since("peer/bob", EUR, T) == 10
    assert journal.index().late_since("peer/bob", EUR, T + 70_001) == 0


def test_from_a_snapshot_on_what_was_open_then_is_known() -> None:
    journal = Journal()
    journal.ledger.execute(journal.hold(0, 10), proof(0))
    held, unknown = journal.hold(1, 10), journal.ledger.give_up(journal.hold(2, 10))
    journal.commit()
    opening = Opening(1, Timestamp(T), encode_snapshot(capture(journal.ledger)))
    journal.ledger.execute(held, proof(1))
    journal.ledger.resolve(unknown, delivered=True, memo="")
    journal.ledger.account("peer/new", USD)
    journal.commit(T + 1)
    index = journal.index(opening)
    went = index.of("peer/bob", EUR, incoming=False)
    assert {entry.key for entry in went.entries(0, FOREVER, b"")} == {key_of(condition(n), 10) for n in (1, 2)}
    assert index.known_since == T


def test_summaries_by_time() -> None:
    journal = Journal()
    times = [T, T + 1, T + BUCKET_MS, T + 10 * BUCKET_MS]
    for number, at in enumerate(times):
        journal.ledger.execute(journal.hold(number, 10 + number), proof(number))
        journal.commit(at)
    claims = journal.index().of("peer/alice", USD, incoming=True)
    keys = [key_of(condition(number), 10 + number) for number in range(4)]
    assert claims.times(T, FOREVER, BUCKET_MS) == {
        T: summarize(iter(keys[:2])),
        T + BUCKET_MS: summarize(iter(keys[2:3])),
        T + 10 * BUCKET_MS: summarize(iter(keys[3:])),
    }
    assert claims.times(T + 1, T + BUCKET_MS + 1, BUCKET_MS) == {
        T: summarize(iter(keys[1:2])),
        T + BUCKET_MS: summarize(iter(keys[2:3])),
    }
    assert sum(one.number for one in claims.times(0, FOREVER, 1_000_000 * BUCKET_MS).values()) == 4
    assert [entry.key for entry in claims.entries(T, FOREVER, keys[1][:3])] == [keys[1]]


def test_equal_packets_do_not_cancel_out() -> None:
    key = key_of(condition(1), 5)
    assert summarize(iter([key, key])).digest != 0
    assert summarize(iter([key, key])) != summarize(iter([]))


def test_the_oldest_are_forgotten_and_that_is_said() -> None:
    journal = Journal()
    for number in range(10):
        journal.ledger.execute(journal.hold(number % 3, 10), proof(number % 3))
        journal.commit(T + number * BUCKET_MS)
    index = journal.index(claims_max=6)
    claims = index.of("peer/alice", USD, incoming=True)
    assert index.known_since == T + 7 * BUCKET_MS
    assert sorted(entry.at for entry in claims.entries(0, FOREVER, b"")) == [T + n * BUCKET_MS for n in (7, 8, 9)]
    assert claims.count_of(key_of(condition(0), 10)) == (1, proof(0))
