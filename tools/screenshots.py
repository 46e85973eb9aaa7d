"""Pictures of the dashboard for the documents: `python -m tools.screenshots` writes docs/images/dashboard-*.png anew.

A development network runs and money moves in it; a real browser looks. So numbers differ from one time to the next, and
no test compares the pictures: one sees that all are there, small, and shown by the page about the dashboard.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from interledger.api.client import ApiClient
from interledger.daemon.dev import DevNetwork
from interledger.daemon.topology import parse_assets, parse_topology
from tools.source import ROOT

__all__ = ["IMAGES", "OCTETS_MAX", "SHOTS", "Shot"]

IMAGES: Final = ROOT / "docs" / "images"

OCTETS_MAX: Final = 200_000
"""Of a picture: a page with a few of them still opens at once."""

LIMIT_S: Final = 60


class Shot(NamedTuple):
    """`path` on the pages of `node`; `{payment}` and `{packet}` are filled in."""

    name: str
    node: str
    path: str
    theme: str = "light"
    width: int = 1200
    height: int = 800


SHOTS: Final = (
    Shot("overview", "hub", "/ui/"),
    Shot("topology", "hub", "/ui/topology", "dark"),
    Shot("account", "hub", "/ui/accounts/alice"),
    Shot("payment", "alice", "/ui/payments/{payment}"),
    Shot("packet", "alice", "/ui/packets/{packet}", "dark"),
    Shot("phone", "hub", "/ui/accounts", "light", 390, 760),
)


def main() -> None:
    """All pictures, in place of the old ones."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, _running(Path(place)) as network, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for shot in SHOTS:
            context = browser.new_context(
                viewport={"width": shot.width, "height": shot.height},
                color_scheme="dark" if shot.theme == "dark" else "light",
                locale="en-GB",
            )
            page = context.new_page()
            page.goto(network.login_url(shot.node))
            page.wait_for_selector("main.page h1")
            page.goto(network.url(shot.node) + shot.path.format(**network.ids))
            page.wait_for_timeout(1_500)
            page.screenshot(path=IMAGES / f"dashboard-{shot.name}.png")
            context.close()
        browser.close()


class _Network:
    """A star of five nodes in a thread of its own, in which everybody pays somebody all the time."""

    def __init__(self, nodes: DevNetwork) -> None:
        self.loop = asyncio.new_event_loop()
        self.nodes = nodes
        self.ids: dict[str, str] = {}
        self._busy: list[asyncio.Task[None]] = []

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(LIMIT_S)

    def url(self, name: str) -> str:
        return self.nodes.neighbours.url(name)

    def api(self, name: str) -> ApiClient:
        return ApiClient(self.url(name), self.nodes.nodes[name].settings.admin_auth_token)

    def login_url(self, name: str) -> str:
        async def make() -> str | None:
            return self.nodes.neighbours.operators_url(name)

        return str(self.run(make()))

    async def fill(self) -> None:
        """A limit that is reached, a payment that is looked at, a packet that was refused; then whatever comes."""
        await self.nodes.start()
        holders = [spec.name for spec in self.nodes.topology.nodes if spec.asset is not None]
        first, second = holders[0], holders[1]
        alice = self.api(first)
        for payer, payee in zip(holders, [*holders[1:], first], strict=True):
            await self.api(payer).pay(self.nodes.pointer(payee), account=payer, send=f"40 {self._code(payer)}")
        payment = await alice.pay(self.nodes.pointer(second), account=first, send=f"10 {self._code(first)}")
        refused = await alice.packets(code="F08", payment=payment["id"])
        if not refused["items"]:
            refused = await alice.packets(code="F08")
        self.ids = {"payment": payment["id"], "packet": refused["items"][0]["condition"]}
        self._busy = [asyncio.create_task(self._pay_on(holders, i)) for i in range(len(holders))]

    async def stop(self) -> None:
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        await self.nodes.stop()

    async def _pay_on(self, holders: list[str], index: int) -> None:
        payer, payee = holders[index], holders[(index + 1) % len(holders)]
        while True:
            await self.api(payer).pay(self.nodes.pointer(payee), account=payer, send=f"3 {self._code(payer)}")
            await asyncio.sleep(0.4)

    def _code(self, name: str) -> str:
        asset = self.nodes.topology.node(name).asset
        return "" if asset is None else asset.code


@contextmanager
def _running(place: Path) -> Iterator[_Network]:
    shape = parse_topology("star:5", parse_assets("USD/9,EUR/9,MXN/9,GBP/9"), 0)
    network = _Network(DevNetwork(shape, place, durability="memory"))
    thread = threading.Thread(target=network.loop.run_forever, daemon=True)
    thread.start()
    try:
        network.run(network.fill())
        yield network
    finally:
        network.run(network.stop())
        network.loop.call_soon_threadsafe(network.loop.stop)
        thread.join(10)
        network.loop.close()


if __name__ == "__main__":
    main()
