"""Who gets in: by a code that works once; and what other sites and other names cannot do."""

from __future__ import annotations

import http.client
import re
from typing import Any
from urllib.parse import urlencode, urlsplit


def ask(url: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(url)
    line = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request(
        method, parts.path + (f"?{parts.query}" if parts.query else ""), body, {"Host": parts.netloc, **fields}
    )
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def session_of(network: Any, name: str) -> str:
    return ask(network.login_url(name))[1]["set-cookie"].partition(";")[0]


def test_a_code_lets_a_browser_in_once(enter: Any, context: Any, network: Any, said: list[str]) -> None:
    page = enter("hub", "/ui/accounts")
    assert page.title() == "Accounts · hub · Interledger node"
    cookie = next(cookie for cookie in context.cookies() if cookie["name"].startswith("ilp_session"))
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert "code=" not in page.url
    used = network.login_url("hub")
    assert ask(used)[0] == 200
    status, _, text = ask(used)
    assert status == 403
    assert "was used, or is too old" in text
    assert said == []


def test_the_access_token_lets_in_too_and_logging_out_ends_it(context: Any, network: Any) -> None:
    page = context.new_page()
    page.goto(network.url("alice") + "/ui/payments")
    page.get_by_label("access token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    assert "no access token of this node" in page.inner_text("main")
    page.goto(network.url("alice") + "/ui/payments")
    page.get_by_label("access token").fill(network.nodes.nodes["alice"].settings.admin_auth_token)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/ui/payments")
    page.wait_for_selector("h1:has-text('Payments')")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_selector("h1:has-text('Log in')")


def test_one_node_of_the_network_opens_the_next(enter: Any, network: Any) -> None:
    page = enter("hub", "/ui/accounts")
    page.locator("summary").click()
    page.get_by_role("link", name="bob", exact=True).first.click()
    page.wait_for_function("() => document.title.includes('bob')")
    assert page.url.startswith(network.url("bob"))


def test_every_answer_says_what_a_browser_may_do(network: Any) -> None:
    cookie = session_of(network, "hub")
    for path in ("/ui/accounts", "/ui/nothing", "/ui/static/app.css", "/ui/node/nobody"):
        _, headers, _ = ask(network.url("hub") + path, Cookie=cookie)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';")
        assert "frame-ancestors 'none'; base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_nobody_is_told_anything_without_a_login(network: Any) -> None:
    for path in ("/ui/", "/ui/accounts", "/ui/accounts/alice", "/ui/payments", "/ui/live"):
        status, _, text = ask(network.url("hub") + path)
        assert status == 401
        assert "test.hub" not in text
        assert "alice" not in text.replace("/ui/accounts/alice", "")


def test_L2_a_name_of_somebody_else_is_not_served(network: Any) -> None:
    """DNS rebinding: with the right cookie, too."""
    cookie = session_of(network, "hub")
    for path in ("/ui/accounts", "/ui/?code=xxxxx", "/ui/login"):
        method = "POST" if path == "/ui/login" else "GET"
        assert ask(network.url("hub") + path, method, Cookie=cookie, Host="evil.example:7770")[0] == 421


def test_a_form_needs_the_token_of_its_page_and_comes_from_here(network: Any) -> None:
    """CSRF: a payment that ended may be stopped without effect, so the answer alone tells."""
    cookie, payment = session_of(network, "alice"), network.payments["bob"]["id"]
    url = f"{network.url('alice')}/ui/payments/{payment}/cancel"
    page = ask(network.url("alice") + "/ui/payments", Cookie=cookie)[2]
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert token is not None
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    good = urlencode({"csrf": token[1]})
    assert ask(url, "POST", "", **form)[0] == 403
    assert ask(url, "POST", urlencode({"csrf": "0" * 64}), **form)[0] == 403
    assert ask(url, "POST", good, Sec_Fetch_Site="cross-site", **form)[0] == 403
    assert ask(url, "POST", good, Origin="https://evil.example", **form)[0] == 403
    assert ask(url, "POST", good, **{**form, "Cookie": ""})[0] == 401
    assert ask(url, "POST", good, Sec_Fetch_Site="same-origin", **form)[0] == 303


def test_the_cookie_reads_the_api_and_changes_nothing(network: Any) -> None:
    cookie, url = session_of(network, "hub"), network.url("hub")
    assert ask(url + "/api/accounts", Cookie=cookie)[0] == 200
    assert ask(url + "/api/accounts", Cookie=cookie, Sec_Fetch_Site="cross-site")[0] == 401
    assert ask(url + "/api/accounts/alice", "DELETE", Cookie=cookie)[0] == 401


def test_where_to_go_on_is_always_here(network: Any) -> None:
    code = urlsplit(network.login_url("hub")).query.removeprefix("code=")
    body = urlencode({"token": code, "back": "https://evil.example/ui/"})
    _, _, text = ask(network.url("hub") + "/ui/login", "POST", body, Content_Type="application/x-www-form-urlencoded")
    assert 'content="0; url=/ui/"' in text
