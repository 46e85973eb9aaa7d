"""`ilp engine xrp-sim`: a simulated XRP Ledger on this machine, to try the engine `xrp` with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.settlement.engines.xrp.sim import XrpSimulator

__all__ = ["run_simulator"]

DROPS: Final = 1_000_000


@command("xrp-sim")
@click.option("--port", type=click.IntRange(0, 65_535), default=6006, show_default=True, help="Where it listens.")
@click.option("--close-ms", type=click.IntRange(10), default=4_000, show_default=True, help="Between two ledgers.")
@click.option(
    "--faucet", type=click.IntRange(0, 1_000_000), default=1_000, show_default=True,
    help="XRP that every account begins with which somebody asks for.",
)  # fmt: skip
@click.pass_obj
def run_simulator(state: State, port: int, close_ms: int, faucet: int) -> None:
    """Run a SIMULATOR of the XRP Ledger on this machine, until Ctrl-C. It is no ledger: nothing on it has any worth.

    \b
      ilp engine xrp-sim
      ilp engine run xrp --set server=ws://127.0.0.1:6006 --set key_file=xrp.key

    It knows payments of XRP and payment channels, with the ledger's rules, and forgets everything when it stops.
    """
    from interledger.daemon.xrp_sim import serve_simulator

    try:
        from interledger.settlement.engines.xrp.sim import XrpSimulator
    except ImportError as error:
        raise CliError(
            ExitCode.USAGE, f"The simulator cannot be loaded: {error}", "pip install 'interledger-py[xrp]'"
        ) from None

    def say_ready(simulator: XrpSimulator) -> None:
        if state.form in ("json", "ndjson"):
            state.emit({"ready": True, "simulator": "xrp-sim", "url": simulator.url}, list)
        else:
            state.console.print(f"Simulated XRP Ledger (no real one) at {simulator.url}. Ctrl-C stops it.")
        state.console.out.flush()

    serve_simulator(XrpSimulator(port, close_ms=close_ms, faucet=faucet * DROPS), say_ready)
