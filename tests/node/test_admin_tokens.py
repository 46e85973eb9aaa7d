"""The operator's named tokens: over restarts, as digests, so many and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import running, settings

from interledger.accounts.account import token_digest
from interledger.accounts.credentials import Scope
from interledger.errors import ConflictError, NotFoundError
from interledger.node import admin_tokens

SECRET = "a-token-of-the-operator-0123456789"


async def test_they_survive_a_restart_and_are_revoked(tmp_path: Path) -> None:
    of, digest = settings("test.hub", tmp_path), token_digest(SECRET)
    async with running(of) as node:
        made = await node.admin_tokens.create("grafana", (Scope.READ,), digest)
        with pytest.raises(ConflictError):
            await node.admin_tokens.create("again", (Scope.READ,), digest)
    async with running(of) as node:
        assert node.admin_tokens.all() == [made]
        assert node.admin_tokens.find(digest) == made
        await node.admin_tokens.revoke(made.id)
        with pytest.raises(NotFoundError):
            await node.admin_tokens.revoke(made.id)
    async with running(of) as node:
        assert node.admin_tokens.all() == []


async def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_tokens, "ADMIN_TOKENS_MAX", 1)
    async with running(settings("test.hub")) as node:
        await node.admin_tokens.create("one", (Scope.READ,), token_digest("1"))
        with pytest.raises(ConflictError, match="Revoke"):
            await node.admin_tokens.create("two", (Scope.READ,), token_digest("2"))
