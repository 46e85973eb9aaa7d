"""What an operator does on the pages: tokens, webhooks, a packet hop by hop; and what happens when a part fails."""

from __future__ import annotations

import re
from typing import Any

import pytest

from interledger.api.client import ApiError
from interledger.dashboard import app as dashboard
from interledger.dashboard.inside import inside_client as real_client


def words(page: Any, selector: str = "main") -> str:
    return " ".join(page.inner_text(selector).split())


def enter_as(context: Any, network: Any, may: list[str]) -> Any:
    """Logged in at hub with a token that may so much."""
    token = network.run(network.api("hub").create_admin_token("-".join(may), may))["token"]
    page = context.new_page()
    page.goto(network.url("hub") + "/ui/more")
    page.get_by_label("access token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("h1:has-text('More')")
    return page


# ---------------------------------------------------------------------- tokens and webhooks


def test_a_token_is_made_shown_once_and_revoked(enter: Any, network: Any, said: list[str]) -> None:
    page = enter("hub", "/ui/settings")
    page.get_by_role("link", name="Make or revoke tokens").click()
    page.get_by_label("Name").fill("prometheus")
    page.get_by_label("May", exact=True).select_option("operate")
    page.get_by_role("button", name="Make the token").click()
    secret = page.inner_text("pre.cli").strip()
    assert len(secret) >= 32
    made = next(one for one in network.run(network.api("hub").admin_tokens()) if one["label"] == "prometheus")
    assert made["may"] == ["read", "operate"]
    page.goto(network.url("hub") + "/ui/tokens")
    assert secret not in page.content()
    page.locator("tr", has_text="prometheus").get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke prometheus").click()
    page.wait_for_url("**/ui/tokens")
    assert "prometheus" not in words(page)
    assert said == []


def test_a_token_needs_a_name(enter: Any) -> None:
    page = enter("hub", "/ui/tokens")
    page.evaluate("document.querySelector('#label').required = false")
    page.get_by_role("button", name="Make the token").click()
    assert "Give the token a name, as grafana" in words(page, "main [role=alert]")


def test_a_browser_that_came_with_a_token_is_out_when_it_is_revoked(context: Any, network: Any) -> None:
    page = enter_as(context, network, ["read", "operate"])
    token = next(one for one in network.run(network.api("hub").admin_tokens()) if one["label"] == "read-operate")
    network.run(network.api("hub").revoke_admin_token(token["id"]))
    page.reload()
    assert page.inner_text("h1") == "Log in to this node"


def test_what_a_token_may_not_do_is_shown_with_what_it_needs(context: Any, network: Any, places: Any) -> None:
    page = enter_as(context, network, ["read"])
    pressed, named = [], 0
    for path in places(network, "hub"):
        page.goto(network.url("hub") + path)
        pressed += page.evaluate(
            """path => [...document.querySelectorAll("main form[method=post] button:enabled")]
                .map(one => path + ": " + one.textContent)""",
            path,
        )
        named += page.get_by_text("needs a token that may").count()
    # The first step of a settlement looks at it only; the quote of a payment as well.
    assert [one for one in pressed if "Look at it before" not in one and "Log out" not in one] == []
    assert named > 10
    network.run(network.api("hub").revoke_admin_token(
        next(one["id"] for one in network.run(network.api("hub").admin_tokens()) if one["label"] == "read")
    ))  # fmt: skip


def test_a_token_that_may_look_does_not_open_packets(context: Any, network: Any) -> None:
    made = network.run(network.api("alice").create_admin_token("looker", ["read"]))
    packets = network.run(network.api("alice").call("GET", "/api/packets?outcome=fulfilled"))["items"]
    page = context.new_page()
    page.goto(network.url("alice") + f"/ui/packets/{packets[0]['condition']}")
    page.get_by_label("access token").fill(made["token"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("h1:has-text('Packet')")
    assert "This login may look at packets, not open them" in words(page)
    assert "Sealed" not in words(page)


def test_a_webhook_is_made_tried_sent_again_and_removed(enter: Any, network: Any, said: list[str]) -> None:
    page = enter("hub", "/ui/webhooks")
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/hook")
    page.get_by_label("Only these events").fill("payment, nonsense")
    page.get_by_label("private network").check()
    page.get_by_role("button", name="Send events there").click()
    assert "nonsense" in words(page, "main [role=alert]")
    page.get_by_label("Only these events").fill("payment, limit.near")
    page.get_by_role("button", name="Send events there").click()
    assert len(page.inner_text("pre.cli").strip()) >= 32
    page.get_by_role("link", name="Look at its deliveries").click()
    assert "Nothing was sent yet" in words(page)
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_selector("tbody tr")
    page.get_by_role("button", name="Send again").first.click()
    page.wait_for_selector("tbody tr")
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove the webhook").click()
    page.wait_for_url("**/ui/webhooks")
    assert "127.0.0.1:9/hook" not in words(page)
    assert [text for text in said if "status of 422" not in text] == []


# ---------------------------------------------------------------------- accounts and packets


def test_position_over_time(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/accounts/alice")
    card = page.locator("section", has_text="Position over time")
    assert card.locator("svg.chart path.ln").count() == 1
    card.locator("summary").click()
    top = card.locator(".yl text").first
    history = network.run(network.api("hub").account_history("alice"))
    assert top.get_attribute("data-value") == str(max(int(point["net"]) for point in history))
    assert card.locator("tbody tr").count() == min(len(history), 30)


def test_a_packet_hop_by_hop_and_the_next_one(enter: Any, network: Any) -> None:
    path = f"/api/packets?outcome=fulfilled&payment={network.payments['bob']['id']}"
    packets = network.run(network.api("alice").call("GET", path))["items"][1:]
    page = enter("alice", f"/ui/packets/{packets[0]['condition']}")
    assert re.match(r"Packet \d+ of pay_", page.inner_text("h1"))
    names = [" ".join(text.split()) for text in page.locator(".hop h3").all_inner_texts()]
    assert names == ["alice this node", "hub connector", "bob to"]
    assert "joined by the execution condition" in words(page)
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(f"**/ui/packets/{packets[1]['condition']}")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url(f"**/ui/packets/{packets[0]['condition']}")


def test_the_numbers_of_another_nodes_refusal_are_there_in_a_development_network(
    enter_own: Any, own_network: Any
) -> None:
    hub, alice = own_network.api("hub"), own_network.api("alice")
    own_network.run(hub.update_account("alice", {"limits": {"owes_us_max": "10300000000"}}))
    own_network.run(alice.pay(own_network.nodes.pointer("bob"), account="alice", send="5 USD"))
    refused = own_network.run(alice.call("GET", "/api/packets?code=T04"))["items"][-1]
    page = enter_own("alice", f"/ui/packets/{refused['condition']}")
    assert "hub refused it at the step “hold”" in words(page, ".note")
    assert "hub lets alice owe it 10.30 USD at most. At that moment alice owed 10.00 USD" in words(page, ".note")
    assert page.locator("section", has_text="Room at hub").locator("svg.bar").count() == 1


# ---------------------------------------------------------------------- parts that fail

PANELS = {
    "/api/ledger/profit": ("/ui/rates", "Pairs", "Rates"),
    "/api/rates": ("/ui/rates", "Rates", "Pairs"),
    "/api/accounts/alice/history": ("/ui/accounts/alice", "Position over time", "Limits"),
    "/api/packets?account=alice&limit=8": ("/ui/accounts/alice", "Packets", "Limits"),
    "/api/settlements": ("/ui/settlements", "Settlements", "What comes next"),
    "/api/routes": ("/ui/routes", "Routing table", "Where would a packet go?"),
    "/api/ledger/check": ("/ui/settings", "Books", "Access tokens"),
    "/api/overview/health": ("/ui/", "Health", "Peers by exposure"),
    "/api/overview/risk": ("/ui/", "Value at risk", "Peers by exposure"),
    "/api/overview/moves": ("/ui/", "Packets", "Peers by exposure"),
    "/api/overview/accounts": ("/ui/", "Peers by exposure", "Health"),
    "/api/settlements/totals": ("/ui/settlements", "Totals", "What comes next"),
    "/api/routes/exchange": ("/ui/routes", "Told to neighbours", "Routing table"),
    "/api/rates/history": ("/ui/rates", "Rate over time", "Pairs"),
    "/api/dev": ("/ui/topology", "Development controls", "Topology"),
}
"""What does not answer -> the page, the panel that says so, another one that stands."""


@pytest.mark.parametrize("path", PANELS)
def test_a_panel_fails_alone(enter: Any, network: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def client(app: Any, token: str) -> Any:
        made = real_client(app, token)
        ask = made._fetch

        async def fetch(method: str, url: str, **more: Any) -> Any:
            asked = url.removeprefix("http://localhost")
            if path in (asked, asked.partition("?")[0]):
                problem = {"type": "about:internal-error", "detail": "The node’s log has the reason", "status": 500}
                raise ApiError(500, problem | {"error_id": "err_77"})
            return await ask(method, url, **more)

        made._fetch = fetch
        return made

    monkeypatch.setattr(dashboard, "inside_client", client)
    place, panel, other = PANELS[path]
    page = enter("hub", place)
    failed = page.locator(f"section:has(h2:text-is('{panel}'))").first
    text = " ".join(failed.inner_text().split())
    assert "This could not be read. The rest of the page stands. The node’s log has the reason" in text
    assert "request err_77 Try again" in text
    assert page.get_by_text(other).first.is_visible()
    assert page.locator(".unread").count() <= 2
    monkeypatch.undo()
    failed.get_by_role("link", name="Try again").click()
    page.wait_for_function("() => !document.querySelector('.unread')")


def test_who_asks_for_json_is_sent_to_the_twin(enter: Any, context: Any, network: Any) -> None:
    enter("hub")
    answer = context.request.get(
        network.url("hub") + "/ui/accounts/alice", headers={"Accept": "application/json"}, max_redirects=0
    )
    assert (answer.status, answer.headers["location"]) == (307, "/api/accounts/alice")
    assert '</api/accounts/alice/history>; rel="alternate"' in answer.headers["link"]


def test_the_key_to_the_search_can_be_turned_off(enter: Any) -> None:
    page = enter("hub", "/ui/settings")
    page.get_by_role("button", name="The key / goes to the search").click()
    page.reload()
    assert page.locator("[data-slash]").get_attribute("aria-pressed") == "false"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "find"
    page.get_by_role("button", name="The key / goes to the search").click()
    page.keyboard.press("Tab")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"


def test_what_is_read_does_not_move_and_newer_rows_are_counted(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/packets")
    page.wait_for_selector("#live[data-on]")
    first = page.locator("tbody tr a").first
    was = first.get_attribute("href")
    first.hover()
    network.run(network.api("alice").ping("test.bob", timeout_ms=2_000))
    button = page.get_by_role("button", name=re.compile(r"\d+ newer"))
    button.wait_for(timeout=8_000)
    assert page.locator("tbody tr a").first.get_attribute("href") == was
    button.click()
    assert page.locator("tbody tr a").first.get_attribute("href") != was
