"""What is logged, and in which form: one line a message on stderr, as text for people or as JSON for programs.

A message may quote what a peer wrote. In both forms it stays on its line, and is cut where it is too long.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, final

__all__ = ["LOG_FORMATS", "JsonFormatter", "TextFormatter", "start_logging"]

LOG_FORMATS: Final = ("text", "json")

TEXT_MAX: Final = 8_192
"""Characters of a message, and of a traceback; the rest is cut off."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@final
class TextFormatter(logging.Formatter):
    """`2026-11-21 12:00:00,000 INFO interledger.node: started`; a traceback stands on further lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        record.message = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", record.message[:TEXT_MAX])
        return super().formatMessage(record)


@final
class JsonFormatter(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, and `error`, a traceback, where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:TEXT_MAX],
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)[-TEXT_MAX:]
        return json.dumps(line)


def start_logging(level: str, form: str = "text") -> None:
    """Log to stderr from now on. `form`: one of `LOG_FORMATS`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
