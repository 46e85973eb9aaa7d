"""QR codes: read back, drawn for each kind of terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.qr import qr_lines

Ilp = Callable[..., Any]

POINTER = "$localhost:7780/bob"


def test_two_modules_a_character(terminal: Console) -> None:
    lines = qr_lines(POINTER, terminal)
    assert len({len(line) for line in lines}) == 1
    assert set("".join(lines)) <= set("█▀▄ ")
    assert lines[0] == "█" * len(lines[0])
    ascii_ = Console(io.StringIO(), io.StringIO(), unicode=False)
    plain = qr_lines(POINTER, ascii_)
    # The same modules: 29 with their border, two characters each.
    assert (len(plain), len(plain[0])) == (29, 58)
    assert [row[::2].replace("#", "█") for row in plain[::2]] == [
        "".join("█" if c in "█▀" else " " for c in line) for line in lines
    ]


def test_colour_is_said_where_there_is_colour() -> None:
    coloured = Console(io.StringIO(), io.StringIO(), colour=True)
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in qr_lines("x", coloured))


def test_what_cannot_be_drawn(terminal: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CliError, match="too many for a QR code"):
        qr_lines("x" * 1_201, terminal)
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(CliError, match="no library"):
        qr_lines("x", terminal)


def test_pointers_and_invitations(ilp: Ilp, bob: str) -> None:
    shown = ilp("account", "show", "bob", "--qr")
    assert (shown.code, shown.out.splitlines()[-1]) == (0, f"  {bob}")
    assert ilp("account", "show", "bob", "--qr", "-q").out == f"{bob}\n"
    assert "its payment pointer on its own node" in ilp("account", "show", "bob", "--qr", "--node", "hub").err
    invitation = ilp("peer", "invite", "--asset", "USD/9", "--max-balance", "5 USD", "--qr")
    assert invitation.out.count("█") > 100
