"""What stands behind a payment pointer: its URL, and what a wallet there would answer. No request is made.

Run:  python examples/resolve_pointer.py '$wallet.example/alice'
"""

from __future__ import annotations

import sys

from interledger.application.payment_pointer import parse_payment_pointer
from interledger.application.spsp.messages import build_response, parse_response
from interledger.errors import ResolveError
from interledger.ilp.address import parse_address

text = sys.argv[1] if len(sys.argv) > 1 else "$wallet.example/alice"
try:
    pointer = parse_payment_pointer(text)
except ResolveError as error:
    sys.exit(str(error))
print(f"{pointer}  is  {pointer.url}")

# A wallet answers with an address and a secret that only it and the sender know.
body = build_response(parse_address("test.wallet.alice"), bytes(range(32)))
answer = parse_response("application/spsp4+json", body)
print(f"pay to {answer.destination_account} with {answer.transport.value}")
