"""A fulfillment that comes when nobody waits for it any more, because this node was restarted meanwhile.

It proves what became of an unknown amount. While the packet it belongs to has not expired, and its peer still waits and
may ask again, it is relayed: the amount is unknown no more, both sides are charged as if nothing had happened.
"""

from __future__ import annotations

from typing import Final

from interledger.accounts.entries import Hold, Unknown
from interledger.accounts.ledger import Ledger
from interledger.clock import Timestamp
from interledger.codec.digest import sha256

__all__ = ["receive_late_fulfillment", "relay_or_keep"]

RELAY_MARGIN_MS: Final = 300
"""The least time before the incoming expiry in which a Fulfill is worth relaying; as the connector's default."""

_MEMO: Final = "fulfilled after a restart, in time: posted as a packet"


def receive_late_fulfillment(
    ledger: Ledger, account_name: str, fulfillment: bytes, fulfill: bytes, now: Timestamp
) -> bool:
    """Relay it, or keep it with the unknown item of this ledger account that it fits. False when there is none.

    `fulfill`: the whole packet. After a restart the ids of what was sent are gone; the condition still says which
    packet it was. True also for one that is kept already.
    """
    condition = sha256(fulfillment).digest()
    for unknown in ledger.unknown.values():
        if unknown.condition == condition and unknown.account.name == account_name:
            if unknown.fulfillment is None:
                relay_or_keep(ledger, unknown, fulfillment, fulfill, now)
            return True
    return False


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
