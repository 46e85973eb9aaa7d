"""The part of the API's client that an operator of interledger-rs knows: engines by asset, what is logged."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from interledger.api.calls import TIMEOUT_MS, ApiCalls, read_answer

__all__ = ["OperatorCalls"]


class OperatorCalls(ApiCalls):
    """What an operator sets on a running node."""

    async def asset_engines(self) -> dict[str, str]:
        """Code -> URL of the settlement engine for accounts that name none."""
        return cast("dict[str, str]", await self._call("GET", "/settlement/engines"))

    async def set_asset_engines(self, engines: Mapping[str, str]) -> dict[str, str]:
        """Replaces all of them."""
        return cast("dict[str, str]", await self._call("PUT", "/settlement/engines", engines))

    async def set_log_level(self, directives: str) -> str:
        """`debug`, or `info,interledger_btp=trace`; until the node's next start. Returns what it says."""
        headers, _ = self._request(None)
        answer = await (self._fetch or self._default_fetch())(
            "PUT",
            f"{self.base_url}/tracing-level",
            headers=headers | {"Content-Type": "text/plain"},
            body=directives.encode("utf-8"),
            timeout_ms=TIMEOUT_MS,
            limit_octets=65_536,
        )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            read_answer(answer.status, answer.body)
        return answer.body.decode("utf-8", "replace")
