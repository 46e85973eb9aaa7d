"""The windows: a line per event, with what it leaves."""

from __future__ import annotations

import pytest

from interledger.transport.stream.congestion import INITIAL_PACKETS, PAUSE_MAX_MS, CongestionWindow

T = 1_000_000


def test_it_doubles_each_round_trip_until_the_maximum():
    window = CongestionWindow(1000)
    sizes = []
    for _ in range(9):
        sizes.append(window.packets)
        for _ in range(window.packets):
            window.fulfilled(1)
    assert sizes == [4, 8, 16, 32, 64, 128, 256, 512, 1000]
    assert window.packets == 1000


def test_a_small_maximum_is_kept():
    window = CongestionWindow(2)
    assert window.packets == 2
    window.fulfilled(1)
    assert window.packets == 2


def test_trouble_halves_once_a_round_trip_and_then_it_grows_by_one():
    window = CongestionWindow(1000)
    for _ in range(28):
        window.fulfilled(1)
    assert window.packets == 32
    for sequence in range(20, 29):
        window.busy(sequence, 50, T)
    assert (window.packets, window.resume_at) == (16, T + 50)
    for _ in range(16):
        window.fulfilled(1)
    assert window.packets == 17
    window.busy(49, 60, T)
    assert window.packets == 17
    window.busy(50, 70, T)
    assert window.packets == 8


def test_pauses_double_until_something_comes_through():
    window = CongestionWindow(1000)
    waits = []
    for n in range(9):
        window.busy(n, n + 1, T)
        waits.append(window.resume_at - T)
    assert waits == [50, 100, 200, 400, 800, 1600, PAUSE_MAX_MS, PAUSE_MAX_MS, PAUSE_MAX_MS]
    assert window.packets == 1
    window.fulfilled(1)
    window.busy(100, 101, T)
    assert window.resume_at == T + 50


def test_waiting_for_the_receiver_keeps_the_packets():
    window = CongestionWindow(1000)
    window.wait(1, 5, T)
    window.wait(4, 5, T)
    assert (window.packets, window.resume_at) == (INITIAL_PACKETS, T + 50)


def test_T04_takes_a_third_then_halves_and_climbs_back():
    window = CongestionWindow(1000)
    window.short_of_credit(10, 20, 9000, 1, T)
    assert (window.amount, window.resume_at) == (6000, 0)
    window.short_of_credit(19, 20, 9000, 1, T)
    assert window.amount == 6000
    window.short_of_credit(20, 30, 6000, 1, T)
    assert window.amount == 3000
    window.fulfilled(1000)
    window.fulfilled(1000)
    window.fulfilled(1000)
    assert window.amount == 6000, "back to where it was first cut, at once"
    window.fulfilled(1000)
    assert window.amount == 6000 + 1000 * 1000 // 6000


def test_T04_at_the_least_amount_waits():
    window = CongestionWindow(1000, amount=100)
    window.short_of_credit(1, 2, 100, 80, T)
    assert (window.amount, window.resume_at) == (80, 0)
    window.short_of_credit(2, 3, 80, 80, T)
    assert (window.amount, window.resume_at) == (80, T + 50)


def test_the_money_window_always_grows():
    window = CongestionWindow(1000, amount=1_000_000)
    window.fulfilled(1)
    assert window.amount == 1_000_001


@pytest.mark.parametrize(("silence", "in_flight", "packets"), [(5_001, 0, 4), (5_000, 0, 20), (9_000, 1, 20)])
def test_after_a_long_silence_it_begins_small_again(silence, in_flight, packets):
    window = CongestionWindow(1000)
    for _ in range(16):
        window.fulfilled(1)
    window.sending(T, 0)
    window.packets = 20
    window.sending(T + silence, in_flight)
    assert window.packets == packets
