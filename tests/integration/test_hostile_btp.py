"""Hostile BTP peers beside an honest one, which has to notice nothing (reliability D1, D3, D6 to D12).

The attack comes from another address than the honest traffic where its source counts.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack

import pytest

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.errors import RemoteProtocolError
from interledger.ilp.packet import Fulfill
from interledger.link.btp.admission import UNAUTHENTICATED_PER_SOURCE
from interledger.link.btp.auth import auth_message
from interledger.link.btp.messages import BtpError, BtpTransfer, encode_ilp
from interledger.link.websocket import MESSAGE_MAX
from tests.link.btp.sockets import CLOCK, RawClient
from tests.node.loopback import account, net
from tests.support.btp_peers import HOSTILE, honest_btp, socket_to
from tests.support.hostile import HONEST_TOKEN, Hub, arena, beside, honest_http, prepare_octets

GUESSES = 150


async def test_nothing_but_honest_traffic() -> None:
    async with arena() as hub, honest_btp(hub) as send:
        traffic = await beside(send, None)
    traffic.check()
    assert traffic.share == 1.0


async def ends(client: RawClient) -> None:
    """Wait for the node's Close, whatever it says before that."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            while not client.frames.closing and (octets := await client.reader.read(65_536)):
                client.frames.receive(octets, CLOCK.now())
    assert client.frames.closing or client.reader.at_eof()


# ---------------------------------------------------------------------- who are you


async def guess(hub: Hub, times: int) -> int:
    """Wrong tokens, one socket after the other; how many were answered."""
    answered = 0
    for i in range(times):
        with contextlib.suppress(RemoteProtocolError, ConnectionError, TimeoutError):
            async with asyncio.timeout(0.3), socket_to(hub) as client:
                await client.send(auth_message(1, "", f"guess {i}").encode())
                answered += bool(await client.receive())
    return answered


async def test_D1_an_auth_flood() -> None:
    """Five guesses of a source are answered at once, then it waits. Who is connected, or connects, notices nothing."""
    async with arena() as hub, honest_btp(hub) as send:
        answered: list[int] = []

        async def flood() -> None:
            answered.extend(await asyncio.gather(*(guess(hub, GUESSES // 15) for _ in range(15))))

        traffic = await beside(send, flood())
        traffic.check()
        assert sum(answered) <= 5 + 15  # those that were on their way when the sixth was counted
        async with honest_btp(hub) as another:
            assert await another()


async def test_D1_a_flood_of_new_children() -> None:
    """As many accounts as a source may have made in a minute, and none more, however many tokens it thinks of."""
    async with arena(btp_children="users") as hub, honest_btp(hub) as send:
        await hub.node.create_account(account("users", "USD/9", "test.hub.users", Relation.CHILD))

        async def flood() -> None:
            for i in range(60):
                with contextlib.suppress(RemoteProtocolError, TimeoutError):
                    async with asyncio.timeout(0.2), socket_to(hub) as client:
                        await client.send(auth_message(1, "", f"a token of {i} that is long enough").encode())
                        await client.receive()

        (await beside(send, flood())).check()
        assert sum(a.link.btp_child_name is not None for a in hub.node.accounts()) == 30


async def test_D3_a_thousand_idle_sockets() -> None:
    """Each says nothing behind its handshake: the newest of a source stay, until the source is turned away at the door;
    an honest peer gets in all the same."""
    async with arena() as hub, honest_btp(hub) as send, AsyncExitStack() as stack:
        opened: list[RawClient] = []
        refused = 0

        async def flood() -> None:
            nonlocal refused
            for _ in range(1_000):
                try:
                    client = await stack.enter_async_context(socket_to(hub))
                except (ConnectionError, asyncio.IncompleteReadError):
                    refused += 1
                    continue
                opened.append(client)
                if len(opened) > UNAUTHENTICATED_PER_SOURCE:
                    # Its side is closed too, or this process would run out of files before the node does.
                    opened.pop(0).writer.close()
                if len(opened) % 100 == 0:
                    await asyncio.sleep(0)

        (await beside(send, flood())).check()
        assert refused
        async with honest_btp(hub) as another:
            assert await another()


# ---------------------------------------------------------------------- octets


async def slow_reader(hub: Hub) -> None:
    """Sends packets and never reads an answer."""
    async with socket_to(hub, HOSTILE) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket has it
        for i in range(3_000):
            client.frames.send(encode_ilp(6, i, prepare_octets("test.nowhere", data=bytes(1_000))))
            if i % 100 == 0:
                client.writer.write(client.frames.octets_to_send())
                await asyncio.sleep(0.001)


async def slow_writer(hub: Hub) -> None:
    """An octet of a frame at a time, on several sockets."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(socket_to(hub, HOSTILE)) for _ in range(5)]
        for client in clients:
            client.frames.send(encode_ilp(6, 1, prepare_octets("test.sink.x", data=bytes(300))))
        octets = [client.frames.octets_to_send() for client in clients]
        for i in range(200):
            for client, frame in zip(clients, octets, strict=True):
                client.writer.write(frame[i : i + 1])
            await asyncio.sleep(0.002)


async def ping_flood(hub: Hub) -> None:
    """D10: closed at the eleventh of a second."""
    for _ in range(5):
        async with socket_to(hub, HOSTILE) as client:
            client.writer.write(b"\x89\x80\x00\x00\x00\x00" * 2_000)
            await ends(client)


async def oversize(hub: Hub) -> None:
    """D9: a length beyond the limit, in all three forms; closed before any of it is kept."""
    for head in (b"\x82\xff" + (MESSAGE_MAX + 1).to_bytes(8, "big"), b"\x82\xff" + b"\x7f" + b"\xff" * 7):
        for _ in range(5):
            async with socket_to(hub, HOSTILE) as client:
                client.writer.write(head + b"mask" + bytes(60_000))
                await ends(client)


async def fragments(hub: Hub) -> None:
    """D9: a message of many frames of one octet each, and of few that are too much together."""
    tiny = b"\x00\x81\x00\x00\x00\x00a"
    half = b"\x00\xff" + (MESSAGE_MAX // 2).to_bytes(8, "big") + bytes(4) + bytes(MESSAGE_MAX // 2)
    for more in (tiny * 1_000, half[:2] + half[2:] + half + half):
        for _ in range(5):
            async with socket_to(hub, HOSTILE) as client:
                client.writer.write(b"\x02\x81\x00\x00\x00\x00a" + more)
                await ends(client)


async def compressed(hub: Hub) -> None:
    """D9: frames with the bit of permessage-deflate, which nobody offered."""
    for _ in range(20):
        async with socket_to(hub, HOSTILE) as client:
            client.writer.write(b"\xc2\x84\x00\x00\x00\x00\x4b\x4c\x04\x00")
            await ends(client)


async def unreadable(hub: Hub) -> None:
    """D6: packets that are none: three, and it is closed."""
    for _ in range(20):
        async with socket_to(hub, HOSTILE) as client:
            for i in range(5):
                client.frames.send(b"\x06" + i.to_bytes(4, "big") + b"\xff" * 200)
            await client.send()
            await ends(client)


async def hangs_up(hub: Hub) -> None:
    """Connects, sends packets, and is gone before their answers: again and again."""
    for _ in range(60):
        async with socket_to(hub, HOSTILE) as client:
            for i in range(20):
                client.frames.send(encode_ilp(6, i, prepare_octets("test.sink.x")))
            await client.send()


@pytest.mark.parametrize(
    "attack", [slow_reader, slow_writer, ping_flood, oversize, fragments, compressed, unreadable, hangs_up]
)
async def test_octets(attack: object) -> None:
    async with arena() as hub, honest_btp(hub) as send:
        traffic = await beside(send, attack(hub))  # type: ignore[operator]  # one of the coroutines above
        traffic.check()
        # The honest peer was not charged for others, nor they for it.
        assert net(hub.node, "honest") == traffic.fulfilled


async def test_D10_pongs_are_not_queued_without_bound() -> None:
    async with arena() as hub, socket_to(hub, HOSTILE) as client:
        client.writer.write(b"\x89\x80\x00\x00\x00\x00" * 5_000)
        received = 0
        async with asyncio.timeout(5):
            while not client.frames.closing:
                octets = await client.reader.read(65_536)
                received += len(octets)
                client.frames.receive(octets, CLOCK.now())
        assert received < 200


# ---------------------------------------------------------------------- other people's packets


async def test_D7_another_peers_request_ids() -> None:
    """The hostile peer answers what was sent to the honest one, with its very ids and a fulfillment that fits."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    async with arena() as hub, honest_btp(hub, count), honest_http(hub) as send, socket_to(hub, HOSTILE) as client:
        hub.destination = "test.honest.x"
        peer = hub.node.connector.peers[AccountId("honest")]  # its BTP link; by HTTP it only sends

        async def answer_for_another() -> None:
            for _ in range(200):
                following = peer.next_request_id
                for request_id in range(following - 3, following + 4):
                    wire_id = request_id & 0xFFFF_FFFF
                    client.frames.send(encode_ilp(1, wire_id, Fulfill(bytes(32)).encode()))
                    client.frames.send(BtpError(wire_id, "F00", "NotAcceptedError", Timestamp(CLOCK.now())).encode())
                    client.frames.send(BtpTransfer(wire_id, 1_000).encode())
                await client.send()
                await asyncio.sleep(0.001)

        async def until_cut_off() -> None:
            with contextlib.suppress(ConnectionError):
                await answer_for_another()

        traffic = await beside(send, until_cut_off())
        traffic.check()
        assert taken == traffic.fulfilled == traffic.sent
        assert net(hub.node, "hostile") == 0


async def test_D7_a_flood_of_answers_to_nothing() -> None:
    """An honest peer's connection stays, however often the hostile one's is ended."""
    async with arena() as hub, honest_btp(hub) as send:

        async def flood() -> None:
            for _ in range(5):
                async with socket_to(hub, HOSTILE) as client:
                    for number in range(2_000):
                        client.frames.send(encode_ilp(1, number, Fulfill(bytes(32)).encode()))
                    await client.send()
                    await ends(client)

        (await beside(send, flood())).check()
        assert net(hub.node, "hostile") == 0


async def test_D8_ids_of_its_own_used_twice_are_charged_once() -> None:
    """What the hostile peer repeats in flight is an F05, and no second hold."""
    async with arena() as hub, honest_btp(hub) as send, socket_to(hub, HOSTILE) as client:

        async def repeat() -> None:
            packet = encode_ilp(6, 7, prepare_octets(hub.destination))
            for _ in range(50):
                for _ in range(5):
                    client.frames.send(packet)
                await client.send()
                await asyncio.sleep(0.002)

        (await beside(send, repeat())).check()
        assert 1 <= net(hub.node, "hostile") <= 250


def test_the_tokens_differ() -> None:
    assert HONEST_TOKEN not in HOSTILE
