"""A code of a payment pointer, as a path."""

from __future__ import annotations

import re

import segno

from interledger.dashboard.pages.receive import qr_path


def test_the_dark_modules_are_a_path_within_its_border() -> None:
    size, path = qr_path("$wallet.example/bob")
    rows = [
        [bool(module) for module in row]
        for row in segno.make_qr("$wallet.example/bob", error="m").matrix_iter(border=4)
    ]
    drawn = [[False] * size for _ in range(size)]
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for i in range(int(run)):
            drawn[int(y)][int(x) + i] = True
    assert drawn == rows
