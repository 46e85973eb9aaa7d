"""The client of a node's HTTP API for programs without asyncio: `client.ApiClient`, method for method.

    with SyncApiClient("http://127.0.0.1:7770", token) as client:
        payment = client.pay("$wallet.example/bob", send="10 USD")

Made by `python -m tools.docs` from the asynchronous one: change that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, final

from interledger.api.calls import TIMEOUT_MS
from interledger.api.sync_calls import SyncCalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from interledger.api.client import Amount, PaymentState
    from interledger.api.ledger_calls import By
    from interledger.api.live_calls import Outcome, StreamedEvent
    from interledger.api.types import (
        AcceptInviteDocument,
        AccountDetailsDocument,
        AccountDocument,
        AccountPatchDocument,
        AccountSettingsDocument,
        AccountsLookDocument,
        AddedPeerDocument,
        AdminTokenDocument,
        AdminTokenMadeDocument,
        BackupDocument,
        CallerDocument,
        ComparisonDocument,
        CompatibleAccountDocument,
        CompatibleBalanceDocument,
        CorrectionDocument,
        CreatedInviteDocument,
        DecisionDocument,
        DeliveryDocument,
        EventPageDocument,
        HealthDocument,
        HealthLookDocument,
        IncomingPacketDocument,
        IncomingPaymentDocument,
        IntakeDocument,
        InviteDocument,
        LedgerAccountDocument,
        LedgerCheckDocument,
        LoginDocument,
        MovesLookDocument,
        NewAccountDocument,
        NewInviteDocument,
        NewPeerDocument,
        OverviewDocument,
        PacketPageDocument,
        PacketWholeDocument,
        PaymentDocument,
        PaymentWholeDocument,
        PeerBalanceDocument,
        PeerCheckDocument,
        PingResultDocument,
        PositionPointDocument,
        ProfitDocument,
        ProfitHistoryDocument,
        QuoteDocument,
        RateDocument,
        RateHistoryDocument,
        ReconciliationDocument,
        RiskLookDocument,
        RootDocument,
        RouteDocument,
        RouteExplanationDocument,
        RouteSessionDocument,
        SettingDocument,
        SettlementDocument,
        SettlementTotalsDocument,
        StatementDocument,
        StatusDocument,
        StreamDeliveryDocument,
        TokenDocument,
        TokenMadeDocument,
        TopologyDocument,
        UnknownDocument,
        UnprovenDocument,
        WebhookDocument,
        WebhookMadeDocument,
    )

__all__ = ["SyncApiClient"]


@final
class SyncApiClient(SyncCalls):
    """One node, seen with one token. Errors are those of `ApiClient`."""

    def status(self) -> StatusDocument:
        """The node in one look."""
        return self._run(self._client.status())

    def whoami(self) -> CallerDocument:
        """Whose the token is."""
        return self._run(self._client.whoami())

    def create_login(self) -> LoginDocument:
        """A code that opens the dashboard once, at `path`."""
        return self._run(self._client.create_login())

    def is_ready(self) -> bool:
        """Whether the node takes packets. Raises `LinkError` when nobody answers."""
        return self._run(self._client.is_ready())

    def is_alive(self) -> bool:
        """Whether the process answers. Raises `LinkError` when nobody does."""
        return self._run(self._client.is_alive())

    def health(self) -> HealthDocument:
        """Whether the process answers, in more words. For anybody."""
        return self._run(self._client.health())

    def metrics(self) -> str:
        """Figures for Prometheus."""
        return self._run(self._client.metrics())

    def openapi(self) -> dict[str, Any]:
        """The description of the API, OpenAPI 3.1. For anybody."""
        return self._run(self._client.openapi())

    def ping(
        self, destination: str, *, timeout_ms: int = TIMEOUT_MS, kind: str = "echo", hops: bool = False
    ) -> PingResultDocument:
        """Ask the node at an ILP address for an echo; with `hops`, those on the way too."""
        return self._run(self._client.ping(destination, timeout_ms=timeout_ms, kind=kind, hops=hops))

    def accounts(self) -> list[AccountDocument]:
        return self._run(self._client.accounts())

    def account(self, account_id: str) -> AccountDocument:
        return self._run(self._client.account(account_id))

    def create_account(self, account: NewAccountDocument) -> AccountDocument:
        """`account`: the document's own fields; tokens in `link` in clear, limits in units."""
        return self._run(self._client.create_account(account))

    def update_account(self, account_id: str, changes: AccountPatchDocument) -> AccountDocument:
        """What is named changes, None clears, all else stays. A link that is made anew waits for its packets first."""
        return self._run(self._client.update_account(account_id, changes))

    def delete_account(self, account_id: str) -> AccountDocument:
        """Returns what was."""
        return self._run(self._client.delete_account(account_id))

    def peer_balance(self, account_id: str) -> PeerBalanceDocument:
        """Ask the account's counterpart what its books say."""
        return self._run(self._client.peer_balance(account_id))

    def invites(self) -> list[InviteDocument]:
        """Invitations, newest first."""
        return self._run(self._client.invites())

    def create_invite(self, terms: NewInviteDocument) -> CreatedInviteDocument:
        """A new one. `invite` in the answer is the string, which cannot be had again."""
        return self._run(self._client.create_invite(terms))

    def revoke_invite(self, invite_id: str) -> InviteDocument:
        """Let nobody use it any more."""
        return self._run(self._client.revoke_invite(invite_id))

    def accept_invite(self, body: AcceptInviteDocument) -> AddedPeerDocument:
        """Accept another node's invitation, and check the link."""
        return self._run(self._client.accept_invite(body))

    def add_peer(self, body: NewPeerDocument) -> AddedPeerDocument:
        """Become a peer of the Rafiki node at `url`, and check the link."""
        return self._run(self._client.add_peer(body))

    def check_peer(self, account_id: str) -> PeerCheckDocument:
        """Check the link to a peer."""
        return self._run(self._client.check_peer(account_id))

    def tokens(self, account_id: str) -> list[TokenDocument]:
        """What the account may present, without what it is."""
        return self._run(self._client.tokens(account_id))

    def add_token(
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
        return self._run(self._client.add_token(account_id, use=use, label=label, may=may, token=token))

    def revoke_token(self, account_id: str, token_id: str) -> TokenDocument:
        """At once."""
        return self._run(self._client.revoke_token(account_id, token_id))

    def admin_tokens(self) -> list[AdminTokenDocument]:
        """The operator's named tokens."""
        return self._run(self._client.admin_tokens())

    def create_admin_token(self, label: str, may: Sequence[str], token: str | None = None) -> AdminTokenMadeDocument:
        """One more, for some of the scopes read, operate, money. Only this answer shows it."""
        return self._run(self._client.create_admin_token(label, may, token))

    def revoke_admin_token(self, token_id: str) -> AdminTokenDocument:
        """At once."""
        return self._run(self._client.revoke_admin_token(token_id))

    def routes(self) -> list[RouteDocument]:
        return self._run(self._client.routes())

    def set_routes(self, routes: Mapping[str, str]) -> list[RouteDocument]:
        """Replace the static routes (prefix -> account, or several as `bob:3,carol/dave`). Returns all routes."""
        return self._run(self._client.set_routes(routes))

    def explain_route(
        self, destination: str, *, account: str | None = None, amount: str | None = None
    ) -> RouteExplanationDocument:
        """Where a packet to `destination` would go, and why. `amount` in units of the account's asset."""
        return self._run(self._client.explain_route(destination, account=account, amount=amount))

    def rates(self) -> list[RateDocument]:
        return self._run(self._client.rates())

    def set_rates(self, rates: Mapping[str, str]) -> list[RateDocument]:
        """Replace the rates set by hand (code -> decimal text). Returns all rates."""
        return self._run(self._client.set_rates(rates))

    def quote(
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
        return self._run(
            self._client.quote(
                receiver, account=account, send=send, deliver=deliver, slippage=slippage, min_rate=min_rate
            )
        )

    def pay(
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
        return self._run(
            self._client.pay(
                receiver,
                idempotency_key=idempotency_key,
                account=account,
                send=send,
                deliver=deliver,
                slippage=slippage,
                min_rate=min_rate,
                quote_id=quote_id,
            )
        )

    def pay_with_progress(
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
    ) -> Iterator[PaymentDocument]:
        """`pay`, and see it go; the last document is final. Who stops listening does not stop the payment."""
        return self._iterate(
            self._client.pay_with_progress(
                receiver,
                idempotency_key=idempotency_key,
                account=account,
                send=send,
                deliver=deliver,
                slippage=slippage,
                min_rate=min_rate,
                quote_id=quote_id,
            )
        )

    def payments(
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
        return self._run(
            self._client.payments(account=account, state=state, start=start, end=end, limit=limit, cursor=cursor)
        )

    def all_payments(
        self,
        *,
        account: str | None = None,
        state: PaymentState | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Iterator[PaymentDocument]:
        """Every payment that the node remembers, newest first, page after page as they are read."""
        return self._iterate(self._client.all_payments(account=account, state=state, start=start, end=end))

    def payment(self, payment_id: str) -> PaymentWholeDocument:
        return self._run(self._client.payment(payment_id))

    def cancel_payment(self, payment_id: str) -> PaymentDocument:
        """Send no more. What is in flight is still waited for."""
        return self._run(self._client.cancel_payment(payment_id))

    def webhooks(self) -> list[WebhookDocument]:
        """Where events are sent."""
        return self._run(self._client.webhooks())

    def webhook(self, webhook_id: str) -> WebhookDocument:
        """One of them."""
        return self._run(self._client.webhook(webhook_id))

    def create_webhook(
        self, url: str, events: Sequence[str] | None = None, *, private: bool = False
    ) -> WebhookMadeDocument:
        """Send events there: some kinds, or all. `secret`, in this answer only, is what they are signed with."""
        return self._run(self._client.create_webhook(url, events, private=private))

    def delete_webhook(self, webhook_id: str) -> WebhookDocument:
        """Returns what was."""
        return self._run(self._client.delete_webhook(webhook_id))

    def deliveries(self, webhook_id: str) -> list[DeliveryDocument]:
        """What was sent or is to be sent, newest first."""
        return self._run(self._client.deliveries(webhook_id))

    def replay_delivery(self, webhook_id: str, delivery_id: str) -> DeliveryDocument:
        """Send it once more."""
        return self._run(self._client.replay_delivery(webhook_id, delivery_id))

    def test_webhook(self, webhook_id: str) -> DeliveryDocument:
        """Send a delivery that means nothing."""
        return self._run(self._client.test_webhook(webhook_id))

    def events(
        self, *, only: str | None = None, since: int | None = None, cursor: str | None = None, limit: int = 100
    ) -> EventPageDocument:
        """A page: newest first, or with `since` what came after it. See `gap`, `next_cursor` and `latest`."""
        return self._run(self._client.events(only=only, since=since, cursor=cursor, limit=limit))

    def tail_events(self, *, only: str | None = None, since: int | None = None) -> Iterator[StreamedEvent]:
        """Events as they happen, until the connection ends; with `since`, first those that came after it.

        One whose `event` is `gap` says that some are lost. Whoever comes back gives the last id. Raises `LinkError`.
        """
        return self._iterate(self._client.tail_events(only=only, since=since))

    def overview(self) -> OverviewDocument:
        """Is anything wrong, how much could be lost, what is moving."""
        return self._run(self._client.overview())

    def overview_health(self) -> HealthLookDocument:
        """Of the overview: what is well, and what is not."""
        return self._run(self._client.overview_health())

    def overview_risk(self) -> RiskLookDocument:
        """Of the overview: how much could be lost."""
        return self._run(self._client.overview_risk())

    def overview_moves(self) -> MovesLookDocument:
        """Of the overview: what is moving, and what was earned."""
        return self._run(self._client.overview_moves())

    def overview_accounts(self) -> AccountsLookDocument:
        """Of the overview: the accounts with most at stake."""
        return self._run(self._client.overview_accounts())

    def rate_history(self) -> list[RateHistoryDocument]:
        """Rates since the node started."""
        return self._run(self._client.rate_history())

    def profit_history(self) -> ProfitHistoryDocument:
        """What was earned since the node started."""
        return self._run(self._client.profit_history())

    def topology(self) -> TopologyDocument:
        """Who is connected, and what moves between us."""
        return self._run(self._client.topology())

    def packets(
        self,
        *,
        account: str | None = None,
        outcome: Outcome | None = None,
        code: str | None = None,
        payment: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> PacketPageDocument:
        """A page, newest first. `code`: of the error, as `T04`; `payment`: the id of one of this node."""
        return self._run(
            self._client.packets(
                account=account, outcome=outcome, code=code, payment=payment, limit=limit, cursor=cursor
            )
        )

    def packet(self, condition: str) -> PacketWholeDocument:
        """By the first digits of its condition: its journey, its octets, what is inside."""
        return self._run(self._client.packet(condition))

    def tail_packets(
        self,
        *,
        account: str | None = None,
        outcome: Outcome | None = None,
        code: str | None = None,
        payment: str | None = None,
    ) -> Iterator[StreamedEvent]:
        """Each packet as it has its outcome (`packet`); above 200 a second, how many more there were (`missed`)."""
        return self._iterate(self._client.tail_packets(account=account, outcome=outcome, code=code, payment=payment))

    def account_history(self, account_id: str) -> list[PositionPointDocument]:
        """Where an account stood since the node started, oldest first."""
        return self._run(self._client.account_history(account_id))

    def settings(self) -> list[SettingDocument]:
        """What the node runs with, and who said so."""
        return self._run(self._client.settings())

    def watch(self, *topics: str) -> Iterator[StreamedEvent]:
        """What changes, while you listen: each topic's document whenever it is another one, `event` is the topic."""
        return self._iterate(self._client.watch(*topics))

    def settlements(self, account: str | None = None, limit: int = 200) -> list[SettlementDocument]:
        """The latest, newest first."""
        return self._run(self._client.settlements(account, limit))

    def settlements_page(
        self, account: str | None = None, *, limit: int = 100, cursor: str | None = None
    ) -> tuple[list[SettlementDocument], str | None]:
        """One page, newest first, and the cursor of the next one."""
        return self._run(self._client.settlements_page(account, limit=limit, cursor=cursor))

    def all_settlements(self, account: str | None = None) -> Iterator[SettlementDocument]:
        """Every settlement that the node has had, newest first, page after page as they are read."""
        return self._iterate(self._client.all_settlements(account))

    def settlement_totals(self) -> SettlementTotalsDocument:
        """What is on its way, what was settled within a day, and which engines have trouble."""
        return self._run(self._client.settlement_totals())

    def settlement(self, settlement_id: str) -> SettlementDocument:
        """One of them."""
        return self._run(self._client.settlement(settlement_id))

    def create_settlement(self, account: str, amount: str | None = None, by: str | None = None) -> SettlementDocument:
        """Settle now: units of the account, or all that is above its settle_to."""
        return self._run(self._client.create_settlement(account, amount, by))

    def retry_settlement(self, settlement_id: str) -> SettlementDocument:
        """Ask its engine now."""
        return self._run(self._client.retry_settlement(settlement_id))

    def propose_void(self, settlement_id: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of taking it back, or of refusing what is held."""
        return self._run(self._client.propose_void(settlement_id, reason, by))

    def propose_approval(self, settlement_id: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of crediting what is held."""
        return self._run(self._client.propose_approval(settlement_id, reason, by))

    def propose_resume(self, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of settling again from books that were restored from a backup."""
        return self._run(self._client.propose_resume(reason, by))

    def ledger_accounts(self) -> list[LedgerAccountDocument]:
        """The chart of accounts, as it stands."""
        return self._run(self._client.ledger_accounts())

    def ledger_check(self) -> LedgerCheckDocument:
        """Compute all balances again; look at `sound` of the answer."""
        return self._run(self._client.ledger_check())

    def make_backup(self) -> BackupDocument:
        """Copy the books into a file on the node's machine; `file` of the answer names it."""
        return self._run(self._client.make_backup())

    def ledger_compare(self) -> list[ComparisonDocument]:
        """Our books beside those of every peer."""
        return self._run(self._client.ledger_compare())

    def reconcile(self, account: str) -> ReconciliationDocument:
        """Compare packet by packet with a peer's books, and resolve what is unknown."""
        return self._run(self._client.reconcile(account))

    def ledger_statement(
        self,
        account: str,
        *,
        asset: str | None = None,
        start: str | None = None,
        end: str | None = None,
        by: By | None = None,
    ) -> StatementDocument:
        """What was posted to one account. `asset`: `USD/9`, where the name is used in several."""
        return self._run(self._client.ledger_statement(account, asset=asset, start=start, end=end, by=by))

    def ledger_profit(self, *, start: str | None = None, end: str | None = None) -> ProfitDocument:
        """Fees, losses, exchange positions."""
        return self._run(self._client.ledger_profit(start=start, end=end))

    def ledger_export(
        self,
        form: Literal["hledger", "beancount", "csv"] | None = None,
        *,
        start: str | None = None,
        end: str | None = None,
        by: By | None = None,
    ) -> str:
        """The books as text, for other programs."""
        return self._run(self._client.ledger_export(form, start=start, end=end, by=by))

    def propose_correction(self, correction: CorrectionDocument) -> DecisionDocument:
        """The first step; nothing has happened yet."""
        return self._run(self._client.propose_correction(correction))

    def confirm_decision(self, decision_id: str) -> DecisionDocument:
        """The second step. May be sent again."""
        return self._run(self._client.confirm_decision(decision_id))

    def unknown(self) -> list[UnknownDocument]:
        """Amounts whose delivery nobody has proved."""
        return self._run(self._client.unknown())

    def unknown_item(self, item_id: str) -> UnknownDocument:
        """One of them, and where it came from."""
        return self._run(self._client.unknown_item(item_id))

    def prove_unknown(self, item_id: str, fulfillment: str) -> UnknownDocument:
        """Keep its fulfillment (64 hex digits) as proof that it was delivered."""
        return self._run(self._client.prove_unknown(item_id, fulfillment))

    def propose_resolution(self, item_id: str, outcome: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of calling it `delivered` or `not-delivered`."""
        return self._run(self._client.propose_resolution(item_id, outcome, reason, by))

    def unproven(self) -> list[UnprovenDocument]:
        """What was fulfilled for peers that do not count it."""
        return self._run(self._client.unproven())

    def propose_claim(self, account: str, condition: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of setting a packet aside that the peer does not count, by its condition (64 hex digits)."""
        return self._run(self._client.propose_claim(account, condition, reason, by))

    def propose_claim_end(self, item_id: str, outcome: str, reason: str, by: str | None = None) -> DecisionDocument:
        """The first step of calling it `owed` or `lost`."""
        return self._run(self._client.propose_claim_end(item_id, outcome, reason, by))

    def compatible_root(self) -> RootDocument:
        """Who answers there. For anybody."""
        return self._run(self._client.compatible_root())

    def compatible_accounts(self) -> list[CompatibleAccountDocument]:
        """All accounts. `accounts` says more."""
        return self._run(self._client.compatible_accounts())

    def compatible_account(self, username: str) -> CompatibleAccountDocument:
        """One account."""
        return self._run(self._client.compatible_account(username))

    def compatible_create_account(self, details: AccountDetailsDocument) -> CompatibleAccountDocument:
        """Make an account."""
        return self._run(self._client.compatible_create_account(details))

    def compatible_put_account(self, username: str, details: AccountDetailsDocument) -> CompatibleAccountDocument:
        """Write an account anew: what is not named goes back to its default."""
        return self._run(self._client.compatible_put_account(username, details))

    def compatible_delete_account(self, username: str) -> CompatibleAccountDocument:
        """Returns what was."""
        return self._run(self._client.compatible_delete_account(username))

    def compatible_settings(self, username: str, settings: AccountSettingsDocument) -> CompatibleAccountDocument:
        """Change tokens, addresses and settlement of an account; its own token suffices."""
        return self._run(self._client.compatible_settings(username, settings))

    def compatible_balance(self, username: str) -> CompatibleBalanceDocument:
        """What the node owes the account, in whole units; `balance_exact` is no float."""
        return self._run(self._client.compatible_balance(username))

    def compatible_pay(
        self, username: str, receiver: str, source_amount: int, *, slippage: str | None = None
    ) -> StreamDeliveryDocument:
        """Pay units of the account and wait. The account's own token only. `pay` says more, and may be sent again."""
        return self._run(self._client.compatible_pay(username, receiver, source_amount, slippage=slippage))

    def compatible_routes(self) -> dict[str, str]:
        """Prefix -> account. For anybody."""
        return self._run(self._client.compatible_routes())

    def compatible_set_routes(self, routes: Mapping[str, str]) -> dict[str, str]:
        """Replace the static routes."""
        return self._run(self._client.compatible_set_routes(routes))

    def compatible_set_route(self, prefix: str, account: str) -> str:
        """Set one static route; the others stay. Returns the account."""
        return self._run(self._client.compatible_set_route(prefix, account))

    def compatible_rates(self) -> dict[str, float | str]:
        """Code -> number. `rates` has exact text. For anybody."""
        return self._run(self._client.compatible_rates())

    def compatible_set_rates(self, rates: Mapping[str, str | float]) -> dict[str, float | str]:
        """Replace the rates set by hand."""
        return self._run(self._client.compatible_set_rates(rates))

    def asset_engines(self) -> dict[str, str]:
        """Code -> URL of the settlement engine for accounts that name none."""
        return self._run(self._client.asset_engines())

    def set_asset_engines(self, engines: Mapping[str, str]) -> dict[str, str]:
        """Replaces all of them."""
        return self._run(self._client.set_asset_engines(engines))

    def set_log_level(self, directives: str) -> str:
        """`debug`, or `info,interledger_btp=trace`; until the node's next start. Returns what it says."""
        return self._run(self._client.set_log_level(directives))

    def incoming_packets(self, account: str | None = None) -> Iterator[IncomingPacketDocument]:
        """What comes in for an account, or for all, packet by packet, until the node stops: by WebSocket.

        Raises `ApiError` where the token may not, `LinkError` when nobody answers or the stream breaks.
        """
        return self._iterate(self._client.incoming_packets(account))

    def drain(self) -> IntakeDocument:
        """Take no new packets. Ask again until `in_flight` is 0."""
        return self._run(self._client.drain())

    def resume(self) -> IntakeDocument:
        """Take packets again."""
        return self._run(self._client.resume())

    def stop(self) -> IntakeDocument:
        """Wait for what is in flight, and end the node's program."""
        return self._run(self._client.stop())

    def incoming(
        self,
        *,
        account: str | None = None,
        start: str | None = None,
        end: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> tuple[list[IncomingPaymentDocument], str | None]:
        """Payments that came in: one page, newest first, and the cursor of the next one. Moments are RFC 3339."""
        return self._run(self._client.incoming(account=account, start=start, end=end, limit=limit, cursor=cursor))

    def incoming_payment(self, payment_id: str) -> IncomingPaymentDocument:
        """One of them."""
        return self._run(self._client.incoming_payment(payment_id))

    def route_sessions(self) -> list[RouteSessionDocument]:
        """What neighbours are told, and what is heard from them."""
        return self._run(self._client.route_sessions())
