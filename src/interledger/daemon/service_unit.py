"""A node as a service of systemd: the text of its unit.

The unit gives the node what it needs and nothing else: a user of its own that exists only while it runs, one directory
to write to, the network, and no way to anything else of the machine. `systemd-analyze security` judges it in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath
from typing import Final

__all__ = ["STATE_DIRECTORY", "STOP_S", "UNIT_DIRECTORY", "UNIT_NAME", "unit_text"]

UNIT_NAME: Final = "interledger.service"
UNIT_DIRECTORY: Final = PurePosixPath("/etc/systemd/system")
STATE_DIRECTORY: Final = PurePosixPath("/var/lib/interledger")
"""Made by systemd, owned by the service's user, mode 0700. It outlives the service."""

STOP_S: Final = 45
"""Longer than any packet is held (30 s), and than the last commit takes: a node is killed only when it hangs."""

HOMES: Final = (("/", "home"), ("/", "root"))

_UNIT: Final = """\
# Written by  ilp node install-service.  Changes:  systemctl edit interledger
[Unit]
Description=Interledger node
Documentation=https://interledger.org
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=exec
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
TimeoutStopSec={stop_s}
KillSignal=SIGTERM
LimitNOFILE=65536

# A user of its own, and one directory that it may write to.
DynamicUser=yes
User=interledger
StateDirectory=interledger
StateDirectoryMode=0700
WorkingDirectory={state}
UMask=0077
{credentials}
# Nothing else of the machine.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
"""


def unit_text(program: Sequence[str], config: PurePath | None, secrets: Sequence[str] = ()) -> str:
    """The unit that runs `program` (the words that start `ilp`) with the settings of `config`.

    The file of settings, and the files of `secrets` that it names beside itself, stay root's alone: systemd hands
    them to the service as credentials.
    """
    words = [*program, "node", "run", "--data-dir", str(STATE_DIRECTORY)]
    credentials = ""
    if config is not None:
        words += ["--config", "%d/ilp.toml"]
        files = {"ilp.toml": config, **{name: config.parent / name for name in secrets}}
        credentials = "".join(f"LoadCredential={name}:{_escaped(str(place))}\n" for name, place in files.items())
    home = any(PurePosixPath(word).parts[:2] in HOMES for word in program)
    return _UNIT.format(
        command=" ".join(_quoted(word) for word in words),
        credentials=credentials,
        # A program that is installed in a home directory has to be found there.
        protect_home="read-only" if home else "yes",
        state=STATE_DIRECTORY,
        stop_s=STOP_S,
    )


def _quoted(word: str) -> str:
    """A word of `ExecStart`. `%d` is systemd's own and stays; every other `%` and `$` is meant as written."""
    if word.startswith("%d/"):
        return word
    text = _escaped(word).replace("$", "$$")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if set(text) & set(" \t\"'\\;") else text


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
