"""What an account's link says about credentials beside its plain tokens: signed tokens, certificates, files of ours."""

from __future__ import annotations

from typing import Any, Final

from interledger.accounts.account import LinkSettings
from interledger.api.bodies import Fields
from interledger.errors import InvalidRequestError
from interledger.link.certificates import parse_client_certificate

__all__ = ["CREDENTIAL_FLAGS", "CREDENTIAL_SECRETS", "CREDENTIAL_TEXTS", "credentials_document", "read_credentials"]

CREDENTIAL_SECRETS: Final = ("http_incoming_jwt_secret", "http_outgoing_jwt_secret")
"""Written, never shown: the document says whether there is one."""

CREDENTIAL_TEXTS: Final = (
    "http_outgoing_jwt_subject",
    "http_jwks_url",
    "http_jwt_issuer",
    "http_jwt_audience",
    "http_jwt_subject",
    "tls_ca_file",
    "tls_certificate_file",
    "tls_key_file",
)
CREDENTIAL_FLAGS: Final = ("http_jwt_require_subject", "client_certificate_required")

CERTIFICATES_MAX: Final = 8
"""Of one account: the one in use and its successor, on some machines."""

TEXT_LENGTH_MAX: Final = 2_048
"""Characters of an issuer, a path, a secret."""


def read_credentials(link: Fields) -> dict[str, Any]:
    """The fields that are given, as `LinkSettings` has them. Raises `invalid-request` problems."""
    changes: dict[str, Any] = {}
    for name in (*CREDENTIAL_SECRETS, *CREDENTIAL_TEXTS):
        if name in link:
            text = link.text(name)
            if text is not None and not (1 <= len(text) <= TEXT_LENGTH_MAX and text.isprintable()):
                raise link.wrong(name, f"is 1 to {TEXT_LENGTH_MAX} characters on one line")
            changes[name] = text
    for name in CREDENTIAL_FLAGS:
        if name in link:
            value = link.value(name)
            if not isinstance(value, bool | None):
                raise link.wrong(name, "is true or false")
            changes[name] = getattr(LinkSettings(), name) if value is None else value
    if "client_certificates" in link:
        changes["client_certificates"] = _read_certificates(link)
    return changes


def _read_certificates(link: Fields) -> tuple[str, ...]:
    entries = link.value("client_certificates") or []
    is_list = isinstance(entries, list) and all(type(entry) is str for entry in entries)
    if not is_list or len(entries) > CERTIFICATES_MAX:
        raise link.wrong("client_certificates", f"is a list of texts, {CERTIFICATES_MAX} at most")
    try:
        return tuple(dict.fromkeys(parse_client_certificate(entry) for entry in entries))
    except InvalidRequestError as error:
        raise link.wrong("client_certificates", f"cannot be used: {error}") from None


def credentials_document(link: LinkSettings) -> dict[str, Any]:
    """The same to be shown: of a secret only whether there is one. Certificates are public."""
    document: dict[str, Any] = {name: getattr(link, name) is not None for name in CREDENTIAL_SECRETS}
    document |= {name: getattr(link, name) for name in (*CREDENTIAL_TEXTS, *CREDENTIAL_FLAGS)}
    return document | {"client_certificates": list(link.client_certificates)}
