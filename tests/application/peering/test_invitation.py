"""An invitation's string: there and back, and everything that is not one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset
from interledger.application.peering.invitation import Invitation
from interledger.clock import Timestamp
from interledger.errors import InvalidRequestError
from interledger.ilp.address import Address

ONE = Invitation(
    url="https://hub.example",
    secret="c2VjcmV0LXNlY3JldC1zZWNyZXQtMDE",
    address=Address("test.hub"),
    asset=Asset("USD", 9),
    relation=Relation.CHILD,
    link="btp",
    owes_us_max=500_000_000_000,
    we_owe_max=0,
    packet_amount_max=None,
    expires_at=Timestamp(1_795_331_976_447),
)
LIMITS = st.none() | st.integers(0, 2**64 - 1)


def sealed(body: str, prefix: str = "ilpeer1:") -> str:
    octets = body.encode()
    check = sha256(b"ilpeer1:" + octets).digest()[:4]
    return prefix + urlsafe_b64encode(octets + check).rstrip(b"=").decode()


@given(
    asset=st.builds(Asset, st.sampled_from(["USD", "EUR", "XRP"]), st.integers(0, 255)),
    relation=st.sampled_from([Relation.CHILD, Relation.PEER]),
    link=st.sampled_from(["btp", "http"]),
    owes=LIMITS,
    owe=LIMITS,
    packet=LIMITS,
    expires=st.integers(0, 2**53),
)
def test_there_and_back(
    asset: Asset, relation: Relation, link: str, owes: int | None, owe: int | None, packet: int | None, expires: int
) -> None:
    one = replace(
        ONE, asset=asset, relation=relation, link=link, owes_us_max=owes, we_owe_max=owe, packet_amount_max=packet,
        expires_at=Timestamp(expires),
    )  # fmt: skip
    assert Invitation.decode(one.encode()) == one


def test_the_string_is_url_safe_and_spaces_do_not_matter() -> None:
    text = ONE.encode()
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:")
    assert Invitation.decode(f"  {text[:40]}\n  {text[40:]}\n") == ONE
    assert ONE.secret not in repr(ONE)
    assert len(ONE.fingerprint) == 14


@given(st.data())
def test_a_character_that_is_wrong_or_missing_is_found(data: st.DataObject) -> None:
    text = ONE.encode()
    place = data.draw(st.integers(len("ilpeer1:"), len(text) - 1))
    other = data.draw(st.sampled_from(["", "A", "b", "_"]))
    damaged = text[:place] + other + text[place + 1 :]
    if damaged != text and not _same_octets(damaged, text):
        with pytest.raises(InvalidRequestError, match=r"damaged|cannot be used"):
            Invitation.decode(damaged)


def _same_octets(left: str, right: str) -> bool:
    """The last character of base64 may have bits that mean nothing."""
    return left[:-1] == right[:-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not an invitation"),
        ("https://hub.example", "is not an invitation"),
        ("ilpeer1:", "damaged"),
        ("ilpeer1:!!!!", "damaged"),
        ("ilpeer1:AAAAA", "damaged"),
        ("ilpeer2:AAAA", "of version 2"),
        ("ilpeer1:" + "A" * 5_000, "is not an invitation"),
        (sealed("[]"), "not an object"),
        (sealed("{}"), "relation is missing"),
        (sealed('{"relation":"lord","link":"btp"}'), "no kind known"),
        (sealed('{"relation":"child","link":"btp","secret":"short"}'), "its secret is none"),
        (sealed('{"a":1,"a":2}'), "same key twice"),
    ],
)
def test_what_is_no_invitation_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        Invitation.decode(text)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://hub.example", True),
        ("http://127.0.0.1:7770", True),
        ("http://localhost:7770", True),
        ("http://[::1]:7770", True),
        ("http://hub.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_whether_the_secret_can_be_read_on_the_way(url: str, private: bool) -> None:
    assert Invitation.decode(replace(ONE, url=url).encode()).is_private is private


def test_members_of_a_later_program_are_ignored() -> None:
    body = (
        '{"url":"https://hub.example/","secret":"c2VjcmV0LXNlY3JldC1zZWNyZXQtMDE","address":"test.hub","asset":"USD/9",'
        '"relation":"child","link":"btp","owes_us_max":"500000000000","we_owe_max":"0","expires_at":1795331976447,'
        '"colour":"blue"}'
    )
    assert Invitation.decode(sealed(body)) == ONE
