"""The controls of the development network, and the topology that shows what they do."""

from __future__ import annotations

from typing import Any


def words(page: Any, selector: str = "main") -> str:
    return " ".join(page.inner_text(selector).split())


def test_packets_flow_while_a_payment_runs(enter_own: Any, own_network: Any, said: list[str]) -> None:
    page = enter_own("hub", "/ui/topology")
    page.wait_for_selector("#live[data-on]")
    own_network.run(own_network.api("alice").pay(own_network.nodes.pointer("bob"), account="alice", send="20 USD"))
    page.wait_for_selector("svg.topo.wide .pulse", state="attached", timeout=4_000)
    assert page.locator("svg.topo.wide .pulse animateMotion").count() >= 2
    page.get_by_role("button", name="Pause motion").click()
    assert page.evaluate("document.querySelector('svg.topo').animationsPaused()")
    own_network.run(own_network.api("bob").pay(own_network.nodes.pointer("alice"), account="bob", deliver="20 USD"))
    assert said == []


def test_a_link_is_cut_a_rate_jumps_a_node_is_killed_and_all_is_put_back(
    enter_own: Any, own_network: Any, said: list[str]
) -> None:
    page = enter_own("hub", "/ui/topology")
    page.get_by_label("Link", exact=True).select_option("hub bob")
    page.get_by_label("Delay, ms").fill("25")
    page.get_by_role("button", name="Slow the link").click()
    page.wait_for_selector("text=25 ms later, 0 % lost, each way")
    page.get_by_label("Link", exact=True).select_option("hub bob")
    page.get_by_role("button", name="Cut the link").click()
    page.wait_for_selector(".dev-now :text('is cut')")
    assert "link down" in page.text_content("svg.topo.wide")
    page.get_by_label("Jump").fill("-20")
    page.get_by_role("button", name="Let the rate jump").click()
    page.wait_for_selector(".dev-now :text('is worth 0.8, −20 % off the usual')")
    page.get_by_role("button", name="Kill bob").click()
    page.wait_for_selector("button:has-text('Start bob again')")
    assert "bob" not in own_network.nodes.nodes
    page.get_by_role("button", name="Put everything back").click()
    page.wait_for_selector("text=Nothing is broken")
    assert "bob" in own_network.nodes.nodes
    assert said == []


def test_what_cannot_be_broken_so_is_said_beside_it(enter: Any) -> None:
    page = enter("hub", "/ui/topology")
    page.evaluate("for (const one of document.querySelectorAll('.dev input')) one.type = 'text'")
    page.get_by_label("Delay, ms").fill("soon")
    page.get_by_role("button", name="Slow the link").click()
    assert "Write a whole number, as 800" in words(page, "#controls [role=alert]")
