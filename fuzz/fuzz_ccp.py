"""Invariant: any octets are a route control or update that comes back from its own octets, or a DecodeError."""

from __future__ import annotations

from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.address import is_address
from interledger.routing.ccp.messages import ROUTES_MAX, RouteControl, RouteUpdate
from interledger.routing.ccp.policy import take_in

LAYERS = ("ccp.control", "ccp.update")
SEEDS: tuple[bytes, ...] = ()


def check(octets: bytes) -> None:
    try:
        control = RouteControl.decode(octets)
        assert RouteControl.decode(control.encode()) == control
    except DecodeError:
        pass
    try:
        update = RouteUpdate.decode(octets)
    except DecodeError:
        return
    assert len(update.new_routes) <= ROUTES_MAX
    # What is forced on writing: a prop that is not optional is transitive, and only what is both can be partial.
    canonical = RouteUpdate.decode(update.encode())
    assert RouteUpdate.decode(canonical.encode()) == canonical
    assert [route[:3] for route in canonical.new_routes] == [route[:3] for route in update.new_routes]
    for route in update.new_routes:
        taken = take_in(route, update.speaker, "test.me", Timestamp(0))
        assert taken is None or (is_address(taken.prefix) and all(map(is_address, taken.path)))


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
