"""Child accounts that make themselves: whoever connects by BTP with a token of its own gets one (off by default).

What `ilp-plugin-mini-accounts` does: the name is the user name that the client gives, or base64url(SHA-256(token)); the
token that a name came with first is the only one it can come with later (trust on first use). One account of the node,
the template, says in which asset and with which limits; the addresses of its children are below its own.

They are accounts like all others, durable and removable, of number at most `btp.children_max`. When all are taken, one
that never moved money and is not connected makes room.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation, parse_account_id, token_digest
from interledger.errors import ConflictError, InvalidRequestError
from interledger.ilp.address import parse_address
from interledger.link.throttle import Throttle

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["NEW_PER_MINUTE", "NEW_PER_MINUTE_IN_ALL", "TOKEN_LENGTH_MIN", "Children", "name_of_token"]

NEW_PER_MINUTE: Final = 30
"""Accounts that one source may have made in a minute: each is a commit, and changes the routes."""

NEW_PER_MINUTE_IN_ALL: Final = 300
"""And all sources together."""

_NAME: Final = re.compile(r"[A-Za-z0-9_~-]{1,64}")
"""A segment of an ILP address."""

TOKEN_LENGTH_MIN: Final = 22
"""Of a token that makes its own name: 22 characters can hold 128 random bits. The name stands in addresses, for all to
see, and a short token could be found from it by trying, far from us and our limits."""

logger = logging.getLogger("interledger.node")


def name_of_token(token: str) -> str:
    """The name of a client that gives none: base64url of the token's SHA-256, without padding."""
    return urlsafe_b64encode(hashlib.sha256(token.encode("utf-8")).digest()).decode("ascii").rstrip("=")


@final
class Children:
    """Lets children in, and makes their accounts."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._template_id = node.settings.btp_children
        self._per_source = Throttle(NEW_PER_MINUTE)
        self._in_all = Throttle(NEW_PER_MINUTE_IN_ALL)

    def admit(self, username: str | None, token: str, source: str) -> AccountId | None:
        """The account of a client that no account's token let in: one it has already, or a new one; None: refused."""
        template = self._template()
        name = None if template is None else self._name(username, token)
        if template is None or name is None:
            return None
        known = self._node.links.btp.child(name)
        if known is None:
            if name == name_of_token(token) and len(token) < TOKEN_LENGTH_MIN:
                logger.warning("a child was refused: it is called by its token, which has to be longer to be a secret")
                return None
            return self._make(template, name, token, source)
        digest = known.link.btp_incoming_token_digest or ""
        return known.id if hmac.compare_digest(digest, token_digest(token)) else None

    def _template(self) -> Account | None:
        if self._template_id is None:
            return None
        found = next((account for account in self._node.accounts() if account.id == self._template_id), None)
        if found is None:
            logger.warning("btp.children is “%s”: make that account, it is the template", self._template_id)
        return found

    def _name(self, username: str | None, token: str) -> str | None:
        """What the client is called, or None when it cannot be called that."""
        own, mode = name_of_token(token), self._node.settings.btp_children_names
        if username is None:
            return None if mode == "username" else own
        if mode == "token" and username != own:
            return None
        if _NAME.fullmatch(username) is None or self._is_taken(username):
            return None
        return username

    def _is_taken(self, username: str) -> bool:
        """Whether it is the name of an account: then its token was wrong, and its holder should learn that."""
        try:
            account_id = parse_account_id(username)
        except InvalidRequestError:
            return False
        return any(account.id == account_id for account in self._node.accounts())

    def _make(self, template: Account, name: str, token: str, source: str) -> AccountId | None:
        now = self._node.clock.now()
        if self._node.read_only or self._per_source.is_over(source, now) or self._in_all.is_over("", now):
            return None
        account_id = self._free_id(template)
        if account_id is None:
            logger.warning("no room for another child of “%s”: btp.children_max are in use", template.id)
            return None
        try:
            address = parse_address(f"{template.ilp_address}.{name}")
            link = LinkSettings(btp_incoming_token_digest=token_digest(token), btp_child_name=name)
            self._node.changes.open(
                replace(template, id=account_id, ilp_address=address, relation=Relation.CHILD, link=link)
            )
        except (ConflictError, InvalidRequestError) as error:
            logger.warning("a child of “%s” cannot have an account: %s", template.id, error)
            return None
        self._per_source.count(source, now)
        self._in_all.count("", now)
        return account_id

    def _free_id(self, template: Account) -> AccountId | None:
        """`users_1`, `users_2`, ...: numbers, so that the books get no new line for each client that only passes by."""
        node = self._node
        children = [account for account in node.accounts() if account.link.btp_child_name is not None]
        if len(children) >= node.settings.btp_children_max:
            idle = next((child for child in children if not self._is_used(child) and not self._is_up(child)), None)
            if idle is None:
                return None
            node.changes.close(idle.id)
        taken = {account.id for account in node.accounts()}
        number = 0
        while True:
            number += 1
            account_id = AccountId(f"{template.id}_{number}")
            if account_id not in taken and not self._is_used(replace(template, id=account_id, relation=Relation.CHILD)):
                return account_id

    def _is_used(self, account: Account) -> bool:
        """Whether money ever moved on it: its number is nobody else's then, not even when it is removed."""
        line = self._node.ledger.find(account.ledger_name, account.asset)
        if line is None:
            return False
        return bool(line.debits_posted or line.credits_posted or line.debits_pending or line.credits_pending)

    def _is_up(self, account: Account) -> bool:
        return self._node.links.status(account).up
