"""What the tests of peering share: the terms of an invitation, and requests made by hand."""

from __future__ import annotations

from typing import Any

from interledger.accounts.account import AccountId
from interledger.accounts.asset import parse_asset
from interledger.application.peering.exchange import RedeemRequest
from interledger.application.peering.invitation import Invitation
from interledger.application.peering.records import InviteTerms
from interledger.application.peering.report import CheckReport
from interledger.ilp.address import Address
from interledger.node.node import Node

USD = parse_asset("USD/9")
TERMS = InviteTerms(asset=USD, name=AccountId("carol"), owes_us_max=500_000_000_000, we_owe_max=20_000_000_000)


def verdicts(report: CheckReport) -> dict[str, str]:
    return {item.name: item.verdict.value for item in report.items}


async def invited(hub: Node, terms: InviteTerms = TERMS) -> Invitation:
    _, invitation = await hub.peering.invite(terms)
    return Invitation.decode(invitation.encode())


def request_of(invitation: Invitation, **changes: Any) -> RedeemRequest:
    fields: dict[str, Any] = {
        "secret": invitation.secret,
        "nonce": "n" * 32,
        "name": AccountId("mallory"),
        "address": Address("test.mallory"),
        "token": "t" * 32,
        "http_url": None,
    }
    return RedeemRequest(**{**fields, **changes})
