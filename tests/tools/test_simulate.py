"""`make sim`: one seed said again, and many with the table of what they met."""

from __future__ import annotations

from pathlib import Path

import pytest

from interledger.sim.books import Books
from tools.simulate import main


def test_one_seed_says_what_it_is_made_of_and_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        assert main(["--seed", "43"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith("seed 43: ring, 3 assets, links of messages, learned routes, books in SQLite, 65 packets")
    assert "journals " in said[0]


def test_many_seeds_print_the_table_and_write_the_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert main(["--seeds", "3", "--first", "20", "--processes", "1", "--page", str(page)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 seeds: ")
    assert "| fault | happened | state of the packet | executed |" in out
    assert out.partition("\n")[2].strip() in page.read_text(encoding="utf-8")


def test_a_breach_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Books, "net", lambda books, name: 1)
    assert main(["--seed", "7"]) == 1
    assert "make sim SEED=7" in capsys.readouterr().err
