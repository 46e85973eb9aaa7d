"""One buffer for all reads, except where the system reads behind our back."""

from __future__ import annotations

import sys

import pytest

from interledger.link.read_buffer import READ_MAX, read_buffer


def test_shared_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert read_buffer() is read_buffer()
    monkeypatch.setattr(sys, "platform", "win32")
    assert read_buffer() is not read_buffer()
    assert len(read_buffer()) == READ_MAX
