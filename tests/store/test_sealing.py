"""J6: what a store keeps of secrets can be read with the node's seed only."""

from __future__ import annotations

import json

import pytest

from interledger.accounts.account import SECRET_FIELDS, Account, AccountId, LinkSettings
from interledger.accounts.asset import Asset
from interledger.clock import SystemEntropy
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.store.base import StoredState, add_document
from interledger.store.documents import Kind, decode_document, encode_account, encode_document, seal_document
from interledger.store.sealing import Sealer

SEED, OTHER = bytes(32), bytes([1]) * 32
SECRETS = {name: f"canary of {name} ’" for name in SECRET_FIELDS}
BOB = Account(
    id=AccountId("bob"),
    asset=Asset("USD", 9),
    ilp_address=Address("test.bob"),
    link=LinkSettings(http_url="https://bob.example", **SECRETS),
)


def sealer(seed: bytes = SEED, *, forget_lost: bool = False) -> Sealer:
    return Sealer(seed, SystemEntropy(), forget_lost=forget_lost)


def sealed_bob() -> str:
    return encode_document(encode_account(BOB, sealer()))


def test_what_is_not_shown_is_sealed_or_a_digest() -> None:
    """A new secret of a link cannot be forgotten: it is hidden from `repr`, and then it has to be in one of the two."""
    hidden = [name for name, field in LinkSettings.__dataclass_fields__.items() if not field.repr]
    assert sorted(name for name in hidden if not name.endswith("_digest")) == sorted(SECRET_FIELDS)


def test_J6_an_account_comes_back_and_its_document_shows_no_secret() -> None:
    text = sealed_bob()
    assert [name for name, secret in SECRETS.items() if json.dumps(secret)[1:-1] in text or secret in text] == []
    assert decode_document(Kind.ACCOUNT, "bob", text, sealer()) == BOB
    assert text != sealed_bob()  # under a new IV each time


def test_J6_a_fact_is_sealed_as_a_whole() -> None:
    text = seal_document({"nonce": "canary"}, "join", sealer())
    assert "canary" not in text
    assert decode_document(Kind.FACT, "join", text, sealer()) == {"nonce": "canary"}


def test_what_was_kept_in_the_clear_is_read() -> None:
    assert decode_document(Kind.ACCOUNT, "bob", encode_document(encode_account(BOB)), sealer()) == BOB


@pytest.mark.parametrize(
    ("text", "key", "seed"),
    [
        (sealed_bob(), "bob", OTHER),
        (seal_document("x", "join", sealer()), "join", OTHER),
        (seal_document("x", "join", sealer()), "another", SEED),
        (sealed_bob().replace('"sealed":"', '"sealed":"A'), "bob", SEED),
        (sealed_bob().replace('"sealed":"', '"sealed":"?'), "bob", SEED),
    ],
    ids=["another seed", "another seed, a fact", "moved to another key", "changed", "no base64"],
)
def test_what_cannot_be_opened_is_refused_and_says_what_to_do(text: str, key: str, seed: bytes) -> None:
    kind = Kind.FACT if key != "bob" else Kind.ACCOUNT
    with pytest.raises(StoreError, match=f"stored {kind} “{key}” were sealed with another secret_seed.*forget_lost"):
        decode_document(kind, key, text, sealer(seed))


def test_the_secrets_of_one_account_are_of_no_use_in_another() -> None:
    moved = sealed_bob().replace('"id":"bob"', '"id":"eve"')
    with pytest.raises(StoreError, match="account “eve” were sealed"):
        decode_document(Kind.ACCOUNT, "eve", moved, sealer())


def test_without_a_seed_nothing_is_opened() -> None:
    with pytest.raises(StoreError, match="no secret_seed"):
        decode_document(Kind.ACCOUNT, "bob", sealed_bob())


def test_what_is_lost_can_be_given_up() -> None:
    state, forgetful = StoredState(), sealer(OTHER, forget_lost=True)
    add_document(state, Kind.ACCOUNT, "bob", sealed_bob(), forgetful)
    add_document(state, Kind.FACT, "join", seal_document({"nonce": "x"}, "join", sealer()), forgetful)
    assert state.facts == {}
    assert state.accounts[0].link == LinkSettings(http_url="https://bob.example")
    assert forgetful.lost == [("account", "bob"), ("fact", "join")]


def test_the_seed_is_not_shown() -> None:
    assert "\\x00" not in repr(sealer()) + str(vars(sealer()).get("_cipher"))
