"""Accounts: names that cannot be mistaken, secrets that do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation, parse_account_id, token_digest
from interledger.accounts.asset import Asset
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alice", "alice"),
        ("Alice_1", "alice_1"),
        ("ab", "ab"),
        ("ſtraße", "strasse"),
        ("Ａlice", "alice"),
        ("李明", "李明"),
    ],
)
def test_a_name_is_folded_to_one_form(text: str, name: str) -> None:
    assert parse_account_id(text) == name


@pytest.mark.parametrize("text", ["", "a", "a" * 33, "a-b", "a.b", "a b", "a\n", "a/b", "ab\u200b", "../x"])
def test_a_name_that_cannot_be(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be an account name") as caught:
        parse_account_id(text)
    assert caught.value.field == "username"


@pytest.mark.parametrize(
    ("relation", "name"), [(Relation.LOCAL, "local/bob"), (Relation.PEER, "peer/bob"), (Relation.CHILD, "peer/bob")]
)
def test_the_ledger_account_says_whether_it_is_ours(relation: Relation, name: str) -> None:
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), relation=relation)
    assert account.ledger_name == name


def test_J6_no_secret_in_a_repr() -> None:
    secrets = {
        "http_outgoing_token": "canary1",
        "http_incoming_token_digest": "canary2",
        "btp_outgoing_token": "canary3",
        "btp_incoming_token_digest": "canary4",
        "http_incoming_jwt_secret": "canary5",
        "http_outgoing_jwt_secret": "canary6",
    }
    link = LinkSettings(http_url="http://peer.example/ilp", btp_url="wss://peer.example", **secrets)
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), link=link)
    assert "canary" not in repr(account)
    assert "wss://peer.example" in repr(account)


def test_how_it_is_settled_is_nothing_else() -> None:
    account = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"), settle_to=5)
    settled = replace(
        account, settle_threshold=7, settle_to=None, settlement_engine_url="http://127.0.0.1:3000", settle_in_max=1
    )
    assert account.differs_only_in_settlement(settled)
    assert account.differs_only_in_settlement(account)
    assert not account.differs_only_in_settlement(replace(settled, owes_us_max=1))
    assert not account.differs_only_in_settlement(replace(settled, id=AccountId("eve")))


def test_the_longest_name_and_one_more() -> None:
    assert parse_account_id("a" * 32) == "a" * 32
    with pytest.raises(InvalidRequestError, match="cannot be an account name"):
        parse_account_id("a" * 33)


@pytest.mark.parametrize(
    ("changes", "only_limits", "only_settlement"),
    [
        ({}, True, True),
        ({"owes_us_max": 5, "packets_per_minute": 1, "settle_threshold": 7}, True, False),
        ({"settle_threshold": 7, "settlement_engine_url": "http://engine"}, True, True),
        ({"ilp_address": Address("test.carol")}, False, False),
        ({"link": LinkSettings(http_url="https://x")}, False, False),
    ],
)
def test_a_change_of_limits_or_settlement_is_told_from_others(
    changes: dict[str, Any], only_limits: bool, only_settlement: bool
) -> None:
    bob = Account(id=AccountId("bob"), asset=Asset("USD", 9), ilp_address=Address("test.bob"))
    assert bob.differs_only_in_limits(replace(bob, **changes)) is only_limits
    assert bob.differs_only_in_settlement(replace(bob, **changes)) is only_settlement


@pytest.mark.parametrize(
    ("token", "digest"),
    [
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("ä", "33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc"),
    ],
)
def test_a_token_is_kept_as_the_digest_of_its_octets(token: str, digest: str) -> None:
    assert token_digest(token) == digest
