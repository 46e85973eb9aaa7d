"""How a node of the kind of Bitcoin Core, with a wallet, is asked: Litecoin Core and its relatives."""

from __future__ import annotations

import base64
from pathlib import Path

from interledger.errors import SettingsError
from interledger.settlement.engines.json_rpc import JsonRpc, RpcError

__all__ = ["core_rpc"]


def core_rpc(url: str, *, user: str = "", password: str = "", cookie: str = "", wallet: str = "") -> JsonRpc:
    """One wallet of one node. `cookie`: the file that the node writes; else `user` and `password` from its settings.

    Raises `InvalidRequestError` for what is no URL, `SettingsError` without a way to say who we are.
    """
    if not cookie and not user:
        raise SettingsError("the node asks who we are: set rpc_cookie, or rpc_user and rpc_password")

    def authorization() -> str:
        """Read again each time: a node writes a new cookie whenever it starts."""
        text = f"{user}:{password}"
        if cookie:
            try:
                text = Path(cookie).read_text(encoding="ascii").strip()
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise RpcError(f"the cookie {cookie} cannot be read ({why}): is the node running?") from None
        return f"Basic {base64.b64encode(text.encode()).decode()}"

    return JsonRpc(url.rstrip("/") + "/" + (f"wallet/{wallet}" if wallet else ""), authorization)
