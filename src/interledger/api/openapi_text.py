"""`python -m interledger.api.openapi_text` prints the OpenAPI document as docs/reference/openapi.json has it."""

from __future__ import annotations

import sys

from interledger.api.app import all_operations
from interledger.api.openapi import document_text

__all__ = ["main"]


def main() -> None:
    """Print the document."""
    sys.stdout.write(document_text(all_operations()))


if __name__ == "__main__":
    main()
