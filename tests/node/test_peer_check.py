"""The check of a link names what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from loopback import account, running, settings
from peering_kit import TERMS, invited, verdicts

from interledger.accounts.account import Relation
from interledger.accounts.asset import parse_asset
from interledger.application.peering.records import JoinTerms
from interledger.application.peering.report import Verdict
from interledger.clock import Clock, SystemClock, Timestamp


class Ahead:
    """A clock that is wrong."""

    def __init__(self, clock: Clock, ahead_ms: int) -> None:
        self._clock, self._ahead_ms = clock, ahead_ms

    def now(self) -> Timestamp:
        return Timestamp(self._clock.now() + self._ahead_ms)


@pytest.mark.parametrize(
    ("ahead_ms", "verdict", "words"),
    [(300, "ok", "ahead of us"), (-1_500, "warning", "behind us. Packets may expire"), (9_000, "failed", "set both")],
)
async def test_J7_clocks_that_differ_are_told(ahead_ms: int, verdict: str, words: str) -> None:
    clock = Ahead(SystemClock(), ahead_ms)
    async with running(settings("test.hub"), clock=clock) as hub, running(settings("local.host")) as carol:
        await carol.peering.accept(await invited(hub), JoinTerms())
        report = await carol.peering.check("hub")
        found = next(item for item in report.items if item.name == "clocks")
        assert (found.verdict, words in found.detail) == (verdict, True), found


async def test_the_check_names_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interledger.node.peer_check.LINK_UP_MS", 200)
    async with running(settings("test.hub")) as hub, running(settings("local.host")) as carol:
        await carol.peering.accept(await invited(hub, replace(TERMS, owes_us_max=0, we_owe_max=0)), JoinTerms())
        report = await carol.peering.check("hub")
        assert [i.verdict for i in report.items if i.name == "limits"] == [Verdict.WARNING]
        parent = carol.account("hub")
        await carol.replace_account(replace(parent, asset=parse_asset("EUR/2")))
        report = await carol.peering.check("hub")
        assert verdicts(report)["asset"] == "failed"
        assert not report.good
        await carol.replace_account(replace(parent, link=replace(parent.link, btp_outgoing_token="wrong")))
        report = await carol.peering.check("hub")
        assert [(i.name, i.verdict) for i in report.items] == [("link", Verdict.FAILED)]
        await carol.create_account(account("alone", "USD/9", "test.alone", Relation.PEER))
        assert "neither a URL nor a token" in (await carol.peering.check("alone")).items[0].detail
