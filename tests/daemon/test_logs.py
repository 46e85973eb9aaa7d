"""The log in both forms: a line a message, whatever a peer wrote."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from interledger.daemon.logs import TEXT_MAX, JsonFormatter, TextFormatter, start_logging


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("interledger.node", logging.WARNING, __file__, 1, message, args, exc_info)
    made.created = 1_795_262_400.25
    return made


def test_an_object_a_line() -> None:
    line = JsonFormatter().format(record("peer %s said %r", "bob", "a\nb"))
    assert json.loads(line) == {
        "time": "2026-11-21T12:00:00.250Z",
        "level": "warning",
        "logger": "interledger.node",
        "message": "peer bob said 'a\\nb'",
    }


def test_a_traceback_is_a_field() -> None:
    try:
        raise ValueError("no disk")
    except ValueError as error:
        line = JsonFormatter().format(record("failed", error=error))
    assert "\n" not in line
    assert json.loads(line)["error"].endswith("ValueError: no disk")


@pytest.mark.parametrize("words", ["a\nERROR interledger.node: forged", "\x1b[2J", "a\u2028b", "a\x85b", "\ud800"])
@pytest.mark.parametrize("form", [JsonFormatter(), TextFormatter()])
def test_what_a_peer_wrote_stays_on_its_line(form: logging.Formatter, words: str) -> None:
    line = form.format(record("peer said %s", words))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


@pytest.mark.parametrize("form", [JsonFormatter(), TextFormatter()])
def test_a_message_has_an_end(form: logging.Formatter) -> None:
    assert len(form.format(record("%s", "x" * 10**6))) < TEXT_MAX + 200


@pytest.mark.parametrize(("form", "formatter"), [("text", TextFormatter), ("json", JsonFormatter)])
def test_it_goes_to_stderr(form: str, formatter: type, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    start_logging("debug", form)
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert (handler.stream, type(handler.formatter), root.level) == (sys.stderr, formatter, logging.DEBUG)
