"""Accounts: the list, and one account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.api.client import ApiError
from interledger.api.problems import Problem
from interledger.dashboard.charts import position_chart
from interledger.dashboard.exposure import Exposure, exposure_of
from interledger.dashboard.page import Page, Twin
from interledger.dashboard.typed import parse_typed, typed_amount

if TYPE_CHECKING:
    from interledger.api.types import AccountPatchLimitsDocument

__all__ = ["PAGES", "account_twin", "account_values"]

Document = Mapping[str, Any]

PACKETS_SHOWN: Final = 8
"""The latest of an account. All of them are one click away."""

POINTS_SHOWN: Final = 30
"""Of the chart as a table, newest first."""


async def list_accounts(page: Page) -> Response:
    """Those nearest to their limit first."""
    accounts: Sequence[Document] = await page.api.accounts()
    topology = await page.panel("topology", page.api.topology())
    moving = {peer["account"]: peer["packets_per_second"] for peer in topology["peers"]} if topology else {}
    rows: list[dict[str, Any]] = [
        {"account": account, "exposure": exposure_of(account), "packets": moving.get(account["id"])}
        for account in accounts
    ]
    wanted = page.query.get("f", "")
    shown = [row for row in rows if _is_wanted(row, wanted)]
    shown.sort(key=lambda row: (not row["exposure"].is_near, row["account"]["id"]))
    return page.render(
        "accounts.html",
        title=page.texts.get("Accounts"),
        section="accounts",
        twin=Twin(("/api/accounts", "/api/topology"), "ilp account list"),
        rows=shown,
        total=len(rows),
        chips=_chips(page, rows, wanted),
    )


def _is_wanted(row: Mapping[str, Any], wanted: str) -> bool:
    account = row["account"]
    if wanted == "near":
        return bool(row["exposure"].is_near)
    if wanted == "down":
        return account["link"]["kind"] != "none" and not account["link"]["up"]
    return not wanted or account["asset_code"] == wanted.upper()


def _chips(page: Page, rows: Sequence[Mapping[str, Any]], wanted: str) -> list[dict[str, Any]]:
    say = page.texts.get
    words = [("", say("All")), ("near", say("Near a limit")), ("down", say("Link down"))]
    codes = sorted({row["account"]["asset_code"] for row in rows})
    words += [(code.lower(), code) for code in codes] if len(codes) > 1 else []
    found = []
    for key, word in words:
        count = sum(_is_wanted(row, key) for row in rows)
        if count or key in ("", wanted):
            href = "?" + urlencode({"f": key}) if key else "?"
            found.append({"href": href, "word": word, "count": count, "current": key == wanted})
    return found


async def show_account(page: Page) -> Response:
    """How it stands, and why it stops where it stops."""
    account: Document = dict(await page.api.account(page.request.path_params["account"]))
    exposure, account_id = exposure_of(account), account["id"]
    here = f"/api/accounts/{quote(account_id, safe='')}"
    twins = [f"{here}/history"]
    history = await page.panel("history", page.api.account_history(account_id))
    packets = None
    if "packets" in page.sections:
        packets = await page.panel("packets", page.api.packets(account=account_id, limit=PACKETS_SHOWN))
        twins.append(f"/api/packets?{urlencode({'account': account_id, 'limit': PACKETS_SHOWN})}")
    values = account_values(page, account, exposure, "", *twins)
    return page.render(
        "account.html",
        sentence=_sentence(page, account, exposure),
        routes_words=_routes_words(page, account),
        chart=position_chart(history or (), datetime.now(UTC)),
        history=list(reversed(history or ()))[:POINTS_SHOWN],
        packets=packets["items"] if packets else [],
        recording=bool(packets and packets["recording"]),
        **values,
    )


async def show_ledger(page: Page) -> Response:
    """Its statement by the minute."""
    account: Document = dict(await page.api.account(page.request.path_params["account"]))
    kind = "local" if account["relation"] == "local" else "peer"
    query = {"account": f"{kind}/{account['id']}", "by": "minute"}
    statement: Mapping[str, Any] | None = await page.panel("ledger", _statement(page, query["account"]))
    values = account_values(page, account, exposure_of(account), "ledger", f"/api/ledger/statement?{urlencode(query)}")
    return page.render("account_ledger.html", statement=statement or {"lines": []}, **values)


async def _statement(page: Page, account: str) -> Mapping[str, Any]:
    try:
        return await page.api.ledger_statement(account, by="minute")
    except ApiError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return {"lines": []}  # nothing was ever written about it


LIMITS: Final = (
    ("owes_us_max", "Owes us, at most"),
    ("we_owe_max", "We owe, at most"),
    ("packet_amount_max", "Largest packet"),
)


async def ask_limits(page: Page) -> Response:
    """The limits as they are typed."""
    return await _limits_form(page)


async def change_limits(page: Page) -> Response:
    """At once. What is empty is no limit."""
    account = await page.api.account(page.request.path_params["account"])
    try:
        limits = {
            key: str(parse_typed(page.form[key], account["asset_scale"])) if page.form.get(key) else None
            for key, _ in LIMITS
        }
        await page.api.update_account(account["id"], {"limits": cast("AccountPatchLimitsDocument", limits)})
    except (Problem, ApiError) as error:
        return await _limits_form(page, wrong=str(error), typed=page.form, status=422)
    return page.redirect(f"/ui/accounts/{quote(account['id'], safe='')}")


async def _limits_form(
    page: Page, *, wrong: str = "", typed: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    account: Document = dict(await page.api.account(page.request.path_params["account"]))
    limits, scale = account["limits"], account["asset_scale"]
    known = {key: "" if limits[key] is None else typed_amount(int(limits[key]), scale) for key, _ in LIMITS}
    values = account_values(page, account, exposure_of(account), "settings")
    return page.render(
        "account_settings.html", status=status, wrong=wrong, fields=LIMITS, typed={**known, **(typed or {})}, **values
    )


async def pause_account(page: Page) -> Response:
    """Let nothing new pass, or again; the button says which."""
    account_id = page.request.path_params["account"]
    await page.api.update_account(account_id, {"paused": page.form.get("do") != "resume"})
    return page.redirect(f"/ui/accounts/{quote(account_id, safe='')}")


def account_twin(account_id: str, *more: str) -> Twin:
    """Of an account's page and its tabs."""
    return Twin((f"/api/accounts/{quote(account_id, safe='')}", *more), f"ilp account show {account_id}")


def account_values(page: Page, account: Document, exposure: Exposure, tab: str, *twins: str) -> dict[str, Any]:
    """What every tab of an account's page shows."""
    relation = page.texts.get(account["relation"]).capitalize()
    intro = page.texts("%(relation)s in %(asset)s", relation=relation, asset=account["asset_code"])
    return {
        "title": account["id"],
        "section": "accounts",
        "twin": account_twin(account["id"], *twins),
        "a": account,
        "e": exposure,
        "base": f"/ui/accounts/{quote(account['id'], safe='')}",
        "intro": intro,
        "tab": tab,
    }


def _sentence(page: Page, account: Document, exposure: Exposure) -> Markup:
    """Who owes what, when that is settled, and what happens at the limit."""
    say, scale, code, peer = page.texts, account["asset_scale"], account["asset_code"], account["id"]

    def money(units: int | str) -> Markup:
        return page.fragment("amount", units, scale, code)

    if exposure.side == "even":
        first = say("%(peer)s and we owe each other nothing.", peer=peer)
    elif exposure.side == "owes-us":
        first = say("%(peer)s owes us %(amount)s.", peer=peer, amount=money(exposure.amount))
    else:
        first = say("We owe %(peer)s %(amount)s.", peer=peer, amount=money(exposure.amount))
    parts = [first]
    if account["settle_threshold"] is not None:
        amounts = {"at": money(account["settle_threshold"]), "to": money(account["settle_to"] or "0")}
        parts.append(say("When we owe %(at)s we settle, down to %(to)s.", **amounts))
    limits = account["limits"]
    if exposure.side != "we-owe" and limits["owes_us_max"] is not None:
        limit = money(limits["owes_us_max"])
        parts.append(say("At %(limit)s we refuse packets from %(peer)s with T04.", limit=limit, peer=peer))
    if exposure.side == "we-owe" and limits["we_owe_max"] is not None:
        limit = money(limits["we_owe_max"])
        parts.append(say("At %(limit)s we send %(peer)s no more packets.", limit=limit, peer=peer))
    return Markup(" ").join(parts)


def _routes_words(page: Page, account: Document) -> str:
    sends, receives = account["send_routes"], account["receive_routes"]
    words = {
        (True, True): "told and heard",
        (True, False): "told, not heard",
        (False, True): "heard, not told",
        (False, False): "neither told nor heard",
    }
    return page.texts.get(words.get((bool(sends), bool(receives)), "as the relation says"))


PAGES: Final[Sequence[tuple[str, Callable[[Page], Any]]]] = (
    ("/accounts", list_accounts),
    ("/accounts/{account}", show_account),
    ("/accounts/{account}/ledger", show_ledger),
    ("/accounts/{account}/settings", ask_limits),
    ("POST /accounts/{account}/settings", change_limits),
    ("POST /accounts/{account}/pause", pause_account),
)
"""Paths below `/ui`, and who answers."""
