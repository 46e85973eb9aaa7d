"""A PostgreSQL server for the tests, started once, with a schema of its own for each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from tools.torture.postgres_server import PostgresServer, postgres_server

__all__ = ["Place", "missing_postgres", "postgres", "postgres_place"]

_NUMBERS = count(1)


@cache
def missing_postgres() -> str | None:
    """Why there is no server to test with. Where `ILP_REQUIRE_INTEROP` asks for one that is a failure, not a skip."""
    try:
        import psycopg  # noqa: F401  # is it there?

        from tools.torture.postgres_server import find_programs

        why = None if find_programs() else "PostgreSQL is not installed (apt install postgresql)"
    except ImportError as error:
        why = f"the extra  postgres  is not installed: {error}"
    if why is not None and os.environ.get("ILP_REQUIRE_INTEROP"):
        pytest.fail(f"{why}, and ILP_REQUIRE_INTEROP asks for its tests")
    return why


@dataclass
class Place:
    """A schema that nobody has used, on a server that may be killed."""

    server: PostgresServer
    schema: str
    url: str

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        """What somebody with a shell does to the tables. The rows of the last statement."""
        with self.server.connect() as admin:
            admin.execute(f"SET search_path TO {self.schema}")
            cursor = [admin.execute(statement) for statement in statements][-1]
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server in memory. Tests that stop it start it again."""
    why = missing_postgres()
    if why is not None:
        pytest.skip(why)
    with postgres_server("/dev/shm" if Path("/dev/shm").is_dir() else None) as server:  # noqa: S108  # of our own
        yield server


@pytest.fixture
def postgres_place(postgres: PostgresServer) -> Place:
    """A schema of one's own."""
    schema = f"test_{next(_NUMBERS)}"
    with postgres.connect() as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
    return Place(postgres, schema, f"{postgres.url()}&options={quote(f'-csearch_path={schema}')}")
