"""Accounts: the list, and one account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from interledger.dashboard.exposure import Exposure, exposure_of
from interledger.dashboard.page import Page, Twin, amount_text

__all__ = ["PAGES", "account_twin", "account_values"]

Document = Mapping[str, Any]


async def list_accounts(page: Page) -> Response:
    """Those nearest to their limit first."""
    accounts: Sequence[Document] = await page.api.accounts()
    rows: list[dict[str, Any]] = [{"account": account, "exposure": exposure_of(account)} for account in accounts]
    wanted = page.query.get("f", "")
    shown = [row for row in rows if _is_wanted(row, wanted)]
    shown.sort(key=lambda row: (not row["exposure"].is_near, row["account"]["id"]))
    return page.render(
        "accounts.html",
        title=page.texts.get("Accounts"),
        section="accounts",
        twin=Twin(("/api/accounts",), "ilp account list"),
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
    exposure = exposure_of(account)
    values = account_values(page, account, exposure, "")
    return page.render(
        "account.html",
        sentence=_sentence(page, account, exposure),
        routes_words=_routes_words(page, account),
        **values,
    )


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

    def money(units: int | str) -> str:
        return amount_text(page, units, scale, code)

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
)
"""Paths below `/ui`, and who answers."""
