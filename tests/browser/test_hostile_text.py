"""Cross-site scripting: whatever another node, a receiver, an engine or a person wrote is text on every page.

Every text that the API answers with is replaced by one that would run if it got into a page as markup, into an
attribute, into an address or into a script; then a real browser looks at every page. One field is also planted by a
real peer, over a real link.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from interledger.dashboard import app as dashboard
from interledger.dashboard.inside import Answer
from interledger.dashboard.inside import inside_client as real_client
from interledger.ilp.packet import Reject

EVIL = 'x"\'><img src=x onerror="window.ran=1"><script>window.ran=2</script></title></svg>{{7*7}}‮javascript:alert(1)'

KEPT = re.compile(r"[0-9.+-]*|[0-9a-f]{8,}|\d{4}-\d\d-\d\dT[0-9:.]+Z?|pay_\w+|set_\w+|unk_\w+")
"""Numbers, octets, moments and ids of ours: no peer writes them, and pages compute with them."""

ENUMS = frozenset((
    "state", "kind", "relation", "outcome", "level", "direction", "step", "set_by", "unit", "limit", "class", "page",
    "next_cursor", "code", "packet_type", "asset_code", "left", "right",
))  # fmt: skip
"""Words out of a list of the node's own, and codes of assets, which have letters and digits only."""


def plant(value: Any, key: str = "") -> Any:
    """The same document with `EVIL` wherever a text could come from elsewhere."""
    if isinstance(value, dict):
        return {name: plant(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [plant(inner, key) for inner in value]
    if isinstance(value, str) and key not in ENUMS and not KEPT.fullmatch(value):
        return EVIL
    return value


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the pages are told nothing but that."""

    def client(app: Any, token: str) -> Any:
        made = real_client(app, token)
        ask = made._fetch

        async def fetch(method: str, url: str, **more: Any) -> Answer:
            answer = await ask(method, url, **more)
            if method != "GET" or not answer.body.startswith(b"{"):
                return answer
            return answer._replace(body=json.dumps(plant(json.loads(answer.body))).encode())

        made._fetch = fetch
        return made

    monkeypatch.setattr(dashboard, "inside_client", client)


LOOK = """() => ({
    ran: window.ran || 0,
    markup: document.querySelectorAll("img, main script, iframe, object, embed, base, [onerror], [style]").length,
    links: [...document.querySelectorAll("a[href], form[action]")]
        .map(one => one.getAttribute("href") || one.getAttribute("action"))
        .filter(one => !/^[/?#]/.test(one) || one.startsWith("//")),
    shown: document.querySelector("main").textContent.includes("<img src=x") ? 1 : 0,
})"""


@pytest.mark.parametrize("name", ["hub", "alice", "bob"])
def test_what_anybody_writes_is_text_on_every_page(
    enter: Any, network: Any, places: Any, said: list[str], request: pytest.FixtureRequest, name: str
) -> None:
    page, shown, wrong = enter(name, "/ui/more"), 0, []
    found = places(network, name)
    request.getfixturevalue("planted")
    said.clear()
    for path in found:
        answer = page.goto(network.url(name) + path)
        seen = page.evaluate(LOOK)
        shown += seen["shown"]
        if answer.status >= 500 or seen["ran"] or seen["markup"] or seen["links"]:
            wrong.append((path, answer.status, seen))
    assert wrong == []
    assert shown > len(found) // 2, "the planted text is on most pages, so that this test looks at something"
    assert [text for text in said if not re.search(r"status of 4\d\d", text)] == []


class _Refuses(BaseHTTPRequestHandler):
    """A peer that answers every Prepare with the same Reject."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = Reject("F00", EVIL, EVIL, EVIL.encode()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def hostile_peer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/ilp"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_a_real_peers_refusal_is_quoted(enter_own: Any, own_network: Any, said: list[str]) -> None:
    with hostile_peer() as url:
        hub = own_network.api("hub")
        account = {"id": "evil", "asset_code": "USD", "asset_scale": 9, "relation": "peer", "ilp_address": "test.evil",
                   "link": {"http_url": url, "http_outgoing_token": "t", "http_incoming_token": "i"}}  # fmt: skip
        own_network.run(hub.create_account(account))
        own_network.run(hub.ping("test.evil", timeout_ms=2_000))
        page = enter_own("hub", "/ui/packets?account=evil")
        said.clear()
        page.locator("table tbody a").first.click()
        page.wait_for_selector("h1:has-text('Packet')")
        seen = page.evaluate(LOOK)
        assert (seen["ran"], seen["markup"], seen["links"], seen["shown"]) == (0, 0, [], 1)
        assert page.locator("bdi:has-text('onerror')").count() >= 2
        assert said == []
