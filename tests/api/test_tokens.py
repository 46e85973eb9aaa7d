"""`/api/accounts/{account}/tokens`: made once, shown once, listed without, revoked at once."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from starlette.requests import Request

from interledger.accounts.credentials import Scope, TokenUse
from interledger.api.auth import Access, Caller, Gate
from interledger.api.problems import Problem

PATH = "/api/accounts/alice/tokens"
ALL = ["read", "operate", "money"]
GIVEN = "a-token-that-somebody-brings-along"


async def test_a_token_is_made_listed_without_it_and_revoked(call: Any, node: Any) -> None:
    made = await call("POST", PATH, {"use": "http", "label": "spring"})
    assert (made.status, made.headers["cache-control"]) == (201, "no-store")
    token = made.json
    assert made.headers["location"] == f"{PATH}/{token['id']}"
    assert len(token["token"]) >= 43
    (kept,) = node.kept["alice"].link.incoming_tokens
    assert (kept.id, kept.use, kept.label) == (token["id"], TokenUse.HTTP, "spring")
    assert kept.digest == sha256(token["token"].encode()).hexdigest()
    assert kept.digest not in repr(kept)

    listed = await call("GET", PATH, token="alice-token")
    assert listed.json["items"] == [
        {"id": "http_incoming_token", "use": "http", "label": "", "may": ALL, "created_at": None},
        {name: token[name] for name in ("id", "use", "label", "may", "created_at")},
    ]
    revoked = await call("DELETE", f"{PATH}/{token['id']}")
    assert (revoked.status, "token" in revoked.json) == (200, False)
    assert node.kept["alice"].link.incoming_tokens == ()
    assert (await call("DELETE", f"{PATH}/{token['id']}")).status == 404


async def test_the_token_of_the_account_s_own_field_can_be_revoked(call: Any, node: Any) -> None:
    assert (await call("DELETE", f"{PATH}/btp_incoming_token")).status == 404
    revoked = await call("DELETE", f"{PATH}/http_incoming_token")
    assert revoked.json == {"id": "http_incoming_token", "use": "http", "label": "", "may": ALL, "created_at": None}
    assert node.kept["alice"].link.http_incoming_token_digest is None
    assert (await call("GET", PATH)).json["items"] == []


@pytest.mark.parametrize(
    ("link", "use"), [({}, "http"), ({"btp_url": "ws://x/"}, "both"), ({"btp_incoming_token": "b"}, "both")]
)
async def test_a_token_is_for_the_links_that_the_account_has(call: Any, link: dict[str, str], use: str) -> None:
    await call("PATCH", "/api/accounts/alice", {"link": link})
    assert (await call("POST", PATH, {})).json["use"] == use


async def test_a_token_may_be_brought_along_once(call: Any) -> None:
    assert (await call("POST", PATH, {"token": GIVEN})).json["use"] == "http"
    assert (await call("POST", PATH, {"token": GIVEN})).status == 409
    assert (await call("POST", PATH, {"token": "alice-token"})).status == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"use": "smtp"}, "use"),
        ({"label": "x" * 65}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"token": "short"}, "token"),
        ({"token": "with a space " * 4}, "token"),
        ({"lable": "x"}, "lable"),
    ],
)
async def test_what_cannot_be_a_token(call: Any, body: dict[str, str], field: str) -> None:
    answer = await call("POST", PATH, body)
    assert (answer.status, answer.json["field"]) == (400, field)


async def test_D2_only_the_operator_makes_and_revokes(call: Any) -> None:
    """A stolen token must not make itself a successor."""
    assert (await call("POST", PATH, {}, token="alice-token")).status == 403
    assert (await call("DELETE", f"{PATH}/http_incoming_token", token="alice-token")).status == 403
    assert (await call("GET", PATH, token="bob-token")).status == 403
    assert (await call("GET", "/api/accounts/nobody/tokens")).status == 404


async def test_a_token_of_an_account_with_scopes_opens_the_api_and_no_link(call: Any, node: Any) -> None:
    made = (await call("POST", PATH, {"may": ["read"], "label": "grafana"})).json
    assert (made["use"], made["may"]) == ("api", ["read"])
    assert (await call("GET", "/api/accounts/alice", token=made["token"])).status == 200
    told = (await call("GET", "/api/whoami", token=made["token"])).json
    assert told == {"is_admin": False, "account": "alice", "token": "grafana", "may": ["read"]}
    refused = await call("POST", "/api/payments", {"receiver": "$x.test", "send": "1"}, token=made["token"])
    assert (refused.status, refused.json["scope"]) == (403, "money")


@pytest.mark.parametrize("may", [[], ["fly"], "read", [1], {}])
@pytest.mark.parametrize("path", [PATH, "/api/tokens"])
async def test_scopes_are_refused(call: Any, path: str, may: Any) -> None:
    answer = await call("POST", path, {"may": may, "label": "x"})
    assert (answer.status, answer.json["field"]) == (400, "may")


async def test_what_opens_a_link_may_everything(call: Any) -> None:
    answer = await call("POST", PATH, {"use": "http", "may": ["read"]})
    assert (answer.status, answer.json["field"]) == (400, "may")
    assert (await call("POST", PATH, {"use": "http", "may": ALL})).status == 201


async def test_tokens_of_the_operator(call: Any, node: Any) -> None:
    made = await call("POST", "/api/tokens", {"label": "ops", "may": ["operate"]})
    assert (made.status, made.json["may"]) == (201, ["read", "operate"])
    secret, token_id = made.json["token"], made.json["id"]
    assert made.headers["location"] == f"/api/tokens/{token_id}"
    assert (await call("PUT", "/rates", {}, token=secret)).status == 200
    assert (await call("POST", "/api/tokens", {"label": "x", "may": ["money"]}, token=secret)).status == 403
    (listed,) = (await call("GET", "/api/tokens", token=secret)).json["items"]
    assert (listed["label"], "token" in listed) == ("ops", False)
    assert (await call("DELETE", f"/api/tokens/{token_id}")).status == 200
    assert (await call("GET", "/api/tokens", token=secret)).status == 401
    assert (await call("DELETE", f"/api/tokens/{token_id}")).status == 404
    assert (await call("POST", "/api/tokens", {"may": ["read"]})).json["field"] == "label"
    assert (await call("POST", "/api/tokens", {"label": "x", "may": ALL, "token": "alice-token"})).status == 400


async def test_a_session_ends_with_the_token_that_opened_it(call: Any, node: Any) -> None:
    gate = Gate(node, lambda token: session)
    made = (await call("POST", "/api/tokens", {"label": "ops", "may": ["read"]})).json
    digest = sha256(made["token"].encode()).hexdigest()
    session = Caller(True, None, (Scope.READ,), "ops", digest)
    request = Request({"type": "http", "method": "GET", "headers": [(b"authorization", b"Bearer of-the-session")]})
    assert gate.admit(request, Access.ADMIN) == session
    await node.admin_tokens.revoke(made["id"])
    with pytest.raises(Problem, match="not known"):
        gate.admit(request, Access.ADMIN)
