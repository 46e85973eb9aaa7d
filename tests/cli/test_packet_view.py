"""`ilp decode`: packets that are whole, and how far one gets with those that are not."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.cli.errors import CliError
from interledger.cli.main import run
from interledger.cli.packet_view import decode_hex, packet_document, packet_lines
from interledger.clock import SystemEntropy, Timestamp
from interledger.ilp.address import Address
from interledger.ilp.error_codes import AmountTooLarge
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.transport.stream.crypto import StreamCrypto
from interledger.transport.stream.frames import StreamMoney
from interledger.transport.stream.packet import StreamPacket

PREPARE = Prepare(107, Timestamp(1_792_000_000_000), b"\x11" * 32, Address("test.bob"), b"\x22" * 40)


@pytest.mark.parametrize(
    "packet",
    [PREPARE, Fulfill(b"\x33" * 32), Reject("F02", "test.hub", "no route", b"x"), Reject("X99", "", "")],
)
def test_what_is_whole_is_read(packet: Prepare | Fulfill | Reject) -> None:
    text = packet.encode().hex()
    assert decode_hex((text,)) == packet
    assert decode_hex(("0x" + text.upper(),)) == packet
    assert decode_hex(tuple(text[i : i + 8] for i in range(0, len(text), 8))) == packet
    assert packet_document(packet)["type"] == type(packet).__name__.lower()


def test_lines() -> None:
    assert packet_lines(PREPARE) == [
        "Prepare   109 octets",
        "  Amount       107",
        "  Expires      2026-10-14T17:46:40.000Z",
        f"  Condition    {'11' * 32}",
        "  Destination  test.bob",
        f"  Data         40 octets   {'22' * 21}…{'2' * 21}",
    ]
    assert packet_lines(Fulfill(b"\x33" * 32))[-1] == "  Data         none"
    f08 = Reject("F08", "test.hub", "too\x1b[2J large", AmountTooLarge(5, 3).encode())
    lines = packet_lines(f08)
    assert "  Code         F08 Amount Too Large   (ilp explain F08)" in lines
    assert "  Received     5" in lines
    assert "  At most      3" in lines
    assert "  Message      too\\x1b[2J large" in lines
    assert "received_amount" not in packet_document(Reject("F08", "", ""))


@pytest.mark.parametrize(
    ("words", "first", "second"),
    [
        (("",), "There are no octets.", ""),
        (("0",), "This is not an ILP packet: not one whole octet is there.", "They begin"),
        (("ff00",), "This is not an ILP packet: the first octet is 255.", "They begin"),
        (("0c",), "Octet 1 is missing: the length needs 1 octet, 0 are there.", "Read so far: type 12 (Prepare)."),
        (("0c82 01",), "Octet 3 is missing: the length needs 1 octet, 0 are there (a space in the middle?).", "Read"),
        (("0d20" + "11" * 30,), "Octet 32 is missing: the fulfillment needs 32 octets, 30 are there.", "Read"),
        (("0d21" + "11" * 32,), "Octet 34 is missing: the length of the data needs 1 octet, 0 are there.", "Read"),
        (("0d22" + "11" * 32 + "05ab",), "Octet 36 is missing: the data needs 5 octets, 1 is there.", "Read so far"),
        (("0d21" + "11" * 32 + "000",), "The last octet has only one hexadecimal digit.", "Read so far: type 13"),
        (("0c12g4",), "“g”, character 5, is not a hexadecimal digit.", ""),
    ],
)
def test_what_is_not_whole(words: tuple[str, ...], first: str, second: str) -> None:
    with pytest.raises(CliError) as caught:
        decode_hex(words)
    assert caught.value.lines[0].startswith(first)
    assert len(caught.value.lines) == 1 or caught.value.lines[1].startswith(second)


@given(st.binary(max_size=200))
def test_any_octets_end_in_a_packet_or_a_sentence(octets: bytes) -> None:
    with suppress(CliError):
        packet_lines(decode_hex((octets.hex(),)))


@pytest.mark.parametrize("words", [[], ["-"]])
def test_from_standard_input(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PREPARE.encode().hex() + "\n"))
    assert run(["packet", "decode", *words, "-o", "json", "--fields", "amount"], {}) == 0
    assert capsys.readouterr().out == '{"amount":"107"}\n'


def test_what_is_sealed_inside_is_opened_with_its_secret(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    secret = bytes(range(32))
    inside = StreamPacket(12, 7, 50, (StreamMoney(1, 1),))
    data = StreamCrypto(secret, SystemEntropy()).seal(inside.encode())
    text = Prepare(107, Timestamp(1_792_000_000_000), b"\x11" * 32, Address("test.bob"), data).encode().hex()
    file = tmp_path / "secret"
    file.write_text(base64.b64encode(secret).decode() + "\n")
    for words in (["--secret", secret.hex()], ["--secret-file", str(file)]):
        assert run(["packet", "decode", text, *words], {}) == 0
        assert capsys.readouterr().out.splitlines()[-3:] == [
            "  STREAM (decrypted: with the secret)",
            "       sequence 7, Prepare, deliver at least 50 units of the receiver's asset",
            "       StreamMoney stream 1 shares 1",
        ]
    assert run(["decode", text, "--secret", secret.hex(), "-o", "json", "--fields", "stream.sequence"], {}) == 0
    assert capsys.readouterr().out == '{"stream":{"sequence":7}}\n'
    for wrong, code in (("00" * 32, 1), ("abc", 2), ("½", 2), ("00" * 31, 2)):
        assert run(["decode", text, "--secret", wrong], {}) == code
        assert wrong not in capsys.readouterr().err
    assert run(["decode", text, "--secret-file", str(tmp_path / "none")], {}) == 2
