"""What every way of becoming a peer needs: names, addresses that nobody else has, our own URL, tokens."""

from __future__ import annotations

import re
import unicodedata
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from interledger.accounts.account import AccountId, Relation
from interledger.errors import ConflictError, InvalidRequestError
from interledger.ilp.address import Address, is_prefix_of, same_network, scheme_of
from interledger.link.http.urls import parse_url
from interledger.node.accounts import RESERVED
from interledger.node.settings_parsers import is_loopback_host

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["btp_url_of", "check_address", "free_name", "http_url_of", "name_of", "new_token", "own_url", "same_host"]

TOKEN_OCTETS: Final = 32
"""Of a token that we make: 256 bits (reliability D1)."""

_ODD = re.compile(r"[^0-9A-Za-z_]+")


def new_token(node: Node, octets: int = TOKEN_OCTETS) -> str:
    """A token that nobody can guess, in base64url."""
    return urlsafe_b64encode(node.entropy.octets(octets)).rstrip(b"=").decode("ascii")


def own_url(node: Node) -> str:
    """Under which others reach this node. Raises `InvalidRequestError` where nobody has said."""
    if node.settings.public_url is not None:
        return node.settings.public_url
    host, _ = node.settings.bind
    if not is_loopback_host(host):
        raise InvalidRequestError("under which address do others reach this node? Set  public_url")
    scheme = "http" if node.links.tls.server is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{node.port}"


def http_url_of(base: str, account: str) -> str:
    """Where a node at `base` takes packets of `account` by HTTP."""
    return f"{base}/accounts/{account}/ilp"


def btp_url_of(base: str, account: str) -> str:
    """Where a node at `base` takes BTP connections of `account`."""
    return f"ws{base.removeprefix('http')}/accounts/{account}/ilp/btp"


def name_of(text: str) -> str:
    """A name that an account may have, made of any text: `Bob's bank` -> `bob_s_bank`. Empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = _ODD.sub("_", plain).strip("_").casefold()[:24].strip("_")
    return name if len(name) >= 2 else ""


def free_name(node: Node, *wishes: str | None) -> AccountId:
    """The first of `wishes` that makes a name, with a figure behind it where that is taken."""
    name = next((name for wish in wishes if wish and (name := name_of(wish))), "peer")
    taken = {account.id for account in node.accounts()} | RESERVED
    if name not in taken:
        return AccountId(name)
    return AccountId(next(f"{name}_{i}" for i in range(2, len(taken) + 3) if f"{name}_{i}" not in taken))


def check_address(node: Node, address: Address, relation: Relation, *, is_its: bool = False) -> None:
    """Refuse an address that would take packets of somebody else (reliability C1). `is_its`: it has an account with it.

    A peer's lies in our network, neither above nor below ours, and neither above nor below another account's or a
    static route. Raises `ConflictError`, which names nobody.
    """
    ours = node.address
    if not same_network(scheme_of(address), scheme_of(ours)):
        raise ConflictError(f"{address} is in another network than {ours}")
    if relation is Relation.CHILD:
        if address == ours or not is_prefix_of(ours, address):
            raise ConflictError(f"a child's address lies below {ours}")
    elif is_prefix_of(ours, address) or is_prefix_of(address, ours):
        raise ConflictError(f"The address {address} overlaps with this node's own address, {ours}")
    for account in node.accounts():
        if is_its and account.ilp_address == address:
            continue
        # Below a parent's address is everybody whom it serves.
        is_below = account.relation is not Relation.PARENT and is_prefix_of(account.ilp_address, address)
        if is_below or is_prefix_of(address, account.ilp_address):
            raise ConflictError(f"The address {address} overlaps with the address of another account")
    for route in node.routes():
        if route.origin == "static" and route.prefix and is_prefix_of(address, route.prefix):
            raise ConflictError(f"The address {address} overlaps with a static route")


def same_host(left: str, right: str) -> bool:
    """Whether two URLs name one host, whatever the port."""
    return parse_url(left).host == parse_url(right).host
