"""The ledgers that there are, and those that there are not."""

from __future__ import annotations

import pytest

from interledger.daemon.ledgers.base import DevLedger
from interledger.daemon.ledgers.table import DEV_LEDGERS, find_ledger
from interledger.daemon.topology import parse_assets
from interledger.errors import InvalidRequestError


@pytest.mark.parametrize("kind", [kind for kind, entry in DEV_LEDGERS.items() if entry.place])
def test_each_is_what_it_says(kind: str) -> None:
    found = find_ledger(kind)
    assert issubclass(found, DevLedger)
    assert found.kind == kind
    assert parse_assets(found.assets)


@pytest.mark.parametrize(
    ("kind", "text"), [("doge", "There is no ledger “doge” to settle on. There are  anvil"), ("", "There is no ledger")]
)
def test_what_is_not_there(kind: str, text: str) -> None:
    with pytest.raises(InvalidRequestError, match=text):
        find_ledger(kind)


def test_one_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = DEV_LEDGERS["anvil"]._replace(place=None)
    monkeypatch.setattr("interledger.daemon.ledgers.table.DEV_LEDGERS", {**DEV_LEDGERS, "later": entry})
    with pytest.raises(InvalidRequestError, match="“later” is not available yet"):
        find_ledger("later")
