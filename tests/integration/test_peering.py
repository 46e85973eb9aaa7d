"""Two nodes as two processes become peers by an invitation, pay each other, and lose nothing to kill -9 on the way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.torture.network import ADMIN, COMMON, Network

HOLDER = """
[accounts.{name}_holder]
asset = "USD/9"
owes_us_max = "1000"
"""
NAMES = ("alice", "hub")


@dataclass
class TwoNodes(Network):
    """alice and hub, who do not know each other."""

    def __post_init__(self) -> None:
        for name in NAMES:
            common = {"name": name, "admin": ADMIN, "port": self.ports[name], "place": self.place / name}
            text = COMMON.format(
                **common, spread="0", keeping='durability = "process"', hold_ms=1_500, statement_minutes=0
            )
            (self.place / f"{name}.toml").write_text(text + HOLDER.format(name=name))

    def holder(self, name: str) -> str:
        """The payment pointer of the holder there."""
        return f"$127.0.0.1:{self.ports[name]}/{name}_holder"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[TwoNodes]:
    made = TwoNodes(tmp_path)
    try:
        yield made
    finally:
        made.clean_up()


def invitation(link: str) -> dict[str, object]:
    limits = {"owes_us_max": "5000000000", "we_owe_max": "5000000000"}
    return {"asset_code": "USD", "asset_scale": 9, "relation": "peer", "link": link, "limits": limits}


async def pay_both_ways(network: TwoNodes) -> None:
    for sender, receiver in (NAMES, NAMES[::-1]):
        paid = await network.api(sender).pay(
            network.holder(receiver), account=f"{sender}_holder", send="1 USD", idempotency_key=f"{sender}-pays"
        )
        assert (paid["state"], paid["delivered"]) == ("delivered", paid["sent"]), paid


@pytest.mark.slow
@pytest.mark.parametrize(("link", "delays_ms"), [("btp", (2, 9)), ("http", (5,))])
async def test_J1_killed_at_any_moment_an_invitation_still_makes_one_account_each(
    network: TwoNodes, link: str, delays_ms: tuple[int, ...]
) -> None:
    await network.start(*NAMES)
    hub, alice = network.api("hub"), network.api("alice")
    for victim in NAMES:
        for delay_ms in delays_ms:
            made = await hub.create_invite(invitation(link))
            accepting = asyncio.create_task(alice.accept_invite({"invite": made["invite"]}))
            await asyncio.sleep(delay_ms / 1000)
            network.kill(victim)
            await asyncio.gather(accepting, return_exceptions=True)
            await network.start(victim)
            joined = await alice.accept_invite({"invite": made["invite"]})
            again = await alice.accept_invite({"invite": made["invite"]})
            assert (joined["id"], again["id"]) == ("hub", "hub")
            assert joined["check"]["good"], (victim, delay_ms, *joined["check"]["items"])
            assert [a["id"] for a in await hub.accounts()] == ["alice", "hub_holder"]
            spent = next(invite for invite in await hub.invites() if invite["id"] == made["id"])
            assert (spent["state"], spent["account"]) == ("spent", "alice")
            await alice.delete_account("hub")
            await hub.delete_account("alice")
    made = await hub.create_invite(invitation(link))
    assert (await alice.accept_invite({"invite": made["invite"]}))["check"]["good"]
    await pay_both_ways(network)
    network.stop()
    for name in NAMES:
        command = [sys.executable, "-m", "interledger", "ledger", "check", "--data-dir", str(network.place / name)]
        done = await asyncio.create_subprocess_exec(*command)
        assert await done.wait() == 0
