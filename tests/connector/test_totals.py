"""Counters outlive their peers, and each packet is counted once."""

from __future__ import annotations

from connector_kit import Hub

from interledger.connector.totals import COUNTERS, Totals


def test_a_peer_counts_while_it_is_there_and_after_it_left() -> None:
    hub, totals = Hub(), Totals()
    one, two = hub.attach("one"), hub.attach("two")
    one.prepares, one.fulfilled, one.rejected, one.refused, one.answered = 10, 4, 3, 2, 1
    two.prepares, two.fulfilled, two.late = 5, 5, 7
    before = totals.with_those([one, two])
    assert before == {"prepares": 15, "answered": 1, "fulfilled": 9, "rejected": 3, "refused": 2, "late": 7}
    totals.add(one)
    assert totals.with_those([two]) == before
    totals.add(two)
    assert totals.with_those([]) == before
    assert tuple(before) == COUNTERS


def test_a_peer_is_kept_until_its_last_packet_has_an_outcome() -> None:
    hub, totals = Hub(), Totals()
    peer = hub.attach("one")
    peer.prepares = 8
    peer.fulfilled, peer.refused, peer.answered = 1, 4, 2
    totals.add(peer)
    assert totals.with_those([])["rejected"] == 0
    peer.rejected += 1
    assert totals.with_those([])["rejected"] == 1
    peer.rejected += 100  # nobody looks at it any more
    assert totals.with_those([])["rejected"] == 1
