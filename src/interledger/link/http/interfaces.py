"""What the server of ILP over HTTP asks of those around it: where answers go, and who else takes requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp

__all__ = ["NO_OTHERS", "OtherProtocols", "RequestSide", "Respond"]


class Respond(Protocol):
    """Where one answer goes. Both return False when the client is gone; the answer is then lost."""

    def packet(self, octets: bytes) -> bool:
        """HTTP 200 with an ILP packet."""
        ...

    def refuse(self, status: int, text: str) -> bool:
        """Another status, with a line for a person."""
        ...

    def acknowledge(self, status: int) -> bool:
        """A status that says all."""
        ...

    def deny(self, text: str) -> bool:
        """HTTP 401: the credentials are wrong. It may wait, as `link.attempts` says for where they come from."""
        ...

    def in_turn(self) -> None:
        """Whoever asks this asks too much, or what nobody agreed on: for a while it is read like a stranger."""
        ...


class RequestSide(Protocol):
    """What one account's peer sends us in a form of HTTP whose packets have ids."""

    in_path: bool
    """The id is in the path (HTTP-OER), else in a header."""

    def id_in(self, fields: Mapping[bytes, bytes], body: bytes, respond: Respond) -> bytes | None:
        """The id in the headers, when the request asks for this form; None: it is answered in its response."""
        ...

    def receive(self, request_id: bytes, octets: bytes, now: Timestamp, respond: Respond) -> None:
        """A body. `respond` is called once, now or later."""
        ...


class OtherProtocols(Protocol):
    """Protocols beside ILP, such as `paychan`: `POST /<name>` (the server-roles document)."""

    def knows(self, name: str) -> bool:
        """Whether requests of that name are answered."""
        ...

    def handle(self, account: AccountId, name: str, content_type: bytes | None, body: bytes, respond: Respond) -> None:
        """A request of `account`. `respond` is called once, now or later."""
        ...


@final
class _NoOthers:
    def knows(self, name: str) -> bool:
        return False

    def handle(self, account: AccountId, name: str, content_type: bytes | None, body: bytes, respond: Respond) -> None:
        respond.refuse(404, "nothing is here")


NO_OTHERS: Final[OtherProtocols] = _NoOthers()
