"""An answer that comes when nobody waits for it any more, because this node was restarted meanwhile.

A fulfillment proves what became of an unknown amount. While the packet it belongs to has not expired, and its peer
still waits and may ask again, it is relayed: the amount is unknown no more, both sides are charged as if nothing had
happened. A Reject of the one who was asked says the opposite: he cannot claim the amount, and the peer is told.
"""

from __future__ import annotations

from typing import Final

from interledger.accounts.entries import Hold, Unknown
from interledger.accounts.ledger import Ledger
from interledger.accounts.request_records import PacketAsked
from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.ilp.packet import Fulfill, Reply

__all__ = ["receive_late_fulfillment", "receive_late_reject", "receive_late_reply", "relay_or_keep", "to_ask_again"]

RELAY_MARGIN_MS: Final = 300
"""The least time before the incoming expiry in which a Fulfill is worth relaying; as the connector's default."""

_REFUSED: Final = "refused after a restart: nothing is owed for it"
_MEMO: Final = "fulfilled after a restart, in time: posted as a packet"


def to_ask_again(ledger: Ledger, account: str, now: Timestamp) -> list[tuple[PacketAsked, Timestamp]]:
    """What the account's peer was asked before a restart and may still answer in time, each with its expiry."""
    found = []
    for asked in ledger.asked.of(account):
        unknown = ledger.unknown.get(asked.hold_id)
        if unknown is not None and unknown.expires_at > now:
            found.append((asked, Timestamp(unknown.expires_at)))
    return found


def receive_late_reply(
    ledger: Ledger, account: str, ledger_name: str, request_id: bytes, reply: Reply, octets: bytes, now: Timestamp
) -> bool:
    """The peer answers what it was asked before a restart; `octets`: the whole reply. False when it was not asked."""
    if isinstance(reply, Fulfill):
        return receive_late_fulfillment(ledger, ledger_name, reply.fulfillment, octets, now)
    return receive_late_reject(ledger, account, request_id, octets)


def receive_late_fulfillment(
    ledger: Ledger, account_name: str, fulfillment: bytes, fulfill: bytes, now: Timestamp
) -> bool:
    """Relay it, or keep it with the unknown item of this ledger account that it fits. False when there is none.

    `fulfill`: the whole packet. After a restart the ids of what was sent are gone; the condition still says which
    packet it was. True also for one that is kept already.
    """
    unknown = ledger.unknown.fitting(account_name, sha256(fulfillment).digest())
    if unknown is None:
        return False
    if unknown.fulfillment is None:
        relay_or_keep(ledger, unknown, fulfillment, fulfill, now)
    return True


def receive_late_reject(ledger: Ledger, account: str, request_id: bytes, reject: bytes) -> bool:
    """The peer of this account does not fulfill what it was asked before a restart. False when it was not asked that.

    `reject`: the whole packet. It is relayed once that is written, to a peer that still waits.
    """
    asked = ledger.asked.find(account, request_id)
    unknown = None if asked is None else ledger.unknown.get(asked.hold_id)
    if unknown is None:
        return False
    waiting = ledger.requests.of_hold(unknown.id)
    ledger.resolve(unknown, delivered=False, memo=_REFUSED)
    if waiting is not None:
        journal, its_id, _ = waiting
        journal.answer(its_id, reject)
        # As of any Reject of a packet that was held: one that cannot be written does not leave, nor is it repeated.
        ledger.call_after_commit(
            lambda error: journal.on_answer(its_id, reject) if error is None else journal.silence(its_id)
        )
    return True


def relay_or_keep(ledger: Ledger, unknown: Unknown, fulfillment: bytes, fulfill: bytes, now: Timestamp) -> None:
    """What `receive_late_fulfillment` does with the unknown item that is meant. It has no proof yet."""
    if not _relay(ledger, unknown, fulfillment, fulfill, now):
        ledger.add_evidence(unknown, fulfillment)


def _relay(ledger: Ledger, unknown: Unknown, fulfillment: bytes, fulfill: bytes, now: Timestamp) -> bool:
    """Whether the peer whose packet it was can still be told. All that is recorded here is one commit's."""
    asked = ledger.requests.of_hold(unknown.id)
    if asked is None or not unknown.legs or now + RELAY_MARGIN_MS > asked[2].expires_at:
        return False
    journal, request_id, _ = asked
    account = unknown.account
    account.set_aside(credits_=-unknown.amount)  # it is the same amount that is held now
    hold = ledger.hold(unknown.legs, unknown.condition, unknown.expires_at, remote=True)
    account.set_aside(credits_=unknown.amount)
    if not isinstance(hold, Hold):
        return False  # its credit went elsewhere
    ledger.resolve(unknown, delivered=False, memo=_MEMO)
    ledger.execute(hold, fulfillment)
    journal.answer(request_id, fulfill)
    ledger.reply_after_commit(journal.on_answer, request_id, fulfill)
    return True
