"""Charts: what is drawn is where the values are, and every label is one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interledger.dashboard.charts import CHART_HEIGHT, flow_chart, position_chart, profit_chart, rate_chart

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW = BEGIN + timedelta(seconds=100)


def points(*nets: int) -> list[dict[str, Any]]:
    return [
        {"at": (BEGIN + timedelta(seconds=10 * i)).isoformat(), "net": str(net), "pending_in": "0", "pending_out": "0"}
        for i, net in enumerate(nets)
    ]


def test_a_value_holds_until_the_next_and_the_last_until_now() -> None:
    chart = position_chart(points(0, 100, -100), NOW)
    assert chart is not None
    assert chart.line == "M0.00 50.00 L10.00 50.00 L10.00 0.00 L20.00 0.00 L20.00 100.00 L100.00 100.00"
    assert [level.value for level in chart.levels] == [100, 0, -100]
    assert [int(level.y) for level in chart.levels] == [8, 8 + CHART_HEIGHT // 2, 8 + CHART_HEIGHT]
    assert chart.area.endswith("L100 50.00 L0 50.00Z")


def test_nothing_moved_is_no_chart() -> None:
    assert position_chart([], NOW) is None
    assert position_chart(points(0, 0), NOW) is None
    assert flow_chart([]) is None
    assert flow_chart([{"at": BEGIN.isoformat(), "packets": 5}]) is None


def test_packets_a_minute() -> None:
    minutes = [{"at": (BEGIN + timedelta(minutes=i)).isoformat(), "packets": i * 10} for i in range(3)]
    chart = flow_chart(minutes)
    assert chart is not None
    assert chart.line == "M0.00 100.00 L50.00 50.00 L100.00 0.00"
    assert (chart.begin, chart.end) == (minutes[0]["at"], minutes[-1]["at"])


@given(st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=900))
def test_whatever_it_was_stays_inside(nets: list[int]) -> None:
    chart = position_chart(points(*nets), NOW + timedelta(seconds=10 * len(nets)))
    assert (chart is None) == (not any(nets[:: -(-len(nets) // 360)] + nets[-1:]))
    if chart is not None:
        heights = [float(pair.split()[1]) for pair in chart.line[1:].split(" L")]
        assert all(0 <= height <= 100 for height in heights)
        assert len(heights) <= 2 * 362
        assert {level.value for level in chart.levels} <= {0, *nets}


def test_a_rate_is_drawn_between_its_lowest_and_its_highest() -> None:
    at = [(BEGIN + timedelta(seconds=25 * i)).isoformat() for i in range(3)]
    chart = rate_chart([{"at": at[0], "value": "1.2"}, {"at": at[1], "value": "1"}, {"at": at[2], "value": "1.1"}], NOW)
    assert chart is not None
    assert chart.line == "M0.00 0.00 L0.00 0.00 L25.00 0.00 L25.00 100.00 L50.00 100.00 L50.00 50.00 L100 50.00"
    assert [level.value for level in chart.levels] == ["1.2", "1.1", "1"]
    assert rate_chart([{"at": at[0], "value": "1.2"}], NOW) is None
    assert rate_chart([], NOW) is None


def test_profit_is_drawn_as_a_position_is() -> None:
    points_ = [{"at": BEGIN.isoformat(), "earned": "0"}, {"at": NOW.isoformat(), "earned": "7"}]
    chart = profit_chart(points_, NOW + timedelta(seconds=100))
    assert chart is not None
    assert [level.value for level in chart.levels] == [7, 0]
