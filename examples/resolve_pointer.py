"""What a payment pointer stands for, and whom SPSP says to pay there.

python examples/resolve_pointer.py '$wallet.example/alice'          the URL, without asking anybody
python examples/resolve_pointer.py '$wallet.example/alice' --ask    and the answer of its server
"""

import asyncio
import sys
from functools import partial

from interledger.application.payment_pointer import parse_payment_pointer
from interledger.application.spsp.shell import resolve
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch


def main(arguments: list[str]) -> None:
    text = arguments[0] if arguments else "$wallet.example"
    print(text, "is", parse_payment_pointer(text).url)
    if "--ask" in arguments:
        details = asyncio.run(resolve(text, fetch=partial(fetch, egress=EgressPolicy())))
        print("Pay to", details.destination_account)


if __name__ == "__main__":
    main(sys.argv[1:])
