"""Every target of fuzz/ holds its invariant for its seeds, and for some hundred inputs that nobody meant."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.source import ROOT

FOLDER = ROOT / "fuzz"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_targets.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HARNESS = load(FOLDER / "harness.py")
TARGETS = {path.stem.removeprefix("fuzz_"): load(path) for path in sorted(FOLDER.glob("fuzz_*.py"))}
CORPORA = {name: HARNESS.seeds(target.LAYERS, target.SEEDS) for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_the_first_line_is_the_invariant(name: str) -> None:
    assert (TARGETS[name].__doc__ or "").startswith("Invariant: ")


@pytest.mark.parametrize("name", TARGETS)
def test_the_invariant_holds_for_the_seeds(name: str) -> None:
    target = TARGETS[name]
    corpus = CORPORA[name]
    assert len(corpus) > 1, "a target without seeds finds nothing"
    for octets in corpus:
        target.check(octets)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_the_invariant_holds_for_changed_seeds(name: str, seed: int) -> None:
    target = TARGETS[name]
    chance = random.Random(seed)
    corpus = CORPORA[name]
    for _ in range(5):
        target.check(HARNESS.mutated(corpus, chance))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(octets=st.binary(max_size=120))
def test_the_invariant_holds_for_any_octets(name: str, octets: bytes) -> None:
    TARGETS[name].check(octets)


def test_a_target_runs_as_a_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz_oer.py", "-runs=200", "-seed=7"])
    monkeypatch.setattr(HARNESS.importlib.util, "find_spec", lambda _: None)
    HARNESS.run(TARGETS["oer"].check, TARGETS["oer"].LAYERS)
    assert capsys.readouterr().out == "200 inputs, seed 7: the invariant holds\n"


def test_an_input_that_breaks_the_invariant_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["x", "-runs=5"])
    monkeypatch.setattr(HARNESS.importlib.util, "find_spec", lambda _: None)

    def check(octets: bytes) -> None:
        if octets:
            raise ValueError(octets.hex())

    with pytest.raises(ValueError, match="abcd"):
        HARNESS.run(check, (), (b"\xab\xcd",))
    assert "seed 1, input abcd" in capsys.readouterr().err
