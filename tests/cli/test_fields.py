"""Names after `--fields`: what is there, what is null, what is a mistake and what was meant."""

from __future__ import annotations

from typing import Any

import pytest

from interledger.cli.errors import CliError
from interledger.cli.fields import check_fields

BOB: dict[str, Any] = {"id": "bob", "limits": {"owes_us_max": None}, "link": None, "tags": []}
EVE: dict[str, Any] = {"id": "eve", "limits": {"owes_us_max": "1", "more": 2}, "link": {"kind": "HTTP"}, "tags": []}


@pytest.mark.parametrize(
    "path",
    ["id", "limits", "limits.owes_us_max", "limits.more", "link.kind", "tags", "receipts_enabled"],
)
def test_what_is_there_or_may_be_another_time(path: str) -> None:
    check_fields([path], [BOB, EVE])


def test_below_null_and_of_nothing_all_is_null() -> None:
    check_fields(["link.kind"], [BOB])
    check_fields(["no.such"], [])


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("idd", ["There is no field “idd”. Did you mean  id ?"]),
        ("limits.owesusmax", ["There is no field “limits.owesusmax”. Did you mean  limits.owes_us_max ?"]),
        ("zz", ["There is no field “zz”.", "Fields:  id, limits, link, tags"]),
        ("limits.zz", ["There is no field “limits.zz”.", "Fields of limits:  more, owes_us_max"]),
        ("id.zz", ["There is no field “id.zz”: id is a single value."]),
    ],
)
def test_what_is_not_there_is_refused_with_a_suggestion(path: str, says: list[str]) -> None:
    with pytest.raises(CliError) as caught:
        check_fields([path], [BOB, EVE])
    assert (caught.value.code, list(caught.value.lines)) == (2, says)


def test_many_names_are_not_all_shown() -> None:
    with pytest.raises(CliError) as caught:
        check_fields(["q"], [{f"name{i:02}": i for i in range(20)}])
    assert caught.value.lines[1].endswith("name11 …")
