"""The table of settings: every row is complete, names are unique, and values that contradict each other are refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from interledger.errors import SettingsError
from interledger.node.settings import SETTINGS, Setting, Settings

SEED = bytes(32)


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_a_row_is_complete(row: Setting) -> None:
    assert row.help.endswith(".")
    assert row.metavar
    assert row.flag.startswith("--")
    assert row.environment.startswith("ILP_")
    if row.default is not None:
        assert row.parse(row.default) == getattr(Settings(secret_seed=SEED), row.attribute)


def test_names_are_unique() -> None:
    names = [name for row in SETTINGS for name in (row.key, *row.aliases)]
    assert len(names) == len(set(names))


def test_names_of_a_row() -> None:
    row = next(row for row in SETTINGS if row.attribute == "spread")
    assert (row.key, row.flag, row.environment) == (
        "exchange_rate.spread",
        "--exchange-rate-spread",
        "ILP_EXCHANGE_RATE__SPREAD",
    )


def test_the_help_of_durability_says_what_can_be_lost() -> None:
    row = next(row for row in SETTINGS if row.key == "durability")
    assert "power cut can lose" in row.help


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings(secret_seed=b"\x5a" * 32, admin_auth_token="s3cret")
    assert "s3cret" not in repr(settings)
    assert "ZZZ" not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secret_seed": None}, "secret_seed has to be 32 octets"),
        ({"secret_seed": b"short"}, "secret_seed has to be 32 octets"),
        ({"http_bind_address": "0.0.0.0:7770"}, "other machines could read tokens"),
        ({"rates_provider": "file"}, "exchange_rate.path"),
        ({"rates_provider": "http"}, "exchange_rate.url"),
        ({"min_message_window_ms": 30_000}, "less than  limits.max_hold_ms"),
    ],
)
def test_values_that_do_not_go_together(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(**({"secret_seed": SEED} | changes))  # type: ignore[arg-type]  # wrong on purpose


def test_plain_text_for_others_only_when_asked_for() -> None:
    settings = Settings(secret_seed=SEED, http_bind_address="[::]:80", allow_plain_text=True)
    assert settings.bind == ("::", 80)
    assert Settings(secret_seed=SEED).spread == Fraction(1, 500)
