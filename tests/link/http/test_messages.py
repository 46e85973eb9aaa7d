"""The tables of ILP over HTTP."""

from __future__ import annotations

import pytest

from interledger.link.http.messages import (
    bearer_token,
    encode_response,
    failure_of_status,
    is_ilp_content_type,
    request_head,
    status_line,
)
from interledger.link.http.urls import parse_url


@pytest.mark.parametrize(
    ("header", "strict", "bare"),
    [
        (None, None, None),
        (b"Bearer token", "token", "token"),
        (b"bearer token", "token", "token"),
        (b"BEARER token", "token", "token"),
        (b"Bearer a:b~/+=.-_", "a:b~/+=.-_", "a:b~/+=.-_"),
        (b"token", None, "token"),
        (b"Bearer  token", None, None),
        (b"Bearer\ttoken", None, None),
        (b"Bearer token ", None, None),
        (b"Bearer to ken", None, None),
        (b"Bearer ", None, None),
        (b"Bearer", None, "Bearer"),
        (b"Bearer t\xc3\xb6ken", None, None),
        (b"t\xc3\xb6ken", None, None),
        (b"Bearer token\n", None, None),
        (b"Basic dXNlcg==", None, None),
        (b"", None, None),
    ],
)
def test_HT_05_HT_07_tokens(header: bytes | None, strict: str | None, bare: str | None) -> None:
    assert bearer_token(header) == strict
    assert bearer_token(header, bare=True) == bare


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (None, True),
        (b"", True),
        (b"application/octet-stream", True),
        (b"application/ilp+octet-stream", True),
        (b"Application/Octet-Stream", True),
        (b"application/octet-stream; charset=utf-8", True),
        (b"application/json", False),
        (b"text/plain", False),
        (b"application/x-www-form-urlencoded", False),
    ],
)
def test_HT_07_content_types(value: bytes | None, accepted: bool) -> None:
    assert is_ilp_content_type(value) is accepted


@pytest.mark.parametrize(
    ("status", "code", "known", "alarm"),
    [
        (201, "T00", False, True),
        (202, "T00", False, True),
        (204, "T00", False, True),
        (301, "F00", True, True),
        (307, "F00", True, True),
        (400, "F00", True, True),
        (401, "F00", True, True),
        (403, "F00", True, True),
        (404, "F00", True, True),
        (408, "T01", False, False),
        (413, "F00", True, False),
        (415, "F00", True, True),
        (429, "T02", True, False),
        (499, "F00", True, True),
        (500, "T01", False, False),
        (502, "T01", False, False),
        (503, "T01", True, False),
        (504, "T01", False, False),
        (599, "T01", False, False),
        (999, "T01", False, False),
    ],
)
def test_HT_09_what_a_status_means(status: int, code: str, known: bool, alarm: bool) -> None:
    failure = failure_of_status(status)
    assert (failure.code, failure.known, failure.alarm) == (code, known, alarm)
    assert str(status) in failure.message


def test_HT_01_HT_08_our_request() -> None:
    assert request_head(parse_url("https://bank.example:8443/accounts/bob/ilp"), "secret") == (
        b"POST /accounts/bob/ilp HTTP/1.1\r\n"
        b"Host: bank.example:8443\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b"Accept: application/octet-stream\r\n"
        b"Authorization: Bearer secret\r\n"
        b"Content-Length: "
    )
    assert b"Authorization" not in request_head(parse_url("http://bank.example"), None)


def test_answers_in_words() -> None:
    assert status_line(404) == b"HTTP/1.1 404 Not Found\r\n"
    assert status_line(799) == b"HTTP/1.1 799 Unknown\r\n"
    assert encode_response(400, "no", date=b"Date: d\r\n", close=True) == (
        b"HTTP/1.1 400 Bad Request\r\nDate: d\r\nConnection: close\r\n"
        b"Content-Type: application/problem+json\r\nContent-Length: 79\r\n\r\n"
        b'{"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"}\n'
    )
    assert b"Connection" not in encode_response(400, "no")
