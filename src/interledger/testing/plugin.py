"""The fixtures that pytest finds when the package is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from interledger.testing.network import MemoryNetwork

__all__ = ["ilp_network", "ilp_seed"]


@pytest.fixture
def ilp_seed() -> int:
    """What `ilp_network` is drawn from. Override it, or parametrise it, to try other runs."""
    return 1


@pytest.fixture
def ilp_network(ilp_seed: int) -> Iterator[MemoryNetwork]:
    """A network of nodes in memory, on a virtual clock. When the test is over its books are judged."""
    # Not above: whoever runs other tests with this package installed pays nothing for it.
    from interledger.testing.network import MemoryNetwork

    network = MemoryNetwork(ilp_seed)
    yield network
    network.check()
