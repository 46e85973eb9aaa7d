"""`ilp pay` and `ilp quote`."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from interledger.accounts.asset import parse_money
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import rate_text
from interledger.cli.pay_view import (
    Terms,
    dry_run_lines,
    exit_code_of,
    header_lines,
    percent,
    rate_too_low_error,
    result_lines,
    stopping_line,
)
from interledger.cli.payment_view import Cost
from interledger.cli.progress import Progress
from interledger.cli.state import State, Target
from interledger.cli.tree import command
from interledger.errors import InvalidRequestError

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["cost_of", "pay", "quote"]

Document = Mapping[str, Any]

_ACCOUNT = click.option(
    "--from", "account", metavar="ACCOUNT", help="Whose money; in the development network, which node."
)
_DELIVER = click.option("--deliver", metavar="'5 EUR'", help="What is to arrive, instead of what is sent.")


@command("pay")
@_ACCOUNT
@_DELIVER
@click.option("--slippage", metavar="SHARE", help="How much worse than quoted the rate may become: 0.01 (1 %).")
@click.option("--min-rate", metavar="RATE", help="Send nothing at a worse rate than this.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask when another host answers for the receiver.")
@click.option("--to", hidden=True, help="ilp-cli's spelling.")
@click.option("--amount", "units", hidden=True, help="ilp-cli's spelling: integer units.")
@click.argument("receiver", metavar="POINTER", required=False)
@click.argument("amount", metavar="'10 USD'", required=False)
@click.pass_obj
def pay(
    state: State, /, dry_run: bool, yes: bool, to: str | None, units: str | None, min_rate: str | None, **asked: Any
) -> int:
    """Send money to a payment pointer or URL.

    \b
      ilp pay --from alice '$localhost:7780/bob' '10 USD'
      ilp pay --from alice '$localhost:7780/bob' --deliver '5 EUR'

    First it asks what the payment would cost, then it sends. Ctrl-C stops it; what is in flight is waited for.
    """
    if to is not None:  # ilp-cli: pay SENDER --amount N --to POINTER
        asked |= {"account": asked["account"] or asked["receiver"], "receiver": to}
    target, body = _read(state, units=units, **asked)
    terms = _terms(state, target, body)
    if min_rate is not None and terms.rate < _parse_rate(min_rate):
        raise rate_too_low_error(terms, min_rate)
    if dry_run:
        state.emit({"dry_run": True, **terms.quote}, lambda: dry_run_lines(terms))
        return ExitCode.DONE
    if state.is_table:
        for line in header_lines(terms, state.console):
            state.console.note(line)
    elsewhere = terms.quote.get("redirected_to")
    if elsewhere:
        # RFC 26: "the client MUST ensure it affords the sender an opportunity to verify both the originally resolved
        # and ultimate endpoint hosts"
        state.confirm(f"Pay, although {elsewhere} answers for {terms.host}?", yes=yes)
    payment = _send(state, target, {**body, "min_rate": min_rate}, terms.quote)
    if payment["state"] == "failed":
        raise _failed(payment)
    state.emit(payment, lambda: result_lines(payment, state.console))
    return exit_code_of(payment)


@command("quote")
@_ACCOUNT
@_DELIVER
@click.argument("receiver", metavar="POINTER", required=False)
@click.argument("amount", metavar="'10 USD'", required=False)
@click.pass_obj
def quote(state: State, /, **asked: Any) -> int:
    """What a payment would cost, probed on the way it would take. Nothing is sent.

    \b
      ilp quote --from alice '$localhost:7780/bob' '10 USD'
    """
    target, body = _read(state, units=None, slippage=None, **asked)
    terms = _terms(state, target, body)
    state.emit(terms.quote, lambda: header_lines(terms, state.console))
    return ExitCode.DONE


# ---------------------------------------------------------------------- what was asked for


def _read(
    state: State,
    *,
    account: str | None,
    receiver: str | None,
    amount: str | None,
    deliver: str | None,
    units: str | None,
    slippage: str | None,
) -> tuple[Target, dict[str, Any]]:
    """The node to ask, and the body of the request. Amounts are checked here, so that nothing is asked in vain."""
    if receiver is None:
        raise CliError(
            ExitCode.USAGE, "POINTER is missing: whom to pay?", "Write  ilp pay '$wallet.example/bob' '10 USD'"
        )
    if sum(text is not None for text in (amount, deliver, units)) != 1:
        raise CliError(ExitCode.USAGE, "Say what to send, or what to deliver: one of the two.", "Write  '10 USD'")
    for text in (amount, deliver):
        if text is not None:
            try:
                parse_money(text)
            except InvalidRequestError as error:
                raise CliError(ExitCode.USAGE, str(error)) from None
    target = state.target(account)
    body: dict[str, Any] = {"receiver": receiver, "account": account or target.account}
    body |= {"send": amount, "deliver": deliver, "slippage": slippage}
    if units is not None:
        body["send"] = _units(state, target, body["account"], units)
    return target, body


def _units(state: State, target: Target, account: str | None, units: str) -> dict[str, Any]:
    """ilp-cli's amounts are integer units of the account's asset."""
    if not (units.isascii() and units.isdecimal()):
        raise CliError(ExitCode.USAGE, f"“{units}” is not a number of units. With its code:  '10 USD'")
    document = state.call(lambda api: api.account(account or ""), target)
    return {"amount": units, "asset_code": document["asset_code"], "asset_scale": document["asset_scale"]}


def _parse_rate(text: str) -> Fraction:
    try:
        return Fraction(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else _no_rate(text)
    except ValueError:
        return _no_rate(text)


def _no_rate(text: str) -> Fraction:
    raise CliError(ExitCode.USAGE, f"“{text}” is not a rate. Write  0.92")


# ---------------------------------------------------------------------- what it would cost


def _terms(state: State, target: Target, body: Document) -> Terms:
    async def ask(api: ApiClient) -> tuple[Any, Any]:
        rest = {name: value for name, value in body.items() if name != "receiver"}
        return await asyncio.gather(api.quote(body["receiver"], **rest), api.rates())

    try:
        found, rates = state.call(ask, target)
    except CliError as error:
        raise _not_sent(error) from error
    market = _market(rates, found["send_max"]["asset_code"], found["deliver_min"]["asset_code"])
    return Terms(found, body["receiver"], body["deliver"] is not None, market=market, **_way(state, target, body))


def _market(rates: Any, source: str, destination: str) -> Fraction | None:
    """Units of the destination's asset that one of the source's is worth; None where a rate is missing."""
    values = {rate["code"]: Fraction(rate["value"]) for rate in rates}
    if source == destination:
        return Fraction(1)
    return values[source] / values[destination] if values.get(destination) and source in values else None


def cost_of(state: State, payment: Document) -> Cost | None:
    """What one hub of a development network kept of a payment; None where more is on the way, or nothing is known."""
    target = state.target(payment["account"])
    hub = _way(state, target, payment).get("hub")
    if hub is None or not payment["delivered"] or not int(payment["sent"]["amount"]):
        return None
    sent, delivered = payment["sent"], payment["delivered"]
    market = _market(state.call(lambda api: api.rates(), target), sent["asset_code"], delivered["asset_code"])
    quote = {"rate": {"numerator": delivered["amount"], "denominator": sent["amount"]}}
    fee = Terms({**quote, "send_max": sent, "deliver_min": delivered}, payment["receiver"], market=market).fee
    if market is None or fee is None:
        return None
    return Cost(rate_text(market), percent(hub[1]), fee, hub[0])


def _way(state: State, target: Target, body: Document) -> dict[str, Any]:
    """What the development network tells of the way, when the payment stays inside it."""
    document = state.dev_document()
    if document is None or target.name is None:
        return {}
    nodes: dict[str, Any] = document["nodes"]
    receiver = next((name for name, node in nodes.items() if node["wallet"] == body["receiver"]), None)
    if receiver is None:
        return {}
    path = _shortest([tuple(link[:2]) for link in document["links"]], target.name, receiver)
    hubs = [name for name in path if nodes[name]["account"] is None]
    hub = (hubs[0], Fraction(document["margin"])) if len(hubs) == 1 else None
    return {"name": receiver, "path": path, "hub": hub}


def _shortest(links: list[tuple[str, ...]], source: str, destination: str) -> list[str]:
    ways, seen = [[source]], {source}
    for way in ways:
        if way[-1] == destination:
            return way
        for link in links:
            for here, there in (link, link[::-1]):
                if here == way[-1] and there not in seen:
                    seen.add(there)
                    ways.append([*way, there])
    return []


# ---------------------------------------------------------------------- sending


def _send(state: State, target: Target, body: Document, found: Document) -> dict[str, Any]:
    """Send, showing how it goes. The first Ctrl-C stops the payment, the second one leaves it to the node."""
    names = {node["address"]: name for name, node in (state.dev_document() or {}).get("nodes", {}).items()}
    progress = Progress(state.console, int(found["send_max"]["amount"]), names=names)
    terms = {name: body[name] for name in ("account", "slippage", "min_rate")} | {"quote_id": found["id"]}
    last: dict[str, Any] = {}

    async def ask(api: ApiClient) -> dict[str, Any]:
        watching = asyncio.ensure_future(watch(api))
        interrupts = 0

        def interrupted() -> None:
            nonlocal interrupts
            interrupts += 1
            if interrupts > 1 or not last:
                watching.cancel()
                return
            progress.finish()
            packets = last["packets"]
            state.console.note(stopping_line(packets["sent"] - packets["fulfilled"] - packets["rejected"]))
            cancelling.append(asyncio.ensure_future(api.cancel_payment(last["id"])))

        cancelling: list[asyncio.Future[Any]] = []
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted)
        await watching
        await asyncio.gather(*cancelling, return_exceptions=True)
        return last

    async def watch(api: ApiClient) -> None:
        async for document in api.pay_with_progress(body["receiver"], idempotency_key=secrets.token_hex(16), **terms):
            last.clear()
            last.update(document)
            if state.is_table:
                progress.update(document)

    try:
        return state.call(ask, target)
    except asyncio.CancelledError:
        see = f"Look later:  ilp payment show {str(last.get('id', '')).removeprefix('pay_')}"
        raise CliError(ExitCode.INTERRUPTED, "Left to the node: what is in flight ends by itself.", see) from None
    except CliError as error:
        raise _not_sent(error) if not last else error from error
    finally:
        progress.finish()


def _failed(payment: Document) -> CliError:
    """Nothing was delivered."""
    problem = dict(payment["error"] or {})
    code = payment["code"]
    why = str(problem.get("detail") or "the network did not take it").rstrip(".")
    name = f" ({code})" if code and code not in why else ""
    lines = [f"Not sent: {why}{name}."]
    if code:
        lines.append(f"What that means:  ilp explain {code}")
    return CliError(ExitCode.REJECTED if code else ExitCode.FAILED, *lines, problem=problem or None)


def _not_sent(error: CliError) -> CliError:
    """The same error, beginning with what did not happen."""
    if error.code in (ExitCode.NO_NODE, ExitCode.NOT_ALLOWED, ExitCode.USAGE) or error.problem is None:
        return error
    kind = str(error.problem.get("type", "")).rpartition("/")[2]
    first = error.lines[0]
    lines = [f"Not sent: {first[:1].lower() + first[1:] if not first.startswith('ILP') else first}", *error.lines[1:]]
    if kind == "receiver-unresolved":
        lines[0] = lines[0].removesuffix(" Is the pointer right?")
        lines[1:] = ["Is the pointer right? Looks like  $wallet.example/name"]
    code = error.problem.get("code")
    return CliError(ExitCode.REJECTED if code else error.code, *lines, problem=error.problem)
