"""The operator's named tokens, beside the one in the settings: each for one use, with what it may, revoked alone.

Of a token only its digest is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from interledger.accounts.credentials import Scope
from interledger.clock import Timestamp
from interledger.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["ADMIN_TOKENS_MAX", "AdminToken", "AdminTokens"]

FACT: Final = "admin_token/"

ADMIN_TOKENS_MAX: Final = 100
"""More than an operator has people and programs; each is read at every start."""

ID_OCTETS: Final = 4


class AdminToken(NamedTuple):
    """One token. `digest`: SHA-256, hex."""

    id: str
    label: str
    may: tuple[Scope, ...]
    digest: str
    created_at: Timestamp


@final
class AdminTokens:
    """`node.admin_tokens`."""

    def __init__(self, node: Node, facts: Mapping[str, Any]) -> None:
        self._node = node
        found = [_read(body) for name, body in facts.items() if name.startswith(FACT)]
        self._by_digest = {token.digest: token for token in sorted(found, key=lambda token: token.created_at)}

    def find(self, digest: str) -> AdminToken | None:
        """The token with this digest."""
        return self._by_digest.get(digest)

    def all(self) -> list[AdminToken]:
        """As they were made."""
        return list(self._by_digest.values())

    async def create(self, label: str, may: Sequence[Scope], digest: str) -> AdminToken:
        """One more. Raises `ConflictError` where it is there, or too many are. Durable when it returns."""
        if digest in self._by_digest:
            raise ConflictError("There is this token already.")
        if len(self._by_digest) >= ADMIN_TOKENS_MAX:
            raise ConflictError(f"There are {ADMIN_TOKENS_MAX} tokens. Revoke those that nobody uses.")
        token = AdminToken(
            self._node.entropy.octets(ID_OCTETS).hex(), label, tuple(may), digest, self._node.clock.now()
        )
        self._by_digest[digest] = token
        self._node.store.put_fact(FACT + token.id, {**token._asdict(), "may": [scope.value for scope in token.may]})
        await self._node.commit()
        return token

    async def revoke(self, token_id: str) -> AdminToken:
        """It opens nothing from now on. Raises `NotFoundError`."""
        token = next((token for token in self._by_digest.values() if token.id == token_id), None)
        if token is None:
            raise NotFoundError(f"There is no token “{token_id[:40]}”.")
        del self._by_digest[token.digest]
        self._node.store.put_fact(FACT + token.id, None)
        await self._node.commit()
        return token


def _read(body: Mapping[str, Any]) -> AdminToken:
    return AdminToken(**{**body, "may": tuple(map(Scope, body["may"]))})
