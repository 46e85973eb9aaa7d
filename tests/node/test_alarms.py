"""What the operator hears."""

from __future__ import annotations

import logging

import pytest

from interledger.node.alarms import ALARMS_KEPT, Alarms
from interledger.routing.exchange import AlarmKind, RateAlarm


def test_the_latest_are_kept_and_each_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms()
    for number in range(ALARMS_KEPT + 5):
        alarms.tell(f"alarm {number}")
    assert (len(alarms), alarms[0], alarms[-1]) == (ALARMS_KEPT, "alarm 5", f"alarm {ALARMS_KEPT + 4}")
    assert len(caplog.records) == ALARMS_KEPT + 5
    alarms.store_failed(OSError("no room"))
    assert "cannot be written any more, new packets are refused (T03): no room" in alarms[-1]


def test_of_rates_the_end_of_a_trouble_is_logged_here(caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms()
    with caplog.at_level(logging.INFO):
        for kind in (AlarmKind.RECOVERED, next(kind for kind in AlarmKind if kind is not AlarmKind.RECOVERED)):
            alarms.tell_of_rates(RateAlarm(kind, "ecb", "EUR", f"a word of {kind}"))
    assert len(alarms) == 2
    assert [record.levelname for record in caplog.records] == ["INFO"]
