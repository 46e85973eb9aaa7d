"""Runs one target: `python fuzz/fuzz_prepare.py -runs=100000 [-seed=1]`.

With atheris installed (`pip install atheris`) it drives, guided by coverage; else seeded mutations of the vectors do.
Both start from the vectors of conformance/. An input that breaks the invariant is printed as hexadecimal.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

__all__ = ["mutated", "run", "seeds"]

VECTORS = Path(__file__).resolve().parent.parent / "conformance" / "vectors"

SEED_OCTETS_MAX = 2000
"""Longer vectors are left out as seeds: their length teaches nothing that a short one does not."""

INTERESTING = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\x81", b"\x82\x01\x00", b"\x88" + b"\xff" * 8, b"\xff", b"\x0c")


def seeds(layers: Sequence[str], more: Sequence[bytes] = ()) -> list[bytes]:
    """What to start from: the octets of every vector of these layers, and the target's own."""
    found = [b"", *more]
    for path in sorted(VECTORS.glob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8")):
            if vector["layer"] in layers and len(vector["octets"]) <= 2 * SEED_OCTETS_MAX:
                found.append(bytes.fromhex(vector["octets"]))
    return found


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """One input that nobody meant: a seed with a few octets changed, cut, doubled, put in or joined with another."""
    octets = bytearray(chance.choice(corpus))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(octets) + 1)
        what = chance.randrange(7)
        if what == 0 and at < len(octets):
            octets[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(octets):
            octets[at] = chance.randrange(256)
        elif what == 2:
            octets[at:at] = chance.choice(INTERESTING)
        elif what == 3:
            del octets[at : at + chance.randrange(1, 9)]
        elif what == 4:
            octets[at:at] = octets[at : at + chance.randrange(1, 33)]
        elif what == 5:
            octets = octets[:at] + chance.choice(corpus)
        else:
            octets[at:at] = chance.randbytes(chance.randrange(1, 9))
    return bytes(octets)


def run(check: Callable[[bytes], None], layers: Sequence[str], more: Sequence[bytes] = ()) -> None:
    """The whole program of a target."""
    corpus = seeds(layers, more)
    if importlib.util.find_spec("atheris") is None:
        _run_without_atheris(check, corpus)
        return
    import atheris

    with tempfile.TemporaryDirectory() as folder:
        for number, octets in enumerate(corpus):
            (Path(folder) / str(number)).write_bytes(octets)
        atheris.instrument_all()
        atheris.Setup([*sys.argv, folder], check)
        atheris.Fuzz()


def _run_without_atheris(check: Callable[[bytes], None], corpus: Sequence[bytes]) -> None:
    runs, seed = _options(sys.argv[1:])
    chance = random.Random(seed)
    for octets in _inputs(corpus, chance, runs):
        try:
            check(octets)
        except BaseException:
            sys.stderr.write(f"seed {seed}, input {octets.hex()}\n")
            raise
    sys.stdout.write(f"{runs} inputs, seed {seed}: the invariant holds\n")


def _inputs(corpus: Sequence[bytes], chance: random.Random, runs: int) -> Iterator[bytes]:
    yield from corpus[:runs]
    for _ in range(runs - len(corpus)):
        yield mutated(corpus, chance)


def _options(arguments: Sequence[str]) -> tuple[int, int]:
    given = dict(argument.lstrip("-").split("=", 1) for argument in arguments if "=" in argument)
    return int(given.get("runs", 10_000)), int(given.get("seed", 1))
