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
from interledger.node.metrics import read_metrics
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
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        with pytest.raises(InvalidRequestError):
            await node.webhooks.create("not a url", None, private=True)
        hook = await node.webhooks.create(url, None, private=True)
        with pytest.raises(ConflictError, match="Delete"):
            await node.webhooks.create(url, None, private=True)
        assert node.webhooks.all() == [hook]


async def test_a_redirect_is_not_followed(quick: None) -> None:
    """It could lead anywhere: to the machine's own services, past what was asked about the url."""

    class Redirecting(Receiver):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.got.append(({}, b"{}"))
            headers = [(b"location", b"http://127.0.0.1:1/inside"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    receiver = Redirecting()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        hook = await node.webhooks.create(url, ["account.created"], private=True)
        await made(node, "alice")
        await until(lambda: node.webhooks.deliveries(hook.id) and node.webhooks.deliveries(hook.id)[0].tries)
        assert node.webhooks.deliveries(hook.id)[0].error == "it answered 302"


async def test_private_means_the_one_address_and_no_other(quick: None) -> None:
    """The operator's word is for the place that was named: not for another port of the same machine."""
    async with running(settings("test.hub", development=False)) as node:
        hook = await node.webhooks.create("http://10.0.0.7:8080/hook", None, private=True)
        assert node.webhooks._egress(hook).allowed == {"10.0.0.7:8080"}


def all_octets(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())


async def test_the_secret_is_sealed_at_rest(quick: None, tmp_path: Path) -> None:
    async with running(settings("test.hub", tmp_path)) as node:
        hook = await node.webhooks.create("https://example.com/hook", None, private=False)
    written = all_octets(tmp_path)
    assert hook.id.encode() in written
    assert hook.secret.removeprefix("whsec_").encode() not in written


async def test_what_came_of_deliveries_is_counted(quick: None) -> None:
    receiver = Receiver()
    async with served(receiver) as url, running(settings("test.hub")) as node:
        hook = await node.webhooks.create(url, ["account.created"], private=True)
        await made(node, "alice")
        await until(lambda: node.webhooks.queue.outcomes)
        figures = {reading.metric.name: reading.samples for reading in read_metrics(node)}
        assert figures["ilp_webhook_deliveries"] == (((hook.id, "delivered"), 1),)
        assert figures["ilp_webhook_tries"] == (((hook.id,), 1),)
        assert figures["ilp_webhook_waiting"] == figures["ilp_webhook_wait_seconds"] == (((hook.id,), 0),)


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
