"""What the API has to know of a node's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["NodeSettings"]


class NodeSettings(Protocol):
    """The settings the API reads."""

    @property
    def admin_auth_token(self) -> str | None: ...
    @property
    def http_bind_address(self) -> str: ...
    @property
    def public_url(self) -> str | None: ...
    @property
    def host_names(self) -> tuple[str, ...]: ...
    @property
    def default_spsp_account(self) -> str | None: ...
    @property
    def trusted_proxies(self) -> frozenset[str]: ...
    @property
    def spsp_queries_per_minute(self) -> int: ...
    @property
    def auto_peering_enabled(self) -> bool: ...
    @property
    def origins(self) -> Mapping[str, str]:
        """Key -> where its value was written."""
        ...
