"""Webhooks of a node: signed, sent until they are taken, over restarts, never to machines that nobody named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from loopback import account, running, settings, until

from interledger.api.client import ApiClient, ApiError
from interledger.application.webhook_signature import verify
from interledger.errors import ConflictError, InvalidRequestError, NotFoundError
from interledger.node import webhooks
from interledger.node.node import Node
from tests.support.engines import served


class Receiver:
    """What it got, and what it says."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        self.got.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "retry_delay_ms", lambda attempts, random: 1)


async def made(node: Node, name: str) -> None:
    await node.create_account(account(name, "USD/9", f"test.hub.{name}", owes_us_max=10**12))


async def test_an_event_is_sent_signed(quick: None) -> None:
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        hook = await node.webhooks.create(url + "/hook?x=1", ["account.created"], private=True)
        await made(node, "alice")
        await until(lambda: receiver.got)
        ((headers, body),) = receiver.got
        assert verify(headers["interledger-signature"], hook.secret, body, node.clock.now())
        assert not verify(headers["interledger-signature"], "another", body, node.clock.now())
        document = json.loads(body)
        assert (document["type"], document["data"]["account"]) == ("account.created", "alice")
        await until(lambda: node.webhooks.deliveries(hook.id)[0].state == "delivered")
        (one,) = node.webhooks.deliveries(hook.id)
        assert (one.tries, one.status, one.id) == (1, 200, headers["interledger-delivery"])
        assert hook.secret not in repr(hook)


async def test_a_payment_has_rafikis_names(quick: None) -> None:
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        await node.webhooks.create(url, ["payment.finished", "payment.received"], private=True)
        await made(node, "alice")
        await made(node, "bob")
        await node.pay("alice", f"$127.0.0.1:{node.port}/bob", send=1_000).done()
        await node.pay("alice", f"$127.0.0.1:{node.port}/nobody", send=1_000).done()
        await until(lambda: len(receiver.got) == 3)
        assert sorted(receiver.types) == [
            "incoming_payment.completed", "outgoing_payment.completed", "outgoing_payment.failed",
        ]  # fmt: skip


async def test_what_is_not_taken_is_sent_again_with_its_id_and_then_waits_for_replay(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "TRIES_MAX", 3)
    receiver = Receiver()
    receiver.status = 503
    async with served(receiver) as url, running(settings("test.hub")) as node:
        hook = await node.webhooks.create(url, ["account.created"], private=True)
        await made(node, "alice")
        await until(
            lambda: node.webhooks.deliveries(hook.id) and node.webhooks.deliveries(hook.id)[0].state == "failed"
        )
        (one,) = node.webhooks.deliveries(hook.id)
        assert (one.tries, one.status, one.error) == (3, 503, "it answered 503")
        assert len({headers["interledger-delivery"] for headers, _ in receiver.got}) == 1
        assert len({body for _, body in receiver.got}) == 1
        receiver.status = 204
        await node.webhooks.replay(hook.id, one.id)
        await until(lambda: node.webhooks.deliveries(hook.id)[0].state == "delivered")
        assert len(receiver.got) == 4


async def test_nothing_is_lost_over_a_restart(quick: None, tmp_path: Path) -> None:
    receiver, of = Receiver(), settings("test.hub", tmp_path)
    receiver.status = 500
    async with served(receiver) as url:
        async with running(of) as node:
            hook = await node.webhooks.create(url, ["account.created"], private=True)
            await made(node, "alice")
            await until(lambda: receiver.got)
        first = len(receiver.got)
        receiver.status = 200
        async with running(of) as node:
            await until(lambda: len(receiver.got) > first)
            await until(lambda: node.webhooks.deliveries(hook.id)[0].state == "delivered")
            assert node.webhooks.all() == [hook]
        assert len({headers["interledger-delivery"] for headers, _ in receiver.got}) == 1
        async with running(of) as node:
            await made(node, "bob")
            await until(lambda: len(node.webhooks.deliveries(hook.id)) == 2)
            await node.webhooks.delete(hook.id)
        async with running(of) as node:
            assert node.webhooks.all() == []
            with pytest.raises(NotFoundError):
                node.webhooks.deliveries(hook.id)


async def test_F1_a_private_address_is_called_only_where_the_operator_said_so(quick: None) -> None:
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub", development=False)) as node:
        hook = await node.webhooks.create(url.replace("http:", "https:"), None, private=False)
        await node.webhooks.test(hook.id)
        await until(lambda: node.webhooks.deliveries(hook.id)[0].tries)
        assert "may not be called" in (node.webhooks.deliveries(hook.id)[0].error or "")
        assert receiver.got == []


async def test_there_is_a_limit_to_everything(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "WEBHOOKS_MAX", 1)
    monkeypatch.setattr(webhooks, "DELIVERIES_KEPT", 2)
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        with pytest.raises(InvalidRequestError):
            await node.webhooks.create("not a url", None, private=True)
        hook = await node.webhooks.create(url, None, private=True)
        with pytest.raises(ConflictError, match="Delete"):
            await node.webhooks.create(url, None, private=True)
        for _ in range(4):
            await node.webhooks.test(hook.id)
        assert len(node.webhooks.deliveries(hook.id)) == 2


async def test_over_the_api(quick: None) -> None:
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        api = ApiClient(f"http://127.0.0.1:{node.port}", "admin-token")
        made = await api.create_webhook(url, ["payment", "limit.near"], private=True)
        assert made["secret"].startswith("whsec_")
        assert made["events"] == ["limit.near", "payment.finished", "payment.received"]
        (listed,) = await api.webhooks()
        assert listed == {name: value for name, value in made.items() if name != "secret"}
        sent = await api.test_webhook(made["id"])
        await until(lambda: receiver.types == ["webhook.test"])
        assert (await api.deliveries(made["id"]))[0]["body"]["data"] == {"text": "a test"}
        await api.replay_delivery(made["id"], sent["id"])
        await until(lambda: len(receiver.got) == 2)
        for wrong in ({"events": []}, {"events": ["flying"]}, {"events": "all"}, {"url": None}, {"more": 1}):
            with pytest.raises(ApiError) as refused:
                await api.call("POST", "/api/webhooks", {"url": url} | wrong)
            assert refused.value.status == 400
        with pytest.raises(ApiError) as refused:
            await api.replay_delivery(made["id"], "dlv_none")
        assert refused.value.status == 404
        ops = ApiClient(api.base_url, (await api.create_admin_token("ops", ["operate"]))["token"])
        with pytest.raises(ApiError) as refused:
            await ops.create_webhook(url, private=True)
        assert (refused.value.status, refused.value.problem.get("scope")) == (403, "money")
        await ops.create_webhook("https://example.com/hook")
        await ops.delete_webhook(made["id"])
