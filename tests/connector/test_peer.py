"""Names: an account's own end on this node stands beside its link, under a name that no account can have."""

from __future__ import annotations

import pytest
from connector_kit import Hub

from interledger.accounts.account import AccountId, parse_account_id
from interledger.connector.peer import local_id
from interledger.errors import InvalidRequestError


def test_the_local_end_has_a_name_of_its_own() -> None:
    assert local_id(AccountId("bob")) == "bob/local"
    with pytest.raises(InvalidRequestError):
        parse_account_id(local_id(AccountId("bob")))


def test_request_ids_begin_anywhere_within_32_bits() -> None:
    assert Hub().attach("bob").next_request_id == 2**32 - 1
