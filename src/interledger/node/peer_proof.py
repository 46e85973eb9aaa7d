"""Is it really that peer who asked for new tokens? The place where its packets go is tried with the token that only the
answer to the request contained (docs/decisions/0008-auto-peering-proof.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, final

from interledger.accounts.account import Account
from interledger.clock import Timestamp
from interledger.errors import ConflictError, DecodeError, InvalidRequestError, LinkError
from interledger.ilp.echo import encode_echo_request
from interledger.ilp.packet import Prepare, decode_reply
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.messages import CONTENT_TYPE

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["PeerProofs"]

logger = logging.getLogger("interledger.node")

PROOF_DELAYS_MS: Final = (200, 1_000, 3_000, 10_000)
"""When a known peer is tried with its new token: it has to read our answer first."""

PROOFS_MAX: Final = 32
"""Requests of known peers that wait for proof. Each is one request to a place that we send packets to anyway."""

PROOF_TIMEOUT_MS: Final = 5_000


@final
class PeerProofs:
    """The proofs that are waited for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting = 0

    def start(self, account: Account, token: str, then: Callable[[], Awaitable[None]]) -> None:
        """Do `then` once the place where the account's packets go takes `token`. Raises `ConflictError`: too many."""
        if self._waiting >= PROOFS_MAX:
            raise ConflictError("too many requests wait for proof, ask again later")
        self._waiting += 1
        self._node.spawn(self._prove(account, token, then))

    async def _prove(self, account: Account, token: str, then: Callable[[], Awaitable[None]]) -> None:
        try:
            for delay_ms in PROOF_DELAYS_MS:
                await asyncio.sleep(delay_ms / 1000)
                if await self._takes(account, token):
                    await then()
                    logger.info("%s has new tokens, as it asked", account.id)
                    return
            logger.warning("new tokens were asked for in the name of %s, which does not take them", account.id)
        except (ConflictError, InvalidRequestError) as error:
            logger.warning("%s cannot have the tokens it asked for: %s", account.id, error)
        finally:
            self._waiting -= 1

    async def _takes(self, account: Account, token: str) -> bool:
        """Whether a packet without money, sent where the account's packets go, is answered by a packet."""
        node = self._node
        expires_at = Timestamp(node.clock.now() + PROOF_TIMEOUT_MS)
        prepare = Prepare(0, expires_at, PEER_CONDITION, account.ilp_address, encode_echo_request(node.address))
        content_type = CONTENT_TYPE.decode("ascii")
        headers = {"Content-Type": content_type, "Accept": content_type, "Authorization": f"Bearer {token}"}
        try:
            response = await fetch(
                "POST",
                account.link.http_url or "",
                headers=headers,
                body=prepare.encode(),
                timeout_ms=PROOF_TIMEOUT_MS,
                egress=EgressPolicy(development=node.settings.development),
                tls=node.links.tls.client(),
            )
            decode_reply(response.body)
        except (LinkError, DecodeError):
            return False
        return response.status == 200
