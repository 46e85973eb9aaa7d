"""Overview and topology: is anything wrong, how much could be lost, what is moving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from starlette.responses import Response

from interledger.dashboard.charts import flow_chart
from interledger.dashboard.drawings import ribbon_of, spark_of, star_of
from interledger.dashboard.exposure import exposure_of
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

PARTS: Final = tuple(f"/api/overview/{part}" for part in ("health", "risk", "moves", "accounts"))

SQUARES: Final = 10
"""Seconds of the ribbon: as many as a wide screen shows."""

PEERS_DRAWN: Final = 24
"""Of a topology. More is a table."""


async def show_overview(page: Page) -> Response:
    """The first page. What one part of it cannot say, the others say all the same."""
    api = page.api
    health = await page.panel("health", api.overview_health())
    risk = await page.panel("risk", api.overview_risk())
    moves = await page.panel("moves", api.overview_moves())
    peers = await page.panel("peers", api.overview_accounts())
    seconds = list(reversed(moves["seconds"]))[:SQUARES] if moves else []
    return page.render(
        "overview.html",
        title=page.texts.get("Overview"),
        section="overview",
        twin=Twin(PARTS, "ilp status"),
        health=health,
        risk=risk["risk"] if risk else None,
        moves=moves,
        peers=peers,
        rows=[{"account": one, "exposure": exposure_of(one)} for one in peers["accounts"]] if peers else [],
        squares=[(second, ribbon_of(second["fulfilled"], second["rejected"])) for second in seconds],
        flying=ribbon_of(moves["now"]["in_flight"], 0) if moves else [],
        throughput=flow_chart(moves["minutes"]) if moves else None,
        spark=spark_of([flow["packets"] for flow in moves["minutes"]][-120:]) if moves else None,
        margin=_margin(moves) if moves else None,
    )


def _margin(moves: Mapping[str, Any]) -> Fraction | None:
    """What was earned of what was moved, in percent; both since the node started, unless that is days ago."""
    moved, earned = moves["day"]["moved"], moves["profit"]["earned"]
    if int(moved["amount"]) <= 0 or moved["asset_code"] != earned["asset_code"]:
        return None
    return Fraction(int(earned["amount"]) * 100, int(moved["amount"]))


async def show_topology(page: Page, *, wrong: str = "", status: int = 200) -> Response:
    """The node in the middle, its peers around it; in a development network what can be broken, too."""
    look = await page.api.topology()
    # Those with most at stake are drawn; all are in the table of accounts.
    peers = sorted(look["peers"], key=lambda peer: -(peer["share_percent"] or 0))
    shown = {peer["account"] for peer in peers[:PEERS_DRAWN]}
    peers = [peer for peer in look["peers"] if peer["account"] in shown]
    height = 330 if len(peers) <= 2 else 550
    breaks = await page.panel("dev", page.api.call("GET", "/api/dev")) if "dev" in page.sections else None
    return page.render(
        "topology.html",
        title=page.texts.get("Topology"),
        section="topology",
        twin=Twin(("/api/topology", "/api/dev") if breaks else ("/api/topology",), "ilp top"),
        status=status,
        look=look,
        breaks=breaks,
        wrong=wrong,
        wide=star_of(peers, 1120, height),
        height=height,
        narrow=star_of(peers, 380, 560),
        hidden=len(look["peers"]) - len(peers),
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/", show_overview),
    ("/topology", show_topology),
)
"""Paths below `/ui`, and who answers."""
