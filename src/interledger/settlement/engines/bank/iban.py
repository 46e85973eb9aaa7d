"""Account numbers (ISO 13616): what can be one, by its check digits."""

from __future__ import annotations

import re
from typing import Final

from interledger.errors import InvalidRequestError

__all__ = ["parse_iban"]

_FORM: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def parse_iban(text: str) -> str:
    """The number without spaces. Raises `InvalidRequestError` when its check digits are wrong."""
    iban = text.replace(" ", "").upper()
    if _FORM.fullmatch(iban) is not None:
        digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
        if int(digits) % 97 == 1:
            return iban
    raise InvalidRequestError(f"“{text[:40]}” is not an IBAN: letters, digits and its check digits", "iban")
