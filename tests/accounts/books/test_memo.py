"""Memos come back as they were; other people's text is kept as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.books.memo import REASON_MAX, Memo, parse_reason
from interledger.errors import InvalidRequestError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(st.builds(Memo, texts.filter(bool), texts, texts, texts))
def test_a_memo_comes_back(memo: Memo) -> None:
    assert Memo.decode(memo.encode()) == memo


@pytest.mark.parametrize("text", ["", "settlement", "{", "[]", '{"kind": 5}', '{"a": 1, "a": 2}', '{"by": {}}'])
def test_any_other_text_is_a_memo_of_that_kind(text: str) -> None:
    assert Memo.decode(text) == Memo(text)


def test_a_reason_says_something() -> None:
    assert parse_reason("  paid\n twice ") == "paid twice"
    for text in ("", "  \n", "x" * (REASON_MAX + 1), "a\x1b[31mb"):
        with pytest.raises(InvalidRequestError):
            parse_reason(text)
