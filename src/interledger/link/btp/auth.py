"""The first packet of a BTP connection: how a client says who it is (RFC 23, "Authentication").

What was learned from peers: the user name may be missing or empty (BT-12), the JavaScript plugin adds entries of its
own (BT-13), and interledger-rs takes `auth_token` anywhere.
"""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.link.btp.messages import BtpMessage, BtpPacket, ContentType, ProtocolData, find_entry

__all__ = ["auth_message", "read_auth"]


def auth_message(request_id: int, username: str, token: str) -> BtpMessage:
    """The Message a client sends first. `username` may be empty; the entry is sent all the same, as JavaScript does."""
    # RFC 23: "Its primary `protocolData` entry MUST have name `'auth'`, content type
    # `MIME_APPLICATION_OCTET_STREAM`, and empty data"
    entries = (
        ProtocolData("auth", ContentType.OCTETS, b""),
        ProtocolData("auth_username", ContentType.TEXT, username.encode()),
        ProtocolData("auth_token", ContentType.TEXT, token.encode()),
    )
    return BtpMessage(request_id, entries)


def read_auth(packet: BtpPacket) -> tuple[str | None, str]:
    """(user name, or None when it is missing or empty; token). Raises `DecodeError` with what the peer may be told."""
    entries = packet.entries
    # RFC 23: "If the client sends any BTP call that is not a Message, or sends a Message call whose primary
    # sub-protocol is not `auth`, the server should respond with an `Error` and close the connection."
    if not isinstance(packet, BtpMessage) or not entries or entries[0] != ("auth", ContentType.OCTETS, b""):
        raise DecodeError("the first packet must be auth")
    # RFC 23: "any of the other protocol rules are violated (e.g. having two subprotos with the same name)"
    if len({entry.name for entry in entries}) != len(entries):
        raise DecodeError("two sub-protocols have the same name")
    username = find_entry(entries, "auth_username")
    token = find_entry(entries, "auth_token")
    # RFC 23: "the `'auth_token'` data can be set to the empty string, but it cannot be omitted."
    if token is None:
        raise DecodeError("auth_token is missing")
    try:
        return (username.data.decode("utf-8") if username else "") or None, token.data.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("auth is not UTF-8") from None
