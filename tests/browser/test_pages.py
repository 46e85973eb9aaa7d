"""What the pages say, of a network in which alice has paid bob 10 USD."""

from __future__ import annotations

from typing import Any


def words(page: Any, selector: str = "main") -> str:
    return " ".join(page.inner_text(selector).split())


def test_accounts_say_who_owes_whom(enter: Any, said: list[str]) -> None:
    page = enter("hub", "/ui/accounts")
    rows = page.locator("table tbody tr")
    assert rows.count() == 2
    assert "alice peer, BTP Up 10.00 USD owes us 490.00 USD" in words(page, "table")
    assert page.locator("svg.bar").first.get_attribute("aria-label") == "alice owes us 10.00 USD, at most 500.00"
    page.get_by_role("link", name="EUR 1").click()
    assert page.locator("table tbody tr").count() == 1
    page.get_by_role("link", name="bob", exact=True).last.click()
    assert "We owe bob 9.185360997 EUR. At" in words(page)
    assert said == []


def test_a_payment_tells_what_was_sent_and_what_arrived(enter: Any, network: Any, said: list[str]) -> None:
    page = enter("alice", "/ui/payments")
    page.get_by_role("link", name=network.payments["bob"]["id"]).click()
    assert words(page, "h1").startswith("10.00 USD to $localhost")
    assert "Sent 10.00 USD" in words(page)
    assert "Delivered 9.185360997 EUR" in words(page)
    assert "0.918536 EUR per USD" in words(page)
    page.go_back()
    page.get_by_role("link", name="Failed", exact=True).click()
    assert page.locator("table tbody tr").count() == 1
    assert said == []


def test_what_is_not_there_is_said_on_a_page(enter: Any) -> None:
    page = enter("hub", "/ui/accounts/nobody")
    assert words(page, "h1") == "There is no such thing"
    assert "Traceback" not in page.content()


def test_spanish_and_its_numbers(enter: Any) -> None:
    page = enter("hub", "/ui/accounts/bob?lang=es")
    assert page.locator("html").get_attribute("lang") == "es"
    assert "9,185360997 EUR" in words(page)
    page.goto(page.url.partition("?")[0])
    assert page.locator("html").get_attribute("lang") == "es"


def test_the_theme_stays(enter: Any) -> None:
    page = enter("hub", "/ui/accounts")
    page.locator("[data-theme-toggle]").click()
    chosen = page.locator("html").get_attribute("data-theme")
    assert chosen in ("light", "dark")
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == chosen


def test_live_numbers_change_in_place(enter: Any, network: Any, said: list[str]) -> None:
    page = enter("hub", "/ui/accounts/alice")
    page.wait_for_selector("#live[data-on]")
    was = page.inner_text("dl.kvs dd >> nth=0")
    network.run(network.api("alice").pay(network.nodes.pointer("bob"), account="alice", send="1 USD"))
    page.wait_for_function("was => document.querySelector('dl.kvs dd').innerText !== was", arg=was)
    network.run(network.api("bob").pay(network.nodes.pointer("alice"), account="bob", deliver="1 USD"))
    assert said == []


def test_a_packet_without_room_says_the_values_that_were_compared(enter_own: Any, own_network: Any) -> None:
    """A reject of ours names the step that refused, the limit, and both values; the numbers are those of the books."""
    hub = own_network.api("hub")
    own_network.run(hub.update_account("alice", {"limits": {"owes_us_max": "10300000000"}}))
    own_network.run(own_network.api("alice").pay(own_network.nodes.pointer("bob"), account="alice", send="5 USD"))
    page = enter_own("hub", "/ui/packets?code=T04")
    page.locator("table tbody a").last.click()
    page.wait_for_selector("h1:has-text('Packet')")
    assert "hub refused it at the step “hold”" in words(page, ".note")
    assert "alice may owe us 10.30 USD at most. At that moment it owed 10.00 USD and 0.00 USD more" in words(page)
    assert "so 0.30 USD was free and this packet needed" in words(page)
    assert page.locator("svg.bar").count() == 1
    twin = page.locator("link[rel=alternate]").first.get_attribute("href")
    one = own_network.run(hub.call("GET", twin))
    compared = next(step["compared"] for step in one["journey"] if step["state"] == "refused")
    assert (compared["limit"], compared["room"], compared["posted"]) == ("owes_us_max", "300000000", "10000000000")
