"""What this node answers itself: the `peer.*` protocols of one hop, and packets to its own address.

All of it is off the packet path: `forward.py` comes here only for destinations that no route of a peer covers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.errors import DecodeError
from interledger.ilp.echo import PING_CONDITION, PING_FULFILLMENT, decode_echo, encode_echo_reply
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.ildcp import ILDCP_DESTINATION, ChildConfig
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import PEER_CONDITION

__all__ = ["PEER_PROTOCOLS", "Echo", "OwnReceivers", "PeerProtocol", "answer_own_address", "answer_peer_protocol"]

PINGS_MAX: Final = 1_000
"""Pings we wait for at once: their fulfillments are kept in memory."""


class OwnReceivers(Protocol):
    """Who, on this node, is meant by an address below ours. The STREAM receiver is one."""

    def find(self, destination: str) -> AccountId | Refused:
        """The account whose local link gets the packet, or why nobody does."""
        ...


@final
class Echo:
    """The pings of this node that are still out: condition -> fulfillment."""

    def __init__(self) -> None:
        self._pings: dict[bytes, bytes] = {}

    def expect(self, condition: bytes, fulfillment: bytes) -> None:
        """Let a reply with this condition be fulfilled."""
        if len(self._pings) >= PINGS_MAX:
            self._pings.pop(next(iter(self._pings)))
        self._pings[condition] = fulfillment

    def forget(self, condition: bytes) -> None:
        """The ping is over."""
        self._pings.pop(condition, None)

    def fulfillment_of(self, condition: bytes) -> bytes | None:
        """What fulfills `condition`, if we chose it."""
        return self._pings.get(condition)


PeerProtocol = Callable[[Account, Prepare, Timestamp], Fulfill | Refused]
"""Answers one packet of a peer to one `peer.*` address, at once. Form, amount and expiry have been looked at."""


def _configure(account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
    if account.relation in (Relation.PARENT, Relation.PEER):
        return Refused(ErrorCode.F00_BAD_REQUEST, "you are not a child of this node")
    return ChildConfig(account.ilp_address, account.asset.code, account.asset.scale).to_fulfill()


PEER_PROTOCOLS: Final[Mapping[str, PeerProtocol]] = {ILDCP_DESTINATION: _configure}
"""What every node answers: destination -> who answers. A connector's own `peer_protocols` may have more."""


def answer_peer_protocol(
    account: Account, prepare: Prepare, now: Timestamp, protocols: Mapping[str, PeerProtocol] = PEER_PROTOCOLS
) -> Fulfill | Refused:
    """A packet to `peer.*`: answered here or refused, never forwarded (CR-10)."""
    protocol = protocols.get(prepare.destination)
    if protocol is None:
        return Refused(ErrorCode.F01_INVALID_PACKET, "unknown peer protocol")
    # Old ILDCP clients send an amount of 1 (D-05).
    if prepare.amount > (1 if prepare.destination == ILDCP_DESTINATION else 0):
        return Refused(ErrorCode.F00_BAD_REQUEST, "a peer protocol moves no money")
    # RFC 31: "The `fulfillment` of the response packet is always a zero-filled 32 byte octet string"
    if prepare.execution_condition != PEER_CONDITION:
        return Refused(ErrorCode.F01_INVALID_PACKET, "wrong condition for a peer protocol")
    if prepare.expires_at <= now:
        return Refused(ErrorCode.R00_TRANSFER_TIMED_OUT, "the request had expired when it arrived")
    return protocol(account, prepare, now)


def answer_own_address(echo: Echo, prepare: Prepare) -> Fulfill | Refused | Prepare:
    """A packet to exactly our address: a ping's answer, a refusal, or the Prepare of an echo that is to go on."""
    if prepare.execution_condition == PING_CONDITION and prepare.amount == 0:
        return Fulfill(PING_FULFILLMENT, prepare.data)
    try:
        return_address = decode_echo(prepare.data)
    except DecodeError:
        return Refused(ErrorCode.F02_UNREACHABLE, "this address receives no payments, only echo requests")
    if return_address is None:
        fulfillment = echo.fulfillment_of(prepare.execution_condition)
        if fulfillment is None:
            return Refused(ErrorCode.F01_INVALID_PACKET, "an echo that nobody here waits for")
        return Fulfill(fulfillment)
    if return_address == prepare.destination:
        return Refused(ErrorCode.F01_INVALID_PACKET, "an echo of oneself")
    return Prepare(prepare.amount, prepare.expires_at, prepare.execution_condition, return_address, encode_echo_reply())
