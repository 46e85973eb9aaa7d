"""CCP's messages: what is written is read again (CC-01); what others wrote is in conformance/vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.peer import PEER_CONDITION
from interledger.routing.ccp.messages import (
    ROUTES_MAX,
    AnnouncedRoute,
    Mode,
    RouteControl,
    RouteProp,
    RouteUpdate,
)

NOW = Timestamp(1_700_000_000_000)
UINT32 = st.integers(0, 2**32 - 1)
TEXT = st.binary(max_size=200).map(lambda octets: octets.decode("latin-1"))
TABLE_IDS = st.binary(min_size=16, max_size=16)


def prop(meta: tuple[bool, bool, bool, bool], number: int, value: bytes) -> RouteProp:
    is_optional, is_transitive, is_partial, is_utf8 = meta
    is_transitive = is_transitive or not is_optional
    return RouteProp(is_optional, is_transitive, is_optional and is_transitive and is_partial, is_utf8, number, value)


META = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans())
PROPS = st.builds(prop, META, st.integers(0, 65_535), st.binary(max_size=200))
ROUTES = st.builds(
    AnnouncedRoute,
    TEXT,
    st.lists(TEXT, max_size=4).map(tuple),
    st.binary(min_size=32, max_size=32),
    st.lists(PROPS, max_size=3).map(tuple),
)
CONTROLS = st.builds(
    RouteControl, st.sampled_from(Mode), TABLE_IDS, UINT32, st.lists(st.text(max_size=9), max_size=3).map(tuple)
)
UPDATES = st.builds(
    RouteUpdate,
    TABLE_IDS,
    UINT32,
    UINT32,
    UINT32,
    UINT32,
    TEXT,
    st.lists(ROUTES, max_size=4).map(tuple),
    st.lists(TEXT, max_size=4).map(tuple),
)


@given(CONTROLS)
def test_CC_01_a_control_is_read_as_it_was_written(control: RouteControl) -> None:
    octets = control.encode()
    assert RouteControl.decode(octets) == control
    for cut in range(len(octets)):
        with pytest.raises(DecodeError):
            RouteControl.decode(octets[:cut])


@given(UPDATES)
def test_CC_01_an_update_is_read_as_it_was_written(update: RouteUpdate) -> None:
    assert RouteUpdate.decode(update.encode()) == update
    assert RouteUpdate.decode(update.encode() + b"more") == update  # PK-11


@given(UPDATES, st.data())
def test_a_part_of_an_update_is_none(update: RouteUpdate, data: st.DataObject) -> None:
    octets = update.encode()
    with pytest.raises(DecodeError):
        RouteUpdate.decode(octets[: data.draw(st.integers(0, len(octets) - 1))])


def test_C5_too_many_routes_are_refused_before_they_are_read() -> None:
    route = AnnouncedRoute("", (), bytes(32))
    most = RouteUpdate(bytes(16), 0, 0, 0, 0, "", (route,) * ROUTES_MAX)
    assert len(RouteUpdate.decode(most.encode()).new_routes) == ROUTES_MAX
    with pytest.raises(DecodeError, match="at most 1000"):
        RouteUpdate.decode(most._replace(new_routes=(route,) * (ROUTES_MAX + 1)).encode())


def test_both_are_requests_that_everybody_can_fulfill() -> None:
    update = RouteUpdate(bytes(16), 0, 0, 0, 0, "test.a")
    control = RouteControl(Mode.SYNC, bytes(16), 0)
    for prepare, destination in (
        (control.to_prepare(NOW), "peer.route.control"),
        (update.to_prepare(NOW), "peer.route.update"),
    ):
        assert (prepare.destination, prepare.amount, prepare.expires_at) == (destination, 0, NOW + 60_000)
        assert prepare.execution_condition == PEER_CONDITION
