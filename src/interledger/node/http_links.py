"""The link of ILP over HTTP that an account's settings describe: which form, and what of it the port has to know."""

from __future__ import annotations

import ssl

from interledger.accounts.account import Account, AccountId, HttpForm
from interledger.clock import Clock, Entropy
from interledger.connector.forward import Connector
from interledger.link.http.courier import CourierLink
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.protocol import HttpIlpServer
from interledger.link.http.shell import HttpLink
from interledger.node.credentials import signer_of

__all__ = ["KINDS", "AnyHttpLink", "attach_to_port", "make_http_link"]

AnyHttpLink = HttpLink | CourierLink

KINDS = {
    HttpForm.SYNC: "HTTP",
    HttpForm.ASYNC: "HTTP-ASYNC",
    HttpForm.OER_SYNC: "HTTP-OER-SYNC",
    HttpForm.OER_ASYNC: "HTTP-OER-ASYNC",
}
"""What people are shown."""


def make_http_link(
    connector: Connector,
    account: Account,
    peer_id: AccountId,
    *,
    clock: Clock,
    entropy: Entropy,
    tls: ssl.SSLContext | None,
    egress: EgressPolicy | None,
) -> AnyHttpLink:
    """The link, not attached yet. Raises `InvalidRequestError` for a url, or one that is missing."""
    settings = account.link
    if settings.http_form is HttpForm.SYNC:
        return HttpLink(
            connector,
            peer_id,
            clock=clock,
            url=settings.http_url,
            token=signer_of(settings, connector.address) or settings.http_outgoing_token,
            own_address=connector.address,
            tls=tls,
            egress=egress,
        )
    return CourierLink(
        connector,
        peer_id,
        connector.ledger,
        settings.http_form,
        clock=clock,
        entropy=entropy,
        ledger_name=account.ledger_name,
        own_address=connector.address,
        url=settings.http_url,
        token=signer_of(settings, connector.address) or settings.http_outgoing_token,
        callback_url=settings.http_callback_url,
        tls=tls,
        egress=egress,
    )


def attach_to_port(server: HttpIlpServer, link: AnyHttpLink, account: AccountId) -> None:
    """Let the port give the link what comes in for its account."""
    if isinstance(link, HttpLink):
        server.attach(link.incoming, account)
        return
    if link.plain is not None:
        server.attach(link.plain, account)
    server.attach_requests(link.incoming, account)
    link.resume()
