"""What an account's further tokens open, and what of a link is only about who the counterpart is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interledger.accounts.account import LinkSettings
from interledger.accounts.credentials import IncomingToken, Scope, TokenUse, scopes_with
from interledger.clock import Timestamp


def token(use: TokenUse) -> IncomingToken:
    return IncomingToken(id="1", use=use, label="", digest="canary", created_at=Timestamp(0))


@pytest.mark.parametrize(
    ("use", "http", "btp"), [(TokenUse.HTTP, True, False), (TokenUse.BTP, False, True), (TokenUse.BOTH, True, True)]
)
def test_what_a_token_opens(use: TokenUse, http: bool, btp: bool) -> None:
    assert (use.opens_http, use.opens_btp) == (http, btp)
    link = LinkSettings(incoming_tokens=(token(use),))
    assert (link.speaks_http, link.speaks_btp) == (http, btp)
    assert "canary" not in repr(link)


@pytest.mark.parametrize(
    ("changes", "only_credentials"),
    [
        ({}, True),
        ({"http_incoming_token_digest": "another"}, True),
        ({"http_incoming_token_digest": None, "incoming_tokens": (token(TokenUse.HTTP),)}, True),
        ({"http_jwks_url": "https://x/"}, True),
        ({"http_jwt_require_subject": False}, True),
        ({"http_incoming_token_digest": None}, False),  # no link is left
        ({"incoming_tokens": (token(TokenUse.BTP),)}, False),  # one more link
        ({"client_certificates": ("subject:CN=a",)}, False),
        ({"http_url": "https://x/"}, False),
        ({"http_outgoing_token": "x"}, False),
        ({"http_outgoing_jwt_secret": "x"}, False),
    ],
)
def test_a_change_that_leaves_the_links_alone(changes: dict[str, Any], only_credentials: bool) -> None:
    link = LinkSettings(http_incoming_token_digest="one")
    assert link.differs_only_in_credentials(replace(link, **changes)) is only_credentials


def test_who_may_act_may_look_and_scopes_have_one_order() -> None:
    assert scopes_with(()) == (Scope.READ,)
    assert scopes_with((Scope.MONEY, Scope.OPERATE)) == (Scope.READ, Scope.OPERATE, Scope.MONEY)
    assert scopes_with([Scope.MONEY]) == (Scope.READ, Scope.MONEY)
