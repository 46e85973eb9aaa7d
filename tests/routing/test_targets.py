"""Where a static route leads, as text: weights and stand-ins, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.errors import InvalidRequestError
from interledger.routing.targets import format_targets, parse_targets


@pytest.mark.parametrize(
    ("text", "expected", "again"),
    [
        ("bob", [("bob", 1, 0)], "bob"),
        ("Bob:3, carol", [("bob", 3, 0), ("carol", 1, 0)], "bob:3,carol"),
        ("carol,bob/dave:2", [("carol", 1, 0), ("bob", 1, 0), ("dave", 2, 1)], "bob,carol/dave:2"),
        ("bob / carol / dave", [("bob", 1, 0), ("carol", 1, 1), ("dave", 1, 2)], "bob/carol/dave"),
    ],
)
def test_what_is_read_and_how_it_is_written(text: str, expected: list[tuple[str, int, int]], again: str) -> None:
    routes = parse_targets("test.far", text)
    assert [(route.account, route.weight, route.priority) for route in routes] == expected
    assert format_targets(routes) == again


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be an account name"),
        ("bob,", "cannot be an account name"),
        ("bob/", "cannot be an account name"),
        ("bob:0", "a weight is a number from 1 to 100"),
        ("bob:101", "a weight is a number from 1 to 100"),
        ("bob:", "a weight is a number from 1 to 100"),
        ("bob:1.5", "a weight is a number from 1 to 100"),
        ("bob:-1", "a weight is a number from 1 to 100"),
        ("bob/bob", "names an account twice"),
        (",".join(f"a{n}" for n in range(17)), "more than 16 accounts"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        parse_targets("test.far", text)


@given(st.text(alphabet="ab:,/ 019", max_size=12))
def test_any_text_is_refused_or_comes_back_the_same(text: str) -> None:
    try:
        routes = parse_targets("test.far", text)
    except InvalidRequestError:
        return
    assert parse_targets("test.far", format_targets(routes)) == tuple(
        sorted(routes, key=lambda one: (one.priority, one.account))
    )
