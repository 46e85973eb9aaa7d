"""`ilp engine xrp-sim`: a simulated XRP Ledger on this machine, to try the engine `xrp` with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.errors import SettingsError

if TYPE_CHECKING:
    from interledger.settlement.engines.xrp.sim import XrpSimulator

__all__ = ["run_simulator"]

_FUND: Final = re.compile(r"(r[1-9A-HJ-NP-Za-km-z]{24,34})=([1-9][0-9]{0,10})")


@command("xrp-sim")
@click.option("--port", type=click.IntRange(0, 65_535), default=6006, show_default=True, help="Where it listens.")
@click.option("--close-ms", type=click.IntRange(10), default=4_000, show_default=True, help="Between two ledgers.")
@click.option("--fund", "funds", metavar="ADDRESS=XRP", multiple=True, help="An account that has XRP; may be repeated.")
@click.pass_obj
def run_simulator(state: State, port: int, close_ms: int, funds: tuple[str, ...]) -> None:
    """Run a SIMULATOR of the XRP Ledger on this machine, until Ctrl-C. It is no ledger: nothing on it has any worth.

    \b
      ilp engine xrp-sim --fund rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh=1000
      ilp engine run xrp --set server=ws://127.0.0.1:6006 --set key_file=xrp.key

    It knows payments of XRP and payment channels, with the ledger's rules, and forgets everything when it stops.
    """
    from interledger.daemon.xrp_sim import serve_simulator

    given = {}
    for text in funds:
        match = _FUND.fullmatch(text)
        if match is None:
            raise SettingsError(f"--fund {text}: write  ADDRESS=XRP, such as rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh=1000")
        given[match[1]] = int(match[2]) * 1_000_000

    def say_ready(simulator: XrpSimulator) -> None:
        if state.form in ("json", "ndjson"):
            state.emit({"ready": True, "simulator": "xrp-sim", "url": simulator.url}, list)
        else:
            state.console.print(f"Simulated XRP Ledger (no real one) at {simulator.url}. Ctrl-C stops it.")
        state.console.out.flush()

    serve_simulator(port, close_ms, given, say_ready)
