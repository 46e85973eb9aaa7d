"""`ilp node install-service`: what it writes, and what it refuses to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interledger.cli.main import run

SETTINGS = 'ilp_address = "test.hub"\n[accounts.alice]\nasset = "USD/9"\nrelation = "child"\ntoken_file = "{token}"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    place = tmp_path / "ilp.toml"
    place.write_text(SETTINGS.format(token="alice.token"))
    (tmp_path / "alice.token").write_text("a-token-of-alice-0123456789abcdef")
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    return place


def install(*words: object) -> int:
    return run(["node", "install-service", *map(str, words)], {})


def test_a_unit_is_written_and_what_comes_next_is_said(config: Path, tmp_path: Path, capsys: Any) -> None:
    assert install("--config", config, "--directory", tmp_path) == 0
    text = (tmp_path / "interledger.service").read_text()
    assert f"LoadCredential=alice.token:{tmp_path}/alice.token\n" in text
    out, err = capsys.readouterr()
    assert out == f"✓ Wrote {tmp_path}/interledger.service\n"
    assert "systemctl enable --now interledger" in err
    assert install("--config", config, "--directory", tmp_path) == 0, "the same again is no change"


def test_what_is_there_is_kept(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "interledger.service").write_text("mine")
    assert install("--directory", tmp_path) == 2
    assert "--replace" in capsys.readouterr().err
    assert (tmp_path / "interledger.service").read_text() == "mine"
    assert install("--directory", tmp_path, "--replace") == 0


@pytest.mark.parametrize(
    ("toml", "code", "says"),
    [
        ("nonsense = 1", 10, "nonsense is not a setting"),
        (SETTINGS.format(token="{place}/alice.token"), 2, "Put that file beside ilp.toml"),
    ],
)
def test_faults_are_found_before_anything_is_written(
    config: Path, tmp_path: Path, capsys: Any, toml: str, code: int, says: str
) -> None:
    config.write_text(toml.replace("{place}", str(tmp_path)))
    assert install("--config", config, "--directory", tmp_path) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "interledger.service").exists()


def test_a_directory_that_cannot_be_written_to(tmp_path: Path, capsys: Any) -> None:
    assert install("--directory", tmp_path / "nowhere") == 1
    assert "--print" in capsys.readouterr().err
