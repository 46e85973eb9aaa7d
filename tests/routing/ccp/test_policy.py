"""What is believed, preferred and told. Each rule is a line of a table."""

from __future__ import annotations

from hashlib import sha256

import pytest

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.routing.ccp.log import Export
from interledger.routing.ccp.messages import AnnouncedRoute, RouteProp
from interledger.routing.ccp.policy import (
    LearnedRoute,
    ancestors,
    best_of,
    export_of,
    is_covered,
    may_be_told,
    receives_by_default,
    sends_by_default,
    take_in,
)

NOW = Timestamp(1_700_000_000_000)
AUTH = bytes(range(32))
PARENT, PEER, CHILD, LOCAL = Relation.PARENT, Relation.PEER, Relation.CHILD, Relation.LOCAL


def announced(prefix: str, *path: str, props: tuple[RouteProp, ...] = ()) -> AnnouncedRoute:
    return AnnouncedRoute(prefix, path, AUTH, props)


def learned(prefix: str, *path: str) -> LearnedRoute:
    return LearnedRoute(prefix, path, AUTH, (), path[0], NOW)


@pytest.mark.parametrize(
    ("prefix", "own", "is_taken"),
    [
        ("test.x", "test.me", True),
        ("test1.x", "test.me", True),
        ("g.x", "g.me", True),
        ("", "test.me", False),
        ("test", "test.me", False),
        ("g", "g.me", False),
        ("g.x", "test.me", False),
        ("test.x", "g.me", False),
        ("gx.y", "g.me", False),
        ("peer.config", "g.me", False),
        ("g.x.", "g.me", False),
        ("g.é", "g.me", False),
        ("g.x y", "g.me", False),
        ("g" + ".a" * 19, "g.me", True),
        ("g" + ".a" * 20, "g.me", False),
        ("g." + "a" * 1022, "g.me", False),
    ],
)
def test_CC_08_only_prefixes_below_our_own_scheme_are_taken(prefix: str, own: str, is_taken: bool) -> None:
    assert (take_in(announced(prefix, "test.s"), "test.s", own, NOW) is not None) is is_taken


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ((), ("test.s",)),  # interledger-rs announces itself like this (CCP-8)
        (("test.s",), ("test.s",)),
        (("test.s", "test.o"), ("test.s", "test.o")),
        (("test.o",), ("test.s", "test.o")),
        (("test.s", ""), None),
        (("test.s", "no address"), None),
        (("test.s", *["test.o"] * 63), ("test.s", *["test.o"] * 63)),
        (("test.s", *["test.o"] * 64), None),
        (("test.s", *["test." + "o" * 1_000] * 5), None),
    ],
)
def test_C4_a_path_begins_with_the_speaker_and_has_its_limits(path: tuple[str, ...], taken: tuple[str, ...]) -> None:
    route = take_in(announced("test.x", *path), "test.s", "test.me", NOW)
    assert (None if route is None else route.path) == taken


def test_props_have_a_limit() -> None:
    prop = RouteProp(True, True, False, False, 1, bytes(4_000))
    assert take_in(announced("test.x", "test.s", props=(prop,)), "test.s", "test.me", NOW) is not None
    assert take_in(announced("test.x", "test.s", props=(prop, prop)), "test.s", "test.me", NOW) is None


@pytest.mark.parametrize(
    ("candidates", "best"),
    [
        ([("b", PEER, 2), ("a", PEER, 2)], "a"),
        ([("b", PEER, 1), ("a", PEER, 2)], "b"),
        ([("b", CHILD, 5), ("a", PEER, 1)], "b"),
        ([("b", PEER, 5), ("a", PARENT, 1)], "b"),
        ([("b", PARENT, 5)], "b"),
        ([], None),
    ],
)
def test_CR_15_relation_then_path_then_name(candidates: list[tuple[str, Relation, int]], best: str | None) -> None:
    routes = {
        AccountId(name): (relation, learned("test.x", *(f"test.{name}{i}" for i in range(length))))
        for name, relation, length in candidates
    }
    found = best_of(routes, "test.me")
    assert (None if found is None else found[0]) == best


def test_CC_07_a_route_on_whose_path_we_stand_is_a_loop() -> None:
    looping = {AccountId("a"): (PEER, learned("test.x", "test.a", "test.me", "test.x"))}
    assert best_of(looping, "test.me") is None
    assert best_of(looping, "test.m") is not None


@pytest.mark.parametrize(
    ("prefix", "is_told"),
    [
        ("test.x", True),
        ("test.me", True),
        ("test.mex", True),
        ("", False),
        ("test", False),
        ("g.x", False),
        ("test.me.child", False),
    ],
)
def test_CC_08_what_is_never_announced(prefix: str, is_told: bool) -> None:
    assert (export_of(prefix, (AccountId("a"), PEER), (), AUTH, (), "test.me") is not None) is is_told


def test_an_export_goes_one_hop_further_and_hides_what_went_before_in_its_auth() -> None:
    props = (
        RouteProp(True, True, False, False, 1, b"passed on, by one who does not know it"),
        RouteProp(True, False, False, False, 2, b"for the next one only"),
        RouteProp(False, True, False, True, 3, b"known to all"),
    )
    export = export_of("test.x", (AccountId("a"), CHILD), ("test.a",), AUTH, props, "test.me")
    assert export is not None
    assert export.route.path == ("test.me", "test.a")
    assert export.route.auth == sha256(AUTH).digest()
    assert [(prop.id, prop.is_partial) for prop in export.route.props] == [(1, True), (3, False)]
    assert export_of("test.x", (AccountId("a"), CHILD), ("test.a",) * 64, AUTH, (), "test.me") is None


@pytest.mark.parametrize(
    ("leads_to", "told"),
    [
        (LOCAL, {PARENT, PEER, CHILD}),
        (CHILD, {PARENT, PEER, CHILD}),
        (PEER, {PEER, CHILD}),
        (PARENT, {CHILD}),
    ],
)
def test_CC_09_nobody_carries_for_two_whom_it_pays(leads_to: Relation, told: set[Relation]) -> None:
    export = Export(AccountId("hop"), leads_to, announced("test.x", "test.me"))
    assert {relation for relation in Relation if may_be_told(export, AccountId("other"), relation)} - {LOCAL} == told


def test_CC_10_nobody_is_told_what_leads_to_itself() -> None:
    export = Export(AccountId("hop"), CHILD, announced("test.x", "test.me"))
    assert not may_be_told(export, AccountId("hop"), PEER)


@pytest.mark.parametrize(
    ("cover", "relation", "known", "is_left_out"),
    [
        (("hop", PEER), PEER, [], True),
        (("hop", CHILD), PEER, [], True),
        (("hop", PEER), CHILD, [], False),  # leads to one who pays: worth more than its cover
        ((None, LOCAL), PEER, [], False),
        (("hop", PEER), PEER, ["test.a.b"], True),  # another cover, by whole segments
        (("hop", PEER), PEER, ["test.a.b.ca"], False),  # ADDR-1: would catch test.a.b.cat
        (("hop", PEER), PEER, ["test.a.bx"], True),
    ],
)
def test_DRAGON_what_a_shorter_prefix_covers_is_left_out(
    cover: tuple[str | None, Relation], relation: Relation, known: list[str], is_left_out: bool
) -> None:
    account = None if cover[0] is None else AccountId(cover[0])
    exports = {"test.a": Export(account, cover[1], announced("test.a", "test.me"))}
    assert is_covered("test.a.b.cat", relation, exports.get, {"test.a", *known}.__contains__) is is_left_out
    assert not is_covered("test.b.c", relation, exports.get, {"test.a"}.__contains__)


def test_C7_covers_are_whole_segments() -> None:
    assert list(ancestors("g.a.b.c")) == ["g.a.b", "g.a"]
    assert list(ancestors("g.a")) == []


def test_who_exchanges_routes_without_being_told_to() -> None:
    assert [relation for relation in Relation if sends_by_default(relation)] == [PARENT, PEER]
    assert [relation for relation in Relation if receives_by_default(relation)] == [PARENT, PEER]
