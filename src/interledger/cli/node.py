"""`ilp node run`: one node, until it is told to stop. Its options are the table of settings."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import to_ndjson
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.errors import LinkError, SettingsError
from interledger.node.settings import SETTINGS, Setting

if TYPE_CHECKING:
    from interledger.node.node import Node
    from interledger.node.settings import Settings

__all__ = ["run_node"]


def _setting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for row in reversed(SETTINGS):
        if row.secret:
            function = _option(row, "_file", "FILE", f"The file {row.flag} stands in.")(function)
        default = f" Default: {row.default}" if row.default is not None else ""
        function = _option(row, "", row.metavar, row.help + default)(function)
    return function


def _option(row: Setting, suffix: str, metavar: str, help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag = row.flag + suffix.replace("_", "-")
    # Without a dot also as interledger-rs spells them: --ilp_address
    spellings = dict.fromkeys((flag, f"--{row.key}{suffix}" if "." not in row.key else flag))
    return click.option(*spellings, row.attribute + suffix, metavar=metavar, help=help_)


@command("run")
@click.option("--config", metavar="FILE", help="The TOML file; without it ./ilp.toml, where there is one.")
@_setting_options
@click.pass_obj
def run_node(state: State, /, config: str | None, **given: str | None) -> None:
    """Run a node: connector, sender, receiver and HTTP API in one process, until Ctrl-C or SIGTERM.

    \b
      ilp node run --config ilp.toml

    Every option is also a setting of the file (exchange_rate.spread) and of the environment
    (ILP_EXCHANGE_RATE__SPREAD); options win over the environment, the environment over the file.
    """
    from interledger.daemon.serve import serve
    from interledger.node.settings_load import load_settings, read_settings

    began = time.monotonic()
    flags = _flags(given)
    try:
        settings = load_settings(flags, state.environ, config)
    except SettingsError as error:
        raise _settings_error(error) from None
    for fault in read_settings(flags, state.environ, config).faults:
        state.console.note(f"{state.console.mark('!')} {fault.where}  {fault.problem}")
    try:
        serve(settings, lambda node: _say_ready(state, node, began))
    except LinkError as error:
        raise _port_error(settings, error) from None


def _flags(given: dict[str, str | None]) -> dict[str, str]:
    """By key, as the settings have them."""
    flags: dict[str, str] = {}
    for row in SETTINGS:
        for suffix in ("", "_file"):
            text = given.get(row.attribute + suffix)
            if text is not None:
                flags[row.key + suffix] = text
    return flags


def _say_ready(state: State, node: Node, began: float) -> None:
    """One line on stdout. Programs that start nodes wait for it, and read the port in it."""
    from interledger.daemon.serve import node_url

    url, settings = node_url(node), node.settings
    if state.form in ("json", "ndjson"):
        document = {"ready": True, "ilp_address": node.address, "url": url, "data_dir": settings.data_dir}
        state.console.print(to_ndjson([document])[0])
    else:
        seconds = time.monotonic() - began
        place = _place(settings)
        state.console.print(f"{state.console.mark('✓')} {node.address}  {url}  ready in {seconds:.1f} s, {place}")
    sys.stdout.flush()


def _place(settings: Settings) -> str:
    if settings.durability == "memory":
        return "nothing is kept"
    if settings.store is not None:
        from interledger.store.postgres_session import describe_url

        return f"state in {describe_url(settings.store)} and {settings.data_dir}"
    return f"state in {settings.data_dir}"


def _settings_error(error: SettingsError) -> CliError:
    first, *rest = str(error).splitlines()
    more = f"{len(rest)} more:  ilp config check" if len(rest) > 1 else "".join(rest)
    return CliError(ExitCode.USAGE, first, *([more] if more else []))


def _port_error(settings: Settings, error: LinkError) -> CliError:
    from interledger.daemon.ports import find_listener, port_is_taken

    host, port = settings.bind
    if not port or not port_is_taken(host, port):
        return CliError(ExitCode.FAILED, str(error))
    found = find_listener(port)
    who = f" ({found.program}, pid {found.pid})" if found else ""
    return CliError(
        ExitCode.FAILED,
        f"Port {port} is taken by another program{who}.",
        f"Nothing was started. Use another port:  --http-bind-address {host}:{port + 1000}",
    )
