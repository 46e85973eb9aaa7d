"""The JSON-RPC interface of a Bitcoin Core kind of node with a wallet: Litecoin Core and its relatives."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final, final

from interledger.codec.strict_json import parse_json_object
from interledger.errors import DecodeError, InterledgerError, LinkError, SettingsError
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url

__all__ = ["CoreRpc", "RpcError"]

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
class CoreRpc:
    """One wallet of one node. `cookie`: the file that the node writes; else `user` and `password` from its settings."""

    def __init__(self, url: str, *, user: str = "", password: str = "", cookie: str = "", wallet: str = "") -> None:
        """Raises `InvalidRequestError` for what is no URL, `SettingsError` without a way to say who we are."""
        if not cookie and not user:
            raise SettingsError("the node asks who we are: set rpc_cookie, or rpc_user and rpc_password")
        self._url = url.rstrip("/") + "/"
        self._user, self._password, self._cookie = user, password, cookie
        self._path = f"wallet/{wallet}" if wallet else ""
        self._egress = EgressPolicy(allowed=frozenset({parse_url(self._url).authority}))

    async def call(self, method: str, *parameters: Any) -> Any:
        """The result; numbers in it are `JsonNumber`, text that no float was made of. Raises `RpcError`."""
        asked = json.dumps({"jsonrpc": "1.0", "id": method, "method": method, "params": parameters}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {self._credentials()}"}
        try:
            answer = await fetch(
                "POST",
                self._url + self._path,
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
            problem = body["error"]
            if problem is None:
                return body["result"]
            raise RpcError(f"{method}: {problem['message']}", int(problem["code"]))
        except (DecodeError, KeyError, TypeError, ValueError):
            raise RpcError(f"{self._url} answers {answer.status}, and not as a node does") from None

    def _credentials(self) -> str:
        """Read again each time: a node writes a new cookie whenever it starts."""
        text = f"{self._user}:{self._password}"
        if self._cookie:
            try:
                text = Path(self._cookie).read_text(encoding="ascii").strip()
            except OSError as error:
                raise RpcError(f"the cookie cannot be read: {error}; is the node running?") from None
        return base64.b64encode(text.encode()).decode()
