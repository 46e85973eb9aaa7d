"""`ilp dev ca` and `ilp dev certificate`: an authority for development, and what it signs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["authority", "certificate"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@command("ca")
@click.pass_obj
def authority(state: State) -> None:
    """The authority of this directory: made when there is none yet. Who trusts it trusts whoever has its key.

    \b
      ilp dev ca
      ilp node run --tls-ca .ilp/tls/ca.pem
    """
    import ssl

    from interledger.clock import SystemClock
    from interledger.daemon.authority import DevAuthority
    from interledger.link.tls import fingerprint

    found = DevAuthority(_place(state), SystemClock().now())
    digest = fingerprint(ssl.PEM_cert_to_DER_cert(found.path.read_text(encoding="ascii")))
    document = {"path": str(found.path), "sha256": digest}
    state.emit(document, lambda: [f"  {found.path}", f"  sha256 {digest}"], identifier="path")


@command("certificate")
@click.argument("name", metavar="NAME")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="A name or address beside this machine's own.")
@click.pass_obj
def certificate(state: State, name: str, hosts: tuple[str, ...]) -> None:
    """A certificate of that authority, good for a server and for a client; one of the same name is replaced.

    \b
      ilp dev certificate hub --host hub.lab.example
      ilp node run --tls-cert .ilp/tls/hub.pem --tls-key .ilp/tls/hub-key.pem
    """
    from interledger.clock import SystemClock
    from interledger.daemon.authority import DevAuthority

    if _NAME.fullmatch(name) is None or name in ("ca", "ca-key"):
        raise CliError(ExitCode.USAGE, f"“{name}” cannot be the name of a certificate's file.")
    now = SystemClock().now()
    issued = DevAuthority(_place(state), now).issue(name, now, hosts)
    document = {"certificate": str(issued.certificate), "key": str(issued.key)}
    state.emit(document, lambda: [f"  {issued.certificate}", f"  {issued.key}"], identifier="certificate")


def _place(state: State) -> Path:
    from interledger.daemon.dev import TLS_DIRECTORY

    return state.directory / TLS_DIRECTORY
