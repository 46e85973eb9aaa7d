"""A program without asyncio that uses a node by its API: a quote, a payment by it, the history, what happened.

python examples/pay_without_asyncio.py
"""

import subprocess
import sys
import tempfile

import interledger


def ilp(*words: str, directory: str) -> None:
    """A command, without what it says."""
    command = [sys.executable, "-m", "interledger", *words]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # ours


def main(directory: str) -> None:
    """`directory`: where `ilp dev up` was started."""
    with interledger.connect_sync("alice", directory=directory) as alice:
        with interledger.connect_sync("bob", directory=directory) as bob:
            pointer = f"${bob.api.base_url.removeprefix('http://')}/bob"

        quote = alice.api.quote(pointer, account="alice", send="10 USD")
        print("at least", quote["deliver_min"]["amount"], "units of", quote["deliver_min"]["asset_code"], "arrive")

        # The same key is the same payment, however often this is sent.
        for _ in range(2):
            paid = alice.api.pay(pointer, account="alice", quote_id=quote["id"], idempotency_key="invoice-4711")
        print(paid["id"], paid["state"], paid["packets"]["fulfilled"], "packets")

        print("in all", sum(1 for _ in alice.api.all_payments(state="delivered")), "payment")
        print("alice has", alice.balance())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        ilp("dev", "up", "--detach", "--port", "0", directory=place)
        try:
            main(place)
        finally:
            ilp("dev", "down", directory=place)
