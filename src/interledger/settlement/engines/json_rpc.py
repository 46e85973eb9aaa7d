"""JSON-RPC over HTTP, as the nodes of ledgers speak it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, final

from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InterledgerError, LinkError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url

__all__ = ["JsonRpc", "RpcError"]

TIMEOUT_MS: Final = 60_000
"""A wallet with many coins takes its time to choose some."""

ANSWER_OCTETS_MAX: Final = 64 * 1024 * 1024
"""The list of a wallet's transactions since the beginning. The node is ours, so it is no stranger's answer."""


class RpcError(InterledgerError):
    """The node did not do it. `code`: its own number (None: it did not answer, or not in its protocol)."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


@final
class JsonRpc:
    """One node at `url`. `authorization`: what the header of that name says, asked for each call; empty for none."""

    def __init__(self, url: str, authorization: Callable[[], str] = lambda: "") -> None:
        """Raises `InvalidRequestError` for what is no URL."""
        self._url = url
        self._authorization = authorization
        self._egress = EgressPolicy(allowed=frozenset({parse_url(url).authority}))

    async def call(self, method: str, *parameters: Any) -> Any:
        """The result; numbers in it are `JsonNumber`, text that no float was made of. Raises `RpcError`."""
        asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        headers = {"Content-Type": "application/json"}
        if authorization := self._authorization():
            headers["Authorization"] = authorization
        try:
            answer = await fetch(
                "POST",
                self._url,
                headers=headers,
                body=asked,
                timeout_ms=TIMEOUT_MS,
                limit_octets=ANSWER_OCTETS_MAX,
                egress=self._egress,
            )
        except (LinkError, OSError) as error:
            raise RpcError(f"{self._url} does not answer: {error}") from error
        if answer.status in (401, 403):
            raise RpcError(
                f"{self._url} does not know us ({answer.status}): check its user and password, or the cookie"
            )
        try:
            body = parse_json_object(answer.body, octets_max=ANSWER_OCTETS_MAX)
            problem = body.get("error")
            if problem is None:
                return body["result"]
            raise RpcError(f"{method}: {problem['message']}", int(problem["code"]))
        except (DecodeError, KeyError, TypeError, ValueError):
            raise RpcError(f"{self._url} answers {answer.status}, and not as a node does") from None
