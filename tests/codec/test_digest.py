"""SHA-256 by the interpreter's own code, or by hashlib where there is none."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest

from interledger.codec import digest


@pytest.mark.parametrize("octets", [b"", b"abc", bytes(32), bytes(range(256))])
def test_it_is_sha_256(octets: bytes) -> None:
    assert digest.sha256(octets).digest() == hashlib.sha256(octets).digest()


@pytest.mark.parametrize(
    "module",
    [
        SimpleNamespace(),
        SimpleNamespace(sha256=lambda octets: hashlib.sha1(octets, usedforsecurity=False)),
        None,
    ],
    ids=["without the function", "another hash", "no such module"],
)
def test_what_does_not_work_is_not_used(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> object:
        if module is None:
            raise ModuleNotFoundError(name)
        return module

    monkeypatch.setattr("importlib.import_module", load)
    assert digest.find_sha256() is hashlib.sha256
