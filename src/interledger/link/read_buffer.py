"""The buffer that sockets are read into, one for all connections of the process.

asyncio reads a plain `Protocol` with `recv(262144)`, which allocates and gives back 256 KiB for a packet of 300 octets:
six times the price of the whole read. A `BufferedProtocol` may say where to read to. The selector loops and uvloop call
`get_buffer`, read, and call `buffer_updated` without anything in between, so that one buffer can serve all.
"""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["READ_MAX", "read_buffer"]

READ_MAX: Final = 65_536
"""Octets of one read: all packets of a busy moment, and short enough to stay in a processor's cache."""

_shared: Final = memoryview(bytearray(READ_MAX))


def read_buffer() -> memoryview:
    """For `BufferedProtocol.get_buffer`. Its octets are valid until `buffer_updated` returns."""
    if sys.platform == "win32":  # the proactor hands a buffer to the system and reads others meanwhile
        return memoryview(bytearray(READ_MAX))
    return _shared
