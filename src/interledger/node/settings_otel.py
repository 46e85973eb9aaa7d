"""The settings of what a node tells of itself, log and OpenTelemetry: rows of the table in `settings`."""

# ruff: noqa: RUF009  `setting` is a dataclass field with metadata

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from interledger.errors import InvalidRequestError
from interledger.node.settings_books import BooksSettings
from interledger.node.settings_parsers import one_of, parse_ratio, parse_url
from interledger.node.settings_rows import setting

__all__ = ["OtelSettings", "otel_faults", "parse_headers"]

TABLE: Final = "otel."

_HEADER: Final = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})\s*=\s*([\x21-\x7e](?:[\x20-\x7e]{0,2000}[\x21-\x7e])?)"
)


def parse_headers(text: str) -> dict[str, str]:
    """`x-api-key=…,tenant=…`, as OTEL_EXPORTER_OTLP_HEADERS has them. What it refuses is not repeated: it is secret."""
    headers: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _HEADER.fullmatch(part)
        if match is None:
            raise InvalidRequestError("this is no list of headers. Write  x-api-key=SECRET,tenant=me")
        headers[match[1].lower()] = match[2]
    return headers


def _headers_text(text: str) -> str:
    parse_headers(text)
    return text


def _parse_share(text: str) -> Fraction:
    """A share, all of them included."""
    return Fraction(1) if text in ("1", "1.0", "100%", "100 %") else parse_ratio(text)


@dataclass(frozen=True, kw_only=True)
class OtelSettings(BooksSettings):
    """What is logged; where spans go, and of how many packets."""

    log_level: str = setting(
        one_of("debug", "info", "warning", "error"),
        "info",
        "debug|info|warning|error",
        "The least grave message that is logged, on stderr. No level logs packets or secrets.",
    )
    log_format: str = setting(
        one_of("text", "json"),
        "text",
        "text|json",
        "The form of the log. json: one object a line with time, level, logger, message, and error where there is a",
        "traceback.",
    )
    otel_endpoint: str | None = setting(
        parse_url,
        None,
        "URL",
        "The collector of OpenTelemetry that gets spans of packets and payments by OTLP over HTTP, with protobuf:",
        "http://localhost:4318 (then /v1/traces), or a URL with a path of its own. Without it there are no spans. It",
        "needs the extra  otel.",
        key="otel.endpoint",
    )
    otel_sample: Fraction = setting(
        _parse_share,
        "0.01",
        "SHARE",
        "Of how many packets: 0.01, '1 %' or 1. The packet's condition decides, so that all nodes on its way that have",
        "the same share choose the same packets. Payments of this node are always told.",
        key="otel.sample",
    )
    otel_headers: str | None = setting(
        _headers_text,
        None,
        "HEADERS",
        "What the collector wants to see in each request: x-api-key=SECRET,tenant=me.",
        key="otel.headers",
        secret=True,
    )


def otel_faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for values that are good alone but not together."""
    if values["otel_headers"] and not values["otel_endpoint"]:
        return [(TABLE + "headers", "is of no use without  otel.endpoint")]
    return []
