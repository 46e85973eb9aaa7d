"""Overview and topology: is anything wrong, how much could be lost, what is moving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.responses import Response

from interledger.dashboard.charts import flow_chart
from interledger.dashboard.drawings import ribbon_of, spark_of, star_of
from interledger.dashboard.exposure import exposure_of
from interledger.dashboard.page import Page, Twin

__all__ = ["PAGES"]

SQUARES: Final = 10
"""Seconds of the ribbon: as many as a wide screen shows."""

PEERS_DRAWN: Final = 24
"""Of a topology. More is a table."""


async def show_overview(page: Page) -> Response:
    """The first page."""
    look = await page.api.overview()
    seconds = list(reversed(look["seconds"]))[:SQUARES]
    return page.render(
        "overview.html",
        title=page.texts.get("Overview"),
        section="overview",
        twin=Twin(("/api/overview",), "ilp status"),
        look=look,
        rows=[{"account": one, "exposure": exposure_of(one)} for one in look["accounts"]],
        squares=[(second, ribbon_of(second["fulfilled"], second["rejected"])) for second in seconds],
        flying=ribbon_of(look["now"]["in_flight"], 0),
        throughput=flow_chart(look["minutes"]),
        spark=spark_of([flow["packets"] for flow in look["minutes"]][-120:]),
    )


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
