"""The TLS of a node: what its port presents, what its links present and trust, and when the files are read again."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

from interledger.accounts.account import LinkSettings
from interledger.errors import InvalidRequestError, SettingsError
from interledger.link.tls import ServerTls, client_context, read_certificates
from interledger.node.settings import Settings

__all__ = ["NodeTls", "tls_faults"]

logger = logging.getLogger("interledger.node")

LOOK_S: Final = 10.0
"""How often the files are looked at: certificates are renewed days before they end."""


@final
class NodeTls:
    """Made once, from the settings. Raises `SettingsError` for a file that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        certificate, key, authorities = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
        self.server: ServerTls | None = None
        """None: the port speaks plain HTTP."""
        if certificate is not None:
            self.server = ServerTls(Path(certificate), _path(key), _path(authorities))
        self._ca = _path(settings.tls_ca)
        self._is_development = settings.development
        self._fault = ""
        """What was last said of files that are wrong: once is enough."""
        if self._ca is not None:
            client_context(self._ca)  # a file that is wrong is told at the start, not at the first link

    @property
    def context(self) -> ssl.SSLContext | None:
        """For the listener."""
        return None if self.server is None else self.server.context

    @property
    def development(self) -> ssl.SSLContext | None:
        """For wallets, in development: they are beside us, and present what our own authority signed. Else None."""
        return self.client() if self._is_development and self._ca is not None else None

    def client(self) -> ssl.SSLContext:
        """For what we ask of peers' servers that have no account of their own yet."""
        return client_context(self._ca)

    def client_of(self, link: LinkSettings) -> ssl.SSLContext:
        """For the links that we open to one peer. Raises `InvalidRequestError` for a file that cannot be used."""
        try:
            return client_context(
                _path(link.tls_ca_file) or self._ca, _path(link.tls_certificate_file), _path(link.tls_key_file)
            )
        except SettingsError as error:
            raise InvalidRequestError(str(error), "tls_certificate_file") from None

    def reload(self) -> None:
        """Read the port's files again. What is wrong with them is logged, and the old certificate stays."""
        if self.server is None:
            return
        try:
            self.server.reload()
        except SettingsError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                logger.error("the certificate was not changed: %s", error)
        else:
            self._fault = ""
            logger.info("the port presents the certificate that stands in %s now", self.server.certificate)

    async def watch(self) -> None:
        """Until cancelled: read the files again when they change."""
        while self.server is not None:
            await asyncio.sleep(LOOK_S)
            if self.server.is_stale():
                self.reload()


def tls_faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for files of the settings (by attribute) that cannot be used."""
    faults: list[tuple[str, str]] = []
    certificate, key = values["tls_certificate"], values["tls_key"]
    try:
        if certificate is not None:
            ServerTls(Path(certificate), _path(key))
    except SettingsError as error:
        faults.append(("tls.cert", f"cannot be used: {error}"))
    for name in ("ca", "client_ca"):
        try:
            if values[f"tls_{name}"] is not None:
                read_certificates(Path(values[f"tls_{name}"]), "it")
        except SettingsError as error:
            faults.append((f"tls.{name}", f"cannot be used: {str(error).removeprefix('it: ')}"))
    return faults


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
