"""Ports of this machine: which are free, and who has one that is not (Linux; elsewhere nobody is named)."""

from __future__ import annotations

import errno
import os
import re
import socket
from pathlib import Path
from typing import NamedTuple

__all__ = ["Listening", "find_listener", "port_is_taken"]

_PROC_NET = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""
_SOCKET = re.compile(r"socket:\[([0-9]+)\]")


class Listening(NamedTuple):
    """Who listens."""

    program: str
    pid: int


def port_is_taken(host: str, port: int) -> bool:
    """Whether nobody else can listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As asyncio's servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno in (errno.EADDRINUSE, errno.EACCES)
    return False


def find_listener(port: int) -> Listening | None:
    """The program that listens on `port`, where this machine tells us."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for entry in Path("/proc").iterdir():
        if entry.name.isascii() and entry.name.isdecimal() and _holds(entry / "fd", inodes):
            try:
                return Listening((entry / "comm").read_text().strip(), int(entry.name))
            except OSError:
                return None
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in _PROC_NET:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _holds(directory: Path, inodes: set[str]) -> bool:
    """Whether a process has one of these sockets open. Of another user's process we are told nothing."""
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    for name in names:
        try:
            found = _SOCKET.fullmatch(os.readlink(directory / name))
        except OSError:
            continue
        if found is not None and found[1] in inodes:
            return True
    return False
