"""What a place can show: colour, characters, width."""

from __future__ import annotations

import io

import pytest

from interledger.cli.console import Console, make_console


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "UTF-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "colour", "painted"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({}, "never", False),
        ({"NO_COLOR": "1"}, "always", True),
    ],
)
def test_colour(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], colour: str, painted: bool) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    console = make_console(environ, colour)
    assert console.colour is painted
    assert console.is_terminal
    assert console.shows_progress is (environ.get("TERM") != "dumb")


def test_not_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    console = make_console({})
    assert (console.is_terminal, console.colour, console.width, console.unicode) == (False, False, 80, False)


def test_ascii_where_the_locale_has_no_more() -> None:
    console = Console(io.StringIO(), io.StringIO(), unicode=False)
    console.print("✓ alice → hub, “x” ½ café")
    console.note("✗ down")
    assert console.out.getvalue() == 'ok alice -> hub, "x" .5 caf?\n'  # type: ignore[attr-defined]  # a StringIO
    assert console.err.getvalue() == "FAIL down\n"  # type: ignore[attr-defined]  # a StringIO


def test_every_mark_has_its_word() -> None:
    console = Console(io.StringIO(), io.StringIO(), colour=True)
    assert console.mark("✓", "up") == "\x1b[32m✓\x1b[0m up"
    assert console.mark("?") == "\x1b[33m?\x1b[0m"
