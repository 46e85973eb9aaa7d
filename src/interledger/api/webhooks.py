"""`/api/webhooks`: where events of the node are sent, and what came of it."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.documents import list_document
from interledger.api.operations import Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.api.webhook_facade import DeliveryView, WebhookView
from interledger.clock import Timestamp
from interledger.codec.strict_json import parse_json_object
from interledger.codec.timestamp import format_rfc3339
from interledger.node.live.kinds import parse_only

__all__ = ["OPERATIONS"]


def webhook_document(hook: WebhookView) -> dict[str, Any]:
    """A webhook, without its secret."""
    return {
        "id": hook.id,
        "url": hook.url,
        "events": None if hook.events is None else list(hook.events),
        "private": hook.private,
        "created_at": format_rfc3339(hook.created_at),
    }


def delivery_document(one: DeliveryView) -> dict[str, Any]:
    """A delivery, with what is sent."""
    return {
        "id": one.id,
        "type": one.type,
        "body": parse_json_object(one.body.encode("utf-8")),
        "state": one.state,
        "tries": one.tries,
        "status": one.status,
        "error": one.error,
        "made_at": format_rfc3339(one.made_at),
        "next_at": _moment(one.next_at),
        "done_at": _moment(one.done_at),
    }


def _moment(at: Timestamp | None) -> str | None:
    return None if at is None else format_rfc3339(at)


async def list_webhooks(call: Call) -> Response:
    return json_response(list_document(map(webhook_document, call.node.webhooks.all())))


async def create_webhook(call: Call) -> Response:
    """Only this answer shows the secret."""
    fields = await call.fields()
    url, private = fields.required_text("url"), bool(fields.flag("private"))
    names = fields.value("events")
    if names is not None and not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise fields.wrong("events", "is a list of kinds or topics of events, or null for all")
    kinds = None if names is None else parse_only(",".join(names))
    fields.close()
    if private and Scope.MONEY not in call.caller.may:
        # It makes this node call the machines beside it, engines among them.
        raise Problem("forbidden", "A url on a private network needs a token that may move money", scope="money")
    hook = await call.node.webhooks.create(url, None if kinds is None else sorted(kinds), private=private)
    document = {**webhook_document(hook), "secret": hook.secret}
    return json_response(document, 201, location=f"/api/webhooks/{hook.id}")


async def get_webhook(call: Call) -> Response:
    return json_response(webhook_document(call.node.webhooks.get(_id(call))))


async def delete_webhook(call: Call) -> Response:
    return json_response(webhook_document(await call.node.webhooks.delete(_id(call))))


async def list_deliveries(call: Call) -> Response:
    return json_response(list_document(map(delivery_document, call.node.webhooks.deliveries(_id(call)))))


async def replay(call: Call) -> Response:
    """With its old id and body, and a new signature."""
    delivery: str = call.request.path_params["delivery"]
    return json_response(delivery_document(await call.node.webhooks.replay(_id(call), delivery)), 202)


async def test(call: Call) -> Response:
    return json_response(delivery_document(await call.node.webhooks.test(_id(call))), 202)


def _id(call: Call) -> str:
    text: str = call.request.path_params["webhook"]
    return text


_PATH: Final = "/api/webhooks/{webhook}"
_TAGS: Final = ("webhooks",)

OPERATIONS: Final = (
    Operation(
        method="GET", path="/api/webhooks", access=Access.ADMIN, handler=list_webhooks,
        summary="All webhooks, without their secrets", answer="Webhook[]", tags=_TAGS,
    ),
    Operation(
        method="POST", path="/api/webhooks", access=Access.ADMIN, handler=create_webhook, scope=Scope.OPERATE,
        summary="Send events to a URL; only this answer shows the secret that they are signed with",
        body="NewWebhook", answer="WebhookMade", status=201, problems=(400, 409), tags=_TAGS,
    ),
    Operation(
        method="GET", path=_PATH, access=Access.ADMIN, handler=get_webhook,
        summary="One webhook", answer="Webhook", problems=(404,), tags=_TAGS,
    ),
    Operation(
        method="DELETE", path=_PATH, access=Access.ADMIN, handler=delete_webhook, scope=Scope.OPERATE,
        summary="Send nothing more; its deliveries are forgotten", answer="Webhook", problems=(404,), tags=_TAGS,
    ),
    Operation(
        method="GET", path=_PATH + "/deliveries", access=Access.ADMIN, handler=list_deliveries,
        summary="What was sent or is to be sent, newest first", answer="Delivery[]", problems=(404,), tags=_TAGS,
    ),
    Operation(
        method="POST", path=_PATH + "/deliveries/{delivery}/replay", access=Access.ADMIN, handler=replay,
        scope=Scope.OPERATE, summary="Send a delivery once more, with the same id", answer="Delivery", status=202,
        problems=(404,), tags=_TAGS,
    ),
    Operation(
        method="POST", path=_PATH + "/test", access=Access.ADMIN, handler=test, scope=Scope.OPERATE,
        summary="Send a delivery that means nothing", answer="Delivery", status=202, problems=(404,), tags=_TAGS,
    ),
)  # fmt: skip
"""The operations of this module."""
