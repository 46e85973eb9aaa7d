"""L3: what peers and strangers write is text on every page: no script of theirs runs, no tag of theirs is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Reject

PAYLOADS = (
    "<script>window.hacked=1</script>", '<img src=x onerror="window.hacked=1">', "'\"><svg onload=window.hacked=1>",
    "</textarea></title></script><script>window.hacked=1</script>", "javascript:window.hacked=1", "{{7*7}}${7*7}",
    "<a href=javascript:window.hacked=1 autofocus onfocus=window.hacked=1 tabindex=1>x</a>", "<!--", "\u202e\u0000",
)  # fmt: skip
TEXT = " ".join(PAYLOADS)

ASKED = (
    "/ui/packets?code=F99&account={}&outcome={}&cursor={}", "/ui/routes?to={}&from={}&amount={}", "/ui/find?q={}",
    "/ui/accounts?asset={}&q={}&sort={}", "/ui/payments?state={}&cursor={}", "/ui/events?kind={}&account={}",
    "/ui/accounts/{}", "/ui/packets/{}", "/ui/payments/{}", "/ui/more?theme={}", "/ui/more?lang={}", "/ui/{}",
)  # fmt: skip
"""A stranger's link that an operator follows."""


@pytest.fixture
def hostile(network: Any) -> Iterator[dict[str, Any]]:
    """bob's node refuses what comes with a message of that kind; alice's payment fails by it. Its document."""
    bob = network.nodes.nodes["bob"]
    receive = bob.wallets.receive
    bob.wallets.receive = lambda *packet: Reject(ErrorCode("F99"), "test.bob", TEXT, TEXT.encode())
    try:
        yield network.run(network.api("alice").pay(network.nodes.pointer("bob"), account="alice", send="1 USD"))
    finally:
        bob.wallets.receive = receive


def look(page: Any, url: str) -> str:
    """The page's text; nothing of the payloads has become more than text."""
    answer = page.goto(url)
    assert answer.status < 500, url
    assert page.evaluate("window.hacked") is None, url
    made = "document.querySelectorAll('img[src=x], [onload], [onerror], [onfocus], a[href^=javascript]').length"
    assert page.evaluate(made) == 0, url
    return str(page.inner_text("body"))


def test_L3_messages_of_peers_and_words_of_operators_are_text(
    enter: Any, network: Any, said: list[str], hostile: dict[str, Any]
) -> None:
    alice = network.api("alice")
    network.run(alice.call("POST", "/api/tokens", {"label": "<img src=x>", "may": ["read"]}))
    correction = {"debit": "peer/hub", "credit": "correction/USD/9", "asset_code": "USD", "asset_scale": 9, "amount": 1}
    body = {**correction, "by": "<b>x", "reason": "<svg onload=window.hacked=1>"}
    made = network.run(alice.call("POST", "/api/ledger/corrections", body))
    network.run(alice.call("POST", f"/api/ledger/decisions/{made['id']}/confirm", {}))
    page = enter("alice")
    page.on("dialog", lambda dialog: said.append(dialog.message))
    packets = network.run(alice.call("GET", "/api/packets?code=F99"))["items"]
    refused = f"packets/{packets[0]['condition']}"
    pages = (
        "", "packets", "events", "payments", f"payments/{hostile['id']}", "accounts/hub", "accounts/hub/ledger",
        "settings", "more", "topology", refused,
    )  # fmt: skip
    texts = {path: look(page, f"{network.url('alice')}/ui/{path}") for path in pages}
    assert PAYLOADS[0] in texts[refused]
    assert said == []


def test_L3_what_an_address_says_is_text(enter: Any, network: Any, said: list[str]) -> None:
    page = enter("hub")
    page.on("dialog", lambda dialog: said.append(dialog.message))
    for path in ASKED:
        text = look(page, network.url("hub") + path.replace("{}", quote(TEXT, safe="")))
        assert "access token" not in text, path  # still who we were
    assert [one for one in said if "status of 4" not in one] == []


def test_packets_with_a_code_are_not_a_login(enter: Any, network: Any) -> None:
    assert "access token" not in look(enter("hub", "/ui/packets?code=F08"), network.url("hub") + "/ui/packets?code=F08")
