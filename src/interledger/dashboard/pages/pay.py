"""New payment: a quote first, then the button that repeats the amount. Inviting a peer, which is as easy."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.page import Page, Twin, amount_text, rate_of
from interledger.dashboard.typed import parse_typed
from interledger.errors import LinkError

if TYPE_CHECKING:
    from interledger.api.types import NewInviteDocument

__all__ = ["PAGES"]


async def ask_payment(page: Page) -> Response:
    """Whom, how much, from which account."""
    return await _pay_form(page, typed=dict(page.query))


async def quote_payment(page: Page) -> Response:
    """The first step: what it would cost."""
    form = page.form
    try:
        document = await page.api.quote(
            form.get("receiver", ""),
            account=form.get("account") or None,
            **{"deliver" if form.get("way") == "deliver" else "send": form.get("amount", "")},
        )
    except ApiError as error:
        return await _pay_form(page, typed=form, wrong=str(error), status=min(error.status, 499))
    return await _pay_form(page, typed=form, quote=document)


async def send_payment(page: Page) -> Response:
    """The second step. The key of the form makes a double click one payment."""
    form = page.form
    body = {"receiver": form.get("receiver", ""), "account": form.get("account", ""), "quote_id": form.get("quote", "")}
    try:
        payment = await _begin(page, body, form.get("key") or None)
    except ApiError as error:
        return await _pay_form(page, typed=form, wrong=str(error), status=min(error.status, 499))
    return page.redirect(f"/ui/payments/{quote(payment['id'], safe='')}")


async def _begin(page: Page, body: dict[str, str], key: str | None) -> Any:
    """The payment as it begins; it goes on without us."""
    receiver, terms = body.pop("receiver"), {name: value for name, value in body.items() if value}
    progress = page.api.pay_with_progress(receiver, idempotency_key=key, **terms)
    async with aclosing(progress):  # type: ignore[type-var]  # an asynchronous generator
        async for document in progress:
            return document
    raise LinkError("the node began a payment and said nothing of it")


async def _pay_form(page: Page, *, status: int = 200, **more: Any) -> Response:
    accounts = [account for account in await page.api.accounts() if account["relation"] == "local"]
    accounts = accounts or list(await page.api.accounts())
    values = {"wrong": "", "quote": None, **more, "typed": defaultdict(str, more["typed"])}
    document, button, rate = values["quote"], "", ""
    if document is not None:
        sent, got = document["send_max"], document["deliver_min"]
        amount = amount_text(page, sent["amount"], sent["asset_scale"], sent["asset_code"])
        button = page.texts("Send %(amount)s", amount=amount)
        rate = page.format.rate(rate_of(document["rate"], sent["asset_scale"], got["asset_scale"]))
    return page.render(
        "pay.html",
        title=page.texts.get("New payment"),
        section="payments",
        twin=Twin(("/api/accounts",), "ilp pay RECEIVER '10 USD'"),
        status=status,
        accounts=accounts,
        button=button,
        rate=rate,
        key=secrets.token_hex(16),
        **values,
    )


async def ask_invite(page: Page) -> Response:
    """What the new peer may do."""
    return _invite_form(page, typed={})


async def make_invite(page: Page) -> Response:
    """The invitation is shown this once."""
    form = page.form
    code, _, scale_text = form.get("asset", "").partition("/")
    try:
        if not (scale_text.isascii() and scale_text.isdecimal() and len(scale_text) <= 3):
            raise Problem("invalid-request", "Write the asset with its scale:  USD/9")
        scale = int(scale_text)
        terms: NewInviteDocument = {
            "asset_code": code.upper(),
            "asset_scale": scale,
            "relation": "peer" if form.get("relation") == "peer" else "child",
            "limits": {
                "owes_us_max": str(parse_typed(form.get("owes_us_max") or "0", scale)),
                "we_owe_max": str(parse_typed(form.get("we_owe_max") or "0", scale)),
            },
        }
        if form.get("name"):
            terms["name"] = form["name"]
        made = await page.api.create_invite(terms)
    except (Problem, ApiError) as error:
        return _invite_form(page, typed=form, wrong=str(error), status=422)
    return _invite_form(page, typed=form, made=made)


def _invite_form(page: Page, *, status: int = 200, **more: Any) -> Response:
    return page.render(
        "invite.html",
        title=page.texts.get("Invite a peer"),
        section="accounts",
        twin=Twin(("/api/peers/invites",), "ilp peer invite --asset USD/9"),
        status=status,
        **{"wrong": "", "made": None, **more, "typed": defaultdict(str, more["typed"])},
    )


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/pay", ask_payment),
    ("POST /pay", quote_payment),
    ("POST /pay/send", send_payment),
    ("/invite", ask_invite),
    ("POST /invite", make_invite),
)
"""Paths below `/ui`, and who answers."""
