"""The settings of what a node keeps, and where: rows of the table in `settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from interledger.node.settings_parsers import one_of, parse_store, parse_text
from interledger.node.settings_rows import Setting, setting

__all__ = ["StateSettings", "is_of_state", "state_faults"]


@dataclass(frozen=True, kw_only=True)
class StateSettings:
    """Where the books and all other state are, and what they survive."""

    data_dir: str = setting(
        parse_text,
        "./.ilp/node",
        "DIR",
        "Where the node keeps its database, its secrets and the file node.json that says where it listens.",
    )
    durability: str = setting(
        one_of("power", "process", "memory"),
        "power",
        "power|process|memory",
        "What a packet's record survives before the packet goes on. power: a power cut; each batch waits for the disk.",
        "process: the end of the process, kill -9 included, but a power cut can lose the last second; peers may then",
        "hold proof of money that this node no longer knows of. memory: nothing; everything is lost when the process",
        "ends. Only for tests.",
    )
    store: str | None = setting(
        parse_store,
        None,
        "URL",
        "The PostgreSQL database that keeps the books and all other state, in place of a file in DATA_DIR:",
        "postgresql://USER:PASSWORD@HOST/DATABASE. One node for each database. It needs the extra  postgres.",
        secret=True,
    )

    origins: Mapping[str, str] = field(default_factory=dict)
    """No row: key -> where its value was written, as `ilp.toml:31`, `ILP_DATA_DIR` or `--data-dir`."""

    @property
    def directory(self) -> Path | None:
        """Where files are kept beside the books; None when nothing is kept."""
        return None if self.durability == "memory" else Path(self.data_dir)

    @property
    def state(self) -> tuple[str, str, str | None]:
        """(data_dir, durability, store), as `open_store` takes them."""
        return self.data_dir, self.durability, self.store


def is_of_state(row: Setting) -> bool:
    """Whether the row is one of these."""
    return row.attribute in {item.name for item in fields(StateSettings)}


def state_faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for values that are good alone but not together."""
    if values["store"] and values["durability"] == "memory":
        return [("store", "is of no use with  durability = memory, which keeps nothing")]
    return []
