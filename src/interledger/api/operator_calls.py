"""The part of the API's client that an operator of interledger-rs knows: the paths at the root, with their bodies.

What has a twin below `/api` is called `compatible_*` here. The twin says more, and exactly: prefer it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from interledger.api.calls import PAYMENT_HEAD_MS, TIMEOUT_MS, place, read_answer
from interledger.api.node_calls import NodeCalls
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.types import (
        AccountDetailsDocument,
        AccountSettingsDocument,
        CompatibleAccountDocument,
        CompatibleBalanceDocument,
        IncomingPacketDocument,
        RootDocument,
        StreamDeliveryDocument,
    )

__all__ = ["OperatorCalls"]

INCOMING_OCTETS_MAX: Final = 65_536
"""Of one message: a packet's document has some 300."""


class OperatorCalls(NodeCalls):
    """What interledger-rs has too."""

    async def compatible_root(self) -> RootDocument:
        """Who answers there. For anybody."""
        return cast("RootDocument", await self._call("GET", "/"))

    async def compatible_accounts(self) -> list[CompatibleAccountDocument]:
        """All accounts. `accounts` says more."""
        answer = await self._answer("GET", "/accounts", None, TIMEOUT_MS)
        return cast("list[CompatibleAccountDocument]", read_answer(answer.status, answer.body, list))

    async def compatible_account(self, username: str) -> CompatibleAccountDocument:
        """One account."""
        return cast("CompatibleAccountDocument", await self._call("GET", place("/accounts", username)))

    async def compatible_create_account(self, details: AccountDetailsDocument) -> CompatibleAccountDocument:
        """Make an account."""
        return cast("CompatibleAccountDocument", await self._call("POST", "/accounts", details))

    async def compatible_put_account(self, username: str, details: AccountDetailsDocument) -> CompatibleAccountDocument:
        """Write an account anew: what is not named goes back to its default."""
        return cast("CompatibleAccountDocument", await self._call("PUT", place("/accounts", username), details))

    async def compatible_delete_account(self, username: str) -> CompatibleAccountDocument:
        """Returns what was."""
        return cast("CompatibleAccountDocument", await self._call("DELETE", place("/accounts", username)))

    async def compatible_settings(self, username: str, settings: AccountSettingsDocument) -> CompatibleAccountDocument:
        """Change tokens, addresses and settlement of an account; its own token suffices."""
        path = place("/accounts", username) + "/settings"
        return cast("CompatibleAccountDocument", await self._call("PUT", path, settings))

    async def compatible_balance(self, username: str) -> CompatibleBalanceDocument:
        """What the node owes the account, in whole units; `balance_exact` is no float."""
        return cast("CompatibleBalanceDocument", await self._call("GET", place("/accounts", username) + "/balance"))

    async def compatible_pay(
        self, username: str, receiver: str, source_amount: int, *, slippage: str | None = None
    ) -> StreamDeliveryDocument:
        """Pay units of the account and wait. The account's own token only. `pay` says more, and may be sent again."""
        body = {"receiver": receiver, "source_amount": source_amount}
        path = place("/accounts", username) + "/payments"
        answer = await self._call(
            "POST", path, body | ({} if slippage is None else {"slippage": slippage}), timeout_ms=PAYMENT_HEAD_MS
        )
        return cast("StreamDeliveryDocument", answer)

    async def compatible_routes(self) -> dict[str, str]:
        """Prefix -> account. For anybody."""
        return cast("dict[str, str]", await self._call("GET", "/routes"))

    async def compatible_set_routes(self, routes: Mapping[str, str]) -> dict[str, str]:
        """Replace the static routes."""
        return cast("dict[str, str]", await self._call("PUT", "/routes/static", routes))

    async def compatible_set_route(self, prefix: str, account: str) -> str:
        """Set one static route; the others stay. Returns the account."""
        return await self._text(place("/routes/static", prefix), method="PUT", text=account)

    async def compatible_rates(self) -> dict[str, float | str]:
        """Code -> number. `rates` has exact text. For anybody."""
        return cast("dict[str, float | str]", await self._call("GET", "/rates"))

    async def compatible_set_rates(self, rates: Mapping[str, str | float]) -> dict[str, float | str]:
        """Replace the rates set by hand."""
        return cast("dict[str, float | str]", await self._call("PUT", "/rates", rates))

    async def asset_engines(self) -> dict[str, str]:
        """Code -> URL of the settlement engine for accounts that name none."""
        return cast("dict[str, str]", await self._call("GET", "/settlement/engines"))

    async def set_asset_engines(self, engines: Mapping[str, str]) -> dict[str, str]:
        """Replaces all of them."""
        return cast("dict[str, str]", await self._call("PUT", "/settlement/engines", engines))

    async def set_log_level(self, directives: str) -> str:
        """`debug`, or `info,interledger_btp=trace`; until the node's next start. Returns what it says."""
        return await self._text("/tracing-level", method="PUT", text=directives)

    async def incoming_packets(self, account: str | None = None) -> AsyncIterator[IncomingPacketDocument]:
        """What comes in for an account, or for all, packet by packet, until the node stops: by WebSocket.

        Raises `ApiError` where the token may not, `LinkError` when nobody answers or the stream breaks.
        """
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        base = "ws" + self.base_url.removeprefix("http")
        path = "/payments/incoming" if account is None else place("/accounts", account) + "/payments/incoming"
        headers, _ = self._request(None)
        try:
            async with connect(
                base + path, additional_headers=headers, ssl=self._tls, max_size=INCOMING_OCTETS_MAX
            ) as socket:
                async for message in socket:
                    document = json.loads(message)
                    yield document.get("Ok", document)
        except InvalidStatus as error:
            read_answer(error.response.status_code, bytes(error.response.body or b""))
        except OSError as error:
            raise LinkError(f"{self.base_url} cannot be reached: {error}") from None
        except (WebSocketException, ValueError) as error:
            raise LinkError(f"the node stopped telling of payments: {error}") from None
