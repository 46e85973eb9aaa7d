"""An invitation to become a peer, as one string: `ilpeer1:` and one word. `docs/howto/peering.md` has the format.

Who holds the string can take the account that it promises, once. So it is a secret, and travels as one.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset, parse_asset
from interledger.application.peering.fields import limit_text, read_limit, read_moment, read_text
from interledger.clock import Timestamp
from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.address import Address, parse_address
from interledger.link.http.urls import parse_url

__all__ = ["INVITATION_LENGTH_MAX", "LINKS", "PREFIX", "Invitation"]

PREFIX: Final = "ilpeer1:"
"""The name of the format and its version; another version gets another figure."""

LINKS: Final = ("btp", "http")

INVITATION_LENGTH_MAX: Final = 4_096
"""Characters. A usual one has some 400; a longer text was not one of ours, or two were pasted together."""

CHECK_OCTETS: Final = 4
"""Of SHA-256: one changed or missing character goes unnoticed once in four thousand million times."""

_PREFIX: Final = re.compile(r"ilpeer([0-9]{1,3}):")
_WORD: Final = re.compile(r"[A-Za-z0-9_-]+")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{22,86}")
_RELATIONS: Final = {"child": Relation.CHILD, "peer": Relation.PEER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What one node offers another. Amounts in integer units of `asset`; None: no limit."""

    url: str
    """Where the inviting node takes the answer: its HTTP API, without a path of ours."""
    secret: str = field(repr=False)
    address: Address
    """The inviting node's ILP address."""
    asset: Asset
    relation: Relation
    """What the invited node becomes to the inviting one: child or peer."""
    link: str
    """`btp`: the invited node connects, so nobody has to reach it. `http`: each calls the other."""
    owes_us_max: int | None
    """The most the invited node may owe the inviting one."""
    we_owe_max: int | None
    """The most the inviting node will owe the invited one."""
    packet_amount_max: int | None
    expires_at: Timestamp

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way to `url` can read what is said there: TLS, or the same machine."""
        url = parse_url(self.url)
        address = url.address
        return url.is_tls or url.host == "localhost" or (address is not None and address.is_loopback)

    def encode(self) -> str:
        """The string."""
        document = {
            "url": self.url,
            "secret": self.secret,
            "address": self.address,
            "asset": str(self.asset),
            "relation": self.relation.value,
            "link": self.link,
            "owes_us_max": limit_text(self.owes_us_max),
            "we_owe_max": limit_text(self.we_owe_max),
            "packet_amount_max": limit_text(self.packet_amount_max),
            "expires_at": str(self.expires_at),
        }
        body = json.dumps({key: value for key, value in document.items() if value is not None}, separators=(",", ":"))
        octets = body.encode("ascii")
        return PREFIX + urlsafe_b64encode(octets + _check_of(octets)).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: str) -> Invitation:
        """The invitation in a string; spaces and line ends that copying put into it do not matter.

        Raises `InvalidRequestError` that says what is wrong with it, and shows none of it.
        """
        word = "".join(text.split())
        found = _PREFIX.match(word)
        if len(word) > INVITATION_LENGTH_MAX or found is None:
            raise InvalidRequestError(f"this is not an invitation: one begins with  {PREFIX}", "invite")
        if found[0] != PREFIX:
            raise InvalidRequestError(
                f"this invitation is of version {found[1]}, this program reads version 1. Is there a newer program?",
                "invite",
            )
        octets = _octets(word.removeprefix(PREFIX))
        body, check = octets[:-CHECK_OCTETS], octets[-CHECK_OCTETS:]
        if not body or _check_of(body) != check:
            raise InvalidRequestError(
                "this invitation is damaged: characters are missing or changed. Copy all of it again", "invite"
            )
        try:
            return cls._read(parse_json_object(body, octets_max=INVITATION_LENGTH_MAX, depth_max=4))
        except (DecodeError, InvalidRequestError) as error:
            raise InvalidRequestError(f"this invitation cannot be used: {error}", "invite") from None

    @classmethod
    def _read(cls, document: dict[str, Any]) -> Invitation:
        """Members that are not known are left out: a later program may have put them in."""
        relation, link = read_text(document, "relation"), read_text(document, "link")
        if relation not in _RELATIONS or link not in LINKS:
            raise DecodeError("its relation or its link is of no kind known here")
        secret = read_text(document, "secret")
        if _SECRET.fullmatch(secret) is None:
            raise DecodeError("its secret is none")
        return cls(
            url=str(parse_url(read_text(document, "url"))).rstrip("/"),
            secret=secret,
            address=parse_address(read_text(document, "address")),
            asset=parse_asset(read_text(document, "asset")),
            relation=_RELATIONS[relation],
            link=link,
            owes_us_max=read_limit(document, "owes_us_max"),
            we_owe_max=read_limit(document, "we_owe_max"),
            packet_amount_max=read_limit(document, "packet_amount_max"),
            expires_at=read_moment(document, "expires_at"),
        )

    @property
    def fingerprint(self) -> str:
        """Three short words of hex that both sides can read to each other: `7C2A 91F0 44DE`."""
        text = sha256(self.encode().encode("ascii")).hexdigest()[:12].upper()
        return " ".join((text[:4], text[4:8], text[8:]))


def _check_of(octets: bytes) -> bytes:
    return sha256(PREFIX.encode("ascii") + octets).digest()[:CHECK_OCTETS]


def _octets(word: str) -> bytes:
    if _WORD.fullmatch(word) is None or len(word) % 4 == 1:
        return b""
    return urlsafe_b64decode(word + "=" * (-len(word) % 4))
