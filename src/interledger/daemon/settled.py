"""What two books and a ledger say of the same settlements, side by side, to the unit.

Asked over the APIs of nodes, engines and ledger, by what dev.json says: any process may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from interledger.accounts.asset import Asset, parse_asset
from interledger.api.calls import ApiCalls
from interledger.api.client import ApiClient
from interledger.daemon.engine import ENGINE_FILE
from interledger.daemon.ledgers.base import DevLedger
from interledger.daemon.ledgers.table import attach_ledger
from interledger.daemon.process import read_private_json
from interledger.errors import NotFoundError
from interledger.link.tls import pinned_context
from interledger.settlement.quantity import NOTHING, Quantity

__all__ = ["Settled", "approve_payments", "compare_settled"]

Document = Mapping[str, Any]


class Settled(NamedTuple):
    """One direction of one link, in units of the finest scale of all.

    `given`: settled in the payer's books; `waiting`: of that, what its engine has yet to pay; `moved`: what the ledger
    says; `taken`: credited in the payee's books; `on_its_way`: what the payer's engine has not even taken; `is_busy`:
    something of it will move soon; `approvals`: the engine's payments that wait for the operator.
    """

    payer: str
    payee: str
    asset: Asset
    given: int
    waiting: int
    moved: int
    taken: int
    on_its_way: int
    is_busy: bool
    transaction: str | None
    approvals: tuple[int, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether books and ledger agree."""
        return self.given - self.waiting == self.moved == self.taken

    def unpaid(self, asset: Asset) -> int:
        """What has left the payer's books and is not in the payee's, in units of the account's asset."""
        finer: int = 10 ** (self.asset.scale - asset.scale)
        return (self.given - self.taken) // finer

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way."""
        return self.is_exact and not self.is_busy


async def compare_settled(document: Document) -> list[Settled]:
    """Both directions of each link that is settled. `document`: dev.json. Raises `LinkError`, `LedgerError`."""
    settlement = document["settlement"]
    if settlement is None:
        return []
    ledger = attach_ledger(settlement["ledger"])
    names = sorted({name for link in settlement["links"] for name in (link["left"], link["right"])})
    books = dict(zip(names, await asyncio.gather(*(_books(document["nodes"][name]) for name in names)), strict=True))
    engines = {(e["node"], e["asset"]): await _engine(e["data_dir"]) for e in settlement["engines"].values()}
    found = []
    for link in settlement["links"]:
        for payer, payee in ((link["left"], link["right"]), (link["right"], link["left"])):
            found.append(await _compare(ledger, link, payer, payee, books, engines))
    return found


async def _books(node: Document) -> dict[tuple[str, str], Document]:
    """The chart of accounts of a node, by name and asset."""
    tls = None if node.get("certificate") is None else pinned_context(Path(node["certificate"]))
    accounts = await ApiClient(node["url"], node["token"], tls=tls).ledger_accounts()
    return {(one["name"], f"{one['asset_code']}/{one['asset_scale']}"): one for one in accounts}


async def _engine(directory: str) -> dict[str, Document]:
    """What an engine keeps of each account, and its open payments."""
    document = read_private_json(Path(directory) / ENGINE_FILE)
    if document is None:
        raise NotFoundError(f"no engine runs with {directory}")
    calls = ApiCalls(str(document["url"]), document["token"])
    scale = (await calls.call("GET", "/"))["scale"]
    accounts = (await calls.call("GET", "/accounts"))["items"]
    payments = (await calls.call("GET", "/payments"))["items"]
    return {
        one["id"]: {
            **one,
            "scale": scale,
            "open": [p for p in payments if p["account"] == one["id"] and p["done_at"] is None],
        }
        for one in accounts
    }


async def approve_payments(document: Document) -> None:
    """Agree to whatever waits for the operator, at every engine: for a demonstration, where nobody is asked."""
    for engine in document["settlement"]["engines"].values():
        found = read_private_json(Path(engine["data_dir"]) / ENGINE_FILE)
        if found is None:
            continue
        calls = ApiCalls(str(found["url"]), found["token"])
        for payment in (await calls.call("GET", "/payments"))["items"]:
            if payment["approved_at"] is None and payment["done_at"] is None:
                body = {"amount": payment["amount"], "account": payment["account"]}
                await calls.call("POST", f"/payments/{payment['id']}/approve", body)


async def _compare(
    ledger: DevLedger,
    link: Document,
    payer: str,
    payee: str,
    books: Mapping[str, Mapping[tuple[str, str], Document]],
    engines: Mapping[tuple[str, str], Mapping[str, Document]],
) -> Settled:
    asset = parse_asset(link["asset"])

    def posted(name: str, account: str, side: str) -> int:
        line = books[name].get((account, str(asset)))
        return 0 if line is None else int(line[side])

    paying, paid = engines[payer, str(asset)][payee], engines[payee, str(asset)][payer]
    moved = await ledger.moved(asset, paying["details"], paid["details"])
    waiting = Quantity.read(paying["owed"])
    for payment in paying["open"]:
        waiting = waiting.plus(Quantity(int(payment["amount"]), payment["scale"]))
    scale = max(asset.scale, waiting.shortest().scale, moved.quantity.shortest().scale)
    in_books = Asset(asset.code, scale)

    def units(quantity: Quantity) -> int:
        return quantity.shortest().plus(Quantity(0, scale)).amount if quantity != NOTHING else 0

    finer: int = 10 ** (scale - asset.scale)
    return Settled(
        payer,
        payee,
        in_books,
        given=posted(payer, f"external/{payee}", "credits_posted") * finer,
        waiting=units(waiting),
        moved=units(moved.quantity),
        taken=posted(payee, f"external/{payer}", "debits_posted") * finer,
        on_its_way=-posted(payer, f"peer/{payee}/transit", "net") * finer,
        is_busy=bool(
            posted(payer, f"peer/{payee}/transit", "net")
            or -posted(payer, f"peer/{payee}", "net") >= int(link["threshold"])
            or waiting.split(paying["scale"])[0]
        ),
        transaction=moved.transaction,
        approvals=tuple(int(p["id"]) for p in paying["open"] if p["approved_at"] is None),
    )
