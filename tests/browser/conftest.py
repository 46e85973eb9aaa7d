"""A development network, and a real browser that looks at it: one of each for all tests of this folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from interledger.api.client import ApiClient
from interledger.daemon.dev import DevNetwork
from interledger.daemon.topology import parse_assets, parse_topology

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


PAGES = {
    "hub": (
        "/ui/", "/ui/topology", "/ui/accounts", "/ui/accounts/alice", "/ui/settlements", "/ui/rates",
        "/ui/routes?to=test.bob.bob&from=alice&amount=100000000", "/ui/unknown", "/ui/events", "/ui/settings",
        "/ui/packets", "/ui/packets/{packet}", "/ui/accounts/alice/ledger", "/ui/accounts/alice/settings",
        "/ui/more", "/ui/invite", "/ui/find?q=nothing", "/ui/accounts/bob/settle", "/ui/nothing",
        "/ui/webhooks", "/ui/webhooks/{hook}", "/ui/tokens", "/ui/tokens/{token}/revoke",
        "/ui/rates/set?code=EUR", "/ui/routes/add", "/ui/routes/remove?prefix=test.far&account=bob", "/ui/drain",
        "/ui/stop", "/ui/unknown/resolved",
    ),
    "alice": ("/ui/payments", "/ui/payments/{bob}", "/ui/payments/{nobody}#failed", "/ui/pay", "/ui/packets/{ours}"),
    "bob": ("/ui/payments?d=in", "/ui/payments/{received}", "/ui/receive"),
}  # fmt: skip
"""Of three nodes, so that every page has something to show."""


@dataclass
class Network:
    """The network, which runs in a thread of its own, and what the tests ask of it."""

    loop: asyncio.AbstractEventLoop
    nodes: DevNetwork
    payments: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """Ids of a webhook and of a token of hub's."""

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def url(self, name: str) -> str:
        return self.nodes.neighbours.url(name)

    def api(self, name: str) -> ApiClient:
        return ApiClient(self.url(name), self.nodes.nodes[name].settings.admin_auth_token)

    def login_url(self, name: str) -> str:
        async def make() -> str | None:
            return self.nodes.neighbours.operators_url(name)

        return str(self.run(make()))


@contextmanager
def running(place: Path, durability: str = "memory") -> Iterator[Network]:
    """alice, hub and bob; alice has paid bob 10 USD, and tried to pay somebody who is not there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    shape = parse_topology("line:3", parse_assets("USD/9,EUR/9"), 0)
    one = Network(loop, DevNetwork(shape, place, durability=durability))
    one.run(one.nodes.start())
    try:
        alice = one.api("alice")
        one.payments["bob"] = one.run(alice.pay(one.nodes.pointer("bob"), account="alice", send="10 USD"))
        one.payments["nobody"] = one.run(alice.pay(one.nodes.pointer("bob") + "by", account="alice", send="1 USD"))
        hub = one.api("hub")
        one.kept["hook"] = one.run(hub.create_webhook("http://127.0.0.1:9/events", ["node"], private=True))["id"]
        one.run(hub.test_webhook(one.kept["hook"]))
        one.run(hub.call("PUT", "/api/routes", {"items": [{"prefix": "test.far", "account": "bob"}]}))
        one.kept["received"] = one.run(one.api("bob").incoming())[0][0]["id"]
        one.kept["token"] = one.run(hub.create_admin_token("grafana", ["read"]))["id"]
        yield one
    finally:
        one.run(one.nodes.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """For all tests that leave it as it is but for a few payments."""
    with running(tmp_path_factory.mktemp("network")) as one:
        yield one


@pytest.fixture
def own_network(tmp_path: Path) -> Iterator[Network]:
    """For a test that breaks it."""
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def places() -> Callable[[Network, str], list[str]]:
    """Every page of a node, by its address."""

    def places(network: Network, name: str) -> list[str]:
        known = {key: one["id"] for key, one in network.payments.items()} | network.kept
        if name == "bob":
            return [path.format(**known) for path in PAGES[name]]
        # Of alice's first packet to hub, which was larger than hub takes; and one that she can open.
        refused = network.run(network.api("hub").call("GET", "/api/packets?code=F08"))["items"][0]["condition"]
        ours = network.run(network.api("alice").call("GET", "/api/packets?outcome=fulfilled"))["items"][0]["condition"]
        return [path.format(**known, packet=refused, ours=ours) for path in PAGES[name]]

    return places


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. While its driver is open a loop runs in this thread: no test with one of its own may come."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing: apt install chromium")
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Tests may run as root, in a container that is a sandbox itself.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def said() -> list[str]:
    """What the browser's console said: a page of ours says nothing, or breaks its own policy."""
    return []


@pytest.fixture
def context(browser: Any, said: list[str]) -> Iterator[Any]:
    """A browser without cookies, as somebody has it who comes for the first time."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-GB")
    context.set_default_timeout(5_000)

    def listen(page: Any) -> None:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))

    context.on("page", listen)
    yield context
    context.close()


@pytest.fixture
def enter(context: Any, network: Network) -> Callable[..., Any]:
    """A page of the node with that name, logged in."""
    return lambda name, path="/ui/": enter_node(context, network, name, path)


def enter_node(context: Any, network: Network, name: str, path: str = "/ui/") -> Any:
    """A new page of the node with that name, logged in."""
    page = context.new_page()
    page.goto(network.login_url(name))
    page.wait_for_function("() => document.querySelector('main.page') !== null")
    if path != "/ui/":
        page.goto(network.url(name) + path)
    return page


@pytest.fixture
def enter_own(context: Any, own_network: Network) -> Callable[..., Any]:
    """The same in the network that may be broken."""
    return lambda name, path="/ui/": enter_node(context, own_network, name, path)
