"""Ids in paths, keys, and the body of `POST /accounts`."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.errors import DecodeError, InvalidRequestError, NotFoundError
from interledger.settlement.messages import (
    account_of_path,
    decode_new_account,
    encode_new_account,
    new_key,
    parse_engine_account,
    parse_key,
    path_of_account,
)


@pytest.mark.parametrize("name", ["alice", "a_1", "ünal", "阿丽", "u_2"])
def test_every_account_has_an_id_that_a_url_can_have(name: str) -> None:
    path = path_of_account(AccountId(name))
    assert parse_engine_account(path) == path
    assert account_of_path(path) == name


@pytest.mark.parametrize("path", ["", "a", "a-b", "u-", "u-zz", "u-ff", "../x", "a" * 33])
def test_what_no_account_can_be_called_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError):
        account_of_path(path)


def test_TRAP_SE_4_the_id_of_a_new_account() -> None:
    assert decode_new_account(encode_new_account("alice")) == "alice"
    assert decode_new_account(b"{}") is None
    assert decode_new_account(b"") is None
    for body in (b'{"id":7}', b"[]", b'{"id":["a"]}'):
        with pytest.raises(DecodeError):
            decode_new_account(body)
    for body in (b'{"id":"a/b"}', b'{"id":""}', b'{"id":"' + b"a" * 256 + b'"}'):
        with pytest.raises(InvalidRequestError):
            decode_new_account(body)


@given(st.binary(min_size=16, max_size=16))
def test_a_new_key_is_a_uuid(octets: bytes) -> None:
    key = new_key(octets)
    assert parse_key(key) == key
    assert uuid.UUID(key).version == 4


@pytest.mark.parametrize("key", [None, "", " ", "a b", "a\n", "é", "a" * 256])
def test_I3_a_request_without_a_good_key_is_refused(key: str | None) -> None:
    with pytest.raises(InvalidRequestError):
        parse_key(key)
