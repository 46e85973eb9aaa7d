"""The helpers of this folder, and the nodes of `tests/node/loopback.py`, for the tests here."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for place in (HERE, HERE.parent / "node"):
    sys.path.insert(0, str(place))
