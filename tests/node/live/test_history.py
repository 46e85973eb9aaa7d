"""A value over time, in bounded memory."""

from __future__ import annotations

from itertools import pairwise

from interledger.clock import Timestamp
from interledger.node.live.history import POINTS_KEPT, History
from interledger.node.live.seconds import PositionPoint


def test_a_history_is_thinned_out_evenly() -> None:
    history: History[PositionPoint] = History()
    for second in range(5_000):
        history.add(PositionPoint(Timestamp(second * 1_000), second, 0, 0))
    history.add(PositionPoint(Timestamp(9_999_999), 4_999, 0, 0))
    points = history.points
    assert len(points) <= POINTS_KEPT
    assert (points[0].net, points[-1].net) == (0, 4_999)
    gaps = {later.at - earlier.at for earlier, later in pairwise(points[:-1])}
    assert max(gaps) <= 4 * history.every_ms
