"""The ledger against the rules of money: a table of what each step does, and a machine that compares it with a model.

The model is written from the rules, not from the ledger: it keeps every packet with its state and adds up from there.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from interledger.accounts.asset import Asset
from interledger.accounts.entries import NEVER
from interledger.accounts.ledger import NO_LIMIT, Hold, Ledger, LedgerAccount, Refusal, Unknown
from interledger.accounts.records import ENTRY_LEGS_MAX, Counters, Executed, Held, decode_records, encode_counters
from interledger.accounts.recovery import recover
from interledger.accounts.snapshot import capture, decode_snapshot, encode_snapshot, restore
from interledger.errors import LedgerError

USD = Asset("USD", 9)
EUR = Asset("EUR", 2)
CONDITION = bytes(32)
PROOF = bytes(range(32))
U64 = 2**64 - 1


class Books:
    """A ledger with two peers in USD and one in EUR, and the few words the tests need."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.alice = self.ledger.account("peer/alice", USD)
        self.bob = self.ledger.account("peer/bob", USD)
        self.carl = self.ledger.account("peer/carl", EUR)
        self.fee = self.ledger.account("fee/USD/9", USD)
        self.fx_usd = self.ledger.account("fx/USD/9", USD)
        self.fx_eur = self.ledger.account("fx/EUR/2", EUR)

    def hold(self, amount: int, fee: int = 0, *, remote: bool = True) -> Hold | Refusal:
        legs = ((self.alice, self.fee, fee),) if fee else ()
        return self.ledger.hold((*legs, (self.alice, self.bob, amount)), CONDITION, 1000, remote)

    def held(self, amount: int, fee: int = 0, *, remote: bool = True) -> Hold:
        hold = self.hold(amount, fee, remote=remote)
        assert isinstance(hold, Hold)
        return hold

    def counters(self, account: LedgerAccount) -> tuple[int, int, int, int]:
        return (account.debits_posted, account.debits_pending, account.credits_posted, account.credits_pending)

    def journal(self) -> bytes:
        batch = self.ledger.take_batch()
        return b"".join(batch.records) if batch else b""


def replayed(journal: bytes) -> Ledger:
    ledger = Ledger()
    for record in decode_records(journal):
        ledger.apply(record)
    ledger.end_replay()
    return ledger


def state(ledger: Ledger) -> object:
    """Everything that a restart must bring back."""
    accounts = [
        (a.name, a.asset, a.debits_posted, a.debits_pending, a.credits_posted, a.credits_pending)
        for a in ledger.accounts
    ]
    holds = [
        (h.id, h.remote, h.expires_at, h.condition, [(d.index, c.index, n) for d, c, n in h.legs])
        for h in ledger.holds.values()
    ]
    unknown = [(u.id, u.account.index, u.amount, u.condition, u.expires_at, u.fulfillment) for u in
               ledger.unknown.values()]  # fmt: skip
    return accounts, holds, unknown, ledger.next_id


@pytest.fixture
def books() -> Books:
    return Books()


# ---------------------------------------------------------------------- what each step does


def test_a_packet_that_is_fulfilled(books: Books) -> None:
    hold = books.held(99, fee=1)
    assert books.counters(books.alice) == (0, 100, 0, 0)
    assert books.counters(books.bob) == (0, 0, 0, 99)
    books.ledger.execute(hold, PROOF)
    assert books.counters(books.alice) == (100, 0, 0, 0)
    assert books.counters(books.bob) == (0, 0, 99, 0)
    assert books.counters(books.fee) == (0, 0, 1, 0)
    assert books.ledger.holds == {}


def test_a_packet_that_is_rejected(books: Books) -> None:
    books.ledger.release(books.held(99, fee=1))
    for account in books.ledger.accounts:
        assert books.counters(account) == (0, 0, 0, 0)


def test_a_packet_across_currencies(books: Books) -> None:
    legs = ((books.alice, books.fx_usd, 10_000_000_000), (books.fx_eur, books.carl, 900))
    hold = books.ledger.hold(legs, CONDITION, 1000, True)
    assert isinstance(hold, Hold)
    books.ledger.execute(hold, PROOF)
    assert (books.alice.net, books.fx_usd.net) == (10_000_000_000, -10_000_000_000)
    assert (books.fx_eur.net, books.carl.net) == (900, -900)
    assert books.ledger.check() == []


def test_a_packet_of_three_legs_is_written_and_read(books: Books) -> None:
    legs = ((books.alice, books.fee, 1), (books.alice, books.fx_usd, 2), (books.fx_eur, books.carl, 3))
    assert isinstance(books.ledger.hold(legs, CONDITION, 1000, True), Hold)
    assert state(replayed(books.journal())) == state(books.ledger)


def test_a_time_out_is_not_a_rejection(books: Books) -> None:
    """The incoming leg is void, the onward amount is set aside and shown, the sender's room comes back."""
    unknown = books.ledger.give_up(books.held(99, fee=1))
    assert (unknown.account, unknown.amount, unknown.condition, unknown.expires_at) == (books.bob, 99, CONDITION, 1000)
    assert books.counters(books.alice) == (0, 0, 0, 0)
    suspense = books.ledger.find("peer/bob/suspense", USD)
    assert suspense is not None
    assert books.counters(suspense) == (0, 0, 0, 99)
    assert books.ledger.unknown == {unknown.id: unknown}
    assert books.ledger.check() == []


@pytest.mark.parametrize(
    ("proven", "delivered", "we_owe_bob"), [(True, True, 99), (False, True, 99), (False, False, 0)]
)
def test_an_unknown_amount_is_resolved(books: Books, proven: bool, delivered: bool, we_owe_bob: int) -> None:
    unknown = books.ledger.give_up(books.held(99))
    if proven:
        books.ledger.add_evidence(unknown, PROOF)
        assert unknown.fulfillment == PROOF
    books.ledger.resolve(unknown, delivered=delivered, memo="the peer's statement")
    loss = books.ledger.find("loss/USD/9", USD)
    assert loss is not None
    assert (books.bob.payable, loss.net) == (we_owe_bob, we_owe_bob)
    assert books.ledger.unknown == {}
    assert books.ledger.check() == []
    assert state(replayed(books.journal())) == state(books.ledger)


def test_a_posting_outside_packets_knows_no_limit(books: Books) -> None:
    books.bob.debit_max = 0
    books.ledger.post(((books.bob, books.alice, 2**100),), "settlement 1")
    assert books.counters(books.bob) == (2**100, 0, 0, 0)
    assert state(replayed(books.journal())) == state(books.ledger)


def test_account_is_opened_once(books: Books) -> None:
    assert books.ledger.account("peer/alice", Asset("USD", 9)) is books.alice
    assert books.ledger.account("peer/alice", EUR) is not books.alice
    assert books.ledger.find("peer/nobody", USD) is None


# ---------------------------------------------------------------------- limits


@pytest.mark.parametrize("limit", [1, 2**53, 2**53 + 1, 2**60, 2**63, 2**64 - 2])
def test_B1_RS3_the_credit_limit_is_exact(books: Books, limit: int) -> None:
    """Also where a double or a signed 64-bit integer would round."""
    books.alice.debit_max = limit
    refusal = books.hold(limit + 1)
    assert isinstance(refusal, Refusal)
    assert (refusal.account, refusal.amount, refusal.room) == (books.alice, limit + 1, limit)
    assert books.counters(books.alice) == (0, 0, 0, 0)
    books.held(limit)
    assert isinstance(books.hold(1), Refusal)


def test_B1_the_limit_counts_posted_and_pending(books: Books) -> None:
    books.alice.debit_max = 100
    books.ledger.execute(books.held(40), PROOF)
    waiting = books.held(60)
    assert isinstance(books.hold(1), Refusal)
    books.ledger.release(waiting)
    books.held(60)


def test_B1_both_legs_of_one_packet_count_and_a_refusal_undoes_the_first(books: Books) -> None:
    books.alice.debit_max = 100
    assert isinstance(books.hold(100, fee=1), Refusal)
    assert books.counters(books.fee) == (0, 0, 0, 0)
    books.held(99, fee=1)


def test_what_we_may_owe_has_a_limit_too(books: Books) -> None:
    books.bob.credit_max = 50
    refusal = books.hold(51, fee=1)
    assert refusal == Refusal(books.bob, 51, 50)
    assert books.counters(books.alice) == (0, 0, 0, 0)


def test_what_we_owe_counts_posted_and_pending_less_what_was_paid(books: Books) -> None:
    """Each of the three changes the room, and the refusal says how much is left."""
    books.bob.credit_max = 100
    books.ledger.execute(books.held(40), PROOF)
    books.held(30)
    assert books.hold(31) == Refusal(books.bob, 31, 30)
    books.ledger.post(((books.bob, books.alice, 25),), "paid")
    assert books.hold(56) == Refusal(books.bob, 56, 55)
    books.held(55)
    assert books.hold(1) == Refusal(books.bob, 1, 0)
    books.bob.credit_max = 10
    assert books.hold(1) == Refusal(books.bob, 1, 0)


@pytest.mark.parametrize("refused_at", [0, 1, 2])
def test_a_refusal_undoes_the_legs_before_it_and_no_others(books: Books, refused_at: int) -> None:
    legs = [(books.alice, books.fee, 1), (books.alice, books.fx_usd, 2), (books.fx_eur, books.carl, 4)]
    legs[refused_at][1].credit_max = 0
    refusal = books.ledger.hold(tuple(legs), CONDITION, 1000, True)
    assert refusal == Refusal(legs[refused_at][1], 1 << refused_at, 0)
    assert [books.counters(account) for account in books.ledger.accounts] == [(0, 0, 0, 0)] * 6


def test_a_packet_without_an_amount_is_held_like_any_other(books: Books) -> None:
    books.ledger.execute(books.held(0), PROOF)
    assert books.ledger.check() == []


def test_B5_pending_credits_are_no_spending_money(books: Books) -> None:
    books.bob.debit_max = 0
    incoming = books.held(100)
    back = ((books.bob, books.alice, 1),)
    assert isinstance(books.ledger.hold(back, CONDITION, 1000, True), Refusal)
    books.ledger.execute(incoming, PROOF)
    assert isinstance(books.ledger.hold(back, CONDITION, 1000, True), Hold)


def test_B6_counters_go_beyond_64_bits(books: Books) -> None:
    for _ in range(3):
        books.ledger.execute(books.held(U64), PROOF)
    assert books.alice.debits_posted == 3 * U64
    assert state(replayed(books.journal())) == state(books.ledger)


def test_B7_a_limit_below_what_is_used_fails_nothing_that_is_held(books: Books) -> None:
    hold = books.held(100)
    books.alice.debit_max = 10
    refusal = books.hold(1)
    assert isinstance(refusal, Refusal)
    assert refusal.room == 0
    books.ledger.execute(hold, PROOF)
    assert books.alice.receivable == 100


# ---------------------------------------------------------------------- what must not happen, and changes nothing


@pytest.mark.parametrize("second", ["execute", "release", "give_up"])
@pytest.mark.parametrize("first", ["execute", "release", "give_up"])
def test_A9_a_packet_has_one_outcome(books: Books, first: str, second: str) -> None:
    hold = books.held(5)
    steps = {
        "execute": lambda: books.ledger.execute(hold, PROOF),
        "release": lambda: books.ledger.release(hold),
        "give_up": lambda: books.ledger.give_up(hold),
    }
    steps[first]()
    before = state(books.ledger)
    books.journal()
    with pytest.raises(LedgerError, match="has an outcome already"):
        steps[second]()
    assert state(books.ledger) == before
    assert books.journal() == b""


def test_what_is_proven_cannot_be_called_not_delivered(books: Books) -> None:
    unknown = books.ledger.give_up(books.held(5))
    books.ledger.add_evidence(unknown, PROOF)
    books.journal()
    with pytest.raises(LedgerError, match="its fulfillment is known"):
        books.ledger.resolve(unknown, delivered=False, memo="")
    assert books.journal() == b""


def test_a_resolved_amount_stays_resolved(books: Books) -> None:
    """A late Fulfill after the operator's decision must not write a record that no start could read."""
    unknown = books.ledger.give_up(books.held(5))
    books.ledger.resolve(unknown, delivered=False, memo="")
    books.journal()
    with pytest.raises(LedgerError, match="resolved already"):
        books.ledger.resolve(unknown, delivered=True, memo="")
    with pytest.raises(LedgerError, match="resolved already"):
        books.ledger.add_evidence(unknown, PROOF)
    assert books.journal() == b""


@pytest.mark.parametrize("amount", [-1, U64 + 1])
def test_an_amount_no_packet_can_have_is_refused_whole(books: Books, amount: int) -> None:
    books.journal()
    before = state(books.ledger)
    with pytest.raises(LedgerError, match="not a"):
        books.hold(amount, fee=1)
    assert state(books.ledger) == before
    assert books.journal() == b""


def test_a_leg_between_two_assets_is_refused_whole(books: Books) -> None:
    before = state(books.ledger)
    with pytest.raises(LedgerError, match="not a leg: 2 from peer/alice to peer/carl"):
        books.ledger.hold(((books.alice, books.fee, 1), (books.alice, books.carl, 2)), CONDITION, 1000, True)
    assert state(books.ledger) == before


@pytest.mark.parametrize("amount", [0, -1, NO_LIMIT + 1])
def test_a_posting_without_an_amount_is_refused(books: Books, amount: int) -> None:
    with pytest.raises(LedgerError, match="not a posting"):
        books.ledger.post(((books.bob, books.alice, amount),), "correction")


def test_a_posting_to_itself_between_assets_or_of_too_many_legs_is_refused(books: Books) -> None:
    for legs in (((books.bob, books.bob, 1),), ((books.bob, books.carl, 1),)):
        with pytest.raises(LedgerError, match="not a posting"):
            books.ledger.post(legs, "correction")
    for count in (0, ENTRY_LEGS_MAX + 1):
        with pytest.raises(LedgerError, match="legs"):
            books.ledger.post(((books.bob, books.alice, 1),) * count, "correction")
    assert books.ledger.check() == []


def test_the_largest_posting_and_the_one_with_the_most_legs(books: Books) -> None:
    books.ledger.post(((books.bob, books.alice, NO_LIMIT),), "correction")
    books.ledger.post(((books.alice, books.bob, 1),) * ENTRY_LEGS_MAX, "correction")
    assert books.bob.net == NO_LIMIT - ENTRY_LEGS_MAX
    assert state(replayed(books.journal())) == state(books.ledger)


# ---------------------------------------------------------------------- batches


def test_a_new_ledger_has_nothing_to_write_and_its_first_record_says_so() -> None:
    ledger = Ledger()
    assert ledger.read_only is False
    assert ledger.take_batch() is None
    calls: list[int] = []
    ledger.on_dirty = lambda: calls.append(1)
    ledger.account("peer/alice", USD)
    assert calls == [1]


def test_on_dirty_is_called_once_per_batch(books: Books) -> None:
    books.ledger.take_batch()
    calls: list[int] = []
    books.ledger.on_dirty = lambda: calls.append(1)
    hold = books.held(1)
    books.ledger.execute(hold, PROOF)
    assert len(calls) == 1
    books.ledger.take_batch()
    books.ledger.call_after_commit(lambda error: None)
    assert len(calls) == 2
    books.ledger.take_batch()
    books.ledger.prepare_after_commit(lambda i, p: None, lambda i, p: None, 1, None)
    assert len(calls) == 3
    books.ledger.take_batch()
    books.ledger.reply_after_commit(lambda i, p: None, 1, None)
    assert len(calls) == 4


def test_a_batch_has_records_effects_and_the_accounts_that_were_posted_to(books: Books) -> None:
    books.ledger.take_batch()

    def send(request_id: object, packet: object) -> None:
        raise NotImplementedError

    def waiter(error: Exception | None) -> None:
        raise NotImplementedError

    hold = books.held(1)
    books.ledger.prepare_after_commit(send, send, 1, "prepare")
    books.ledger.execute(hold, PROOF)
    books.ledger.reply_after_commit(send, 2, "reply")
    books.ledger.call_after_commit(waiter)
    batch = books.ledger.take_batch()
    assert batch is not None
    held, executed, *counters = decode_records(b"".join(batch.records))
    assert (type(held), type(executed)) == (Held, Executed)
    assert counters == [Counters(0, 1, 0), Counters(1, 0, 1)]
    assert batch.prepares == [(send, send, 1, "prepare")]
    assert batch.replies == [(send, 2, "reply")]
    assert batch.waiters == [waiter]
    assert books.ledger.take_batch() is None


def test_J5_replay_compares_with_the_counters_of_each_commit(books: Books) -> None:
    books.ledger.execute(books.held(1), PROOF)
    journal = books.journal()
    assert replayed(journal).check() == []
    with pytest.raises(LedgerError, match=r"peer/alice .* had 2 debits and 0 credits then, .* make 1 and 0"):
        replayed(journal + encode_counters(0, 2, 0))


def test_a_hold_changes_no_posted_counter(books: Books) -> None:
    books.ledger.take_batch()
    books.held(1)
    batch = books.ledger.take_batch()
    assert batch is not None
    assert [type(record) for record in decode_records(b"".join(batch.records))] == [Held]


# ---------------------------------------------------------------------- recovery and replay


def test_J1_recovery_releases_what_was_ours_and_keeps_what_may_have_left(books: Books) -> None:
    books.held(7, remote=False)
    books.held(8, remote=False)
    books.held(9, remote=True)
    ledger = replayed(books.journal())
    released, unknown = recover(ledger)
    assert released == 2
    assert [(u.account.name, u.amount) for u in unknown] == [("peer/bob", 9)]
    assert ledger.holds == {}
    assert ledger.check() == []
    batch = ledger.take_batch()
    assert batch is not None  # what recovery decided is in the journal too: killed now, the next start decides the same
    after = replayed(books_journal_of(books, b"".join(batch.records)))
    assert state(after) == state(ledger)
    assert recover(after) == (0, [])
    # Its peer may have answered while nobody was here: that is not the peer's fault, and is remembered.
    assert [u.interrupted for u in after.unknown.values()] == [True]
    assert not books.ledger.give_up(books.held(3)).interrupted


def books_journal_of(books: Books, more: bytes) -> bytes:
    again = Books()
    again.held(7, remote=False)
    again.held(8, remote=False)
    again.held(9, remote=True)
    return again.journal() + more


def test_replay_wakes_nobody_and_leaves_nothing_to_write(books: Books) -> None:
    unknown = books.ledger.give_up(books.held(5))
    books.ledger.resolve(unknown, delivered=True, memo="")
    journal = books.journal()
    ledger = replayed(journal)
    assert ledger.take_batch() is None
    ledger.account("peer/new", USD)
    batch = ledger.take_batch()
    assert batch is not None
    assert {account.name for account in batch.touched} == {"peer/new"}


@pytest.mark.parametrize(
    ("journal", "says"),
    [
        (b"\x04" + (7).to_bytes(8, "big"), "fits nothing before it"),
        (b"\x06" + (7).to_bytes(8, "big") + b"\x01\x00", "fits nothing before it"),
        (bytes.fromhex("01 00000001 03 782f79 03 555344 09"), "opens account 1, 0 are open"),
        (bytes.fromhex("01 00000000 03 782f79 03 555344 09 01 00000001 03 782f79 03 555344 09"), "a second time"),
        (bytes.fromhex("02 0000000000000001 01 0000000000000000") + bytes(32) + b"\x01" + bytes(16), "fits nothing"),
    ],
)
def test_J5_a_record_that_does_not_fit_stops_the_replay(journal: bytes, says: str) -> None:
    with pytest.raises(LedgerError, match=says):
        replayed(journal)


def test_J5_an_account_used_before_it_was_opened_is_found(books: Books) -> None:
    """`give_up` opens two accounts; a journal that lost their records would number all later ones wrongly."""
    ledger = Ledger()
    books.ledger.give_up(books.held(5))
    records = [r for r in decode_records(books.journal()) if "suspense" not in repr(r) and "loss/" not in repr(r)]
    for record in records:
        ledger.apply(record)
    with pytest.raises(LedgerError, match=r"^the journal uses an account before it opens it$"):
        ledger.end_replay()


def test_check_names_what_is_wrong(books: Books) -> None:
    books.held(5)
    books.alice.debits_posted += 1
    books.bob.credits_pending -= 6
    assert books.ledger.check() == [
        "peer/bob (USD/9) has a counter below zero",
        "peer/bob (USD/9) has pending amounts that no open hold explains",
        "USD/9 does not sum to zero: 1 posted, 6 pending",
    ]


# ---------------------------------------------------------------------- the machine

AMOUNTS = st.one_of(
    st.integers(1, 100),
    st.sampled_from([1, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, U64 - 1, U64]),
    st.integers(1, U64),
)
PEERS = ("a", "b", "c", "d")


class LedgerMachine(RuleBasedStateMachine):
    """Any order of steps, kills included; after each one the ledger is what the model adds up from the packets."""

    packets = Bundle("packets")
    doubts = Bundle("doubts")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.limits = dict.fromkeys(PEERS, NO_LIMIT)
        self.credit_limits = dict.fromkeys(PEERS, NO_LIMIT)
        self.model: dict[int, tuple[str, str, int, int, str]] = {}  # hold id -> from, to, amount, fee, state
        self.entries: list[tuple[str, str, int]] = []
        self.unproven: dict[int, tuple[str, int]] = {}
        self.journal = b""
        self.posted_before: dict[str, tuple[int, int]] = {}
        self.attach()

    def attach(self) -> None:
        for name in PEERS:
            self.peer(name).debit_max, self.peer(name).credit_max = self.limits[name], self.credit_limits[name]
        self.ledger.account("fee", USD)

    def peer(self, name: str) -> LedgerAccount:
        return self.ledger.account(f"peer/{name}", USD)

    def room(self, name: str) -> int:
        """What it may still be debited: less than its limit by what it owes us at most, posted and pending debits less
        posted credits, and by what it got and does not count."""
        total = sum(amount for peer, amount in self.unproven.values() if peer == name and self.limits[name] < NO_LIMIT)
        for source, target, amount, fee, how in self.model.values():
            if source == name and how in ("held", "ours", "executed"):
                total += amount + fee
            if target == name and how in ("executed", "delivered"):
                total -= amount
        for debited, credited, amount in self.entries:
            total += amount * ((debited == name) - (credited == name))
        return self.limits[name] - total

    def credit_room(self, name: str) -> int:
        """The other way round: less by what we owe it at most, and by what it may have got."""
        total = 0
        for source, target, amount, fee, how in self.model.values():
            if target == name and how in ("held", "ours", "executed", "delivered"):
                total += amount
            if target == name and how == "unknown" and self.credit_limits[name] < NO_LIMIT:
                total += amount
            if source == name and how == "executed":
                total -= amount + fee
        for debited, credited, amount in self.entries:
            total += amount * ((credited == name) - (debited == name))
        return self.credit_limits[name] - total

    @rule(target=packets, pair=st.permutations(PEERS), amount=AMOUNTS, fee=st.integers(0, 9), remote=st.booleans())
    def hold(self, pair: list[str], amount: int, fee: int, remote: bool) -> int:
        source, target = pair[0], pair[1]
        room, credit_room = self.room(source), self.credit_room(target)
        legs = ((self.peer(source), self.ledger.account("fee", USD), fee),) if fee else ()
        got = self.ledger.hold((*legs, (self.peer(source), self.peer(target), amount)), CONDITION, 1000, remote)
        if amount + fee > room or amount > credit_room:
            refused_by, of, left = self.peer(target), amount, credit_room
            if amount + fee > room:  # the debits are looked at first, that of the fee before the other
                at_fee = fee > max(room, 0)
                refused_by, of, left = self.peer(source), fee if at_fee else amount, room if at_fee else room - fee
            assert got == Refusal(refused_by, of, max(left, 0))
            return 0
        assert isinstance(got, Hold)
        assert got.id not in self.model  # ids are never used twice, not even after a restart
        self.model[got.id] = (source, target, amount, fee, "held" if remote else "ours")
        return got.id

    def close(self, packet: int, how: str) -> Hold | None:
        if self.model.get(packet, (0, 0, 0, 0, ""))[4] not in ("held", "ours"):
            return None
        self.model[packet] = (*self.model[packet][:4], how)
        return self.ledger.holds[packet]

    @rule(packet=consumes(packets))
    def execute(self, packet: int) -> None:
        if hold := self.close(packet, "executed"):
            self.ledger.execute(hold, PROOF)

    @rule(packet=consumes(packets))
    def release(self, packet: int) -> None:
        if hold := self.close(packet, "released"):
            self.ledger.release(hold)

    @rule(target=doubts, packet=consumes(packets))
    def give_up(self, packet: int) -> int:
        if hold := self.close(packet, "unknown"):
            self.ledger.give_up(hold)
        return packet

    @rule(doubt=consumes(doubts), delivered=st.booleans(), proven=st.booleans())
    def resolve(self, doubt: int, delivered: bool, proven: bool) -> None:
        if self.model.get(doubt, (0, 0, 0, 0, ""))[4] == "unknown":
            unknown: Unknown = self.ledger.unknown[doubt]
            if proven:
                self.ledger.add_evidence(unknown, PROOF)
            delivered = delivered or proven
            self.ledger.resolve(unknown, delivered=delivered, memo="by hand")
            self.model[doubt] = (*self.model[doubt][:4], "delivered" if delivered else "released")

    @rule(pair=st.permutations(PEERS), amount=AMOUNTS)
    def post(self, pair: list[str], amount: int) -> None:
        self.ledger.post(((self.peer(pair[0]), self.peer(pair[1]), amount),), "settlement")
        self.entries.append((pair[0], pair[1], amount))

    @rule(name=st.sampled_from(PEERS), limit=st.one_of(st.just(NO_LIMIT), AMOUNTS, st.just(0)))
    def set_limit(self, name: str, limit: int) -> None:
        self.limits[name] = self.peer(name).debit_max = limit

    @rule(name=st.sampled_from(PEERS), limit=st.one_of(st.just(NO_LIMIT), AMOUNTS, st.just(0)))
    def set_credit_limit(self, name: str, limit: int) -> None:
        self.credit_limits[name] = self.peer(name).credit_max = limit

    @rule(target=claims, name=st.sampled_from(PEERS), amount=AMOUNTS)
    def set_aside(self, name: str, amount: int) -> int:
        """The peer does not count what it got: it is credited, and goes on using its limit."""
        item = self.ledger.unproven.set_aside(self.peer(name), amount, PROOF, 7)
        assert item.id not in self.model
        self.unproven[item.id] = (name, amount)
        self.entries.append(("unproven", name, amount))
        return item.id

    @rule(claim=consumes(claims), owed=st.booleans())
    def end_claim(self, claim: int, owed: bool) -> None:
        name, amount = self.unproven.pop(claim)
        self.ledger.unproven.close(self.ledger.unproven.items[claim], owed=owed, memo="")
        self.entries.append((name if owed else "loss", "unproven", amount))

    @rule(wanted=st.booleans(), from_snapshot=st.booleans())
    def restart(self, wanted: bool, from_snapshot: bool) -> None:
        """Everything was written; the process is killed, reads its journal or a snapshot, and recovers (`wanted`) or
        just goes on."""
        before = state(self.ledger)
        batch = self.ledger.take_batch()
        self.journal += b"".join(batch.records) if batch else b""
        snapshot = encode_snapshot(capture(self.ledger))
        self.ledger = replayed(self.journal)
        assert encode_snapshot(capture(self.ledger)) == snapshot
        if from_snapshot:
            self.ledger = Ledger()
            restore(self.ledger, decode_snapshot(snapshot))
        assert state(self.ledger) == before  # invariant 4
        self.attach()
        if wanted:
            recover(self.ledger)
            becomes = {"held": "unknown", "ours": "released"}
            self.model = {n: (*p[:4], becomes.get(p[4], p[4])) for n, p in self.model.items()}

    @invariant()
    def the_books_are_what_the_packets_add_up_to(self) -> None:
        assert self.ledger.check() == []  # invariants 1 and 2
        for name in PEERS:
            account = self.peer(name)
            packets = list(self.model.values())
            debits = sum(a + f for s, _, a, f, how in packets if s == name and how == "executed")
            credits_ = sum(a for _, t, a, _, how in packets if t == name and how in ("executed", "delivered"))
            debits += sum(a for d, _, a in self.entries if d == name)
            credits_ += sum(a for _, c, a in self.entries if c == name)
            pending = [p for p in packets if p[4] in ("held", "ours")]
            assert (account.debits_posted, account.credits_posted) == (debits, credits_)
            assert account.debits_pending == sum(a + f for s, _, a, f, _ in pending if s == name)
            assert account.credits_pending == sum(a for _, t, a, _, _ in pending if t == name)
            suspense = self.ledger.find(f"peer/{name}/suspense", USD)
            doubtful = sum(a for _, t, a, _, how in packets if t == name and how == "unknown")
            assert (suspense.credits_pending if suspense else 0) == doubtful

    @invariant()
    def posted_counters_never_fall(self) -> None:
        now = {a.name: (a.debits_posted, a.credits_posted) for a in self.ledger.accounts}
        for name, (debits, credits_) in self.posted_before.items():
            assert now[name][0] >= debits  # invariant 2
            assert now[name][1] >= credits_
        self.posted_before = now

    @invariant()
    def every_packet_has_one_state(self) -> None:
        open_holds = {n for n, p in self.model.items() if p[4] in ("held", "ours")}
        doubts = {n for n, p in self.model.items() if p[4] == "unknown"}
        assert set(self.ledger.holds) == open_holds  # invariant 5
        assert set(self.ledger.unknown) == doubts
        assert self.ledger.unproven.items.keys() == self.unproven.keys()
        for name in PEERS:
            assert self.peer(name).unproven == sum(a for peer, a in self.unproven.values() if peer == name)
            assert self.peer(name).unknown == sum(p[2] for n, p in self.model.items() if n in doubts and p[1] == name)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=int(os.environ.get("ILP_EXAMPLES", "60")), stateful_step_count=25, deadline=None
)


def test_the_journal_of_a_long_random_day_replays(books: Books) -> None:
    dice = random.Random(7)
    for _ in range(500):
        hold = books.hold(dice.choice([1, 2**53 + 1, U64]), dice.randint(0, 2), remote=dice.random() < 0.5)
        assert isinstance(hold, Hold)
        dice.choice([lambda h: books.ledger.execute(h, PROOF), books.ledger.release, books.ledger.give_up])(hold)
    journal = books.journal()
    assert sum(isinstance(record, Held) for record in decode_records(journal)) == 500
    assert state(replayed(journal)) == state(books.ledger)


# ---------------------------------------------------------------------- who is told


def test_who_watches_hears_of_unknown_amounts_and_of_what_was_posted(books: Books) -> None:
    told: list[tuple[int, bool | None]] = []
    touched: list[list[str]] = []
    books.ledger.on_unknown = lambda item, delivered: told.append((item.id, delivered))
    books.ledger.before_batch = lambda accounts: touched.append([account.name for account in accounts])
    one, two = (books.ledger.give_up(books.held(5)) for _ in range(2))
    books.ledger.resolve(one, delivered=True, memo="")
    books.ledger.resolve(two, delivered=False, memo="")
    assert told == [(one.id, None), (two.id, None), (one.id, True), (two.id, False)]
    books.journal()
    assert [names[-2:] for names in touched] == [["loss/USD/9", "peer/bob/suspense"]]
    books.ledger.execute(books.held(1), PROOF)
    books.journal()
    assert touched[1:] == [["peer/alice", "peer/bob"]]


@pytest.mark.parametrize("expiries", [(700, 500, 600), (500, 700), (500, 500), ()])
def test_a_batch_can_wait_until_the_first_packet_that_was_fulfilled_expires(
    books: Books, expiries: tuple[int, ...]
) -> None:
    books.journal()
    for expires_at in (*expiries, 100):
        hold = books.ledger.hold(((books.alice, books.bob, 1),), CONDITION, expires_at, True)
        assert isinstance(hold, Hold)
        if expires_at > 100:
            books.ledger.execute(hold, PROOF)
    batch = books.ledger.take_batch()
    assert batch is not None
    assert batch.relay_by == min(expiries, default=NEVER)


@pytest.mark.parametrize(("local", "remote"), [(0, 0), (1, 0), (0, 1), (2, 1)])
def test_J1_a_recovery_is_told_in_the_log_if_there_was_one(
    books: Books, caplog: pytest.LogCaptureFixture, local: int, remote: int
) -> None:
    for number in range(local + remote):
        books.held(1, remote=number < remote)
    recover(books.ledger)
    told = [f"recovered: {local} packets released, {remote} amounts are unknown"] if local or remote else []
    assert [record.getMessage() for record in caplog.records] == told
