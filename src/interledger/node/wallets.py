"""The node's own ends of payments: each account's receiver and its payments' senders, on links that stay inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from interledger.accounts.account import Account, AccountId
from interledger.clock import Clock, Entropy, Timestamp
from interledger.connector.forward import Connector
from interledger.connector.guards import Refused
from interledger.connector.peer import local_id
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.local import LocalLink, connect_local
from interledger.node.views import SpspCredentials
from interledger.transport.stream.receipts import ReceiptKey
from interledger.transport.stream.receiver import ReceiverConnection, StreamReceiver
from interledger.transport.stream.tokens import ReceiverTokens

__all__ = ["OnReceived", "Wallets"]

OnReceived = Callable[[ReceiverConnection, AccountId, Prepare, int, Timestamp], None]
"""(connection, the account that the packet came from, packet, amount, now). The books are not committed by then."""


def _tell_nobody(
    connection: ReceiverConnection, source: AccountId, prepare: Prepare, amount: int, now: Timestamp
) -> None:
    """Nobody keeps what came in."""


TOKEN_LENGTH_MIN: Final = 40
"""A segment as long as a token that we cannot open was a token of somebody (F06); a shorter one is a name (F02)."""


@final
class Wallets:
    """Finds receivers for the connector (`OwnReceivers`), and gives payments a link to send with."""

    def __init__(
        self,
        address: Address,
        server_secret: bytes,
        *,
        clock: Clock,
        entropy: Entropy,
        defer: Callable[[Callable[[], None]], object],
    ) -> None:
        self._tokens = ReceiverTokens(server_secret, entropy)
        self._clock = clock
        self._entropy = entropy
        self._defer = defer
        self._connector: Connector | None = None
        self._links: dict[AccountId, LocalLink] = {}
        self.receiver = StreamReceiver(address, self._tokens, entropy)
        self.on_received: OnReceived = _tell_nobody
        """Told of every packet that is fulfilled with an amount, and, by 0, that a payer has closed its connection."""

    def use(self, connector: Connector) -> None:
        """The connector that the wallets send and receive through."""
        self._connector = connector

    def set_address(self, address: Address) -> None:
        """The node got another address: receivers lie below it from now on."""
        self.receiver = StreamReceiver(address, self._tokens, self._entropy)

    def find(self, destination: str) -> AccountId | Refused:
        """The local link behind an address below ours (`OwnReceivers`)."""
        connection = self.receiver.resolve(destination)
        if connection is not None:
            return local_id(connection.account_id)
        segment = destination[len(self.receiver.address) + 1 :].partition(".")[0]
        if len(segment) >= TOKEN_LENGTH_MIN:
            return Refused(ErrorCode.F06_UNEXPECTED_PAYMENT, "")
        return Refused(ErrorCode.F02_UNREACHABLE, "no route to the destination")

    def open(self, account: Account) -> None:
        """Let an account of this node receive."""
        self.attach_end(local_id(account.id), account, _ReceivingEnd(self))

    def close(self, account_id: AccountId) -> None:
        """The account is gone."""
        self.detach_end(local_id(account_id))

    def new_connection(self, account: Account, receipts: ReceiptKey | None = None) -> SpspCredentials:
        """What SPSP hands to one payer. `receipts`: what the receipts of this connection are signed with."""
        return SpspCredentials(*self.receiver.new_connection(account.id, account.asset, receipts=receipts))

    def attach_end(
        self, peer_id: AccountId, account: Account, end: PacketHandler, *, moves_money: bool = True
    ) -> LocalLink:
        """Attach `end` to the connector under `peer_id`, on behalf of `account`. Returns the link `end` sends with."""
        if self._connector is None:
            raise RuntimeError("Wallets.use was not called")
        inner, outer = connect_local(
            (self._connector, peer_id), (end, account.id), clock=self._clock, defer=self._defer
        )
        first = int.from_bytes(self._entropy.octets(4), "big")
        self._connector.attach(peer_id, account, inner, is_local=True, first_request_id=first, moves_money=moves_money)
        self._links[peer_id] = inner
        return outer

    def receive(self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp) -> Reply:
        """A packet for an account's receiver."""
        receiver = self.receiver
        reply = receiver.receive_prepare(prepare, now)
        amount = prepare.amount if isinstance(reply, Fulfill) else 0
        connection = receiver.resolve(prepare.destination)
        if connection is not None and (amount or connection.closed):
            self.on_received(connection, self._source(account, request_id), prepare, amount, now)
        return reply

    def _source(self, account: AccountId, request_id: RequestId) -> AccountId:
        """Whose packet it is that was sent to an account's receiver under this number."""
        peer = None if self._connector is None else self._connector.peers.get(local_id(account))
        flight = None if peer is None else peer.in_flight.get(request_id)
        return account if flight is None else flight.incoming.account.id

    def detach_end(self, peer_id: AccountId) -> None:
        """Undo `attach_end`."""
        link = self._links.pop(peer_id, None)
        if link is not None and self._connector is not None:
            self._connector.detach(peer_id)
            link.close()


@final
class _ReceivingEnd:
    """What a receiver's local link delivers to."""

    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        return self._wallets.receive(account, request_id, prepare, now)

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None:
        """A receiver sends nothing."""

    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None:
        """A receiver sends nothing."""

    def link_lost(self, account: AccountId, now: Timestamp) -> None:
        """Nothing to do."""
