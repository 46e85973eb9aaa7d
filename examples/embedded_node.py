"""A node inside a program: two holders, two currencies, one payment, nothing on disk.

python examples/embedded_node.py
"""

import asyncio
import secrets

from interledger.accounts.account import Account, AccountId
from interledger.accounts.asset import Asset, Money
from interledger.api.app import create_app
from interledger.ilp.address import Address
from interledger.node.node import Node
from interledger.node.settings import Settings


def holder(name: str, asset: Asset) -> Account:
    """Somebody whose money this node keeps. The node lets it owe 100 units and no more."""
    limit = 100 * 10**asset.scale
    return Account(id=AccountId(name), asset=asset, ilp_address=Address(f"test.shop.{name}"), owes_us_max=limit)


async def main() -> None:
    settings = Settings(
        ilp_address="test.shop",
        admin_auth_token=secrets.token_hex(32),
        secret_seed=secrets.token_bytes(32),
        http_bind_address="127.0.0.1:0",
        durability="memory",
        development=True,
        accounts=(holder("alice", Asset("USD", 9)), holder("bob", Asset("EUR", 9))),
        rates={"USD": "1", "EUR": "1.0854"},
    )
    node = Node(settings)
    await node.start(create_app(node))
    try:
        payment = node.pay("alice", f"$localhost:{node.port}/bob", send=10 * 10**9)
        paid = await payment.done()
        print(paid.state, Money(paid.delivered, Asset("EUR", 9)), "for", Money(paid.sent, Asset("USD", 9)))
        print("alice owes the node", node.position("alice").receivable, "units")
        print("the node owes bob  ", node.position("bob").payable, "units")
    finally:
        await node.stop()


if __name__ == "__main__":
    asyncio.run(main())
