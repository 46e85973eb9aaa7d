"""A run from its words to its exit code, without a node: help, mistakes, forms of errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interledger.api.problems import PROBLEM_TYPES
from interledger.cli import main as main_module
from interledger.cli.commands import root
from interledger.cli.exit_codes import ExitCode
from interledger.cli.explain_more import EXITS, PROBLEMS
from interledger.cli.main import run
from interledger.cli.tree import Entry, LazyGroup
from interledger.errors import StoreError
from interledger.ilp.error_codes import ERROR_CODES


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def entries(group: LazyGroup, path: str = "ilp") -> list[str]:
    found = []
    for name, entry in group.entries.items():
        found += entries(entry, f"{path} {name}") if isinstance(entry, LazyGroup) else [f"{path} {name}"]
    return found


@pytest.mark.parametrize("path", entries(root))
def test_every_command_has_help(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path.split()[1:], "--help"], {}) == ExitCode.DONE
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: {path} ")
    assert "Options of every command (-o, --node, ...):  ilp --help" in out


def test_every_summary_is_one_line_without_a_full_stop() -> None:
    def check(group: LazyGroup) -> None:
        for entry in group.entries.values():
            if isinstance(entry, LazyGroup):
                check(entry)
            elif isinstance(entry, Entry):
                assert not entry.summary.endswith(".")
                assert len(entry.summary) <= 70

    check(root)


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (["acount", "list"], 2, "✗ There is no “acount”. Did you mean  ilp account list ?\n"),
        (["acount", "lst"], 2, "✗ There is no “acount”. Did you mean  ilp account list ?\n"),
        (["acount", "zzzz"], 2, "✗ There is no “acount”. Did you mean  ilp account ?\n"),
        (["account", "lsit"], 2, "✗ There is no “lsit”. Did you mean  ilp account list ?\n"),
        (["zzzz"], 2, "✗ There is no “zzzz”. All commands:  ilp --help\n"),
        (["pay", "--form", "x"], 2, "✗ There is no option “--form”. Did you mean  --from ?\n  See  ilp pay --help\n"),
        (["account", "show"], 2, "✗ ACCOUNT is missing.\n  See  ilp account show --help\n"),
        (["-o", "xml", "status"], 2, "✗ Invalid value for '-o' / '--output': 'xml' is not one of"),
        (
            ["explain", "f2"],
            2,
            "✗ “f2” is not an error code. Codes look like F02, T04, R00. List:  ilp explain --list\n",
        ),
        (["help", "acount"], 2, "✗ There is no help on “acount”. Did you mean  ilp help account ?\n"),
        (["help", "account", "zzzz"], 2, "✗ There is no help on “account zzzz”. All:  ilp help\n"),
        (["help", "pay", "x"], 2, "✗ There is no help on “pay x”. All:  ilp help\n"),
        (
            ["status", "--node", "alice"],
            4,
            "✗ There is no node “alice”.\n  Give its URL:  --node http://localhost:7770\n",
        ),
        (["dev", "status"], 3, "✗ No network runs here.\n  Start one:  ilp dev up\n"),
        (["dev", "up", "--topology", "ring:3"], 2, "✗ “ring:3” is not a shape."),
        (["decode", "0g"], 2, "✗ “g”, character 2, is not a hexadecimal digit.\n"),
        (["demo", "--amount", "10 EUR"], 2, "✗ The first holder keeps USD, not EUR."),
    ],
)
def test_mistakes(words: list[str], code: int, err: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words, {}) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(err)
    assert captured.out == ""


def test_errors_in_json_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--node", "http://127.0.0.1:9", "-o", "json"], {}) == ExitCode.NO_NODE
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == {
        "type": "https://interledger-py.dev/problems/no-node",
        "title": "No node answers at http://127.0.0.1:9.",
        "exit_code": 3,
        "detail": "Start one to try things:  ilp dev up      Use another:  ilp context use NAME",
    }
    run(["zzzz", "--json"], {})
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_options_of_every_command_stand_before_or_behind(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--json", "explain", "F02"], {})
    before = capsys.readouterr().out
    run(["explain", "F02", "--json"], {})
    assert capsys.readouterr().out == before
    run(["explain", "-o", "json", "F02"], {})
    assert capsys.readouterr().out == before
    assert json.loads(before)["name"] == "Unreachable"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"], {}) == 0
    whole = capsys.readouterr().out
    assert run(["--help"], {}) == 0
    assert capsys.readouterr().out == whole
    assert run(["help", "account", "list"], {}) == 0
    assert capsys.readouterr().out.startswith("Usage: ilp account list ")
    assert run(["help", "exit-codes"], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "CODE  MEANING"
    assert len(lines) == len(ExitCode) + 1
    assert run(["help", "settings"], {}) == 0
    assert "exchange_rate.spread   --exchange-rate-spread SHARE" in capsys.readouterr().out


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--list"], {}) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines() if line[:3] == "  F"] == sorted(
        code for code in ERROR_CODES if code[0] == "F"
    )
    for code in ("f02", "T04", "R00", "F99"):
        assert run(["explain", code], {}) == 0
        out = capsys.readouterr().out
        assert out.startswith(code.upper())
        assert max(map(len, out.splitlines())) <= 96


def test_explain_knows_all_codes_problems_and_exits(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROBLEM_TYPES.keys() == PROBLEMS.keys()
    assert set(EXITS) == set(ExitCode)
    for code in (*ERROR_CODES, *PROBLEM_TYPES, *(str(int(code)) for code in ExitCode)):
        assert run(["explain", code], {}) == 0
        out = capsys.readouterr().out
        assert "Source" in out
        assert max(map(len, out.splitlines())) <= 96
    assert run(["explain", "https://interledger-py.dev/problems/not-ready"], {}) == 0
    assert capsys.readouterr().out.startswith("not-ready  The node is not ready\n  HTTP status 503.\n")
    assert run(["explain", "5"], {}) == 0
    assert capsys.readouterr().out.startswith("exit code 5\n  Refused by one of your own limits.\n")
    assert run(["explain", "f2"], {}) == 2
    assert "“f2” is not an error code. Codes look like F02, T04, R00." in capsys.readouterr().err


def test_a_fault_of_ours_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("inside")

    monkeypatch.setattr("interledger.cli.explain.explain_lines", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["explain", "F02"], {}) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert err.startswith("✗ ilp itself has a fault here: ValueError.")
    assert "Traceback" not in err
    assert run(["explain", "F02", "--debug"], {}) == ExitCode.FAILED
    place = capsys.readouterr().err.splitlines()[-1].partition("--debug:  ")[2]
    assert "ValueError: inside" in Path(place).read_text()


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (StoreError("the disk is gone"), 1), (BrokenPipeError(), 0)],
)
def test_other_ends(error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(main_module.root, "main", raises)
    if isinstance(error, BrokenPipeError):
        monkeypatch.setattr("os.dup2", lambda *_: None)
        monkeypatch.setattr("sys.stdout", SimpleNamespace(fileno=lambda: 1, flush=lambda: None))
        monkeypatch.setattr("os.open", lambda *_: 0)
    assert run(["x"], {}) == code


def test_the_console_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["ilp", "explain", "F02", "-q"])
    with pytest.raises(SystemExit) as caught:
        main_module.main()
    assert caught.value.code == 0


def test_help_loads_no_command_no_server_and_no_event_loop() -> None:
    code = (
        "import sys; from interledger.cli.main import run; run(['--help'], {});"
        "bad = {'asyncio', 'starlette', 'cryptography', 'sqlite3', 'interledger.node'} & set(sys.modules);"
        "sys.exit(f'loaded: {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
