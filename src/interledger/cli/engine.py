"""`ilp engine ...`: run a settlement engine, look at what it pays, agree to a payment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interledger.accounts.asset import Asset, format_amount
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.errors import InterledgerError, InvalidRequestError, SettingsError

if TYPE_CHECKING:
    from interledger.settlement.engine.shell import EngineProcess

__all__ = ["approve", "incoming", "list_engines", "payments", "run_engine"]

_DIRECTORY = click.option(
    "--data-dir", metavar="DIR", default="./.ilp/engine", show_default=True, help="Where the engine keeps its state."
)


@command("list")
@click.pass_obj
def list_engines(state: State) -> None:
    """The engines that come with this package, and their options.

    \b
      ilp engine list
    """
    from interledger.settlement.engines import ENGINES, find_engine

    items: list[dict[str, Any]] = []
    for name, entry in ENGINES.items():
        try:
            options = [option._asdict() for option in find_engine(name).options]
        except InvalidRequestError as error:  # a library of its own is missing
            items.append({"name": name, "summary": entry.summary, "options": [], "missing": str(error)})
        else:
            items.append({"name": name, "summary": entry.summary, "options": options, "missing": None})

    def lines() -> list[str]:
        found: list[str] = []
        for item in items:
            found.append(f"{item['name']}  {item['summary']}")
            for option in item["options"]:
                default = "" if option["default"] is None else f" (default {option['default'] or 'none'})"
                found.append(f"    {option['name']:<18}{option['help']}{default}")
        return found

    state.emit_list(items, lines, identifier="name")


@command("run")
@click.argument("name", metavar="NAME")
@_DIRECTORY
@click.option("--config", metavar="FILE", help="A TOML file with the engine's options.")
@click.option("--set", "given", metavar="NAME=VALUE", multiple=True, help="One option of the engine; may be repeated.")
@click.option("--connector", metavar="URL", default="http://127.0.0.1:7771", show_default=True, help="The node's API.")
@click.option("--bind", metavar="HOST:PORT", default="127.0.0.1:3000", show_default=True, help="Where it listens.")
@click.option("--token-file", metavar="FILE", help="A token that node and engine show each other.")
@click.option("--log-level", type=click.Choice(("debug", "info", "warning", "error")), default="info")
@click.pass_obj
def run_engine(
    state: State,
    name: str,
    data_dir: str,
    config: str | None,
    given: tuple[str, ...],
    connector: str,
    bind: str,
    token_file: str | None,
    log_level: str,
) -> None:
    """Run the settlement engine NAME (or module:Class) beside a node, until Ctrl-C or SIGTERM.

    \b
      ilp engine list
      ilp engine run bank --set iban=DE89370400440532013000 --set name='Alice Ltd' --set directory=./bank

    The node's account names it:  settlement_engine_url = "http://127.0.0.1:3000". CONNECTOR is the node's
    settlement_api_bind_address.
    """
    from interledger.daemon.engine import serve_engine
    from interledger.node.settings_parsers import parse_bind_address
    from interledger.settlement.engine.shell import EngineSettings
    from interledger.settlement.engines import find_engine, make_engine

    options = _options(config, given)
    engine = make_engine(find_engine(name), options)
    settings = EngineSettings(connector, parse_bind_address(bind), None if token_file is None else _token(token_file))

    def say_ready(process: EngineProcess) -> None:
        if state.form in ("json", "ndjson"):
            state.emit({"ready": True, "engine": engine.name, "url": process.url}, list)
        else:
            state.console.print(f"{engine.name} engine at {process.url}, for {connector}. Ctrl-C stops it.")
        state.console.out.flush()

    serve_engine(engine, Path(data_dir), settings, say_ready, log_level)


@command("payments")
@_DIRECTORY
@click.pass_obj
def payments(state: State, data_dir: str) -> None:
    """What the engine has to pay, and what it has paid, the latest first.

    \b
      ilp engine payments --data-dir bank
    """
    items = _ask(data_dir, "GET", "/payments")["items"]
    columns = (
        Column("PAYMENT", lambda item: str(item["id"])),
        Column("ACCOUNT", lambda item: str(item["account"])),
        Column("AMOUNT", _amount, right=True),
        Column("STATE", _state_of),
        Column("SINCE", lambda item: str(item["done_at"] or item["approved_at"] or item["made_at"])),
    )
    state.emit_list(items, lambda: render_table(items, columns, state.console), identifier="id")


@command("incoming")
@_DIRECTORY
@click.pass_obj
def incoming(state: State, data_dir: str) -> None:
    """What has come in, the latest first, and whether the node knows.

    \b
      ilp engine incoming --data-dir bank
    """
    items = _ask(data_dir, "GET", "/incoming")["items"]
    columns = (
        Column("AT", lambda item: str(item["at"])),
        Column("ACCOUNT", lambda item: str(item["account"])),
        Column("AMOUNT", _amount, right=True),
        Column("NODE", lambda item: "told" if item["told_at"] else "not told yet"),
        Column("EVENT", lambda item: str(item["event"])),
    )
    state.emit_list(items, lambda: render_table(items, columns, state.console), identifier="id")


@command("approve")
@click.argument("payment", metavar="PAYMENT", type=int)
@_DIRECTORY
@click.option("--yes", is_flag=True, help="Do it; without this it is shown, and asked for.")
@click.option("--dry-run", is_flag=True, help="Only show what would be paid.")
@click.pass_obj
def approve(state: State, payment: int, data_dir: str, yes: bool, dry_run: bool) -> None:
    """Agree to PAYMENT of an engine that asks first: it is shown, then confirmed.

    \b
      ilp engine approve 7 --data-dir bank
    """
    found = next((item for item in _ask(data_dir, "GET", "/payments")["items"] if item["id"] == payment), None)
    if found is None or found["done_at"] is not None:
        raise CliError(ExitCode.NOT_FOUND, f"There is no open payment {payment}.", "Look:  ilp engine payments")
    if not yes and state.is_table:
        state.console.note(f"  Pay {_amount(found)} to {found['account']}")
    if dry_run:
        state.emit_dry_run(f"pay {_amount(found)} to {found['account']}", {"payment": found})
        return
    state.confirm("Pay it?", yes=yes)
    body = {"amount": found["amount"], "account": found["account"]}
    document = _ask(data_dir, "POST", f"/payments/{payment}/approve", body)
    state.emit(document, lambda: [f"Approved: {_amount(document)} to {document['account']}"], identifier="id")


def _amount(item: dict[str, Any]) -> str:
    return format_amount(int(item["amount"]), Asset("", int(item["scale"])), exact=True, thousands=True)


def _state_of(item: dict[str, Any]) -> str:
    if item["done_at"] is not None:
        return "paid"
    if item["note"] is not None:
        return "under way"
    return "waits" if item["approved_at"] is None else "approved"


def _ask(data_dir: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The running engine's answer."""
    import asyncio

    from interledger.api.calls import ApiCalls
    from interledger.cli.errors import as_cli_error
    from interledger.daemon.engine import ENGINE_FILE
    from interledger.daemon.process import read_private_json

    document = read_private_json(Path(data_dir) / ENGINE_FILE)
    if document is None:
        raise CliError(
            ExitCode.NO_NODE, f"No engine runs with {data_dir}.", "Start it:  ilp engine run NAME --data-dir DIR"
        )
    calls = ApiCalls(str(document["url"]), document.get("token"))
    try:
        return asyncio.run(calls.call(method, path, body))
    except InterledgerError as error:
        raise as_cli_error(error, calls.base_url) from error


def _options(config: str | None, given: tuple[str, ...]) -> dict[str, str]:
    """Of the file first, then of the command line."""
    from interledger.node.settings_sources import from_toml

    options = {} if config is None else {item.key: item.text for item in from_toml(Path(config))}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise SettingsError(f"--set {text}: write  NAME=VALUE")
        options[name] = value
    return options


def _token(path: str) -> str:
    from interledger.node.settings_parsers import parse_token
    from interledger.node.settings_sources import readable_by_others

    place = Path(path)
    if readable_by_others(place) is not None:
        raise SettingsError(f"{path} is a secret that others can read. Do  chmod 600 {path}")
    try:
        return parse_token(place.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
