"""The log of the forwarding table: an entry a prefix, holes, withdrawals that are forgotten, numbers that end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId, Relation
from interledger.routing.ccp.log import Export, ForwardingLog
from interledger.routing.ccp.messages import AnnouncedRoute

PREFIXES = [f"test.p{i}" for i in range(6)]


def export(prefix: str, hop: str = "a") -> Export:
    return Export(AccountId(hop), Relation.PEER, AnnouncedRoute(prefix, ("test.me", hop), bytes(32)))


def seen(log: ForwardingLog, epoch: int = 0) -> list[tuple[int, str, bool]]:
    return [(entry.epoch, entry.prefix, entry.export is not None) for entry in log.entries_from(epoch)]


def test_a_prefix_has_one_entry_its_last() -> None:
    log = ForwardingLog()
    assert log.put("test.a", export("test.a"))
    assert log.put("test.b", export("test.b"))
    assert not log.put("test.a", export("test.a"))
    assert log.put("test.a", export("test.a", "b"))
    assert log.put("test.b", None)
    assert not log.put("test.c", None)
    assert seen(log) == [(2, "test.a", True), (3, "test.b", False)]
    assert seen(log, 3) == [(3, "test.b", False)]
    assert (log.epoch, len(log)) == (4, 2)
    assert log.get("test.a") == export("test.a", "b")
    assert log.get("test.b") is None
    assert log.exports() == {"test.a": export("test.a", "b")}


def test_the_oldest_withdrawals_are_forgotten_and_the_floor_says_so() -> None:
    log = ForwardingLog(withdrawals_max=2)
    for prefix in PREFIXES[:3]:
        log.put(prefix, export(prefix))
    for prefix in PREFIXES[:3]:
        log.put(prefix, None)
    assert seen(log) == [(4, "test.p1", False), (5, "test.p2", False)]
    assert log.floor == 4
    log.put("test.p1", export("test.p1"))  # announced again: no withdrawal any more
    log.put("test.p0", export("test.p0"))
    log.put("test.p0", None)
    assert log.floor == 4


def test_the_numbers_begin_anew_before_they_do_not_fit() -> None:
    log = ForwardingLog(epoch_max=4)
    for hop in "abcd":
        log.put("test.a", export("test.a", hop))
    log.put("test.b", export("test.b"))
    assert (log.generation, log.epoch) == (1, 2)
    assert seen(log) == [(0, "test.a", True), (1, "test.b", True)]


@given(st.lists(st.tuples(st.sampled_from(PREFIXES), st.sampled_from(["a", "b", None])), max_size=60))
def test_whoever_reads_from_any_epoch_ends_with_the_same_table(changes: list[tuple[str, str | None]]) -> None:
    log = ForwardingLog()
    truth: dict[str, Export] = {}
    stages: list[tuple[int, dict[str, Export]]] = [(0, {})]
    for prefix, hop in changes:
        new = None if hop is None else export(prefix, hop)
        assert log.put(prefix, new) == (truth.get(prefix) != new)
        truth = {**truth, prefix: new} if new is not None else {p: e for p, e in truth.items() if p != prefix}
        stages.append((log.epoch, truth))
    for epoch, had in stages:
        table = dict(had)
        for entry in log.entries_from(epoch):
            if entry.export is None:
                table.pop(entry.prefix, None)
            else:
                table[entry.prefix] = entry.export
        assert table == truth == log.exports()
