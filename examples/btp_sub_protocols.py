"""Two nodes in one process: one sends a Transfer with a claim over BTP, the other takes it, or does not.

python examples/btp_sub_protocols.py
"""

import asyncio
import hashlib
import json
import secrets

from interledger.accounts.account import Account, AccountId, LinkSettings, Relation
from interledger.accounts.asset import parse_asset
from interledger.errors import RefusedError
from interledger.ilp.address import Address
from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest
from interledger.node.node import Node
from interledger.node.settings import Settings

TOKEN = secrets.token_hex(32)


def new_node(name: str) -> Node:
    return Node(
        Settings(
            ilp_address=Address(f"test.{name}"),
            secret_seed=secrets.token_bytes(32),
            admin_auth_token=secrets.token_hex(32),
            http_bind_address="127.0.0.1:0",
            durability="memory",
        )
    )


def account(name: str, link: LinkSettings) -> Account:
    usd = parse_asset("USD/9")
    address = Address(f"test.{name}")
    return Account(id=AccountId(name), asset=usd, ilp_address=address, relation=Relation.PEER, link=link)


async def take(request: SubprotocolRequest) -> Answer:
    """The settlement hook of bob's node: a claim has to be worth what the Transfer says."""
    claim = json.loads(request.entries[0].data)
    if claim["worth"] != request.amount:
        return Refusal("F01", "the claim is worth something else")
    print(f"bob: {request.account} settles {request.amount}")
    return (ProtocolData("claim", ContentType.TEXT, b"applied"),)


def claim(worth: int) -> ProtocolData:
    return ProtocolData("claim", ContentType.JSON, json.dumps({"worth": worth}).encode())


async def main() -> None:
    alice, bob = new_node("alice"), new_node("bob")
    await bob.start()
    await alice.start()
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    await bob.create_account(account("alice", LinkSettings(btp_incoming_token_digest=digest)))
    bob.subprotocols.set_settlement_hook(take)
    url = f"ws://127.0.0.1:{bob.port}/btp"
    await alice.create_account(account("bob", LinkSettings(btp_url=url, btp_outgoing_token=TOKEN)))
    while not alice.link_status("bob").up:  # noqa: ASYNC110  # a node has no event for it
        await asyncio.sleep(0.01)

    (answer,) = await alice.subprotocols.send_transfer("bob", 1_000, (claim(1_000),))
    print(f"alice: {answer.data.decode()}")
    try:
        await alice.subprotocols.send_transfer("bob", 1_000, (claim(999),))
    except RefusedError as error:
        print(f"alice: {error}")
    (info,) = await alice.subprotocols.send_message("bob", (ProtocolData("info", ContentType.OCTETS, b"\x02"),))
    print(f"alice: {json.loads(info.data)['account']} is my account there")
    await alice.stop()
    await bob.stop()


if __name__ == "__main__":
    asyncio.run(main())
