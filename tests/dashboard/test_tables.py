"""Files for other programs: what a spreadsheet reads, and what a node reads."""

from __future__ import annotations

import csv
import io
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.dashboard.tables import csv_text, toml_text


def test_a_column_is_a_path_and_what_is_missing_is_empty() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "pay_1", "sent": {"amount": "-5", "asset_code": "USD"}, "up": True, "path": ["test.a", "test.b"]},
        {"id": "pay_2", "sent": None, "up": False, "path": None},
    ]
    text = csv_text(("id", "sent.amount", "sent.asset_code", "up", "path"), rows)
    assert text.splitlines() == [
        "id,sent_amount,sent_asset_code,up,path",
        "pay_1,-5,USD,true,test.a test.b",
        "pay_2,,,false,",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "@SUM(A1)", "-2+3", "\t=1", "\r=1"])
def test_what_a_peer_wrote_is_no_formula(text: str) -> None:
    """A spreadsheet runs what begins with one of four marks."""
    ((_, cell),) = list(csv.reader(io.StringIO(csv_text(("id", "receiver"), [{"id": "a", "receiver": text}]))))[1:]
    assert cell == "'" + text


@given(st.text(max_size=40))
def test_every_text_comes_back(text: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(("a", "b"), [{"a": text, "b": "end"}]), newline="")))
    assert rows[1][1] == "end"
    assert rows[1][0].removeprefix("'") == text.removeprefix("'")


def setting(key: str, value: str | None, *, set_by: str = "file", secret: bool = False) -> dict[str, Any]:
    return {"key": key, "value": value, "default": "info", "set_by": set_by, "secret": secret}


def test_settings_are_a_file_that_a_node_reads() -> None:
    text = toml_text(
        [
            setting("ilp_address", "test.hub"),
            setting("in_flight_max", "1000"),
            setting("development", "true"),
            setting("exchange_rate.provider", 'the "ecb"\\'),
            setting("exchange_rate.spread", "0.003"),
            setting("secret_seed", None, secret=True),
            setting("log_level", "info", set_by="default"),
            setting("public_url", None),
            setting("given_in_code", "7", set_by="default"),
        ]
    )
    assert tomllib.loads(text) == {
        "ilp_address": "test.hub",
        "in_flight_max": 1000,
        "development": True,
        "given_in_code": 7,
        "exchange_rate": {"provider": 'the "ecb"\\', "spread": "0.003"},
    }
    assert "# secret_seed is set, and secret" in text


@given(st.text(max_size=40))
def test_any_value_is_toml(text: str) -> None:
    assert tomllib.loads(toml_text([setting("a.b", text)]))["a"]["b"] in (text, True, False, _whole(text))


def _whole(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return None
