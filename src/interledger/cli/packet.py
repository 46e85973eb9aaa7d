"""`ilp decode`: what the octets of a packet say. Works without a node."""

from __future__ import annotations

import sys

import click

from interledger.cli.packet_view import decode_hex, packet_document, packet_lines
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["decode"]


@command("decode")
@click.argument("words", metavar="HEX", nargs=-1)
@click.pass_obj
def decode(state: State, words: tuple[str, ...]) -> None:
    """Read the octets of an ILP packet, written in hexadecimal. Without HEX, or with `-`, from standard input.

    \b
      ilp decode 0e0f4630320000...
      ilp packet decode - < packet.hex
    """
    if not words or words == ("-",):
        words = (sys.stdin.read(),)
    packet = decode_hex(words)
    state.emit(packet_document(packet), lambda: packet_lines(packet), identifier="type")
