"""Documents about what is shared with interledger-rs. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

__all__ = [
    "AccountDetailsDocument",
    "AccountSettingsDocument",
    "CompatibleAccountDocument",
    "CompatibleBalanceDocument",
    "CompatibleBalancePositionDocument",
    "CompatiblePaymentDocument",
    "IncomingPacketDocument",
    "StreamDeliveryDocument",
]


class AccountDetailsDocument(TypedDict):
    """A whole account, as interledger-rs takes it."""

    username: str
    asset_code: str
    asset_scale: int | str
    ilp_address: NotRequired[str]
    max_packet_amount: NotRequired[int | str]
    min_balance: NotRequired[int | str | None]
    routing_relation: NotRequired[Literal["NonRoutingAccount", "Parent", "Peer", "Child"]]
    round_trip_time: NotRequired[int | str]
    amount_per_minute_limit: NotRequired[int | str | None]
    packets_per_minute_limit: NotRequired[int | str | None]
    settle_threshold: NotRequired[int | str | None]
    settle_to: NotRequired[int | str | None]
    settlement_engine_url: NotRequired[str | None]
    ilp_over_http_url: NotRequired[str | None]
    ilp_over_http_incoming_token: NotRequired[str | None]
    ilp_over_http_outgoing_token: NotRequired[str | None]
    ilp_over_btp_url: NotRequired[str | None]
    ilp_over_btp_incoming_token: NotRequired[str | None]
    ilp_over_btp_outgoing_token: NotRequired[str | None]


class AccountSettingsDocument(TypedDict):
    """What the holder of an account may change, as interledger-rs takes it."""

    ilp_over_http_url: NotRequired[str | None]
    ilp_over_http_incoming_token: NotRequired[str | None]
    ilp_over_http_outgoing_token: NotRequired[str | None]
    ilp_over_btp_url: NotRequired[str | None]
    ilp_over_btp_incoming_token: NotRequired[str | None]
    ilp_over_btp_outgoing_token: NotRequired[str | None]
    settle_threshold: NotRequired[int | str | None]
    settle_to: NotRequired[int | str | None]


class CompatibleAccountDocument(TypedDict):
    """One account, as interledger-rs shows it. Tokens are `SECRET`."""

    id: str
    username: str
    ilp_address: str
    asset_code: str
    asset_scale: int
    max_packet_amount: int | str
    min_balance: int | str | None
    routing_relation: Literal["NonRoutingAccount", "Parent", "Peer", "Child"]
    round_trip_time: int | str
    amount_per_minute_limit: int | str | None
    packets_per_minute_limit: int | str | None
    settle_threshold: int | str | None
    settle_to: int | str | None
    settlement_engine_url: str | None
    ilp_over_http_url: str | None
    ilp_over_http_incoming_token: str | None
    ilp_over_http_outgoing_token: str | None
    ilp_over_btp_url: str | None
    ilp_over_btp_incoming_token: str | None
    ilp_over_btp_outgoing_token: str | None


class CompatibleBalancePositionDocument(TypedDict):
    """`position` of `CompatibleBalance`."""

    receivable: str
    payable: str
    net: str


class CompatibleBalanceDocument(TypedDict):
    """The balance of an account in whole units, above zero when the node owes it."""

    balance: float
    asset_code: str
    asset_scale: int
    balance_exact: str
    position: CompatibleBalancePositionDocument


class CompatiblePaymentDocument(TypedDict):
    """A payment, as interledger-rs takes it."""

    receiver: str
    source_amount: int | str
    slippage: NotRequired[float | str]


class IncomingPacketDocument(TypedDict):
    """A packet that came in for an account."""

    to_username: str
    from_username: str
    """The account that the packet came from"""
    destination: str
    amount: int
    timestamp: str
    sequence: int
    connection_closed: bool
    """The payer sends no more; the amount is 0 then"""


StreamDeliveryDocument = TypedDict(
    "StreamDeliveryDocument",
    {
        "from": "str",
        "to": "str",
        "source_asset_scale": "int",
        "source_asset_code": "str",
        "source_amount": "int",
        "sent_amount": "int",
        "in_flight_amount": "int",
        "delivered_amount": "int",
        "destination_asset_scale": "int | None",
        "destination_asset_code": "str | None",
    },
)
"""How a payment ended, as interledger-rs says it."""
