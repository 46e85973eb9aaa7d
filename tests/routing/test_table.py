"""The longest prefix on segment boundaries, against an oracle that tries every route (CR-16, C7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId
from interledger.routing.table import Origin, Route, RoutingTable


def table(**by_origin: dict[str, str]) -> RoutingTable:
    made = RoutingTable()
    for origin, routes in by_origin.items():
        made.replace(Origin(origin), {prefix: AccountId(account) for prefix, account in routes.items()})
    return made


def found(made: RoutingTable, destination: str) -> str | None:
    route = made.find(destination)
    return None if route is None else route.account


@pytest.mark.parametrize(
    ("destination", "account"),
    [
        ("g.us.bank", "bank"),
        ("g.us.bank.alice", "bank"),
        ("g.us.bank.alice.1", "bank"),
        ("g.us.bank2", "us"),
        ("g.us.ban", "us"),
        ("g.us", "us"),
        ("g.usa", "live"),
        ("g.eu.x", "live"),
        ("g", "live"),
        ("test.x", None),
        ("gg.us", None),
        ("", None),
    ],
)
def test_CR_16_the_longest_prefix_wins_and_segments_are_whole(destination: str, account: str | None) -> None:
    assert found(table(static={"g": "live", "g.us": "us", "g.us.bank": "bank"}), destination) == account


def test_the_empty_prefix_takes_the_rest() -> None:
    made = table(static={"g.us": "us"}, default={"": "parent"})
    assert [found(made, destination) for destination in ("g.us.x", "g.eu", "test.x")] == ["us", "parent", "parent"]


def test_where_two_say_the_same_prefix_the_operator_wins() -> None:
    made = table(
        static={"g.a": "static"},
        own={"g.a": "own", "g.b": "own"},
        account={"g.a": "account", "g.b": "account", "g.c": "account"},
        default={"g.a": "default", "g.c": "default", "g.d": "default"},
    )
    assert [(route.prefix, route.account, route.origin) for route in made] == [
        ("g.a", "static", Origin.STATIC),
        ("g.b", "own", Origin.OWN),
        ("g.c", "account", Origin.ACCOUNT),
        ("g.d", "default", Origin.DEFAULT),
    ]
    made.replace(Origin.STATIC, {})
    assert found(made, "g.a.x") == "own"
    assert len(made) == 4


def test_what_an_origin_said_can_be_asked_and_is_replaced_whole() -> None:
    made = table(static={"g.a": "one", "g.b": "two"})
    made.replace(Origin.STATIC, {"g.c": AccountId("three")})
    assert made.of_origin(Origin.STATIC) == {"g.c": "three"}
    assert made.of_origin(Origin.OWN) == {}
    made.of_origin(Origin.STATIC)["g.d"] = AccountId("four")
    assert list(made) == [Route("g.c", AccountId("three"), Origin.STATIC)]


SEGMENTS = st.sampled_from(["a", "b", "aa", "ab", "a-b"])
ADDRESSES = st.lists(SEGMENTS, min_size=1, max_size=5).map(lambda parts: ".".join(["g", *parts]))
PREFIXES = st.one_of(ADDRESSES, st.just("g"), st.just(""))


def oracle(routes: dict[str, str], destination: str) -> str | None:
    """By whole segments, every route tried."""
    wanted = destination.split(".")
    best: tuple[int, str] | None = None
    for prefix, account in routes.items():
        parts = prefix.split(".") if prefix else []
        if wanted[: len(parts)] == parts and (best is None or len(parts) > best[0]):
            best = (len(parts), account)
    return None if best is None else best[1]


@given(st.dictionaries(PREFIXES, st.sampled_from(["one", "two", "three"]), max_size=12), ADDRESSES)
def test_C7_it_finds_what_a_naive_search_finds(routes: dict[str, str], destination: str) -> None:
    assert found(table(static=routes), destination) == oracle(routes, destination)
