"""The settlement engines of a node's accounts: they are told of accounts, asked to pay, and talk to each other.

What an engine was told of is kept, and so is what it still has to be told. Each is told until it has understood.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, final

from interledger.accounts.account import Account, AccountId, Relation
from interledger.clock import Timestamp
from interledger.connector.guards import Refused
from interledger.errors import InvalidRequestError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.settle import settle_request
from interledger.node.settlement_btp import SettlementBtp
from interledger.settlement.messages import path_of_account
from interledger.settlement.records import Settlement
from interledger.settlement.retries import retry_delay_ms
from interledger.settlement.shell import CallError, SettlementCalls

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["SettlementEngines", "check_settlement"]

logger = logging.getLogger("interledger.settlement")

NOT_FOUND = 404

DEFAULTS = "default_engines"
"""The document's key."""

NO_ENGINE = Refused(ErrorCode.F02_UNREACHABLE, "no settlement engine for this account")
ENGINE_REFUSED = Refused(ErrorCode.F00_BAD_REQUEST, "the settlement engine does not take this message")
ENGINE_FAILED = Refused(ErrorCode.T00_INTERNAL_ERROR, "the settlement engine cannot be asked now")


@final
class SettlementEngines:
    """Implements `connector.settle.SettlementEngine`. Documents: `engine/<account>` -> url, id there."""

    def __init__(self, node: Node, documents: Mapping[str, Any]) -> None:
        self._node = node
        self._known: dict[str, dict[str, Any]] = {
            key.removeprefix("engine/"): body for key, body in documents.items() if key.startswith("engine/")
        }
        self.defaults: dict[str, str] = dict(documents.get(DEFAULTS) or {})
        """Asset code -> URL, for accounts that name none."""
        self._telling: set[str] = set()
        self._running = False
        self.btp = SettlementBtp(node, self._engine_of)
        for account_id, body in self._known.items():
            self.btp.bind(AccountId(account_id), body.get("btp", ()))
        node.connector.services.settlement.engine = self

    def start(self) -> None:
        """Tell what has to be told."""
        self._running = True
        for account_id in {*self._known, *(account.id for account in self._node.accounts())}:
            self._tell_soon(account_id)

    def follow(self, account: Account) -> None:
        """An account was opened or changed."""
        self._tell_soon(account.id)

    def forget(self, account_id: AccountId) -> None:
        """An account is gone."""
        self._tell_soon(account_id)

    def engine_of(self, account: Account) -> str | None:
        """The account's engine. A holder on this node has none: it has no balance with anybody else."""
        if account.relation is Relation.LOCAL:
            return None
        return account.settlement_engine_url or self.defaults.get(account.asset.code)

    async def set_defaults(self, engines: Mapping[str, str]) -> None:
        """Replace the engines by asset code. Raises `InvalidRequestError` for a URL. Durable when it returns."""
        for code, url in engines.items():
            check_engine_url(url, code)
        self.defaults = dict(engines)
        self._node.store.put_settlement(DEFAULTS, self.defaults or None)
        for account in self._node.accounts():
            self._node.settlements.follow(account)
        await self._node.commit()

    def is_set_up(self, account: Account) -> bool:
        """Whether its engine knows the account."""
        known = self._known.get(account.id)
        return known is not None and known["url"] == self.engine_of(account)

    # ------------------------------------------------------------------ accounts

    def _tell_soon(self, account_id: str) -> None:
        if self._running and account_id not in self._telling and self._has_news(account_id):
            self._telling.add(account_id)
            self._node.spawn(self._tell(account_id))

    def _has_news(self, account_id: str) -> bool:
        known = self._known.get(account_id)
        return (None if known is None else known["url"]) != self._wanted(account_id)

    def _wanted(self, account_id: str) -> str | None:
        """The engine that the account has now."""
        account = next((account for account in self._node.accounts() if account.id == account_id), None)
        return None if account is None else self.engine_of(account)

    async def _tell(self, account_id: str) -> None:
        """Until the engine knows what is: first that it goes from where it was, then that it is where it is."""
        attempts = 0
        try:
            while self._has_news(account_id):
                try:
                    await self._tell_once(account_id)
                    attempts = 0
                except CallError as error:
                    attempts += 1
                    if attempts == 1 or error.is_refusal:
                        logger.warning("the engine of %s is told again: %s", account_id, error)
                    if attempts == 1:
                        self._node.alarm(f"the settlement engine of {account_id} cannot be told of it: {error}")
                    await asyncio.sleep(retry_delay_ms(attempts, self._node.entropy.octets(2)) / 1000)
        finally:
            self._telling.discard(account_id)

    async def _tell_once(self, account_id: str) -> None:
        known, wanted = self._known.get(account_id), self._wanted(account_id)
        if known is not None:
            try:
                await self._calls(known["url"]).delete_account(known["id"])
            except CallError as error:
                if error.status != NOT_FOUND:
                    raise
            self._keep(account_id, None)
        elif wanted is not None:
            terms = await self._calls(wanted).create_account(path_of_account(AccountId(account_id)))
            self._keep(account_id, {"url": wanted, "id": terms.id, "btp": list(terms.subprotocols)})
        await self._node.commit()

    def _keep(self, account_id: str, body: dict[str, Any] | None) -> None:
        if body is None:
            self._known.pop(account_id, None)
            self.btp.unbind(AccountId(account_id))
        else:
            self._known[account_id] = body
            self.btp.bind(AccountId(account_id), body["btp"])
        self._node.store.put_settlement(f"engine/{account_id}", body)

    # ------------------------------------------------------------------ settlements

    async def settle(self, settlement: Settlement) -> None:
        """Ask the engine that got the key first. Raises `CallError`."""
        known = self._known.get(settlement.account)
        is_known = known is not None and known["url"] == settlement.engine
        account = known["id"] if known is not None and is_known else path_of_account(settlement.account)
        try:
            await self._calls(settlement.engine).settle(account, settlement.key, settlement.quantity)
        except CallError as error:
            # An engine that was made anew knows no account: it is told, and asked again later.
            if error.status == NOT_FOUND and is_known:
                await self._calls(settlement.engine).create_account(path_of_account(settlement.account))
            raise

    # ------------------------------------------------------------------ messages

    def receive_message(
        self, account: Account, message: bytes, expires_at: Timestamp, answer: Callable[[bytes | Refused], None]
    ) -> Refused | None:
        """A message of the peer's engine."""
        if self.engine_of(account) is None:
            return NO_ENGINE
        self._node.spawn(self._hand_over(account, message, answer))
        return None

    async def _hand_over(self, account: Account, message: bytes, answer: Callable[[bytes | Refused], None]) -> None:
        reply: bytes | Refused = ENGINE_FAILED
        try:
            calls, engine_id = self._engine_of(account.id)
            reply = await calls.send_message(engine_id, message)
        except CallError as error:
            logger.warning("a message for the engine of %s: %s", account.id, error)
            reply = ENGINE_REFUSED if error.is_refusal else ENGINE_FAILED
        finally:
            answer(reply)

    async def send_message(self, account: Account, message: bytes) -> bytes:
        """A message of our engine to the peer's; its answer. Raises `LinkError`."""
        return await self._node.requests.ask(account.id, settle_request(message, self._node.clock.now()))

    async def send_btp(self, account: Account, packet: bytes) -> bytes:
        """A request of our engine to the peer by BTP (`settlement.btp`); its answer.

        Raises `DecodeError`, `InvalidRequestError`, `LinkError`.
        """
        return await self.btp.send(account, packet)

    def _engine_of(self, account_id: AccountId) -> tuple[SettlementCalls, str]:
        """The engine of the account as it is now, and the account's id there. Raises `CallError`."""
        url = self.engine_of(self._node.account(account_id))
        known = self._known.get(account_id)
        engine_id = path_of_account(account_id) if known is None else known["id"]
        return self._calls(url or ""), engine_id

    def _calls(self, url: str) -> SettlementCalls:
        try:
            return SettlementCalls(url, self._node.settings.settlement_token)
        except InvalidRequestError as error:  # of a time when it was not looked at
            raise CallError(str(error)) from None


def check_settlement(account: Account) -> None:
    """Raises `InvalidRequestError` for what cannot be settled by."""
    if account.settlement_engine_url is not None:
        check_engine_url(account.settlement_engine_url, "settlement_engine_url")
    threshold, settle_to = account.settle_threshold, account.settle_to or 0
    if threshold is not None and threshold < settle_to:
        raise InvalidRequestError(
            f"is {threshold}, and settle_to is {settle_to}: what was settled would have to be settled again at once."
            " Make it at least settle_to",
            "settle_threshold",
        )


def check_engine_url(url: str, field: str) -> None:
    """Raises `InvalidRequestError` that names the field."""
    try:
        SettlementCalls(url)
    except InvalidRequestError as error:
        raise InvalidRequestError(str(error), field) from None
