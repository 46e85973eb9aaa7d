"""`ilp decode`: what the octets of a packet say, and with the secret what is sealed inside. Works without a node."""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path
from typing import Any, Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.packet_trace_view import stream_lines
from interledger.cli.packet_view import decode_hex, packet_document, packet_lines
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.ilp.packet import Packet

__all__ = ["decode"]

SECRET_LENGTH: Final = 32


@command("decode")
@click.argument("words", metavar="HEX", nargs=-1)
@click.option("--secret", metavar="HEX", help="The shared secret of the STREAM connection: hex, or base64 as in SPSP.")
@click.option("--secret-file", metavar="FILE", help="The file it stands in, instead of --secret.")
@click.pass_obj
def decode(state: State, words: tuple[str, ...], secret: str | None, secret_file: str | None) -> None:
    """Read the octets of an ILP packet, written in hexadecimal. Without HEX, or with `-`, from standard input.

    \b
      ilp decode 0e0f4630320000...
      ilp packet decode - < packet.hex
      ilp packet decode --secret-file secret 0c81...
    """
    key = _secret(secret, secret_file)
    if not words or words == ("-",):
        words = (sys.stdin.read(),)
    packet = decode_hex(words)
    inside = None if key is None else _inside(packet, key)
    document = packet_document(packet) | ({} if inside is None else {"stream": inside})
    lines = [] if inside is None else stream_lines({"stream": inside}, "with the secret")
    state.emit(document, lambda: [*packet_lines(packet), *lines], identifier="type")


def _secret(text: str | None, file: str | None) -> bytes | None:
    """Raises `CliError` that never shows it."""
    if file is not None:
        try:
            text = Path(file).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise CliError(ExitCode.USAGE, f"“{file}” cannot be read as a secret.") from None
    if text is None:
        return None
    text = "".join(text.split())
    try:
        found = bytes.fromhex(text) if len(text) == 2 * SECRET_LENGTH else base64.b64decode(text, "-_", validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != SECRET_LENGTH:
        raise CliError(
            ExitCode.USAGE, "This is no shared secret.", "It has 32 octets: 64 hexadecimal digits, or 44 of base64."
        )
    return found


def _inside(packet: Packet, secret: bytes) -> dict[str, Any]:
    """What STREAM says. Raises `CliError` where the secret does not fit."""
    from interledger.api.packets import stream_document
    from interledger.clock import SystemEntropy
    from interledger.errors import DecodeError
    from interledger.transport.stream.crypto import StreamCrypto
    from interledger.transport.stream.packet import StreamPacket

    plaintext = StreamCrypto(secret, SystemEntropy()).open(packet.data)
    try:
        opened = None if plaintext is None else StreamPacket.decode(plaintext)
    except DecodeError:
        opened = None
    found = stream_document(opened)
    if found is None:
        raise CliError(
            ExitCode.FAILED,
            "The secret does not open what is inside.",
            "Without --secret the rest of the packet is read.",
        )
    return found
