"""kill -9 of nodes whose books are in PostgreSQL, and of its server, in the middle of a payment."""

from __future__ import annotations

import pytest

from tests.support.postgres import missing_postgres
from tools.torture.kills import kill_nodes

SEED = 4
"""Its first kill takes a node, its second one a server and a node."""


@pytest.mark.slow
def test_J1_the_books_agree_after_the_death_of_a_node_and_of_the_server() -> None:
    why = missing_postgres()
    if why is not None:
        pytest.skip(why)
    assert list(kill_nodes(2, SEED, postgres=True)) == [1, 2]
