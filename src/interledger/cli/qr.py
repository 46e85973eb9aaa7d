"""QR codes in a terminal: two modules a character, light on dark as phones read them."""

from __future__ import annotations

from typing import Final

from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode

__all__ = ["qr_lines"]

BORDER: Final = 2
"""Light modules around the code. The standard says 4; readers need 2, and terminals are small."""

TEXT_MAX: Final = 1_200
"""Characters. A larger code has more modules than a terminal has places, and no phone reads it."""

_HALVES: Final = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
"""(upper module is dark, lower module is dark) -> what is printed: light is painted, dark is left."""


def qr_lines(text: str, console: Console) -> list[str]:
    """`text` as a code. Raises `CliError` when it is too long, or the library is not there."""
    try:
        import segno
    except ImportError:
        raise CliError(
            ExitCode.FAILED, "There is no library for QR codes here.", "Install it:  pip install 'interledger-py[node]'"
        ) from None
    if len(text) > TEXT_MAX:
        raise CliError(ExitCode.FAILED, f"This has {len(text)} characters: too many for a QR code in a terminal.")
    rows = [[bool(module) for module in row] for row in segno.make_qr(text, error="l").matrix_iter(border=BORDER)]
    if not console.unicode:
        return ["".join("  " if is_dark else "##" for is_dark in row) for row in rows]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    # Where there is colour it is said, so that a light terminal does not turn the code into its negative.
    return [f"\x1b[97;40m{line}\x1b[0m" for line in lines] if console.colour else lines
