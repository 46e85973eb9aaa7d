"""A client of a node's HTTP API. The command line and the dashboard use it, and so may any program.

    client = ApiClient("http://127.0.0.1:7770", token)
    payment = await client.pay("$wallet.example/bob", send="10 USD")

Importing it loads no server and no cryptography. Every method raises `ApiError` when the node says no, `LinkError` when
nobody answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, final

from interledger.api.calls import PAGE, PAYMENT_HEAD_MS, TIMEOUT_MS, ApiError, Fetch, FetchStream, place, query_text
from interledger.api.webhook_calls import WebhookCalls
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.types import (
        AcceptInviteDocument,
        AccountDocument,
        AccountPatchDocument,
        AddedPeerDocument,
        AdminTokenDocument,
        AdminTokenMadeDocument,
        CallerDocument,
        CreatedInviteDocument,
        HealthDocument,
        InviteDocument,
        LoginDocument,
        MoneyDocument,
        NewAccountDocument,
        NewInviteDocument,
        NewPeerDocument,
        PaymentDocument,
        PaymentWholeDocument,
        PeerBalanceDocument,
        PeerCheckDocument,
        PingResultDocument,
        QuoteDocument,
        RateDocument,
        RouteDocument,
        RouteExplanationDocument,
        StatusDocument,
        TokenDocument,
        TokenMadeDocument,
    )

__all__ = ["ApiClient", "ApiError", "Fetch", "FetchStream"]

PEER_TIMEOUT_MS: Final = 45_000
"""The other node is asked, its link comes up, and four echoes and questions may each take five seconds."""

Amount: TypeAlias = "str | MoneyDocument"
PaymentState = Literal["quoting", "sending", "delivered", "partial", "failed", "unknown", "cancelled"]

POLL_S: Final = 0.5
POLLS_FAILED_MAX: Final = 20
"""Ten seconds without the node, and a payment's outcome is somebody else's to look up."""


@final
class ApiClient(WebhookCalls):
    """One node, seen with one token. It keeps no connection, so there is nothing to close."""

    # The node.

    async def status(self) -> StatusDocument:
        """The node in one look."""
        return cast("StatusDocument", await self._call("GET", "/api/status"))

    async def whoami(self) -> CallerDocument:
        """Whose the token is."""
        return cast("CallerDocument", await self._call("GET", "/api/whoami"))

    async def create_login(self) -> LoginDocument:
        """A code that opens the dashboard once, at `path`."""
        return cast("LoginDocument", await self._call("POST", "/api/logins"))

    async def is_ready(self) -> bool:
        """Whether the node takes packets. Raises `LinkError` when nobody answers."""
        try:
            await self._call("GET", "/readyz")
        except ApiError as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return False
            raise
        return True

    async def is_alive(self) -> bool:
        """Whether the process answers. Raises `LinkError` when nobody does."""
        return (await self._call("GET", "/livez"))["status"] is not None

    async def health(self) -> HealthDocument:
        """Whether the process answers, in more words. For anybody."""
        return cast("HealthDocument", await self._call("GET", "/healthz"))

    async def metrics(self) -> str:
        """Figures for Prometheus."""
        return await self._text("/metrics")

    async def openapi(self) -> dict[str, Any]:
        """The description of the API, OpenAPI 3.1. For anybody."""
        return cast("dict[str, Any]", await self._call("GET", "/api/openapi.json"))

    async def ping(
        self, destination: str, *, timeout_ms: int = TIMEOUT_MS, kind: str = "echo", hops: bool = False
    ) -> PingResultDocument:
        """Ask the node at an ILP address for an echo; with `hops`, those on the way too."""
        body = {"destination": destination, "timeout_ms": timeout_ms, "kind": kind, "hops": hops}
        document = await self._call("POST", "/api/ping", body, timeout_ms=2 * timeout_ms + TIMEOUT_MS)
        return cast("PingResultDocument", document)

    # Accounts.

    async def accounts(self) -> list[AccountDocument]:
        return cast("list[AccountDocument]", await self._items("/api/accounts"))

    async def account(self, account_id: str) -> AccountDocument:
        return cast("AccountDocument", await self._call("GET", place("/api/accounts", account_id)))

    async def create_account(self, account: NewAccountDocument) -> AccountDocument:
        """`account`: the document's own fields; tokens in `link` in clear, limits in units."""
        return cast("AccountDocument", await self._call("POST", "/api/accounts", account))

    async def update_account(self, account_id: str, changes: AccountPatchDocument) -> AccountDocument:
        """What is named changes, None clears, all else stays. A link that is made anew waits for its packets first."""
        path = place("/api/accounts", account_id)
        return cast("AccountDocument", await self._call("PATCH", path, changes, timeout_ms=PEER_TIMEOUT_MS))

    async def delete_account(self, account_id: str) -> AccountDocument:
        """Returns what was."""
        return cast("AccountDocument", await self._call("DELETE", place("/api/accounts", account_id)))

    async def peer_balance(self, account_id: str) -> PeerBalanceDocument:
        """Ask the account's counterpart what its books say."""
        path = place("/api/accounts", account_id) + "/peer-balance"
        return cast("PeerBalanceDocument", await self._call("GET", path))

    # Peers.

    async def invites(self) -> list[InviteDocument]:
        """Invitations, newest first."""
        return cast("list[InviteDocument]", await self._items("/api/peers/invites"))

    async def create_invite(self, terms: NewInviteDocument) -> CreatedInviteDocument:
        """A new one. `invite` in the answer is the string, which cannot be had again."""
        return cast("CreatedInviteDocument", await self._call("POST", "/api/peers/invites", terms))

    async def revoke_invite(self, invite_id: str) -> InviteDocument:
        """Let nobody use it any more."""
        return cast("InviteDocument", await self._call("DELETE", place("/api/peers/invites", invite_id)))

    async def accept_invite(self, body: AcceptInviteDocument) -> AddedPeerDocument:
        """Accept another node's invitation, and check the link."""
        document = await self._call("POST", "/api/peers/accept", body, timeout_ms=PEER_TIMEOUT_MS)
        return cast("AddedPeerDocument", document)

    async def add_peer(self, body: NewPeerDocument) -> AddedPeerDocument:
        """Become a peer of the Rafiki node at `url`, and check the link."""
        return cast("AddedPeerDocument", await self._call("POST", "/api/peers", body, timeout_ms=PEER_TIMEOUT_MS))

    async def check_peer(self, account_id: str) -> PeerCheckDocument:
        """Check the link to a peer."""
        path = place("/api/peers", account_id) + "/check"
        return cast("PeerCheckDocument", await self._call("POST", path, timeout_ms=PEER_TIMEOUT_MS))

    async def tokens(self, account_id: str) -> list[TokenDocument]:
        """What the account may present, without what it is."""
        return cast("list[TokenDocument]", await self._items(place("/api/accounts", account_id) + "/tokens"))

    async def add_token(
        self,
        account_id: str,
        *,
        use: str | None = None,
        label: str = "",
        may: Sequence[str] | None = None,
        token: str | None = None,
    ) -> TokenMadeDocument:
        """One more: `use` (http, btp, both, api), `may` (scopes, of use api), `token` (None: one is made).

        Only this answer shows it.
        """
        body = {"use": use, "label": label, "may": None if may is None else list(may), "token": token}
        path = place("/api/accounts", account_id) + "/tokens"
        return cast("TokenMadeDocument", await self._call("POST", path, body))

    async def revoke_token(self, account_id: str, token_id: str) -> TokenDocument:
        """At once."""
        path = place(place("/api/accounts", account_id) + "/tokens", token_id)
        return cast("TokenDocument", await self._call("DELETE", path))

    async def admin_tokens(self) -> list[AdminTokenDocument]:
        """The operator's named tokens."""
        return cast("list[AdminTokenDocument]", await self._items("/api/tokens"))

    async def create_admin_token(
        self, label: str, may: Sequence[str], token: str | None = None
    ) -> AdminTokenMadeDocument:
        """One more, for some of the scopes read, operate, money. Only this answer shows it."""
        body = {"label": label, "may": list(may), "token": token}
        return cast("AdminTokenMadeDocument", await self._call("POST", "/api/tokens", body))

    async def revoke_admin_token(self, token_id: str) -> AdminTokenDocument:
        """At once."""
        return cast("AdminTokenDocument", await self._call("DELETE", place("/api/tokens", token_id)))

    # Routes and rates.

    async def routes(self) -> list[RouteDocument]:
        return cast("list[RouteDocument]", await self._items("/api/routes"))

    async def set_routes(self, routes: Mapping[str, str]) -> list[RouteDocument]:
        """Replace the static routes (prefix -> account, or several as `bob:3,carol/dave`). Returns all routes."""
        from interledger.routing.targets import parse_targets

        items = [
            {"prefix": prefix, "account": one.account, "weight": one.weight, "priority": one.priority}
            for prefix, text in routes.items()
            for one in parse_targets(prefix, text)
        ]
        return cast("list[RouteDocument]", (await self._call("PUT", "/api/routes", {"items": items}))["items"])

    async def explain_route(
        self, destination: str, *, account: str | None = None, amount: str | None = None
    ) -> RouteExplanationDocument:
        """Where a packet to `destination` would go, and why. `amount` in units of the account's asset."""
        path = "/api/routes/explain" + query_text(destination=destination, account=account, amount=amount)
        return cast("RouteExplanationDocument", await self._call("GET", path))

    async def rates(self) -> list[RateDocument]:
        return cast("list[RateDocument]", await self._items("/api/rates"))

    async def set_rates(self, rates: Mapping[str, str]) -> list[RateDocument]:
        """Replace the rates set by hand (code -> decimal text). Returns all rates."""
        items = [{"code": code, "value": value} for code, value in rates.items()]
        return cast("list[RateDocument]", (await self._call("PUT", "/api/rates", {"items": items}))["items"])

    # Payments.

    async def quote(
        self,
        receiver: str,
        *,
        account: str | None = None,
        send: Amount | None = None,
        deliver: Amount | None = None,
        slippage: str | None = None,
        min_rate: str | None = None,
    ) -> QuoteDocument:
        """What it would cost to `send` or to `deliver` an amount (`"10 USD"`, or integer units with their asset).

        `account`: who pays, with an operator's token. `slippage`: how much worse than probed a rate may be (`"0.01"`),
        `min_rate`: delivered whole units for a sent one, at least.
        """
        body = _terms(receiver, account=account, send=send, deliver=deliver, slippage=slippage, min_rate=min_rate)
        return cast("QuoteDocument", await self._call("POST", "/api/quotes", body, timeout_ms=PAYMENT_HEAD_MS))

    async def pay(
        self,
        receiver: str,
        *,
        idempotency_key: str | None = None,
        account: str | None = None,
        send: Amount | None = None,
        deliver: Amount | None = None,
        slippage: str | None = None,
        min_rate: str | None = None,
        quote_id: str | None = None,
    ) -> PaymentDocument:
        """Pay and wait for the end, however it ends: look at its `state`. Terms as `quote`'s, or a `quote_id`.

        With an `idempotency_key` it may be asked again, whatever happened: the same key is the same payment.
        """
        last: PaymentDocument | None = None
        async for document in self.pay_with_progress(
            receiver,
            idempotency_key=idempotency_key,
            account=account,
            send=send,
            deliver=deliver,
            slippage=slippage,
            min_rate=min_rate,
            quote_id=quote_id,
        ):
            last = document
        if last is None:
            raise LinkError(f"{self.base_url} began a payment and said nothing of it")
        return last

    async def pay_with_progress(
        self,
        receiver: str,
        *,
        idempotency_key: str | None = None,
        account: str | None = None,
        send: Amount | None = None,
        deliver: Amount | None = None,
        slippage: str | None = None,
        min_rate: str | None = None,
        quote_id: str | None = None,
    ) -> AsyncIterator[PaymentDocument]:
        """`pay`, and see it go; the last document is final. Who stops listening does not stop the payment."""
        headers = {"Accept": "application/x-ndjson"} | _key_header(idempotency_key)
        body = _terms(
            receiver,
            account=account,
            send=send,
            deliver=deliver,
            slippage=slippage,
            min_rate=min_rate,
            quote_id=quote_id,
        )
        last: PaymentDocument | None = None
        try:
            async for document in self._lines("/api/payments", body, headers):
                last = document
                yield document
        except LinkError:
            # Not asked for a second time: without a key that would be a second payment.
            if last is None:
                raise
        while last is not None and last["ended_at"] is None:
            last = await self._poll(last["id"])
            yield last

    async def payments(
        self,
        *,
        account: str | None = None,
        state: PaymentState | None = None,
        start: str | None = None,
        end: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[list[PaymentDocument], str | None]:
        """One page, newest first, and the cursor of the next one. `start`, `end`: when it was started, RFC 3339."""
        query = query_text(account=account, state=state, from_=start, to=end, limit=limit, cursor=cursor)
        page = await self._call("GET", "/api/payments" + query)
        return page["items"], page["next_cursor"]

    async def all_payments(
        self,
        *,
        account: str | None = None,
        state: PaymentState | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> AsyncIterator[PaymentDocument]:
        """Every payment that the node remembers, newest first, page after page as they are read."""
        cursor: str | None = None
        while True:
            page, cursor = await self.payments(
                account=account, state=state, start=start, end=end, limit=PAGE, cursor=cursor
            )
            for payment in page:
                yield payment
            if cursor is None:
                return

    async def payment(self, payment_id: str) -> PaymentWholeDocument:
        return cast("PaymentWholeDocument", await self._call("GET", place("/api/payments", payment_id)))

    async def cancel_payment(self, payment_id: str) -> PaymentDocument:
        """Send no more. What is in flight is still waited for."""
        return cast("PaymentDocument", await self._call("POST", place("/api/payments", payment_id) + "/cancel"))

    # How.

    async def _poll(self, payment_id: str) -> PaymentDocument:
        failed = 0
        while True:
            await self._sleep(POLL_S)
            try:
                return await self.payment(payment_id)
            except LinkError as error:
                failed += 1
                if failed == POLLS_FAILED_MAX:
                    raise LinkError(f"{error}. The payment {payment_id} may still go on: look later.") from None


def _terms(receiver: str, **terms: object) -> dict[str, Any]:
    """The body of a quote or payment. Exact numbers (`Fraction`, `Decimal`) would have to be text already."""
    return {"receiver": receiver} | {name: value for name, value in terms.items() if value is not None}


def _key_header(idempotency_key: str | None) -> dict[str, str]:
    return {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
