"""F1: a name is asked once, each of its addresses is checked, and links connect to a checked one."""

from __future__ import annotations

import ipaddress

import pytest

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
