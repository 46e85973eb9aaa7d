"""`ilp payment incoming`: what comes in, packet by packet, as it happens. The same stream that interledger-rs has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote as encode_path

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.errors import CliError, as_cli_error, no_node_error
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import time_of_day
from interledger.cli.state import State, Target, trusted
from interledger.cli.stream import Stream
from interledger.cli.tree import command
from interledger.errors import LinkError

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
        async for packet in _packets(target, account):
            stream.put(packet, lambda: incoming_line(packet, assets.get(packet["to_username"]), exact=state.exact))  # noqa: B023 - called at once
            told += 1
            if told == limit:
                return

    if state.is_table:
        state.console.note("  Waiting for payments. Stop with Ctrl-C")
    asyncio.run(watch())


def incoming_line(packet: Mapping[str, Any], asset: Asset | None, *, exact: bool = False) -> str:
    """`12:00:27  ✓ bob  0.50 EUR from hub`"""
    at, who = time_of_day(packet["timestamp"]), packet["to_username"]
    if packet["connection_closed"]:
        return f"{at}  · {who}  the payer is done"
    amount = str(packet["amount"])
    if asset is not None:
        amount = f"{format_amount(int(amount), asset, exact=exact)} {asset.code}"
    return f"{at}  ✓ {who}  {amount} from {packet['from_username']}"


async def _packets(target: Target, account: str | None) -> AsyncIterator[dict[str, Any]]:
    """Raises `CliError`."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus, WebSocketException

    base = "ws" + target.url.removeprefix("http")
    path = "/payments/incoming" if account is None else f"/accounts/{encode_path(account, safe='')}/payments/incoming"
    headers = {} if target.token is None else {"Authorization": f"Bearer {target.token}"}
    try:
        async with connect(base + path, additional_headers=headers, ssl=trusted(target.certificate)) as socket:
            async for message in socket:
                document = json.loads(message)
                yield document.get("Ok", document)
    except InvalidStatus as error:
        raise _refused(error.response.status_code, error.response.body or b"") from None
    except OSError:
        raise no_node_error(target.url) from None
    except (WebSocketException, ValueError) as error:
        raise CliError(ExitCode.FAILED, f"The node stopped telling of payments: {error}.") from None


def _refused(status: int, body: bytes) -> CliError:
    from interledger.api.calls import ApiError, read_answer

    try:
        read_answer(status, body)
    except (ApiError, LinkError) as error:
        return as_cli_error(error)
    return CliError(ExitCode.FAILED, f"The node refused with HTTP {status}.")
