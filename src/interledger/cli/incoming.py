"""`ilp payment incoming`: what comes in, packet by packet, as it happens. The same stream that interledger-rs has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.errors import as_cli_error
from interledger.cli.money import time_of_day
from interledger.cli.state import State, trusted
from interledger.cli.stream import Stream
from interledger.cli.tree import command
from interledger.errors import InterledgerError

__all__ = ["incoming", "incoming_line"]


@command("incoming")
@click.argument("account", metavar="[ACCOUNT]", required=False)
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Stop after so many packets.")
@click.pass_obj
def incoming(state: State, account: str | None, limit: int | None) -> None:
    """Watch what comes in for ACCOUNT, or for all accounts: a line a packet, until Ctrl-C.

    \b
      ilp payment incoming bob
      ilp payment incoming -o ndjson
    """
    target = state.target(account)
    if account is None:
        accounts = state.call(lambda api: api.accounts(), target)
    else:
        accounts = [state.call(lambda api: api.account(account), target)]
    assets = {one["id"]: Asset(one["asset_code"], int(one["asset_scale"])) for one in accounts}
    stream = Stream(state, "sequence")
    told = 0

    async def watch() -> None:
        nonlocal told
        from interledger.api.client import ApiClient

        api = ApiClient(target.url, target.token, tls=trusted(target.certificate))
        async for packet in api.incoming_packets(account):
            stream.put(packet, lambda: incoming_line(packet, assets.get(packet["to_username"]), exact=state.exact))  # noqa: B023 - called at once
            told += 1
            if told == limit:
                return

    if state.is_table:
        state.console.note("  Waiting for payments. Stop with Ctrl-C")
    try:
        asyncio.run(watch())
    except InterledgerError as error:
        raise as_cli_error(error, None if told else target.url) from None


def incoming_line(packet: Mapping[str, Any], asset: Asset | None, *, exact: bool = False) -> str:
    """`12:00:27  ✓ bob  0.50 EUR from hub`"""
    at, who = time_of_day(packet["timestamp"]), packet["to_username"]
    if packet["connection_closed"]:
        return f"{at}  · {who}  the payer is done"
    amount = str(packet["amount"])
    if asset is not None:
        amount = f"{format_amount(int(amount), asset, exact=exact)} {asset.code}"
    return f"{at}  ✓ {who}  {amount} from {packet['from_username']}"
