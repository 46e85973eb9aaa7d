"""The first packet, as every kind of peer sends it."""

from __future__ import annotations

import pytest

from interledger.errors import DecodeError
from interledger.link.btp.auth import auth_message, read_auth
from interledger.link.btp.messages import BtpMessage, BtpPacket, BtpResponse, BtpTransfer, ProtocolData

AUTH = ProtocolData("auth", 0, b"")
USER = ProtocolData("auth_username", 1, b"bob")
NO_USER = ProtocolData("auth_username", 1, b"")
TOKEN = ProtocolData("auth_token", 1, b"secret")
EXTRA = ProtocolData("btp_flags", 2, b"{}")

READ = {
    "btp-packet's order": ((AUTH, USER, TOKEN), ("bob", "secret")),
    "BT-12 an empty user name": ((AUTH, NO_USER, TOKEN), (None, "secret")),
    "BT-12 no user name, as interledger-rs": ((AUTH, TOKEN), (None, "secret")),
    "the token first of the rest": ((AUTH, TOKEN, USER), ("bob", "secret")),
    "BT-13 entries of JavaScript applications": (
        (AUTH, EXTRA, USER, TOKEN, EXTRA._replace(name="x")),
        ("bob", "secret"),
    ),
    "BT-03 an empty token": ((AUTH, TOKEN._replace(data=b"")), (None, "")),
    "any content type of the token": ((AUTH, TOKEN._replace(content_type=0)), (None, "secret")),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(name: str) -> None:
    entries, expected = READ[name]
    assert read_auth(BtpMessage(1, entries)) == expected


REFUSED: dict[str, BtpPacket] = {
    "BT-01 a Message without entries": BtpMessage(1),
    "BT-01 something else first": BtpMessage(1, (EXTRA, AUTH, TOKEN)),
    "BT-01 a Transfer": BtpTransfer(1, 5, (AUTH, TOKEN)),
    "BT-01 a Response": BtpResponse(1, (AUTH, TOKEN)),
    "BT-02 auth with data": BtpMessage(1, (AUTH._replace(data=b"x"), TOKEN)),
    "BT-02 auth as text": BtpMessage(1, (AUTH._replace(content_type=1), TOKEN)),
    "BT-02 no token": BtpMessage(1, (AUTH, USER)),
    "BT-08 two tokens": BtpMessage(1, (AUTH, TOKEN, TOKEN)),
    "BT-08 two entries of an application": BtpMessage(1, (AUTH, TOKEN, EXTRA, EXTRA)),
    "a token that is not UTF-8": BtpMessage(1, (AUTH, TOKEN._replace(data=b"\xff"))),
    "a user name that is not UTF-8": BtpMessage(1, (AUTH, USER._replace(data=b"\xff"), TOKEN)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(DecodeError):
        read_auth(REFUSED[name])


def test_what_we_send_is_what_btp_packet_sends() -> None:
    expected = "06000000012c0103046175746800000d617574685f757365726e616d6501000a617574685f746f6b656e0106736563726574"
    assert auth_message(1, "", "secret").encode().hex() == expected
    assert read_auth(auth_message(1, "bób", "tökén")) == ("bób", "tökén")
