"""What an operator does by forms: rates, routes, pauses, backups, draining; and lists as files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.browser.conftest import enter_node, running


def words(page: Any, selector: str = "main") -> str:
    return " ".join(page.inner_text(selector).split())


# ---------------------------------------------------------------------- rates


def test_a_rate_is_set_and_one_that_jumps_is_asked_about_once_more(
    enter_own: Any, own_network: Any, said: list[str]
) -> None:
    hub = own_network.api("hub")
    before = {rate["code"]: rate["value"] for rate in own_network.run(hub.rates())}
    page = enter_own("hub", "/ui/rates")
    page.get_by_role("link", name="Set a rate").click()
    page.get_by_label("Asset").fill("xau")
    page.get_by_label("Worth of one unit").fill("1,9")
    page.get_by_role("button", name="Set the rate").click()
    assert "with a point and no thousands mark" in words(page, "main [role=alert]")
    assert page.get_by_label("Asset").input_value() == "XAU"
    page.get_by_label("Worth of one unit").fill("1900.5")
    page.get_by_role("button", name="Set the rate").click()
    page.wait_for_url("**/ui/rates#rates")
    assert {rate["code"]: rate["value"] for rate in own_network.run(hub.rates())} == before | {"XAU": "1900.5"}
    page.locator("tr", has_text="XAU").get_by_role("link", name="Change…").click()
    assert page.get_by_label("Worth of one unit").input_value() == "1900.5"
    page.get_by_label("Worth of one unit").fill("190.05")
    page.get_by_role("button", name="Set the rate").click()
    assert "−90.00 %" in words(page)
    assert {rate["code"]: rate["value"] for rate in own_network.run(hub.rates())}["XAU"] == "1900.5"
    page.get_by_role("button", name="Set XAU to 190.05").click()
    page.wait_for_url("**/ui/rates#rates")
    assert page.locator("#over-time path.ln").count() == 1 or page.goto(page.url.partition("#")[0] + "?code=XAU")
    assert page.locator("#over-time path.ln").count() == 1
    page.locator("#rates tr", has_text="XAU").get_by_role("link", name="Change…").click()
    page.get_by_role("button", name="Forget XAU").click()
    page.wait_for_url("**/ui/rates#rates")
    assert {rate["code"]: rate["value"] for rate in own_network.run(hub.rates())} == before
    assert [text for text in said if "status of 422" not in text] == []


# ---------------------------------------------------------------------- routes


def test_a_route_is_added_and_removed_in_two_steps(enter_own: Any, own_network: Any, said: list[str]) -> None:
    hub = own_network.api("hub")
    page = enter_own("hub", "/ui/routes")
    page.get_by_role("link", name="Add a route").click()
    page.get_by_label("Prefix").fill("test..far")
    page.get_by_label("To the account").select_option("bob")
    page.get_by_role("button", name="Add the route").click()
    assert "test..far" in words(page, "main [role=alert]")
    page.get_by_label("Prefix").fill("test.away")
    page.get_by_text("Share it with other accounts").click()
    page.get_by_label("Weight").fill("3")
    page.get_by_role("button", name="Add the route").click()
    page.wait_for_url("**/ui/routes#table")
    static = [route for route in own_network.run(hub.routes()) if route["origin"] == "static"]
    assert [(one["prefix"], one["account"], one["weight"]) for one in static] == [
        ("test.away", "bob", 3), ("test.far", "bob", 1)
    ]  # fmt: skip
    page.locator("tr", has_text="test.away").get_by_role("link", name="Remove…").click()
    assert "Packets to test.away do not go to bob" in words(page)
    page.get_by_role("button", name="Remove test.away").click()
    page.wait_for_url("**/ui/routes#table")
    assert [one["prefix"] for one in own_network.run(hub.routes()) if one["origin"] == "static"] == ["test.far"]
    page.wait_for_function("() => document.body.innerText.includes('removed')")
    assert [text for text in said if "status of 422" not in text] == []


def test_what_neighbours_are_told(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/routes")
    sessions = network.run(network.api("hub").route_sessions())
    card = page.locator("section:has(h2:text-is('Told to neighbours'))")
    assert {one["account"] for one in sessions} == {"alice", "bob"}
    assert card.locator("tbody tr").count() == 2
    one = next(each for each in sessions if each["told_prefixes"])
    card.locator("summary").first.click()
    assert one["told_prefixes"][0] in card.inner_text()


# ---------------------------------------------------------------------- accounts


def test_a_peer_is_paused_and_resumed(enter_own: Any, own_network: Any, said: list[str]) -> None:
    hub, alice = own_network.api("hub"), own_network.api("alice")
    page = enter_own("hub", "/ui/accounts/alice")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector(".note:has-text('alice is paused')")
    assert own_network.run(hub.account("alice"))["paused"]
    assert own_network.run(alice.ping("test.bob", timeout_ms=2_000))["code"] == "T03"
    assert own_network.run(own_network.api("bob").ping("test.alice", timeout_ms=2_000))["code"] == "T02"
    page.goto(own_network.url("hub") + "/ui/accounts")
    assert "Paused" in words(page, "table")
    page.goto(own_network.url("hub") + "/ui/accounts/alice")
    page.get_by_role("button", name="Resume").click()
    page.wait_for_function("() => !document.querySelector('.note')")
    assert own_network.run(alice.ping("test.bob", timeout_ms=2_000))["code"] is None
    assert said == []


def test_a_pointer_and_its_code(enter: Any, network: Any) -> None:
    page = enter("bob", "/ui/receive")
    pointer = network.nodes.pointer("bob")
    assert page.locator("[data-copy^='$']").get_attribute("data-copy").endswith("/bob")
    assert page.locator("svg.qr path").get_attribute("d").startswith("M4 4h7v1h-7z")
    assert pointer.rpartition("/")[2] in words(page, ".pointer")
    page = enter("hub", "/ui/receive")
    assert "No account of this node’s own" in words(page)


# ---------------------------------------------------------------------- payments


def test_what_was_sent_and_what_came_in_stand_beside_each_other(enter_own: Any, own_network: Any) -> None:
    own_network.run(own_network.api("bob").pay(own_network.nodes.pointer("alice"), account="bob", send="1 EUR"))
    page = enter_own("alice", "/ui/payments")
    rows = page.locator("tbody tr")
    assert rows.count() == 3
    assert "from hub to alice unknown to us" in words(page, "tbody tr >> nth=0")
    page.get_by_role("link", name="Received", exact=True).click()
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("link", name="Sent", exact=True).click()
    assert page.locator("tbody tr").count() == 2
    page.get_by_role("link", name="Failed", exact=True).click()
    assert page.locator("tbody tr").count() == 1
    twins = page.evaluate("[...document.querySelectorAll('link[rel=alternate]')].map(one => one.getAttribute('href'))")
    assert twins == ["/api/payments?state=failed&limit=50"]
    page.get_by_role("link", name="Stopped", exact=True).click()
    assert "No payment is like that" in words(page)


def test_older_payments_with_those_that_came_in_between(enter_own: Any, own_network: Any, monkeypatch: Any) -> None:
    """The pages of both lists together have each payment once."""
    from interledger.dashboard.pages import payments

    monkeypatch.setattr(payments, "PAGE_SIZE", 2)
    for _ in range(2):
        own_network.run(own_network.api("bob").pay(own_network.nodes.pointer("alice"), account="bob", send="1 EUR"))
        own_network.run(own_network.api("alice").pay(own_network.nodes.pointer("bob"), account="alice", send="1 USD"))
    page, seen = enter_own("alice", "/ui/payments"), []
    while True:
        seen += [one.split("/")[-1] for one in page.evaluate(
            "[...document.querySelectorAll('tbody a.b')].map(one => one.getAttribute('href'))"
        )]  # fmt: skip
        older = page.get_by_role("link", name="Older payments")
        if not older.count():
            break
        older.click()
        page.wait_for_load_state()
    alice = own_network.api("alice")
    sent, came = own_network.run(alice.payments())[0], own_network.run(alice.incoming())[0]
    assert sorted(seen) == sorted(one["id"] for one in [*sent, *came])
    assert len(seen) == 6


def test_what_a_payment_cost_and_the_way_it_went(enter: Any, network: Any) -> None:
    page = enter("alice", f"/ui/payments/{network.payments['bob']['id']}")
    one = network.run(network.api("alice").payment(network.payments["bob"]["id"]))
    if one["cost"] is not None:
        assert f"{int(one['cost']['fee_per_million']) // 10_000}." in words(page, ".stat >> nth=3")
    assert [" ".join(text.split()) for text in page.locator(".way b").all_inner_texts()] == ["alice", "hub", "bob"]


# ---------------------------------------------------------------------- the node


def test_books_that_are_kept_are_backed_up(context: Any, tmp_path: Path) -> None:
    with running(tmp_path, durability="process") as network:
        page = enter_node(context, network, "hub", "/ui/settings")
        page.get_by_role("button", name="Back up now").click()
        page.wait_for_selector("h1:has-text('Backup')")
        assert "The books were copied, while packets passed" in words(page)
        file = Path(page.inner_text("dd.mono"))
        assert file.exists()
        assert f"Size {file.stat().st_size:,} octets" in words(page)


def test_books_in_memory_say_that_there_is_nothing_to_copy(enter: Any) -> None:
    page = enter("hub", "/ui/settings")
    page.get_by_role("button", name="Back up now").click()
    page.wait_for_selector("h1:has-text('Backup')")
    assert "so there is nothing to back up" in words(page, ".note")


def test_draining_refuses_new_packets_and_can_be_taken_back(enter_own: Any, own_network: Any, said: list[str]) -> None:
    alice = own_network.api("alice")
    page = enter_own("hub", "/ui/settings")
    page.get_by_role("link", name="Take no new packets…").click()
    page.get_by_role("button", name="Take no new packets").click()
    page.wait_for_selector("text=New packets are refused, and none is in flight")
    assert own_network.run(alice.ping("test.bob", timeout_ms=2_000))["code"] == "T03"
    page.goto(own_network.url("hub") + "/ui/")
    assert "new packets are refused (T03)" in words(page, ".note")
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("button", name="Take packets again").click()
    page.wait_for_selector("h2:has-text('Packets are taken')")
    assert own_network.run(alice.ping("test.bob", timeout_ms=2_000))["code"] is None
    assert said == []


def test_a_node_is_stopped_in_two_steps(enter_own: Any, own_network: Any, said: list[str]) -> None:
    page = enter_own("hub", "/ui/settings")
    page.get_by_role("link", name="Drain and stop…").click()
    page.get_by_role("button", name="Drain and stop hub").click()
    assert "the program that runs it, as ilp dev up , stops it" in words(page)
    stopped: list[bool] = []
    own_network.nodes.nodes["hub"].intake.stopper = lambda: stopped.append(True)
    page.get_by_role("button", name="Drain and stop hub").click()
    page.wait_for_selector("text=hub stops")
    assert stopped == [True]
    assert [text for text in said if "status of 409" not in text] == []


def test_forms_from_elsewhere_do_nothing(enter: Any, context: Any, network: Any) -> None:
    enter("hub")
    for path in ("/ui/drain", "/ui/stop", "/ui/backup", "/ui/resume", "/ui/rates/set", "/ui/rates/forget",
                 "/ui/routes/add", "/ui/routes/remove", "/ui/accounts/alice/pause"):  # fmt: skip
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}):
            answer = context.request.post(
                network.url("hub") + path, headers=headers, form={"csrf": "x", "code": "EUR", "value": "7"}
            )
            assert answer.status == 403, (path, headers)
    assert network.run(network.api("hub").status())["taking_packets"]
    assert not network.run(network.api("hub").account("alice"))["paused"]


# ---------------------------------------------------------------------- files


def test_lists_as_files(enter: Any, context: Any, network: Any) -> None:
    page = enter("hub", "/ui/settlements")
    for place in ("/ui/settlements", "/ui/rates", "/ui/routes", "/ui/accounts", "/ui/payments", "/ui/packets",
                  "/ui/unknown", "/ui/events"):  # fmt: skip
        page.goto(network.url("hub") + place)
        for link in page.get_by_role("link", name="Export CSV").all():
            answer = context.request.get(network.url("hub") + link.get_attribute("href"))
            assert answer.status == 200, place
            assert answer.headers["content-type"].startswith("text/csv")
            assert "attachment" in answer.headers["content-disposition"]
            head, *rows = answer.text().splitlines()
            assert "," in head
            assert all(row.count(",") >= head.count(",") for row in rows)
    page.goto(network.url("hub") + "/ui/settings")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Save as TOML").click()
    assert waited.value.suggested_filename == "hub-settings.toml"
    assert 'ilp_address = "test.hub"' in page.locator("[data-copy]").first.get_attribute("data-copy")


# ---------------------------------------------------------------------- live


def test_a_waterfall_moves_ten_times_a_second_at_most(enter_own: Any, own_network: Any) -> None:
    alice = own_network.api("alice")

    async def begin() -> str:
        async for payment in alice.pay_with_progress(own_network.nodes.pointer("bob"), account="alice", send="60 USD"):
            return str(payment["id"])
        raise AssertionError

    page = enter_own("alice", "/ui/payments")
    own_network.nodes.nodes["hub"].clock.now()
    payment = own_network.run(begin())
    page.goto(own_network.url("alice") + f"/ui/payments/{payment}")
    page.evaluate("""() => {
        window.asked = [];
        const real = window.fetch;
        window.fetch = (...all) => { window.asked.push(performance.now()); return real(...all); };
    }""")
    page.wait_for_function("() => document.body.innerText.includes('Delivered at') || window.asked.length >= 0")
    page.wait_for_timeout(1_200)
    asked = page.evaluate("window.asked")
    assert all(later - earlier >= 90 for earlier, later in pairwise(asked))
