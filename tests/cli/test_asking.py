"""--dry-run changes nothing, --curl sends nothing, --url names a page: each by a request that is not sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from interledger.cli.asking import page_of, without_secrets

Ilp = Callable[..., Any]

NODE = "http://localhost:7790"


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("/api/status", "/ui/"),
        ("/api/accounts", "/ui/accounts"),
        ("/api/accounts/bob", "/ui/accounts/bob"),
        ("/api/payments?limit=20", "/ui/payments"),
        ("/api/payments/pay_7QX4", "/ui/payments/pay_7QX4"),
        ("/api/routes/explain?destination=test.bob", "/ui/routes"),
        ("/api/unknown/unk_1", "/ui/unknown/unk_1"),
        ("/api/ledger/check", None),
        ("/spsp", None),
    ],
)
def test_pages(asked: str, page: str | None) -> None:
    assert page_of(NODE + asked) == (None if page is None else NODE + page)


def test_no_secret_is_shown() -> None:
    body = {"id": "a", "link": {"http_incoming_token": "t", "btp_outgoing_token": None}, "x": [{"secret": "s"}, 1]}
    assert without_secrets(body) == {
        "id": "a",
        "link": {"http_incoming_token": "(not shown)", "btp_outgoing_token": None},
        "x": [{"secret": "(not shown)"}, 1],
    }


def test_the_page_of_what_is_read(ilp: Ilp) -> None:
    assert ilp("account", "show", "bob", "--url").out.endswith("/ui/accounts/bob\n")
    assert len(ilp("account", "list", "--url").out.splitlines()) == 1
    none = ilp("ledger", "check", "--url")
    assert (none.code, none.err.startswith("✗ The dashboard has no page of this.")) == (2, True)
    assert ilp("rate", "set", "FOO", "1", "--url").code in (0, 2)


@pytest.mark.parametrize(
    ("words", "would"),
    [
        ("account create dora --asset USD/9 --http-incoming-token s3cret", "make account dora"),
        ("account token add bob", "make a token for bob"),
        ("account token revoke bob 1a2b", "revoke token 1a2b of bob"),
        ("peer invite --asset USD/9 --name carol", "make an invitation"),
        ("peer add https://rafiki.example --asset USD/2", "become a peer of https://rafiki.example"),
        ("route set test.dora bob", "set static routes"),
        ("rate set DORA 2", "set rates by hand"),
        ("settlement create bob 1", "settle with bob"),
        ("settlement retry set_1", "ask the engine of set_1 again"),
        (f"unknown prove unk_1 {'ab' * 32}", "keep the fulfillment of unk_1 as proof"),
    ],
)
def test_dry_runs(ilp: Ilp, words: str, would: str) -> None:
    result = ilp(*words.split(), "--dry-run")
    assert (result.code, "✗" in result.err) == (0, False)
    lines = result.out.splitlines()
    assert (lines[0], lines[-1]) == (f"  Would {would}.", "  Nothing was changed.")
    assert "s3cret" not in result.out
    document = ilp(*words.split(), "--dry-run", "-o", "json").json
    assert (document["dry_run"], document["would"]) == (True, would)


def test_nothing_was_changed(ilp: Ilp) -> None:
    assert ilp("account", "show", "dora").code == 4
    assert "test.dora" not in ilp("route", "list").out
    assert "DORA" not in ilp("rate", "list").out


def test_the_page_is_opened_where_somebody_is_let_in(
    ilp: Ilp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or len(opened) == 1)
    told = ilp("account", "show", "bob", "--open")
    assert told.code == 0
    assert told.out == f"  {opened[0]}\n"
    assert "/ui/accounts/bob?code=" in opened[0]
    assert "works once" in ilp("node", "dashboard", "--open").err
    missing = ilp("account", "show", "bbo", "--open")
    assert (missing.code, "There is no account" in missing.err, len(opened)) == (4, True, 2)
    assert ilp("account", "delete", "bob", "--yes", "--open").code == 0  # what would be deleted is looked at
    assert ilp("account", "show", "bob").code == 0
    assert ilp("ledger", "check", "--open").code == 2
