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
    assert [(route.prefix, route.account) for route in made] == [
        ("g.a", "static"), ("g.a", "own"), ("g.a", "account"), ("g.a", "default"),
        ("g.b", "own"), ("g.b", "account"),
        ("g.c", "account"), ("g.c", "default"),
        ("g.d", "default"),
    ]  # fmt: skip
    assert [found(made, f"g.{letter}.x") for letter in "abcd"] == ["static", "own", "account", "default"]
    made.replace(Origin.STATIC, {})
    assert found(made, "g.a.x") == "own"
    assert len(made) == 8


def test_what_an_origin_said_can_be_asked_and_is_replaced_whole() -> None:
    made = table(static={"g.a": "one", "g.b": "two"})
    made.replace(Origin.STATIC, {"g.c": AccountId("three")})
    three = Route("g.c", AccountId("three"), Origin.STATIC)
    assert made.of_origin(Origin.STATIC) == {"g.c": (three,)}
    assert made.of_origin(Origin.OWN) == {}
    made.of_origin(Origin.STATIC)["g.d"] = (three,)
    assert list(made) == [three]


def test_candidates_are_the_longest_prefix_first_and_then_by_origin_and_priority() -> None:
    made = table(default={"": "parent"}, account={"g.a": "carol"})
    several = [
        Route("g.a", AccountId(name), Origin.STATIC, priority=priority)
        for name, priority in (("dave", 1), ("bob", 0), ("alice", 0))
    ]
    made.replace_routes(Origin.STATIC, several)
    names = [[route.account for route in routes] for routes in made.candidates("g.a.x.y")]
    assert names == [["alice", "bob", "dave", "carol"], ["parent"]]
    assert [[route.account for route in routes] for routes in made.candidates("g.b")] == [["parent"]]


def test_one_prefix_of_an_origin_is_put_and_taken_away_and_the_rest_stays() -> None:
    made = table(static={"g.a": "one"}, account={"g.a": "two", "g.b": "three"})
    made.put(Origin.ACCOUNT, "g.a", ())
    made.put(Origin.ACCOUNT, "g.c", ())
    assert [(route.prefix, route.account) for route in made] == [("g.a", "one"), ("g.b", "three")]
    made.put(Origin.STATIC, "g.a", ())
    assert [(route.prefix, route.account) for route in made] == [("g.b", "three")]


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
