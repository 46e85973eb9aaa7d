"""`POST /api/backups`: a file on the node's machine; refused where the store is backed up otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interledger.api.app import create_app
from interledger.api.client import ApiClient, ApiError
from interledger.node.node import Node
from interledger.node.settings import Settings


async def backup_of(place: Path, durability: str) -> Any:
    settings = Settings(
        ilp_address="test.hub",
        admin_auth_token="admin",
        secret_seed=bytes(32),
        http_bind_address="127.0.0.1:0",
        data_dir=str(place),
        durability=durability,
    )
    node = Node(settings)
    await node.start(create_app(node))
    try:
        return await ApiClient(f"http://127.0.0.1:{node.port}", "admin").make_backup()
    finally:
        await node.stop()


async def test_a_file_below_the_data_directory(tmp_path: Path) -> None:
    made = await backup_of(tmp_path, "process")
    assert Path(made["file"]).parent == tmp_path / "backups"
    assert [file.stat().st_size for file in (tmp_path / "backups").iterdir()] == [made["octets"]]


async def test_where_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="nothing to back up") as refused:
        await backup_of(tmp_path, "memory")
    assert refused.value.status == 409
