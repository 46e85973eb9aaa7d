"""Contexts: a file that only its user can read, which node is asked, and what is never shown."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interledger.cli.errors import CliError
from interledger.cli.main import run
from interledger.cli.targets import Said, Target, find_target

Ilp = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def context(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run_context(*args: str, **environ: str) -> tuple[int, str, str]:
        code = run(["context", *args], {"HOME": str(home), **environ})
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_context


def asked(home: Path, node: str | None = None, auth: str | None = None) -> Target:
    return find_target(Said({"HOME": str(home)}, home / ".ilp", node, auth))


def file_of(home: Path) -> Path:
    return home / ".config" / "ilp" / "contexts.json"


def test_a_context_from_adding_to_deleting(home: Path, context: Any) -> None:
    (home / "ops.token").write_text("s3cret\n")
    assert context("list")[1].splitlines()[1].split()[:3] == ["local", "✓", "now"]
    code, out, _ = context("add", "ops", "https://hub.example/", "--token-file", "ops.token")
    assert (code, out) == (0, "✓ Added ops.   Use it:  ilp context use ops\n")
    assert stat.S_IMODE(file_of(home).stat().st_mode) == 0o600
    assert asked(home) == Target("http://localhost:7770")
    assert context("use", "ops")[1] == "✓ From now on ilp asks ops   https://hub.example\n"
    assert asked(home) == Target("https://hub.example", "s3cret")
    assert asked(home, "local") == Target("http://localhost:7770")
    assert asked(home, auth="x").token == "x"
    rows = context("list")[1].splitlines()
    assert rows[2].split()[:4] == ["ops", "✓", "now", "https://hub.example"]
    assert context("delete", "ops")[1] == "✓ Forgot ops.\n"
    assert json.loads(file_of(home).read_text()) == {"current": "local", "contexts": {}}


def test_the_token_is_kept_when_it_is_given_and_never_shown(home: Path, context: Any, monkeypatch: Any) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))
    assert context("add", "ops", "http://127.0.0.1:9", "--token-file", "-", "--account", "shop", "--use")[0] == 0
    assert asked(home) == Target("http://127.0.0.1:9", "s3cret", account="shop")
    shown = context("show")
    assert shown[0] == 0
    assert "Token     kept here" in shown[1]
    assert "Answers   ✗ No node answers at http://127.0.0.1:9." in shown[1]
    everything = "".join(context(*words)[1] for words in (("show", "-o", "json"), ("list", "-o", "json"), ("list",)))
    assert "s3cret" not in everything + shown[1]


def test_the_node_of_a_data_directory_needs_no_token(home: Path, context: Any) -> None:
    place = home / "hub"
    place.mkdir()
    (place / "node.json").write_text('{"url": "http://localhost:5"}')
    (place / "admin_token").write_text("t")
    context("add", "hub", "--data-dir", "hub", "--use")
    assert asked(home) == Target("http://localhost:5", "t")
    # Who names the same URL gets the same token: it is the same node.
    assert asked(home, "http://localhost:5/") == Target("http://localhost:5", "t")
    assert asked(home, "http://localhost:6") == Target("http://localhost:6")
    (place / "admin_token").unlink()
    assert asked(home).token is None


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (("add", "ops"), 2, "✗ URL is missing: where is the node?\n  Write  ilp context add NAME URL\n"),
        (("add", "ops", "hub.example"), 2, "✗ “hub.example” is not the URL of a node.\n  Write  https://hub.example\n"),
        (("add", "ops", "http://[::1"), 2, "✗ “http://[::1” is not the URL of a node."),
        (("add", "ops", "http://h:port"), 2, "✗ “http://h:port” is not the URL of a node."),
        (("add", "local", "http://h"), 2, "✗ “local” cannot be the name of a context."),
        (("add", "a b", "http://h"), 2, "✗ “a b” cannot be the name of a context."),
        (("add", "ops", "http://h", "--token-file", "no"), 4, "✗ There is no file no.\n"),
        (("add", "ops", "--data-dir", "no"), 4, "✗ There is no directory no.\n"),
        (("use", "lcal"), 4, "✗ There is no context “lcal”. Did you mean  local ?\n"),
        (("use", "zzzz"), 4, "✗ There is no context “zzzz”. All:  ilp context list\n"),
        (("delete", "zzzz"), 4, "✗ There is no context “zzzz”. All:  ilp context list\n"),
    ],
)
def test_mistakes(context: Any, words: tuple[str, ...], code: int, err: str) -> None:
    found, out, said = context(*words)
    assert (found, out) == (code, "")
    assert said.startswith(err)


def test_dry_runs_change_nothing(home: Path, context: Any) -> None:
    assert context("add", "ops", "http://h", "--dry-run")[1] == "  Would add context ops.\n  Nothing was changed.\n"
    assert not file_of(home).exists()
    context("add", "ops", "http://h")
    before = file_of(home).read_text()
    assert context("use", "ops", "--dry-run")[1] == "  Would ask ops   http://h.\n  Nothing was changed.\n"
    assert context("delete", "ops", "--dry-run")[1] == "  Would forget context ops.\n  Nothing was changed.\n"
    assert file_of(home).read_text() == before


def test_a_file_that_others_can_read_is_refused(home: Path, context: Any) -> None:
    context("add", "ops", "http://h")
    file_of(home).chmod(0o644)
    code, _, err = context("list")
    assert code == 2
    assert "others on this machine can read it.\n  Do  chmod 600 " in err
    # Who says where and who needs no contexts.
    assert asked(home, "http://h", "t") == Target("http://h", "t")


@pytest.mark.parametrize("text", ["{", "[]", '{"current": 1, "contexts": {}}', '{"current": "", "contexts": {"a": 1}}'])
def test_a_file_that_is_damaged(home: Path, context: Any, text: str) -> None:
    context("add", "ops", "http://h")
    file_of(home).write_text(text)
    code, _, err = context("list")
    assert (code, "cannot be read" in err) == (2, True)
    with pytest.raises(CliError):
        asked(home)


def test_without_a_home_there_are_none(context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert context("list", HOME="")[0] == 0
    assert context("add", "ops", "http://h", HOME="")[2].startswith("✗ There is no place for contexts")
    assert context("add", "ops", "http://h", XDG_CONFIG_HOME="/proc/nowhere")[0] == 1


def test_who_we_are(ilp: Ilp, place: Path, tmp_path: Path) -> None:
    url = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["hub"]["url"]
    token = json.loads((place / ".ilp" / "dev.json").read_text())["nodes"]["hub"]["token"]
    home = {"HOME": str(tmp_path)}
    assert ilp("context", "add", "ops", url, "--auth", token, "--use", **home).code == 0
    assert "Answers   ✓ as the operator" in ilp("context", "show", **home).out
    assert ilp("status", "-q", **home).out == "test.hub\n"
    assert ilp("status", "--node", "ops", "-q", **home).out == "test.hub\n"
    assert ilp("status", "--node", "alice", "-q", **home).out == "test.alice\n"
    assert ilp("status", "--node", "opps", **home).err == "✗ There is no node “opps”.\n  Did you mean  ops ?\n"
    assert ilp("payment", "list", **home).code == 0
