"""Engines by name."""

from __future__ import annotations

import pytest

from interledger.errors import InvalidRequestError, SettingsError
from interledger.settlement.engines import ENGINES, find_engine, make_engine


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_there_and_says_what_its_options_are(name: str) -> None:
    kind = find_engine(name)
    assert kind.name == name
    assert all(option.help.endswith(".") for option in kind.options)


@pytest.mark.parametrize(
    "name", ["nobody", "os", "os:", "os:path", "no_such_module:Engine", "interledger.errors:LinkError"]
)
def test_what_is_no_engine(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        find_engine(name)


def test_an_engine_of_another_package() -> None:
    assert find_engine("interledger.settlement.engines.folder:FolderEngine") is find_engine("folder")


def test_options() -> None:
    folder = find_engine("folder")
    assert make_engine(folder, {"directory": "x", "scale": "9"}).scale == 9
    with pytest.raises(SettingsError, match="folder needs  directory"):
        make_engine(folder, {})
    with pytest.raises(SettingsError, match="colour is not an option of folder"):
        make_engine(folder, {"directory": "x", "colour": "red"})
    for bad in ({"scale": "-1"}, {"scale": "two"}, {"address": "../x"}):
        with pytest.raises(SettingsError):
            make_engine(folder, {"directory": "x"} | bad)
