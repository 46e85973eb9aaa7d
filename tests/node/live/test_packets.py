"""Packets for people to look at: our own rejects always, the others while somebody looks; and a payment's packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from interledger.accounts.account import AccountId, token_digest
from interledger.accounts.credentials import Scope
from interledger.api.client import ApiClient, ApiError
from interledger.api.packets import stream_document
from interledger.clock import Timestamp
from interledger.connector.events import Step
from interledger.ilp.address import Address
from interledger.ilp.echo import PING_CONDITION
from interledger.ilp.packet import Fulfill, Prepare, Reject
from interledger.ilp.peer import PEER_CONDITION
from interledger.link.base import RequestId
from interledger.node.live.recorder import RECORDED_PER_SECOND
from interledger.node.node import Node
from interledger.routing.table import Origin
from interledger.transport.stream.frames import StreamMoney, StreamReceipt
from interledger.transport.stream.packet import StreamPacket
from tests.node.loopback import account, running, settings

UNIT = 10**9
READER = "a-token-that-reads-0123456789abcdef"


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    accounts = (
        account("alice", "USD/9", "test.hub.alice", owes_us_max=10 * UNIT, packet_amount_max=UNIT),
        account("bob", "USD/9", "test.hub.bob"),
    )
    async with running(settings("test.hub", accounts=accounts)) as one:
        yield one


@pytest.fixture
def client(node: Node) -> ApiClient:
    return ApiClient(f"http://127.0.0.1:{node.port}", "admin-token")


async def pay(node: Node, amount: int) -> str:
    payment = node.pay("alice", f"$127.0.0.1:{node.port}/bob", send=amount)
    await payment.done()
    return str(payment.id)


async def test_nothing_is_recorded_while_nobody_looks_and_nothing_is_in_the_way(node: Node) -> None:
    links = {peer.id: (peer.link, peer.guards) for peer in node.connector.peers.values()}
    leave, leave_too = node.live.packets.watch(), node.live.packets.watch()
    leave()
    assert all(peer.link is not links[peer.id][0] for peer in node.connector.peers.values())
    leave_too()
    assert {peer.id: (peer.link, peer.guards) for peer in node.connector.peers.values()} == links
    await pay(node, UNIT)
    assert [record for record in node.live.packets.latest() if record.outcome == "fulfilled"] == []


async def test_a_packet_has_its_journey_and_what_is_sealed_in_it(node: Node, client: ApiClient) -> None:
    leave = node.live.packets.watch()
    payment = await pay(node, UNIT // 2)
    leave()
    page = await client.packets(outcome="fulfilled", account="bob")
    assert page["recording"] is False
    packet = await client.packet(page["items"][0]["id"])
    assert packet["amount_in"] == packet["amount_out"] == {"amount": "500000000", "asset_code": "USD", "asset_scale": 9}
    assert (packet["incoming"], packet["outgoing"], packet["payment"]) == ("alice", "bob", payment)
    assert [(step["step"], step["state"]) for step in packet["journey"]] == [
        ("admit", "done"), ("route", "done"), ("convert", "done"), ("hold", "done"), ("forward", "done"),
    ]  # fmt: skip
    assert packet["answered_after_us"] >= packet["sent_after_us"] >= 0
    assert (packet["stream"]["packet_type"], packet["stream_needs"]) == ("Prepare", None)
    assert packet["stream_reply"]["prepare_amount"] == "500000000"
    assert "StreamMoney" in {frame["frame"] for frame in packet["stream"]["frames"]}
    assert Prepare.decode(bytes.fromhex(packet["octets"])).amount == UNIT // 2


async def test_what_is_inside_is_shown_to_who_may_operate(node: Node, client: ApiClient) -> None:
    leave = node.live.packets.watch()
    await pay(node, UNIT)
    leave()
    await node.admin_tokens.create("reads", [Scope.READ], token_digest(READER))
    reader = ApiClient(f"http://127.0.0.1:{node.port}", READER)
    found = (await reader.packets(outcome="fulfilled"))["items"][0]["id"]
    seen, opened = await reader.packet(found), await client.packet(found)
    assert (seen["stream"], seen["stream_reply"], seen["stream_needs"]) == (None, None, "operate")
    assert opened["stream"]["frames"]
    assert opened["octets"] == seen["octets"]


def test_a_receipt_is_not_shown() -> None:
    packet = StreamPacket(12, 1, 5, (StreamReceipt(1, b"worth money"), StreamMoney(1, 7)))
    document = stream_document(packet)
    assert document is not None
    receipt, money = document["frames"]
    assert receipt["fields"] == {"stream_id": "1", "receipt": "not shown"}
    assert money["fields"] == {"stream_id": "1", "shares": "7"}


async def test_our_own_rejects_are_kept_with_what_was_compared(node: Node, client: ApiClient) -> None:
    payment = await pay(node, 30 * UNIT)
    too_large = (await client.packets(code="F08", account="alice"))["items"][0]
    refused = too_large["journey"][0]
    assert (refused["state"], too_large["journey"][1]["state"]) == ("refused", "not_reached")
    assert (refused["compared"]["limit"], refused["compared"]["room"]) == ("packet_amount_max", str(UNIT))
    no_room = (await client.packets(code="T04"))["items"][0]["journey"][3]
    assert (no_room["step"], no_room["state"]) == ("hold", "refused")
    compared = no_room["compared"]
    assert (compared["limit"], compared["limit_value"], compared["unit"]) == ("owes_us_max", str(10 * UNIT), "source")
    assert int(compared["room"]) < int(compared["needed"])
    assert int(compared["posted"]) + int(compared["in_flight"]) + int(compared["room"]) == 10 * UNIT
    trace = (await client.payment(payment))["trace"]
    assert trace is not None
    outcomes = {packet["outcome"] for packet in trace["packets"]}
    assert {"fulfilled", "rejected"} <= outcomes


async def test_a_page_goes_on(node: Node, client: ApiClient) -> None:
    leave = node.live.packets.watch()
    await pay(node, 9 * UNIT)
    leave()
    whole = (await client.packets())["items"]
    first = await client.packets(limit=3)
    second = await client.packets(limit=100, cursor=first["next_cursor"])
    assert [p["condition"] for p in (*first["items"], *second["items"])] == [p["condition"] for p in whole]
    assert second["next_cursor"] is None


async def test_a_stream_has_each_packet_as_it_ends(node: Node, client: ApiClient) -> None:
    stream = client.tail_packets(outcome="fulfilled")
    waiting = asyncio.ensure_future(anext(stream))
    while not node.live.packets.is_recording:  # noqa: ASYNC110  # the request is on its way over a socket
        await asyncio.sleep(0.01)
    await pay(node, UNIT // 4)
    event = await waiting
    assert (event.event, event.data["amount_in"]["amount"]) == ("packet", "250000000")
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_more_than_anybody_reads_is_counted(node: Node) -> None:
    leave = node.live.packets.watch()
    peer = next(iter(node.connector.peers.values()))
    prepare = Prepare(1, Timestamp(2**40), bytes(32), Address("test.elsewhere"))
    for _ in range(RECORDED_PER_SECOND + 7):
        node.live.packets.recorder.arrived(peer, prepare, Timestamp(1_000))
    assert (len(node.live.packets.recorder.records), node.live.packets.recorder.missed) == (RECORDED_PER_SECOND, 7)
    leave()
    assert {record.outcome for record in node.live.packets.recorder.records} <= {"not_seen", "in_flight"}


async def test_a_waterfall_has_every_packet_in_order(node: Node, client: ApiClient) -> None:
    trace = (await client.payment(await pay(node, 3 * UNIT)))["trace"]
    assert trace is not None
    packets = trace["packets"]
    assert [packet["number"] for packet in packets] == list(range(1, len(packets) + 1))
    assert sum(int(packet["delivered"] or 0) for packet in packets) == 3 * UNIT
    assert all(packet["answered_us"] >= packet["sent_us"] for packet in packets if packet["outcome"] != "unanswered")
    assert {packet["outcome"] for packet in packets} <= {"fulfilled", "rejected", "test", "unanswered"}
    assert trace["more"] == 0


async def test_a_packet_that_is_not_kept(client: ApiClient) -> None:
    for prefix in ("abcd", "xyz", "ab"):
        with pytest.raises(ApiError) as error:
            await client.packet(prefix)
        assert error.value.status == 404
    with pytest.raises(ApiError):
        await client.packets(outcome="lost")
    with pytest.raises(ApiError):
        await client.packets(cursor="no")


def attach(node: Node, *names: str) -> None:
    for name in names:
        account = node.account(name)
        node.connector.attach(account.id, account, Silent(), is_local=False, first_request_id=1)


def send(node: Node, peer: str, prepare: Prepare) -> object:
    return node.connector.receive_prepare(AccountId(peer), RequestId(7), prepare, node.clock.now())


async def test_what_the_node_answers_itself_is_over_at_once_and_neighbours_talk_is_not_recorded(node: Node) -> None:
    attach(node, "alice")
    leave = node.live.packets.watch()
    later = Timestamp(node.clock.now() + 10_000)
    assert isinstance(send(node, "alice", Prepare(0, later, PING_CONDITION, node.address)), Fulfill)
    send(node, "alice", Prepare(0, later, PEER_CONDITION, Address("peer.config")))
    assert [(one.outcome, one.destination) for one in node.live.packets.latest()] == [("fulfilled", node.address)]
    leave()


async def test_what_is_never_heard_of_again_does_not_stay_in_flight(node: Node) -> None:
    attach(node, "alice")
    leave = node.live.packets.watch()
    now = node.clock.now()
    for age_ms in (60_000, 0):
        prepare = Prepare(1, Timestamp(now - age_ms + 10_000), bytes(31) + bytes([age_ms % 251]), Address("test.x"))
        node.live.packets.recorder.arrived(node.connector.peers[AccountId("alice")], prepare, Timestamp(now - age_ms))
    assert [one.outcome for one in node.live.packets.latest()] == ["in_flight", "not_seen"]
    leave()


async def test_a_flood_that_a_guard_refuses_is_counted_as_every_other(node: Node) -> None:
    attach(node, "alice")
    leave = node.live.packets.watch()
    later = Timestamp(node.clock.now() + 10_000)
    for number in range(RECORDED_PER_SECOND * 3):
        prepare = Prepare(2 * UNIT, later, number.to_bytes(32, "big"), Address("test.hub.bob.x"))
        assert isinstance(send(node, "alice", prepare), Reject)
    recorder = node.live.packets.recorder
    assert len(recorder.records) <= 2 * RECORDED_PER_SECOND  # the second may have changed once
    assert len(recorder.records) + recorder.missed == 3 * RECORDED_PER_SECOND
    leave()


@pytest.mark.parametrize(("amount", "outcome"), [(1_000, "unknown"), (0, "rejected")])
async def test_no_answer_is_unknown_where_money_was_sent_and_a_rejection_where_none_was(
    node: Node, amount: int, outcome: str
) -> None:
    attach(node, "alice", "bob")
    node.connector.routes.replace(Origin.STATIC, {"test.far": AccountId("bob")})
    leave = node.live.packets.watch()
    now = node.clock.now()
    prepare = Prepare(amount, Timestamp(now + 3_000), bytes(32), Address("test.far.x"))
    assert send(node, "alice", prepare) is None
    await node.commit()
    node.connector.handle_timer(Timestamp(now + 3_100))
    record = node.live.packets.latest()[0]
    assert (record.outcome, record.step, record.code) == (outcome, Step.EXPIRE, "R00")
    leave()


async def test_a_payments_packets_by_its_id(node: Node, client: ApiClient) -> None:
    leave = node.live.packets.watch()
    first, second = await pay(node, UNIT), await pay(node, 2 * UNIT)
    leave()
    for payment in (first, second):
        packets = (await client.packets(payment=payment))["items"]
        assert {packet["payment"] for packet in packets} == {payment}
    assert (await client.packets(payment="pay_0"))["items"] == []


class Silent:
    """A link whose peer answers nothing."""

    def send_prepare(self, request_id: RequestId, prepare: Prepare) -> None: ...

    def send_reply(self, request_id: RequestId, reply: object) -> None: ...

    def ready(self) -> bool:
        return True
