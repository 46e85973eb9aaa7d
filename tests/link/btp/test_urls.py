"""BTP URLs as other programs write them."""

from __future__ import annotations

import pytest

from interledger.errors import InvalidRequestError
from interledger.link.btp.urls import parse_btp_url, take_token

READ = [
    # url, token beside it -> url, host, port, secure, user, token, loopback
    ("btp+ws://bob:tok@h.example:7768/a", None, "ws://h.example:7768/a", "h.example", 7768, False, "bob", "tok", False),
    ("btp+wss://:tok@h.example", None, "wss://h.example:443/", "h.example", 443, True, "", "tok", False),
    ("btp+ws://:t%40k@localhost", None, "ws://localhost:80/", "localhost", 80, False, "", "t@k", True),
    ("ws://127.0.0.1:1/accounts/bob/ilp/btp", "tok", "ws://127.0.0.1:1/accounts/bob/ilp/btp", "127.0.0.1", 1, False, "",
     "tok", True),
    ("wss://[::1]:5/?x=1", None, "wss://[::1]:5/?x=1", "::1", 5, True, "", "", True),
    ("btp+wss://b%C3%B3b@h.example/", "tok", "wss://h.example:443/", "h.example", 443, True, "bób", "tok", False),
]  # fmt: skip


@pytest.mark.parametrize("row", READ)
def test_what_is_read(row: tuple[object, ...]) -> None:
    a = parse_btp_url(str(row[0]), row[1] if row[1] is None else str(row[1]))
    assert (a.url, a.host, a.port, a.secure, a.username, a.token, a.is_loopback) == row[2:]
    assert a.token not in repr(a) or not a.token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "http://h.example",
        "btp+ws://",
        "ws://:tok@:80/",
        "ws://h:99999/",
        "ws://h:x/",
        "ws://[::1/",
        "ws://h/#f",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_btp_url(text)
    assert "tok" not in str(caught.value).replace("token", "")


def test_a_token_given_twice_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_btp_url("ws://u:hunter2@h.example/", "hunter3")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "rest", "token"),
    [
        ("btp+ws://bob:tok@h.example:7768/a?b", "btp+ws://bob@h.example:7768/a?b", "tok"),
        ("wss://:t%40k@[::1]:5", "wss://[::1]:5", "t@k"),
        ("wss://bob@h.example", "wss://bob@h.example", None),
        ("wss://h.example/x:y@z", "wss://h.example/x:y@z", None),
        ("wss://[", "wss://[", None),
        ("", "", None),
    ],
)
def test_the_token_is_taken_out(url: str, rest: str, token: str | None) -> None:
    assert take_token(url) == (rest, token)
