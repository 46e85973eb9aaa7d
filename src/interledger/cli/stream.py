"""Answers that go on: each as it comes, in the form that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, final

from interledger.cli.fields import check_fields
from interledger.cli.output import pick_fields, to_ndjson, to_tsv
from interledger.cli.state import State

__all__ = ["Stream"]


@final
class Stream:
    """One line an answer. `json` is the same as `ndjson` here: a document that never ends is of no use."""

    def __init__(self, state: State, identifier: str = "id") -> None:
        self._state = state
        self._identifier = identifier
        self._heading: str | None = None

    def put(self, document: Mapping[str, Any], render: Callable[[], str]) -> None:
        """Print it now: who reads a pipe does not wait for the next one."""
        state = self._state
        if state.quiet:
            self._print(str(document.get(self._identifier, "")))
        else:
            if state.fields:
                check_fields(state.fields, [document])
            picked = pick_fields(document, state.fields) if state.fields else document
            if state.form in ("json", "ndjson"):
                self._print(to_ndjson([picked])[0])
            elif state.form == "tsv" or state.fields:
                self._tsv(picked)
            else:
                self._print(render())
        sys.stdout.flush()

    def _tsv(self, document: Mapping[str, Any]) -> None:
        """The paths again whenever they are others."""
        heading, line = to_tsv([document])
        if heading != self._heading:
            self._heading = heading
            self._print(heading)
        self._print(line)

    def _print(self, line: str) -> None:
        self._state.console.print(line)
