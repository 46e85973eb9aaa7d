"""Open unknown amounts are found by id and by condition, whatever came and went before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.asset import Asset
from interledger.accounts.entries import LedgerAccount, Unknown
from interledger.accounts.unknown_items import UnknownItems

USD = Asset("USD", 9)
PEERS = [LedgerAccount(index, name, USD) for index, name in enumerate(("peer/alice", "peer/bob"))]


def unknown(item_id: int, peer: int = 0, condition: int = 0) -> Unknown:
    return Unknown(item_id, PEERS[peer], 5, bytes([condition]) * 32, 1_000)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 2)), max_size=40))
def test_it_is_a_list_searched_from_the_oldest(steps: list[tuple[int, int, int]]) -> None:
    items, model = UnknownItems(), list[Unknown]()
    for item_id, peer, condition in steps:  # an id that is open is removed, any other added
        found = next((item for item in model if item.id == item_id), None)
        if found is None:
            items.add(unknown(item_id, peer, condition))
            model.append(items[item_id])
        else:
            items.remove(found)
            model.remove(found)
        assert (list(items), list(items.values()), len(items)) == ([item.id for item in model], model, len(model))
        for account in PEERS:
            for octet in range(3):
                same = [item for item in model if item.account is account and item.condition == bytes([octet]) * 32]
                assert items.fitting(account.name, bytes([octet]) * 32) is (same[0] if same else None)
    assert items == {item.id: item for item in model}


def test_what_is_not_open_cannot_be_removed_and_what_ended_leaves_nothing_behind() -> None:
    items = UnknownItems()
    items.add(unknown(1))
    items.remove(items[1])
    with pytest.raises(KeyError):
        items.remove(unknown(1))
    assert items._by_condition == {}
