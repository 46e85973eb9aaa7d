"""Every verb of interledger-rs's `ilp-cli`, with all its options, as its users' scripts have them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Final

import click
import pytest

from interledger.cli.commands import root
from interledger.cli.main import run
from interledger.cli.state import State
from interledger.cli.tree import LazyGroup

Ilp = Callable[..., Any]

DETAILS: Final = (
    "--asset-code USD --asset-scale 9 --ilp-address test.hub.carol --max-packet-amount 1000 --min-balance -5000"
    " --ilp-over-http-url https://carol.test/ilp --ilp-over-http-incoming-token in --ilp-over-http-outgoing-token out"
    " --ilp-over-btp-url wss://carol.test/btp --ilp-over-btp-outgoing-token out --ilp-over-btp-incoming-token in"
    " --settle-threshold 1000 --settle-to 0 --routing-relation Peer --round-trip-time 500"
    " --amount-per-minute-limit 100000 --packets-per-minute-limit 60 --settlement-engine-url http://localhost:3000"
)
SETTINGS: Final = (
    "--ilp-over-http-url https://carol.test/ilp --ilp-over-http-incoming-token in --ilp-over-http-outgoing-token out"
    " --ilp-over-btp-url wss://carol.test/btp --ilp-over-btp-outgoing-token out --ilp-over-btp-incoming-token in"
    " --settle-threshold 1000 --settle-to 0"
)

VERBS: Final = {
    "accounts balance carol": "balance",
    "accounts create carol --auth token " + DETAILS: "account create",
    "accounts delete carol": "account delete",
    "accounts incoming-payments carol": "payment incoming",
    "accounts info carol": "account show",
    "accounts list": "account list",
    "accounts update carol " + DETAILS: "account set",
    "accounts update-settings carol " + SETTINGS: "account set",
    "logs debug": "node log-level",
    "pay alice --amount 500 --to '$bob.example'": "pay",
    "payments incoming": "payment incoming",
    "rates list": "rate list",
    "rates set-all --pair USD 1 --pair EUR 1.1": "rate set",
    "routes list": "route list",
    "routes set test.carol --destination carol": "route set",
    "routes set-all --pair test.carol carol --pair test.bob bob": "route set",
    "settlement-engines set-all --pair USD http://localhost:3000 --pair XRP http://xrp:3001": "settlement engines",
    "status": "status",
}
"""As ilp-cli has them -> the command here. `testnet setup` has none: its service is gone, and says so."""


@pytest.mark.parametrize("line", VERBS)
def test_every_verb_leads_to_a_command_that_takes_its_options(line: str) -> None:
    context = click.Context(root, info_name="ilp", obj=State(environ={}))
    command: click.Command = root
    words = shlex.split(line)
    while isinstance(command, LazyGroup):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        context = click.Context(command, info_name=command.name, parent=context)
    assert context.command_path.removeprefix("ilp ") == VERBS[line]
    command.make_context(command.name, words, parent=context.parent)


def test_what_is_gone_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    for ledger in ("xrp", "eth"):
        assert run(["testnet", "setup", ledger, "--return-testnet-credential"], {}) == 2
        assert "A network of your own:  ilp dev up" in capsys.readouterr().err


def test_a_script_of_theirs(ilp: Ilp, bob: str) -> None:
    """From an account to a payment and back; every line says its new spelling once, on stderr."""
    for line, spelled in (
        ("accounts create evan --asset-code USD --asset-scale 9 --max-packet-amount 5000000", "account create"),
        ("accounts info evan", "account show"),
        ("accounts update-settings evan --settle-threshold 1000 --settle-to 0", "account set"),
        ("accounts balance evan", "balance"),
        ("rates set-all --pair USD 1 --pair EUR 1.0854", "rate set"),
        ("rates list", "rate list"),
        ("routes set test.evan --destination evan", "route set"),
        ("routes list", "route list"),
        ("logs info", "node log-level"),
        ("accounts delete evan", "account delete"),
    ):
        ran = ilp(*line.split(), "--node", "hub")
        assert ran.code == 0, (line, ran.err)
        assert ran.err.splitlines()[0] == f"  This is spelled  ilp {spelled}  now.", line
    paid = ilp("pay", "alice", "--amount", "1000000", "--to", bob)
    assert (paid.code, "This is spelled" in paid.err) == (0, False)
