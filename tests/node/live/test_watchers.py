"""Who looks: counted once, however often one leaves."""

from __future__ import annotations

from interledger.node.live.watchers import Watchers


def test_each_leaves_once() -> None:
    seen: list[bool] = []
    watchers = Watchers(lambda: seen.append(bool(watchers)))
    assert not watchers
    leave, other = watchers.enter(), watchers.enter()
    leave()
    leave()
    assert watchers
    other()
    assert not watchers
    assert seen == [True, True, True, False]
