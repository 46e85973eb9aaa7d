"""`ilp dev break` and `ilp dev mend`, against a real network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from interledger.cli.console import Console
from interledger.cli.dev_break import broken_lines

Ilp = Callable[..., Any]


def test_all_links_of_a_node_are_slow_and_lossy_until_they_are_mended(ilp: Ilp) -> None:
    result = ilp("dev", "break", "bob", "--latency", "800ms", "--drop", "5%")
    assert result.code == 0
    assert "  ! hub ─ bob   800 ms later, 5 % lost, each way" in result.out.splitlines()
    assert result.out.splitlines()[-1] == "  Put everything back:  ilp dev mend"
    assert ilp("dev", "mend").out == "  ✓ Nothing is broken.\n"


def test_one_link_is_cut_and_a_rate_jumps(ilp: Ilp) -> None:
    found = ilp("dev", "break", "alice", "hub", "--cut", "--rate", "usd=-20%", "-o", "json").json
    assert [link["cut"] for link in found["links"]] == [True, False]
    assert [rate["jump_percent"] for rate in found["rates"] if rate["code"] == "USD"] == [-20]
    assert "is cut" not in ilp("dev", "break").out
    assert "  ! USD   worth 0.73704, -20 % off the usual" in ilp("dev", "break").out.splitlines()
    ilp("dev", "mend")


WRONG = (
    (["break", "--cut"], 2, "Say which node's links"),
    (["break", "bob"], 2, "Say what is to happen to bob"),
    (["break", "bob", "--latency", "soon"], 2, "“soon” is no time"),
    (["break", "bob", "--drop", "half"], 2, "“half” is no share of packets"),
    (["break", "--rate", "EUR"], 2, "“EUR” is no jump of a rate"),
    (["break", "nobody", "--cut"], 4, "There is no node “nobody” in this network."),
    (["break", "alice", "bob", "--cut"], 4, "alice and bob have no link with each other."),
)


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_cannot_be_done_is_said(ilp: Ilp, words: list[str], code: int, said: str) -> None:
    result = ilp("dev", *words)
    assert (result.code, said in result.err) == (code, True)


def test_without_a_network(ilp: Ilp, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ilp("dev", "mend").code == 3


def test_lines(pipe: Console) -> None:
    whole = {"links": [], "nodes": [{"name": "bob", "running": True}], "rates": []}
    assert broken_lines(whole, pipe) == [f"  {pipe.mark('✓')} Nothing is broken."]


def test_a_node_is_killed_even_the_first_one_and_comes_back(ilp: Ilp) -> None:
    """The last test: nodes with books in memory come back with other tokens than dev.json knows."""
    assert "  ✗ alice   killed" in ilp("dev", "break", "alice", "--kill").out.splitlines()
    assert "  ✗ alice   killed" in ilp("dev", "break").out.splitlines()  # another node is asked
    assert ilp("dev", "mend").out == "  ✓ Nothing is broken.\n"
