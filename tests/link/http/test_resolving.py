"""F1: a name is asked once, each of its addresses is checked, and links connect to a checked one."""

from __future__ import annotations

import ipaddress

import pytest

from interledger.errors import InvalidRequestError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.resolving import (
    FetchError,
    NameNotFoundError,
    NotAllowedError,
    checked_addresses,
    resolve_name,
)
from interledger.link.http.urls import IpAddress, parse_url

PUBLIC, PRIVATE = ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("10.0.0.1")


class Names:
    """Answers with the next list each time: a name that changes its meaning."""

    def __init__(self, *answers: list[IpAddress]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> list[IpAddress]:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("url", "answer", "error"),
    [
        ("https://a.example/", [PUBLIC], None),
        ("https://a.example/", [PUBLIC, PRIVATE], NotAllowedError),
        ("https://a.example/", [], NameNotFoundError),
        ("http://a.example/", [PUBLIC], NotAllowedError),
        ("https://10.0.0.1/", [], NotAllowedError),
    ],
)
async def test_every_address_is_checked(url: str, answer: list[IpAddress], error: type[FetchError] | None) -> None:
    names = Names(answer)
    if error is None:
        assert await checked_addresses(parse_url(url), EgressPolicy(), names) == answer
        assert names.answers == [], "asked once"
    else:
        with pytest.raises(error):
            await checked_addresses(parse_url(url), EgressPolicy(), names)


async def test_the_systems_resolver() -> None:
    assert ipaddress.ip_address("127.0.0.1") in await resolve_name("localhost", 80)


SPELLINGS = [
    "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433",
    "017700000001", "0", "0.0.0.0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1%25lo]", "169.254.169.254", "0xa9fea9fe", "2852039166",
    "169.254.43518", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "10.1", "192.168.257", "0300.0250.0.1",
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "127.0.0.1.", "%31%32%37.0.0.1", "evil@127.0.0.1",
    "127.0.0.1\\@a.example",
]  # fmt: skip
"""This machine, its neighbours, metadata services, as browsers, resolvers and careless parsers let them be written."""


@pytest.mark.parametrize("host", SPELLINGS)
async def test_F1_no_spelling_of_a_private_place_is_called(host: str) -> None:
    """With the system's own resolver, which understands most of them."""
    with pytest.raises((FetchError, InvalidRequestError)):
        await checked_addresses(parse_url(f"https://{host}/"), EgressPolicy())


@pytest.mark.parametrize("private", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"])
async def test_F1_a_name_that_changes_its_meaning_is_asked_once(private: str) -> None:
    """DNS rebinding: what was checked is what is called, and a name with one bad address among good ones is refused."""
    bad = ipaddress.ip_address(private)
    names = Names([PUBLIC], [bad], [PUBLIC, bad], [bad, PUBLIC])
    url = parse_url("https://a.example/")
    assert await checked_addresses(url, EgressPolicy(), names) == [PUBLIC]
    assert len(names.answers) == 3
    for _ in range(3):
        with pytest.raises(NotAllowedError):
            await checked_addresses(url, EgressPolicy(), names)
