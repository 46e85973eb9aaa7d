"""Protocols beside ILP over HTTP: `POST /<protocolName>`, as the server-roles document has them for HTTP-OER.

They are the sub-protocols that the node has for BTP, in the same registry: whoever registers `paychan` there is asked
over either link. The body of the request is the data of the entry, the body of the response that of the answer's.
"""

from __future__ import annotations

from typing import Final, final

from interledger.accounts.account import AccountId
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest, Subprotocols
from interledger.link.http.interfaces import Respond

__all__ = ["HttpProtocols"]

_CONTENT_TYPES: Final = {b"application/json": ContentType.JSON, b"text/plain": ContentType.TEXT}


@final
class HttpProtocols:
    """Implements `OtherProtocols` of the HTTP server."""

    def __init__(self, registry: Subprotocols) -> None:
        self._registry = registry

    def knows(self, name: str) -> bool:
        """Whether somebody answers requests of that name, for some account."""
        return self._registry.is_known(name)

    def handle(self, account: AccountId, name: str, content_type: bytes | None, body: bytes, respond: Respond) -> None:
        """A request of an account. `respond` is called once, now or later."""
        handler = self._registry.find(account, name)
        if handler is None:
            respond.refuse(404, "nobody answers this protocol for this account")
            return
        kind = _CONTENT_TYPES.get((content_type or b"").partition(b";")[0].strip().lower(), ContentType.OCTETS)
        request = SubprotocolRequest(account, (ProtocolData(name, kind, body),))
        handler(request, lambda answer: _answer(name, answer, respond))


def _answer(name: str, answer: Answer | None, respond: Respond) -> None:
    if answer is None:
        respond.refuse(503, "what became of the request is not known")
    elif isinstance(answer, Refusal):
        # T: the same request may succeed later. F: it will not.
        respond.refuse(503 if answer.code.startswith("T") else 400, f"{answer.code} {answer.message}")
    else:
        entry = next((entry for entry in answer if entry.name == name), answer[0] if answer else None)
        if entry is None or not entry.data:
            respond.acknowledge(200)
        else:
            respond.packet(entry.data)
