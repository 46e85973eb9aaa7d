"""What this node answers itself: the `peer.*` protocols of one hop, and packets to its own address.

All of it is off the packet path: `forward.py` comes here only for destinations that no route of a peer covers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.connector.guards import Refused
from interledger.connector.peer import Peer
from interledger.connector.settle import EngineRelay
from interledger.errors import DecodeError
from interledger.ilp.balance import BALANCE_DESTINATION, BALANCE_MAX, PeerBalance
from interledger.ilp.echo import PING_CONDITION, PING_FULFILLMENT, decode_echo, encode_echo_reply
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.ildcp import ILDCP_DESTINATION, ChildConfig
from interledger.ilp.packet import Fulfill, Prepare
from interledger.ilp.peer import EMPTY_CONDITION, HEARTBEAT_DESTINATION, PEER_CONDITION, SETTLE_DESTINATION
from interledger.link.base import RequestId

__all__ = [
    "PEER_PROTOCOLS",
    "UNKNOWN_PROTOCOL",
    "Echo",
    "OwnReceivers",
    "PeerProtocol",
    "Services",
    "answer_own_address",
    "answer_peer_protocol",
    "check_peer_packet",
    "tell_balance",
]

UNKNOWN_PROTOCOL: Final = Refused(ErrorCode.F01_INVALID_PACKET, "unknown peer protocol")

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


def _beat(account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
    return Fulfill(prepare.data[:32], prepare.data)


def tell_balance(ledger: Ledger) -> PeerProtocol:
    """peer.balance (D-14): how our books see the account with whoever asks. Only where the operator allows it."""

    def answer(account: Account, prepare: Prepare, now: Timestamp) -> Fulfill | Refused:
        if not account.peer_balance:
            return UNKNOWN_PROTOCOL
        found = ledger.find(account.ledger_name, account.asset)
        we_owe = 0 if found is None else -found.net
        if abs(we_owe) > BALANCE_MAX:
            return Refused(ErrorCode.T00_INTERNAL_ERROR, "the balance does not fit into 64 bits")
        return PeerBalance(we_owe, account.asset.scale, account.asset.code).to_fulfill()

    return answer


PEER_PROTOCOLS: Final[Mapping[str, PeerProtocol]] = {ILDCP_DESTINATION: _configure, HEARTBEAT_DESTINATION: _beat}
"""What every node answers: destination -> who answers. A connector's own `peer_protocols` may have more."""


@final
class Services:
    """What one connector answers itself. A node may add to `peer_protocols`, and give `settlement` its engine."""

    def __init__(self, ledger: Ledger) -> None:
        self.echo = Echo()
        self.peer_protocols = {**PEER_PROTOCOLS, BALANCE_DESTINATION: tell_balance(ledger)}
        self.settlement = EngineRelay()

    def answer_peer(
        self, incoming: Peer, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Fulfill | Refused | None:
        """A packet to `peer.*`: answered here or refused, never forwarded (CR-10). None: the answer follows."""
        if prepare.destination == SETTLE_DESTINATION:
            return check_peer_packet(prepare, now) or self.settlement.receive(incoming, request_id, prepare)
        return answer_peer_protocol(incoming.account, prepare, now, self.peer_protocols)


def answer_peer_protocol(
    account: Account, prepare: Prepare, now: Timestamp, protocols: Mapping[str, PeerProtocol] = PEER_PROTOCOLS
) -> Fulfill | Refused:
    """A packet to `peer.*`: answered here or refused, never forwarded (CR-10)."""
    protocol = protocols.get(prepare.destination)
    if protocol is None:
        return UNKNOWN_PROTOCOL
    return check_peer_packet(prepare, now) or protocol(account, prepare, now)


def check_peer_packet(prepare: Prepare, now: Timestamp) -> Refused | None:
    """What is wrong with the form of a packet to a `peer.*` address that we know."""
    destination = prepare.destination
    # Old ILDCP clients send an amount of 1 (D-05).
    if prepare.amount > (1 if destination == ILDCP_DESTINATION else 0):
        return Refused(ErrorCode.F00_BAD_REQUEST, "a peer protocol moves no money")
    condition = prepare.execution_condition
    if destination == HEARTBEAT_DESTINATION:
        fits = len(prepare.data) >= 32 and sha256(prepare.data[:32]).digest() == condition
    elif destination == SETTLE_DESTINATION:
        fits = condition in (PEER_CONDITION, EMPTY_CONDITION)
    else:
        # RFC 31: "The `fulfillment` of the response packet is always a zero-filled 32 byte octet string"
        fits = condition == PEER_CONDITION
    if not fits:
        return Refused(ErrorCode.F01_INVALID_PACKET, "wrong condition for a peer protocol")
    if prepare.expires_at <= now:
        return Refused(ErrorCode.R00_TRANSFER_TIMED_OUT, "the request had expired when it arrived")
    return None


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
