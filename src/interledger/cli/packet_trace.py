"""`ilp packet trace`: where one packet went, what every node did with it, and why it stopped where it did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.packet_trace_view import Hop, deciding, opened, trace_lines
from interledger.cli.state import State, Target
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["trace"]

Document = Mapping[str, Any]

LIMIT_OF: Final = {"owes_us_max": "incoming", "we_owe_max": "outgoing"}
"""Whose room a limit is about."""


@command("trace")
@click.argument("packet", metavar="PACKET")
@click.pass_obj
def trace(state: State, packet: str) -> int:
    """One packet by the first digits of its condition: its way, every step, why this route, why it was refused.

    \b
      ilp packet trace f9cccf91
      ilp packet trace f9cccf91 -o json --fields outcome,code,journey

    In a development network all nodes are asked. Packets that went on are recorded while somebody watches
    (`ilp packet watch`), or with  packet_log = true ; those that a node refused are always there.
    """
    hops = _find(state, packet)
    hop = deciding(hops)
    inside = opened(hops)
    document = {**hop.packet, "stream": inside["stream"], "stream_reply": inside["stream_reply"]}
    if len(hops) > 1:
        document["hops"] = [{"node": one.node, **one.packet} for one in hops]
    state.emit(document, lambda: trace_lines(hops, state.console, exact=state.exact))
    return ExitCode.DONE


def _find(state: State, packet: str) -> list[Hop]:
    """All that know it, in the order of the way. Raises `CliError` when nobody does."""
    found: list[tuple[str, Target, Document]] = []
    missing: CliError | None = None
    for name, target in _targets(state):
        try:
            document: Any = state.call(lambda api: api.packet(packet), target)
        except CliError as error:
            if error.code is not ExitCode.NOT_FOUND:
                raise
            missing = error
        else:
            found.append((name or _name_of(document, target), target, document))
    if not found:
        raise missing or CliError(ExitCode.NOT_FOUND, f"There is no packet “{packet}”.")
    # Of two packets that begin the same, the newest.
    condition = max(found, key=lambda one: str(one[2]["at"]))[2]["condition"]
    same = [one for one in found if one[2]["condition"] == condition]
    same.sort(key=lambda one: str(one[2]["expires_in"] or ""), reverse=True)
    asset = _receiver_asset(state, same)
    return [_hop(state, name, target, document, asset) for name, target, document in same]


def _targets(state: State) -> list[tuple[str | None, Target]]:
    document = state.dev_document()
    chosen = state.target()
    if document is None or state.node is not None or chosen.name is None:
        return [(chosen.name, chosen)]
    return [(name, state.target(name)) for name in document["nodes"]]


def _name_of(document: Document, target: Target) -> str:
    """Of a node without a name here: the end of its own address, where the packet says it."""
    refused = any(step["state"] == "refused" for step in document["journey"])
    by = str(document["triggered_by"] or "")
    return by.rpartition(".")[2] if refused and by else target.url.partition("://")[2]


def _receiver_asset(state: State, found: list[tuple[str, Target, Document]]) -> Document | None:
    """In what the receiver counts: its own node says it, or else the payment that the packet belongs to."""
    name, _, last = found[-1]
    if last["outgoing"] == name and last["amount_out"]:
        return dict(last["amount_out"])
    payment_id, target = next(((one["payment"], where) for _, where, one in found if one["payment"]), (None, None))
    if payment_id is None:
        return None
    payment: Any = state.call(lambda api: api.payment(payment_id), target)
    asset: Document | None = payment["delivered"] or payment["deliver_min"]
    return asset


def _hop(state: State, name: str, target: Target, document: Document, asset: Document | None) -> Hop:
    """With what the node says beside the record: links, the route as it is now, and room as it is now."""

    async def ask(api: ApiClient) -> tuple[Any, Any]:
        explained = api.explain_route(document["destination"], account=document["incoming"])
        return await asyncio.gather(api.accounts(), explained, return_exceptions=True)

    accounts, found = state.call(ask, target)
    known = {} if isinstance(accounts, BaseException) else {one["id"]: one for one in accounts}
    chosen = None if isinstance(found, BaseException) else _chosen(document, found)
    onward = document["outgoing"] or (chosen["account"] if chosen else None)
    route = None
    if chosen is not None:
        by, why = (chosen["prefix"], "longest prefix") if chosen["prefix"] else ("everything else", "the default route")
        route = f"{by} → {chosen['account']}, {why}"
    return Hop(name, {**document, "receiver_asset": asset}, known, onward, route, _room(document, known))


def _chosen(document: Document, found: Document) -> Document | None:
    """The route as it is now, where it is the way that the packet took, or would have taken."""
    if any(step["step"] == "route" and step["state"] == "refused" for step in document["journey"]):
        return None
    chosen: Document | None = next((row for row in found["candidates"] if row["chosen"] and row["account"]), None)
    return chosen if chosen is None or document["outgoing"] in (None, chosen["account"]) else None


def _room(document: Document, accounts: Mapping[str, Document]) -> Document | None:
    """What there is now of what was missing then."""
    refused = next((step for step in document["journey"] if step["state"] == "refused" and step["compared"]), None)
    if refused is None or refused["compared"]["limit"] != "owes_us_max":
        return None
    account = accounts.get(document[LIMIT_OF[refused["compared"]["limit"]]])
    if account is None or account["limits"]["owes_us_max"] is None:
        return None
    room = int(account["limits"]["owes_us_max"]) - int(account["position"]["net"]) - int(account["pending"]["in"])
    return {"amount": str(max(room, 0)), "asset_code": account["asset_code"], "asset_scale": account["asset_scale"]}
