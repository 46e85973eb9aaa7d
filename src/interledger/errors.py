"""Every exception the package raises on purpose.

```text
InterledgerError
├── DecodeError            octets are not what the protocol says (also a ValueError)
├── ProtocolError
│   ├── RemoteProtocolError    the peer broke the protocol
│   └── LocalProtocolError     our caller did
├── LinkError              a link could not be opened, or was closed
│   └── RefusedError           the peer answered a request with an error of the link's protocol
├── LedgerError            the books would be wrong; nothing was changed
├── StoreError             the store cannot be read or written
│   └── DiskFullError          there is no room left
├── SettingsError          a setting is unknown or wrong; names the file and the key
├── NotFoundError          no such account, route, payment, receiver
├── ConflictError          it exists already, or is in use
├── InvalidRequestError    an argument cannot be used; names it
├── ResolveError           a payment pointer or SPSP answer cannot be used
└── PaymentError           a payment ended without delivering what was asked; says how far it came
```

A Reject is not an exception: it is a value (see `interledger.ilp.packet`).
"""

from __future__ import annotations

__all__ = [
    "ConflictError",
    "DecodeError",
    "DiskFullError",
    "InterledgerError",
    "InvalidRequestError",
    "LedgerError",
    "LinkError",
    "LocalProtocolError",
    "NotFoundError",
    "PaymentError",
    "ProtocolError",
    "RefusedError",
    "RemoteProtocolError",
    "ResolveError",
    "SettingsError",
    "StoreError",
]


class InterledgerError(Exception):
    """Base of all errors of this package. `str(error)` is a sentence for a person."""


class DecodeError(InterledgerError, ValueError):
    """Octets do not follow the wire format."""


class ProtocolError(InterledgerError):
    """Somebody broke a protocol."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol."""


class LocalProtocolError(ProtocolError):
    """Our caller asked for something the protocol forbids."""


class LinkError(InterledgerError):
    """A link could not be opened, or was closed while it was needed."""


class RefusedError(LinkError):
    """The peer did not carry out a request. `code` is the link's own: of BTP `F00`, `T00`, ..."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class LedgerError(InterledgerError):
    """An entry would make the books wrong. Nothing was changed."""


class StoreError(InterledgerError):
    """The store cannot be read or written."""


class DiskFullError(StoreError):
    """There is no room left where the store writes."""


class SettingsError(InterledgerError):
    """A setting is unknown or has a value that cannot be used."""


class NotFoundError(InterledgerError):
    """What was named does not exist."""


class ConflictError(InterledgerError):
    """What should be made exists already, or is still in use."""


class InvalidRequestError(InterledgerError, ValueError):
    """An argument cannot be used. `field` names it, where one argument is to blame."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ResolveError(InterledgerError):
    """A payment pointer or an SPSP answer cannot be used."""


class PaymentError(InterledgerError):
    """A payment ended without delivering what was asked for."""
