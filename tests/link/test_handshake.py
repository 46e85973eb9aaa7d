"""The opening handshake, against the answers and questions a peer may send."""

from __future__ import annotations

import pytest

from interledger.errors import RemoteProtocolError
from interledger.link.handshake import RESPONSE_HEAD_MAX, ClientHandshake, accept_handshake

REQUEST = {
    "Host": "node.example",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}


class Fixed:
    def octets(self, count: int) -> bytes:
        return bytes(count)


def request(**changes: str | None) -> bytes:
    headers = {**REQUEST, **{name.replace("_", "-"): value for name, value in changes.items()}}
    lines = ["GET /btp HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("octets", "crowded", "status"),
    [
        (request(), False, 101),
        (request(), True, 503),
        (request(Origin="https://wallet.example"), False, 101),
        (request(Origin="https://evil.example"), False, 403),
        (request(Upgrade="h2c"), False, 426),
        (request(Sec_WebSocket_Version="8"), False, 400),
        (request(Sec_WebSocket_Key=None), False, 400),
        (b"nonsense\r\n\r\n", False, 400),
    ],
)
def test_the_server_answers(octets: bytes, crowded: bool, status: int) -> None:
    answer, accepted = accept_handshake(octets, ["https://wallet.example"], crowded)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert accepted is (status == 101)


def test_compression_is_never_agreed() -> None:
    answer, accepted = accept_handshake(request(Sec_WebSocket_Extensions="permessage-deflate"), [], False)
    assert accepted
    assert b"extensions" not in answer.lower()


def test_both_halves_fit_and_the_first_frames_are_handed_on() -> None:
    client = ClientHandshake("ws://node.example:7768/btp?x=1", Fixed())
    asked = client.octets_to_send()
    assert asked.startswith(b"GET /btp?x=1 HTTP/1.1\r\nHost: node.example:7768\r\n")
    assert b"extensions" not in asked.lower()
    answer, accepted = accept_handshake(asked, [], False)
    assert accepted
    received = [client.receive(bytes((octet,))) for octet in answer]
    assert received == [None] * (len(answer) - 1) + [b""]

    again = ClientHandshake("ws://node.example:7768/btp?x=1", Fixed())
    again.octets_to_send()
    assert again.receive(answer + b"\x82\x01x") == b"\x82\x01x"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"x" * (RESPONSE_HEAD_MAX + 1),
    ],
)
def test_the_server_refuses_or_is_none(answer: bytes) -> None:
    client = ClientHandshake("ws://node.example/", Fixed())
    client.octets_to_send()
    with pytest.raises(RemoteProtocolError):
        client.receive(answer)
