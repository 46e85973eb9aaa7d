"""Paths, headers and heads of the forms of ILP over HTTP whose packets have ids. Whole requests are in the vectors."""

from __future__ import annotations

import pytest

from interledger.accounts.account import HttpForm
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.link.http.forms import Heads, Target, callback_url, parse_target, request_id
from interledger.link.http.urls import parse_url

NOW = Timestamp(0)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/ilp/abc", Target(None, "ilp", b"abc")),
        (b"/ilp/" + b"a" * 64, Target(None, "ilp", b"a" * 64)),
        (b"/accounts/b%C3%BCb/ilp/abc", Target(b"b%C3%BCb", "ilp", b"abc")),
        (b"/paychan", Target(None, "paychan", None)),
        (b"/ilp", None),
        (b"/ilp/", None),
        (b"/ilp/a/b", None),
        (b"/ilp/" + b"a" * 65, None),
        (b"/ilp/%61", None),
        (b"/accounts//ilp/abc", None),
        (b"/accounts/bob/ilp/btp", None),
        (b"/accounts/bob/spsp/abc", None),
        (b"/accounts", None),
        (b"/metrics", None),
        (b"/PAYCHAN", None),
        (b"/paychan/1", None),
        (b"ilp/abc", None),
        (b"/", None),
        (b"", None),
    ],
)
def test_paths_of_HTTP_OER(path: bytes, target: Target | None) -> None:
    assert parse_target(path) == target


@pytest.mark.parametrize(
    ("value", "found"), [(b"a-b_c.d~e", b"a-b_c.d~e"), (b"", None), (b"a b", None), (b"a\n", None), (b"a" * 65, None)]
)
def test_HT_03_request_ids(value: bytes, found: bytes | None) -> None:
    assert request_id({b"request-id": value}) == found
    assert request_id({}) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"https://us.example/ilp", "https://us.example/ilp"),
        (b"HTTPS://US.example:443/ilp#f", "https://us.example/ilp"),
        (b"https://us.example@evil.example/ilp", None),
        (b"https://169.254.169.254\\@us.example/ilp", None),
        (b"file:///etc/passwd", None),
        (b"//us.example/ilp", None),
        (b"http://0x7f000001/", None),
        (b"https://\xfcs.example/", None),
        (b"", None),
    ],
)
def test_HT_11_callbacks_are_read_by_the_one_reader_of_urls(value: bytes, found: str | None) -> None:
    assert callback_url({b"callback-url": value}) == found
    assert callback_url({}) is None


def test_an_address_without_a_path_is_that_of_the_protocol() -> None:
    heads = Heads(HttpForm.OER_SYNC, parse_url("https://a.example"), None)
    assert heads.prepare(b"x", NOW).startswith(b"POST /ilp/x HTTP/1.1\r\nHost: a.example\r\n")
    assert heads.reply(b"x", NOW) == heads.prepare(b"x", NOW)
    assert (
        Heads(HttpForm.OER_SYNC, parse_url("https://a.example/p/"), None).prepare(b"x", NOW).startswith(b"POST /p/x ")
    )


def test_an_address_with_a_query_cannot_get_an_id_behind_it() -> None:
    with pytest.raises(InvalidRequestError, match="no query"):
        Heads(HttpForm.OER_ASYNC, parse_url("https://a.example/ilp?x=1"), None)


def test_HT_03_a_reply_names_no_callback() -> None:
    url = parse_url("https://a.example/ilp")
    heads = Heads(HttpForm.ASYNC, url, "t", parse_url("https://b.example/ilp"))
    assert b"\r\nCallback-Url: https://b.example/ilp\r\nRequest-Id: x\r\nContent-Length: " in heads.prepare(
        b"x", Timestamp(0)
    )
    assert b"Callback-Url" not in heads.reply(b"x", NOW)
    assert heads.reply(b"x", NOW).endswith(b"\r\nRequest-Id: x\r\nContent-Length: ")
