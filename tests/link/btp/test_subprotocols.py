"""Who answers which sub-protocol, of which account."""

from __future__ import annotations

import pytest

from interledger.accounts.account import AccountId
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.link.btp.messages import BTP_ERRORS, ProtocolData
from interledger.link.btp.subprotocols import (
    NAME_MAX,
    RESERVED,
    Refusal,
    Respond,
    SubprotocolRequest,
    Subprotocols,
)

ALICE, BOB = AccountId("alice"), AccountId("bob")


def of_all(request: SubprotocolRequest, respond: Respond) -> None: ...


def of_alice(request: SubprotocolRequest, respond: Respond) -> None: ...


def test_the_handler_of_one_account_counts_before_that_of_all() -> None:
    registry = Subprotocols()
    registry.register("claim", of_all)
    registry.register("claim", of_alice, ALICE)
    assert registry.find(ALICE, "claim") is of_alice
    assert registry.find(BOB, "claim") is of_all
    assert registry.find(BOB, "paychan") is None
    registry.unregister("claim")
    assert registry.find(ALICE, "claim") is of_alice
    assert registry.find(BOB, "claim") is None


def test_so_does_the_settlement_hook() -> None:
    registry = Subprotocols()
    assert registry.find_hook(ALICE) is None
    registry.set_settlement_hook(of_all)
    registry.set_settlement_hook(of_alice, ALICE)
    assert (registry.find_hook(ALICE), registry.find_hook(BOB)) == (of_alice, of_all)
    with pytest.raises(ConflictError):
        registry.set_settlement_hook(of_all)
    registry.set_settlement_hook(None)
    registry.set_settlement_hook(None)
    assert registry.find_hook(BOB) is None


@pytest.mark.parametrize("name", ["", "näme", "a\n", "x" * (NAME_MAX + 1), *sorted(RESERVED)])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        Subprotocols().register(name, of_all)


def test_a_name_is_taken_once() -> None:
    registry = Subprotocols()
    registry.register("x" * NAME_MAX, of_all)
    with pytest.raises(ConflictError):
        registry.register("x" * NAME_MAX, of_alice)
    with pytest.raises(NotFoundError):
        registry.unregister("x", ALICE)


def test_a_request_is_named_by_its_first_entry() -> None:
    assert SubprotocolRequest(ALICE, ()).name == ""
    assert SubprotocolRequest(ALICE, (ProtocolData("a", 0, b""), ProtocolData("b", 0, b""))).name == "a"


@pytest.mark.parametrize("code", BTP_ERRORS)
def test_a_refusal_has_the_name_of_its_code(code: str) -> None:
    assert Refusal(code, "no").name == BTP_ERRORS[code]
    assert Refusal("F99", "no").name == "F99"
