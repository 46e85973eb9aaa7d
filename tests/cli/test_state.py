"""Which node is asked, and how questions are asked of people."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from interledger.cli.console import Console
from interledger.cli.errors import CliError, as_cli_error, problem_document
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import DEFAULT_URL, State, Target
from interledger.errors import InterledgerError, InvalidRequestError, LinkError, NotFoundError, StoreError

NODES = {
    "alice": {"url": "http://localhost:1", "token": "ta", "account": "alice", "address": "test.alice"},
    "hub": {"url": "http://localhost:2", "token": "th", "account": None, "address": "test.hub"},
}
ALICE = Target("http://localhost:1", "ta", "alice", "alice")
HUB = Target("http://localhost:2", "th", "hub", None)


def state(tmp_path: Path, *, dev: bool = True, **options: object) -> State:
    if dev:
        (tmp_path / "dev.json").write_text(json.dumps({"nodes": NODES}))
    environ = options.pop("environ", {})
    return State(environ=environ, directory=tmp_path, **options)  # type: ignore[arg-type]  # by name


def test_in_a_development_network(tmp_path: Path) -> None:
    assert state(tmp_path).target() == HUB
    assert state(tmp_path).target("alice") == ALICE
    assert state(tmp_path).target("carol") == HUB
    assert state(tmp_path, node="alice").target("hub") == ALICE
    assert state(tmp_path, node="alice", auth="x").target().token == "x"
    assert state(tmp_path, node="http://localhost:1/").target() == Target("http://localhost:1", "ta")
    assert state(tmp_path, environ={"ILP_CLI_NODE_URL": "http://h", "ILP_CLI_API_AUTH": "y"}).target() == Target(
        "http://h", "y"
    )
    assert state(tmp_path).sending_targets() == [ALICE]
    assert state(tmp_path, node="hub").sending_targets() == [HUB]


def test_without_one(tmp_path: Path) -> None:
    assert state(tmp_path, dev=False).target() == Target(DEFAULT_URL)
    assert state(tmp_path, dev=False).target("alice") == Target(DEFAULT_URL)
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "node.json").write_text('{"url": "http://localhost:5"}')
    (tmp_path / "node" / "admin_token").write_text("t\n")
    assert state(tmp_path, dev=False).target() == Target("http://localhost:5", "t")
    assert state(tmp_path, dev=False, auth="z").target() == Target("http://localhost:5", "z")


def test_where_the_settings_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "admin_token").write_text("t")
    assert state(tmp_path, dev=False, environ={"ILP_DATA_DIR": "hub"}).target().token == "t"
    (tmp_path / "ilp.toml").write_text('data_dir = "hub"\n')
    assert state(tmp_path, dev=False).target().token == "t"
    (tmp_path / "ilp.toml").write_text("data_dir = \n")
    assert state(tmp_path, dev=False).target().token is None


@pytest.mark.parametrize("text", ["{", "[]"])
def test_files_that_are_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "dev.json").write_text(text)
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "admin_token").write_bytes(b"\xff")
    assert state(tmp_path, dev=False).target() == Target(DEFAULT_URL)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "goes_on"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_questions(tmp_path: Path, answer: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = state(tmp_path, _console=Console(io.StringIO(), io.StringIO()))
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    if goes_on:
        asked.confirm("Change it?", yes=False)
    else:
        with pytest.raises(CliError, match="Nothing was done") as caught:
            asked.confirm("Change it?", yes=False)
        assert caught.value.code is ExitCode.FAILED
    assert asked.console.err.getvalue() == "  Change it? [y/N] "  # type: ignore[attr-defined]  # a StringIO


class ApiProblemError(InterledgerError):
    def __init__(self, kind: str, **more: str) -> None:
        super().__init__("it says no")
        self.problem = {"type": f"https://interledger-py.dev/problems/{kind}", "status": 400} | more


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (NotFoundError("there is none"), 4, ("There is none",)),
        (InvalidRequestError("wrong"), 2, ("Wrong",)),
        (StoreError("broken"), 1, ("Broken",)),
        (
            LinkError("lost"),
            3,
            (
                "No node answers at http://x.",
                "Start one to try things:  ilp dev up      Use another:  ilp context use NAME",
            ),
        ),
        (ApiProblemError("not-found"), 4, ("It says no",)),
        (ApiProblemError("conflict"), 1, ("It says no",)),
        (
            ApiProblemError("forbidden"),
            6,
            (
                "It says no",
                "Use one that may:  ilp context use NAME      Make one:  ilp token create --may money",
            ),
        ),
        (ApiProblemError("unauthorized"), 6, ("It says no", "Give the right one:  --auth TOKEN  or  ILP_CLI_API_AUTH")),
        (ApiProblemError("invalid-request", suggestion="bob"), 2, ("It says no", "Did you mean  bob ?")),
        (ApiProblemError("payment-failed"), 7, ("It says no",)),
        (ApiProblemError("new-kind"), 1, ("It says no",)),
    ],
)
def test_errors_become_exit_codes(error: InterledgerError, code: int, lines: tuple[str, ...]) -> None:
    found = as_cli_error(error, "http://x")
    assert (found.code, found.lines) == (code, lines)
    assert problem_document(found)["exit_code"] == code
