"""Sub-protocols of BTP by name (RFC 23): who answers a Message that carries no ILP packet, and who takes a Transfer.

A handler is registered under the name of the primary entry, for all accounts or for one; that of the one account counts
first. A settlement hook, likewise, takes the Transfers. Both answer with entries (a Response) or with a `Refusal` (an
Error), at once or later, but once: see `Handler`.

`ilp` and `auth` are not in the registry: the connector answers the first, the connection itself the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.link.btp.messages import BTP_ERRORS, Entries, ProtocolData

__all__ = ["NAME_MAX", "RESERVED", "Answer", "Handler", "Refusal", "Respond", "SubprotocolRequest", "Subprotocols"]

RESERVED: Final = frozenset(("ilp", "auth", "auth_token", "auth_username"))
"""Names that nobody can register, and no Message of ours may begin with."""

NAME_MAX: Final = 64
"""Characters of a name that can be registered: those of known programs have fewer than 20."""


class SubprotocolRequest(NamedTuple):
    """What a peer asks. `amount`: of a Transfer, in the units of the account's asset; None for a Message."""

    account: AccountId
    entries: Entries
    amount: int | None = None

    @property
    def name(self) -> str:
        """The primary sub-protocol; empty when there is no entry."""
        return self.entries[0].name if self.entries else ""


class Refusal(NamedTuple):
    """A BTP Error: the request was not carried out. `code`: one of `BTP_ERRORS`; `message` is for the peer to read."""

    code: str
    message: str
    entries: Entries = ()

    @property
    def name(self) -> str:
        """The name that belongs to the code."""
        return BTP_ERRORS.get(self.code, self.code)


Answer = tuple[ProtocolData, ...] | Refusal
"""The entries of a Response, or why there is none."""

Respond = Callable[[Answer | None], None]
"""To be called once with the answer, within the call of the handler or later. None: nobody knows, so say nothing."""

Handler = Callable[[SubprotocolRequest, Respond], None]
"""Returns at once. What it raises is logged, and is an Error T00 for a Message; for a Transfer it is no answer."""


@final
class Subprotocols:
    """The registry of one node, shared by its links."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[AccountId | None, str], Handler] = {}
        self._hooks: dict[AccountId | None, Handler] = {}

    def register(self, name: str, handler: Handler, account: AccountId | None = None) -> None:
        """Messages whose primary entry is `name` go to `handler`; None: those of every account.

        Raises `InvalidRequestError` for a name that cannot be, `ConflictError` when it is taken.
        """
        if not name or len(name) > NAME_MAX or not name.isascii() or not name.isprintable():
            raise InvalidRequestError(f"a sub-protocol has a name of 1 to {NAME_MAX} ASCII characters", "name")
        if name in RESERVED:
            raise InvalidRequestError(f"“{name}” belongs to BTP itself and cannot be registered", "name")
        if (account, name) in self._handlers:
            raise ConflictError(f"There is a handler of “{name}” already.")
        self._handlers[account, name] = handler

    def unregister(self, name: str, account: AccountId | None = None) -> None:
        """Raises `NotFoundError`."""
        if self._handlers.pop((account, name), None) is None:
            raise NotFoundError(f"There is no handler of “{name}”.")

    def set_settlement_hook(self, hook: Handler | None, account: AccountId | None = None) -> None:
        """Transfers go to `hook`; None takes them no longer. Raises `ConflictError` when there is another."""
        if hook is None:
            self._hooks.pop(account, None)
            return
        if account in self._hooks:
            raise ConflictError("Transfers have a hook already.")
        self._hooks[account] = hook

    def is_known(self, name: str) -> bool:
        """Whether Messages of that name have a handler, for some account."""
        return any(known == name for _, known in self._handlers)

    def find(self, account: AccountId, name: str) -> Handler | None:
        """Who answers a Message of that account."""
        return self._handlers.get((account, name)) or self._handlers.get((None, name))

    def find_hook(self, account: AccountId) -> Handler | None:
        """Who takes the Transfers of that account."""
        return self._hooks.get(account) or self._hooks.get(None)
