"""How far a settlement has come, as its bar shows it."""

from __future__ import annotations

import pytest

from interledger.dashboard.pages.settlements import steps_of


@pytest.mark.parametrize(
    ("direction", "state", "error", "kinds", "word"),
    [
        ("out", "sending", None, "ok ok wait none", "Sent to the engine"),
        ("out", "sending", "503 busy", "ok ok bad none", "Sent to the engine"),
        ("out", "settled", None, "ok ok ok ok", "The engine pays"),
        ("out", "void", None, "ok ok none none", "Taken from the books"),
        ("in", "held", None, "ok ok wait none", "Checked against the cap"),
        ("in", "credited", None, "ok ok ok ok", "In the books"),
        ("in", "void", None, "ok ok none none", "Told by the engine"),
    ],
)
def test_steps(direction: str, state: str, error: str | None, kinds: str, word: str) -> None:
    steps = steps_of({"direction": direction, "state": state, "error": error})
    assert (" ".join(steps.kinds), steps.word) == (kinds, word)
    assert steps.at == max(i + 1 for i, kind in enumerate(steps.kinds) if kind != "none")
