"""The whole tree of commands at once: every one has examples that parse, every answer has every form, whatever changes
something has a dry run, and no words of a user end in a traceback.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interledger.cli.commands import root
from interledger.cli.exit_codes import ExitCode
from interledger.cli.main import run
from interledger.cli.state import State
from interledger.cli.tree import LazyGroup
from tests.support.commands import COMMANDS

Ilp = Callable[..., Any]

# What a command does to the world. Whoever adds a command says it here.
READS: Final = {
    "account history": "bob", "node settings": "",
    "account list": "", "account show": "bob", "account token list": "bob", "balance": "", "config check": "",
    "config show": "", "context list": "", "context show": "", "decode": "0e06463032000000", "doctor": "",
    "dev status": "",
    "engine list": "", "events list": "", "explain": "F02", "help": "exit-codes", "ledger accounts": "",
    "ledger check": "", "ledger compare": "", "ledger profit": "", "ledger statement": "bob",
    "packet decode": "0e06463032000000", "packet list": "",
    "packet trace": "PACKET", "payment list": "", "peer check": "bob", "peer invites": "",
    "ping": "test.bob", "quote": "BOB '1 USD' --from alice", "rate list": "", "route list": "",
    "route explain": "test.bob --from alice", "settlement list": "", "settlement engines": "", "status": "",
    "top": "", "unknown list": "", "payment show": "PAYMENT", "unproven list": "", "token list": "", "webhook list": "",
}  # fmt: skip
"""And with what it is asked here."""

ELSEWHERE: Final = {
    "webhook deliveries": "needs a webhook: test_webhook", "webhook listen": "goes on: test_webhook",
    "completion": "a script", "demo": "runs a network of its own", "dev ca": "makes files",
    "dev certificate": "makes files", "dev break": "test_dev_break", "dev mend": "test_dev_break",
    "dev down": "stops what runs", "dev up": "runs", "engine incoming": "needs an engine",
    "engine payments": "needs an engine", "engine run": "runs", "engine xrp-sim": "runs",
    "events tail": "goes on: test_events", "ledger export": "formats of its own",
    "ledger reconcile": "asks a peer; what it proves is proved", "node dashboard": "opens a browser",
    "node run": "runs", "node install-service": "makes files", "node backup": "makes a file: test_backup",
    "node restore": "needs a backup: test_backup", "payment incoming": "goes on: test_incoming",
    "packet watch": "goes on: test_packet_watch",
    "settlement show": "needs a settlement",
    "unknown show": "needs an item",
}  # fmt: skip
"""What is neither asked here nor changes a node's state by the word of a person."""

CHANGES: Final = frozenset({
    "account create", "account delete", "account set", "account token add", "account token revoke", "context add",
    "context delete", "context use", "engine approve", "ledger correct", "node drain", "node log-level",
    "node resume", "node stop", "pay", "payment cancel", "peer accept",
    "peer add", "peer invite", "rate set", "route set", "settlement approve", "settlement create", "settlement engines",
    "settlement resume", "settlement retry", "settlement void", "unknown prove", "unknown resolve",
    "unproven add", "unproven resolve", "token create", "token revoke", "webhook create", "webhook delete",
    "webhook replay", "webhook test",
})  # fmt: skip


def test_every_command_is_listed_here() -> None:
    assert set(COMMANDS) == READS.keys() | ELSEWHERE.keys() | CHANGES
    assert not READS.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("path", sorted(CHANGES))
def test_what_changes_something_has_a_dry_run(path: str) -> None:
    options = {name for parameter in COMMANDS[path].params for name in parameter.opts}
    assert "--dry-run" in options


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_has_an_example_and_every_example_parses(path: str) -> None:
    text = COMMANDS[path].help or ""
    examples = re.findall(r"^ +(?:[a-z]+\$ )?(ilp .+)$", text, re.MULTILINE)
    assert any(example == f"ilp {path}" or example.startswith(f"ilp {path} ") for example in examples)
    for example in examples:
        words = shlex.split(re.split(r" [<>|&]", example)[0])[1:]
        command: click.Command = root
        context = click.Context(root, info_name="ilp", obj=State(environ={}))
        while isinstance(command, LazyGroup):
            _, command, words = command.resolve_command(context, words)  # type: ignore[assignment]  # raises where it is not
            context = click.Context(command, info_name=command.name, parent=context)
        command.make_context(command.name, words, parent=context.parent)


# ---------------------------------------------------------------------- forms


@pytest.fixture(scope="module")
def asked(place: Path) -> Callable[[str], list[str]]:
    """The words of a command that reads, with what there is in the network."""
    nodes = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]
    known: dict[str, str] = {"BOB": nodes["bob"]["wallet"]}

    def words(path: str) -> list[str]:
        return [*path.split(), *(known.get(word, word) for word in shlex.split(READS[path]))]

    return words


@pytest.fixture
def words(asked: Callable[[str], list[str]], ilp: Ilp, bob: str) -> Callable[[str], list[str]]:
    def with_payment(path: str) -> list[str]:
        found = asked(path)
        if "PAYMENT" in found:
            paid = (
                ilp("payment", "list", "-q").out.split()
                or ilp("pay", "--from", "alice", bob, "1 USD", "-q").out.split()
            )
            found[found.index("PAYMENT")] = paid[0]
        if "PACKET" in found:
            ilp("pay", "--from", "alice", bob, "1 USD")  # its first packets are too large
            found[found.index("PACKET")] = ilp("packet", "list", "-q", "--code", "F08").out.split()[0]
        return found

    return with_payment


@pytest.mark.parametrize("path", sorted(READS))
def test_every_answer_in_every_form(ilp: Ilp, words: Callable[[str], list[str]], path: str) -> None:
    said = words(path)
    table = ilp(*said)
    assert table.out.strip()
    assert table.code in (0, 7, 10), table.err
    assert max(map(ord, table.out)) > 0
    document = ilp(*said, "-o", "json").json
    items = document["items"] if set(document) == {"items", "next_cursor"} else [document]
    lines = ilp(*said, "-o", "ndjson").out.splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [sorted(item) for item in items]
    rows = ilp(*said, "-o", "tsv").out.split("\n")[:-1]
    assert len(rows) in (0, len(items) + 1)
    assert len({row.count("\t") for row in rows}) <= 1
    if items:
        first = next(iter(items[0]))
        assert list(json.loads(ilp(*said, "-o", "ndjson", "--fields", first).out.split("\n")[0])) == [first]
        wrong = ilp(*said, "--fields", f"{first},{first}x")
        assert (wrong.code, wrong.out) == (ExitCode.USAGE, "")
        assert wrong.err.splitlines()[-1].startswith(f"✗ There is no field “{first}x”. Did you mean  {first} ?")
    assert len(ilp(*said, "-q").out.splitlines()) == len(items)
    assert ilp(*said, "--exact").code == table.code


NO_REQUEST: Final = frozenset({
    "config check", "config show", "context list", "context show", "decode", "dev status", "engine list", "explain",
    "help", "packet decode",
})  # fmt: skip


@pytest.mark.parametrize("path", sorted(READS.keys() - NO_REQUEST))
def test_every_request_can_be_shown(ilp: Ilp, words: Callable[[str], list[str]], path: str) -> None:
    shown = ilp(*words(path), "--curl")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("curl -X ")
    assert len(shown.out.splitlines()) == 1


# ---------------------------------------------------------------------- mistakes

# Nothing here may start a network, run a node or wait for ever.
HARMLESS: Final = sorted(
    path for path in COMMANDS if path.split()[0] not in ("demo", "dev") and not path.startswith(("node ", "engine "))
)

_WORDS = st.one_of(
    st.sampled_from(["", "-", "--", "-o", "json", "--fields", "a.b", ",", "-q", "--exact", "bob", "10 USD", "$10", "-1",
                     "1e9", "0x", "../..", "pay_", "unk_1", "set_1", "test.bob", "http://[", "http://127.0.0.1:9",
                     "none",
                     "USD/9", "USD/999", "ilpeer1:", "ilpeer1:AAAA", "--yes", "--limit", "--from", "--asset", "--as",
                     "99999999999999999999999", "½", "\x1b[2J", "2026-13-45", "--since", "--reason"]),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(HARMLESS), more=st.lists(_WORDS, max_size=5))
def test_no_words_end_in_a_traceback(
    path: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a port where nobody answers: whatever is asked is a mistake or has no node."""
    import io

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code = run([*path.split(), *more, "--node", "http://127.0.0.1:9"], {"HOME": str(tmp_path)})
    captured = capsys.readouterr()
    assert code in set(ExitCode)
    assert "ilp itself has a fault" not in captured.err + captured.out
    assert "Traceback" not in captured.err
    if code not in (ExitCode.DONE, ExitCode.FAULT_FOUND) and captured.err:
        lines = captured.err.splitlines()
        assert any(line.startswith("✗ ") for line in lines)
        assert "\x1b" not in captured.err
