"""What is true of every page: accessible, complete on a narrow screen, silent in the console, the same as its data."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest


@pytest.mark.parametrize("name", ["hub", "alice", "bob"])
def test_reflow_at_320_in_spanish_and_a_silent_console(
    enter: Any, network: Any, places: Any, said: list[str], name: str
) -> None:
    page = enter(name, "/ui/more?lang=es")
    said.clear()
    page.set_viewport_size({"width": 320, "height": 700})
    wide = []
    for path in places(network, name):
        page.goto(network.url(name) + path)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(path)
        assert page.locator("h1").count() == 1
        assert page.locator("[style], [onclick]").count() == 0
    assert wide == []
    assert [text for text in said if "404" not in text and "422" not in text] == []


def leaves(value: Any) -> set[str]:
    """Every value of a document as text; of numbers without their sign, for pages say who owes in words."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(leaves, value)) | {str(len(value))} if value else {"0"}
    return {str(value).lstrip("-")}


READ = """async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const twins = [...page.querySelectorAll("link[rel=alternate]")].map(link => link.getAttribute("href"));
    const data = await Promise.all(twins.map(async twin => (await fetch(twin)).json()));
    const main = page.querySelector("main"), marked = [], loose = [];
    for (const one of main.querySelectorAll("data")) marked.push(one.value);
    for (const one of main.querySelectorAll("time")) marked.push(one.dateTime);
    for (const one of main.querySelectorAll("[data-value]")) marked.push(one.dataset.value);
    const walk = page.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.replace(/\\s+/g, " ").trim(), up = walk.currentNode.parentElement;
        if (!/[0-9]/.test(text)) continue;
        if (up.closest("data, time, [data-value], .footer, pre.cli, code, .oct, option, script")) continue;
        loose.push(text);
    }
    return [twins, data, marked, loose];
}"""
"""All numbers of a page: those that say their value, and those that stand in a text. The page stands still meanwhile,
so that its numbers and those of its data are of one moment."""

SAID = re.compile(
    r"1000\.50|10 USD|10\.50 EUR|64 hex|64 dígitos|10 packets a second|1\.000,50|R00|T03|T04|F02|F08|IPv4|one day"
    r"|15 min"
)
"""Numbers of the page's own sentences."""


@pytest.mark.parametrize("name", ["hub", "alice", "bob"])
def test_every_number_of_a_page_is_in_its_data(enter: Any, network: Any, places: Any, name: str) -> None:
    page = enter(name, "/ui/more")
    missing = []
    for path in places(network, name):
        page.goto(network.url(name) + path)
        twins, data, marked, loose = page.evaluate(READ)
        assert twins, path
        known = leaves(data) | {"0"}
        # A ratio is `numerator/denominator`, both of the data. What has an age by the node's clock is in the frame.
        parts = [part.lstrip("-") for value in marked for part in value.split("/")]
        missing += [f"{path}: {part}" for part in parts if part not in known]
        texts = " ".join(known) + " " + page.url
        missing += [
            f"{path}: in a text: {text}"
            for text in loose
            if not any(text.rstrip("…") in one for one in known) and re.search("[0-9]", _without(text, texts))
        ]
    assert not missing, "\n".join(missing)


def _without(text: str, texts: str) -> str:
    """What is left of a text of the page without its own numbers, and without words that are in the data."""
    left = SAID.sub("", text)
    return " ".join(word for word in left.split() if word.strip("“”(),.;:…") not in texts)


def test_by_keyboard_alone(enter: Any) -> None:
    page = enter("hub", "/ui/accounts")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("test.bob.bob")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/routes?to=test.bob.bob")
    assert "To bob." in page.inner_text("main")


def test_without_javascript(browser: Any, network: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(network.login_url("hub"))
    page.wait_for_selector("main.page h1")
    for path in ("/ui/accounts", "/ui/topology", "/ui/settings"):
        page.goto(network.url("hub") + path)
        assert page.locator("main section").count() >= 1
        assert not page.locator("#live").is_visible()
    context.close()


def test_no_motion_where_less_is_asked_for(browser: Any, network: Any) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(network.login_url("hub"))
    page.wait_for_selector("main.page h1")
    page.goto(network.url("hub") + "/ui/topology")
    assert page.locator("[data-pause]").get_attribute("aria-pressed") == "true"
    context.close()


def test_a_payment_in_two_steps(enter: Any, network: Any) -> None:
    page = enter("alice", "/ui/pay")
    page.get_by_label("Receiver").fill(network.nodes.pointer("bob"))
    page.get_by_label("Amount and currency").fill("two dollars")
    page.get_by_role("button", name="See the price").click()
    assert "is not an amount of money" in page.inner_text("main")
    assert page.get_by_label("Receiver").input_value() == network.nodes.pointer("bob")
    page.get_by_label("Amount and currency").fill("2 USD")
    page.get_by_role("button", name="See the price").click()
    page.get_by_role("button", name="Send 2.00 USD").click()
    page.wait_for_url("**/ui/payments/pay_*")
    page.wait_for_function("() => document.body.innerText.includes('1.837072')")


def test_a_refused_packet_says_why(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/packets?code=F08")
    page.locator("table tbody a").last.click()
    text = " ".join(page.inner_text("main").split())
    assert "hub refused it at the step" in text
    limit = "A packet of alice may carry 0.55 USD at most, this one carried"
    assert (
        limit in text
        or "A packet to bob may carry 0.50 EUR at most, this one would have carried 0.505194855 EUR" in text
    )
    assert page.locator(".oct").count() == 6


def test_limits_change_at_once(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/accounts/alice/settings")
    page.get_by_label("Owes us, at most").fill("1.000,50")
    page.get_by_role("button", name="Change limits").click()
    assert "with a point for cents" in page.inner_text("main [role=alert]")
    page.get_by_label("Owes us, at most").fill("500.50")
    page.get_by_role("button", name="Change limits").click()
    page.wait_for_url("**/ui/accounts/alice")
    assert "owes us, at most 500.50" in page.content()
    network.run(network.api("hub").update_account("alice", {"limits": {"owes_us_max": "500000000000"}}))


def test_an_invitation(enter: Any) -> None:
    page = enter("hub", "/ui/invite")
    page.get_by_label("Asset and scale").fill("USD")
    page.get_by_role("button", name="Make the invitation").click()
    assert "Write the asset with its scale" in page.inner_text("main")
    page.get_by_label("Asset and scale").fill("USD/9")
    page.get_by_role("button", name="Make the invitation").click()
    assert "ilp peer accept" in page.inner_text("main")


EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}‮'


def test_what_others_write_is_text(enter: Any, network: Any, said: list[str]) -> None:
    """XSS in what a caller, a sender or a peer can choose: shown, never run."""
    network.run(network.api("alice").pay("$localhost:1/" + "x" * 300, account="alice", send="1 USD"))
    page = enter("alice", "/ui/payments")
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    said.clear()
    for path in ("/ui/find?q=", "/ui/routes?to=", "/ui/pay?receiver=", "/ui/payments?s=", "/ui/accounts?f=",
                 "/ui/events?only=", "/ui/payments/", "/ui/accounts/", "/ui/"):  # fmt: skip
        page.goto(network.url("alice") + path + page.evaluate("text => encodeURIComponent(text)", EVIL))
        assert page.locator("main img, main script").count() == 0
        assert "49" not in page.inner_text("h1")
    assert [text for text in said if not re.search(r"status of 4\d\d", text)] == []
    page.goto(network.url("alice") + "/ui/payments")
    assert json.dumps("x" * 250)[1:-1] not in page.inner_text("main")
