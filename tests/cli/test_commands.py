"""Every command of the tree, in one table: what a dry run says and leaves alone, and how a mistake ends."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import pytest

from interledger.api.client import ApiClient, ApiError
from interledger.cli.state import State
from tests.support.commands import COMMANDS

Ilp = Callable[..., Any]

CONDITION: Final = "ab" * 32

NUMBERS: Final = itertools.count()

DRY_RUNS: Final = {
    "account create": "dora --asset USD/9 --owes-us-max 5 --http-incoming-token s3cret-token",
    "account delete": "bob",
    "account set": "bob --owes-us-max '1 EUR'",
    "account token add": "bob",
    "account token revoke": "bob http_incoming_token",
    "context add": "ops http://127.0.0.1:9 --use",
    "context delete": "kept",
    "context use": "kept",
    "ledger correct": "peer/bob correction/EUR/9 1.25 EUR/9 --reason 'ticket 81'",
    "ledger reconcile": "alice",
    "node backup": "",
    "node drain": "",
    "node log-level": "debug",
    "node resume": "",
    "node stop": "",
    "pay": "BOB '1 USD' --from alice",
    "peer accept": "INVITATION",
    "peer add": "http://127.0.0.1:9 --asset USD/2",
    "peer invite": "--asset USD/9 --name carol",
    "rate set": "DORA 2",
    "route set": "test.dora bob",
    "settlement create": "bob 1",
    "settlement engines": "EUR http://127.0.0.1:3000",
    "settlement retry": "set_1",
    "token create": "grafana --may read",
    "token revoke": "TOKEN",
    "unknown prove": f"unk_1 {CONDITION}",
    "webhook create": "http://127.0.0.1:9/hook --event payment",
    "webhook delete": "WEBHOOK",
    "webhook replay": "WEBHOOK dlv_1",
    "webhook test": "WEBHOOK",
}
"""Commands that change something, with words that would."""

NEED_AN_ITEM: Final = {
    "payment cancel": "pay_ZZZZ",
    "settlement approve": "set_1 --reason x", "settlement void": "set_1 --reason x", "settlement resume": "--reason x",
    "unknown resolve": "unk_1 --as delivered --reason x", "unproven add": f"bob {CONDITION} --reason x",
    "unproven resolve": "unc_1 owed --reason x",
}  # fmt: skip
"""About what is not there: refused before anything is done."""

ELSEWHERE: Final = {
    "engine approve": "tests/daemon/test_engine.py", "node restore": "tests/cli/test_backup.py",
    "node install-service": "tests/cli/test_service.py",
}  # fmt: skip


WITH_DRY_RUN: Final = {
    path for path, found in COMMANDS.items() if any("--dry-run" in parameter.opts for parameter in found.params)
}


def test_every_dry_run_is_tried() -> None:
    assert set(WITH_DRY_RUN) == DRY_RUNS.keys() | NEED_AN_ITEM.keys() | ELSEWHERE.keys()


# ---------------------------------------------------------------------- dry runs

VOLATILE: Final = {
    "as_of",
    "at",
    "age_ms",
    "since",
    "used_at",
    "seen_at",
    "next_at",
    "moment",
    "uptime_ms",
    "updated_at",
}
"""What moves by itself."""


def settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: settled(inner) for key, inner in value.items() if key not in VOLATILE}
    return [settled(one) for one in value if not moves_by_itself(one)] if isinstance(value, list) else value


def moves_by_itself(one: Any) -> bool:
    """A route that a peer told; a line of the chart with nothing on it, there since somebody asked for a price."""
    if not isinstance(one, dict):
        return False
    is_empty = "debits_posted" in one and {v for k, v in one.items() if "its_" in k} == {"0"}
    return is_empty or one.get("origin") == "learned"


ASKED: Final = (
    "/api/accounts", "/api/routes", "/api/rates", "/api/tokens", "/api/webhooks", "/api/peers/invites", "/api/payments",
    "/api/unknown", "/api/unproven", "/api/settlements", "/api/settings", "/api/ledger/accounts",
    "/api/settlement/engines", "/api/accounts/bob/tokens",
)  # fmt: skip


async def ask_all(api: ApiClient) -> dict[str, Any]:
    """Path -> what is there; a refusal is one before and after."""
    found: dict[str, Any] = {}
    for path in ASKED:
        try:
            found[path] = await api.call("GET", path)
        except ApiError as error:
            found[path] = str(error)
    return found


@pytest.fixture
def snapshot(ilp: Ilp, place: Path, tmp_path: Path) -> Callable[[], Any]:
    """All that the three nodes have and this directory holds."""

    def take() -> Any:
        state = State(environ={})
        found: dict[str, Any] = {}
        for name in ("alice", "hub", "bob"):
            answers = state.call(ask_all, state.target(name))
            found |= {f"{name} {path}": settled(answer) for path, answer in answers.items()}
        files = sorted(str(path) for path in [*place.rglob("*.toml"), *place.rglob("*.db"), *place.rglob("books-*")])
        contexts = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        return found, files, contexts

    return take


def differences(before: Any, after: Any) -> list[str]:
    """What is not as it was, by name."""
    changed = [f"{key}: {before[0][key]} -> {after[0][key]}" for key in before[0] if before[0][key] != after[0][key]]
    return changed + [str(pair) for pair in zip(before[1:], after[1:], strict=True) if pair[0] != pair[1]]


@pytest.fixture
def filled_in(ilp: Ilp, bob: str, tmp_path: Path) -> Callable[[str], list[str]]:
    """The words, with what there is in place of the capitals."""
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    ilp("context", "add", "kept", "http://127.0.0.1:9", **home)

    def made(word: str) -> str:
        if word == "BOB":
            return bob
        if word == "INVITATION":
            return str(ilp("peer", "invite", "--asset", "USD/9", "-q", "--node", "bob").out.strip())
        if word == "TOKEN":
            return str(ilp("token", "create", f"t{next(NUMBERS)}", "--may", "read", "-q").out.strip())
        if word == "WEBHOOK":
            return str(ilp("webhook", "create", "http://127.0.0.1:9/hook", "-q").out.strip())
        return word

    return lambda text: [made(word) for word in shlex.split(text)]


@pytest.mark.parametrize("path", sorted(DRY_RUNS))
def test_a_dry_run_says_what_it_would_do_and_changes_nothing(
    ilp: Ilp, snapshot: Any, filled_in: Any, tmp_path: Path, path: str
) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    words = [*path.split(), *filled_in(DRY_RUNS[path]), "--dry-run"]
    before = snapshot()
    table = ilp(*words, **home)
    assert table.code == 0, table.err
    assert "✗" not in table.err
    said = [line for line in table.out.splitlines() if line.strip()]
    assert said[0].startswith("  Would "), said
    assert said[-1] in ("  Nothing was changed.", "  Nothing was sent.", "  Nothing was done yet."), said
    assert "s3cret" not in table.out + table.err
    answer = ilp(*words, "-o", "ndjson", **home)
    assert (answer.code, answer.err, len(answer.out.splitlines())) == (0, "", 1), answer
    assert answer.json.get("dry_run") is True, answer.out
    assert differences(before, snapshot()) == []


@pytest.mark.parametrize("path", sorted(NEED_AN_ITEM))
def test_a_dry_run_about_what_is_not_there(ilp: Ilp, snapshot: Any, path: str) -> None:
    before = snapshot()
    answer = ilp(*path.split(), *shlex.split(NEED_AN_ITEM[path]), "--dry-run")
    assert answer.code in (1, 4), answer
    assert answer.err.count("✗ ") == 1
    assert differences(before, snapshot()) == []


# ---------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_an_option_that_does_not_exist(ilp: Ilp, path: str) -> None:
    answer = ilp(*path.split(), "--no-such-option")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("✗ There is no option “--no-such-option”.")
    assert answer.err.splitlines()[-1] in (answer.err.splitlines()[0], f"  See  ilp {path} --help")


REQUIRED: Final = sorted(
    path
    for path, found in COMMANDS.items()
    if any(parameter.required and isinstance(parameter, click.Argument) for parameter in found.params)
)


@pytest.mark.parametrize("path", REQUIRED)
def test_a_word_that_is_missing(ilp: Ilp, path: str) -> None:
    answer = ilp(*path.split())
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("✗ ")
    assert "is missing" in answer.err.splitlines()[0]


NOBODY: Final = {
    "account show": "nobody", "account history": "nobody", "payment cancel": "zzzz",
    "account set": "nobody --owes-us-max 5", "account delete": "nobody --yes",
    "account token list": "nobody", "account token add": "nobody", "account token revoke": "bob nothing --yes",
    "balance": "nobody", "context show": "nobody", "context use": "nobody", "context delete": "nobody",
    "ledger statement": "nobody", "ledger reconcile": "nobody", "packet trace": "ffffffff", "payment show": "zzzz",
    "peer check": "nobody", "settlement show": "set_ZZ", "settlement retry": "set_ZZ", "settlement create": "nobody 1",
    "settlement void": "set_ZZ --reason x --yes", "settlement approve": "set_ZZ --reason x --yes",
    "token revoke": "nothing --yes", "unknown show": "unk_999", "unknown prove": f"unk_999 {CONDITION}",
    "unknown resolve": "unk_999 --as delivered --reason x --yes", "unproven resolve": "unc_999 owed --reason x --yes",
    "unproven add": f"nobody {CONDITION} --reason x --yes", "webhook deliveries": "whk_none",
    "webhook delete": "whk_none --yes",
    "webhook replay": "whk_none dlv_none", "webhook test": "whk_none", "route set": "test.x nobody",
}  # fmt: skip
"""Names that lead nowhere: exit 4."""


@pytest.mark.parametrize("path", sorted(NOBODY))
def test_what_is_not_there_is_4_and_one_sentence(ilp: Ilp, path: str) -> None:
    words = [*path.split(), *shlex.split(NOBODY[path])]
    answer = ilp(*words)
    assert (answer.code, answer.out) == (4, ""), answer
    errors = [line for line in answer.err.splitlines() if line.startswith("✗ ")]
    assert len(errors) == 1, answer.err
    problem = json.loads(ilp(*words, "-o", "ndjson").out)
    assert (problem["exit_code"], problem["type"].rpartition("/")[2]) == (4, "not-found")


ASKS_NO_NODE: Final = {
    "completion", "config check", "config show", "context add", "context delete", "context list", "context show",
    "context use", "decode", "demo", "dev break", "dev ca", "dev certificate", "dev down", "dev mend", "dev status",
    "dev up", "engine approve", "engine incoming", "engine list", "engine payments", "engine run", "engine xrp-sim",
    "explain", "help", "node install-service", "node restore", "node run", "packet decode", "peer accept",
}  # fmt: skip

LESS_TO_SAY: Final = {
    "account history": "bob", "account list": "", "account show": "bob", "account token list": "bob",
    "node settings": "", "balance": "", "doctor": "",
    "events list": "", "events tail": "", "ledger accounts": "", "ledger check": "", "ledger compare": "",
    "ledger export": "", "ledger profit": "", "ledger statement": "bob", "node dashboard": "", "packet list": "",
    "packet trace": "ffff", "packet watch": "", "payment incoming": "", "payment list": "", "payment show": "x",
    "peer check": "bob", "peer invites": "", "ping": "test.bob", "quote": "BOB '1 USD' --from alice", "rate list": "",
    "route explain": "test.bob", "route list": "", "settlement engines": "", "settlement list": "",
    "settlement show": "set_1", "status": "", "token list": "", "top": "", "unknown list": "", "unknown show": "unk_1",
    "unproven list": "", "webhook deliveries": "whk_1", "webhook list": "", "webhook listen": "",
}  # fmt: skip

ASKING: Final = {
    path: words for path, words in {**NEED_AN_ITEM, **DRY_RUNS, **LESS_TO_SAY}.items() if path not in ASKS_NO_NODE
}


def test_every_command_asks_a_node_or_says_that_it_does_not() -> None:
    assert set(COMMANDS) == ASKING.keys() | ASKS_NO_NODE


@pytest.mark.parametrize("path", sorted(ASKING))
def test_where_no_node_answers_it_is_3(ilp: Ilp, path: str) -> None:
    words = [word.replace("BOB", "$127.0.0.1:9/bob") for word in shlex.split(ASKING[path])]
    yes = ("--yes",) if any("--yes" in parameter.opts for parameter in COMMANDS[path].params) else ()
    answer = ilp(*path.split(), *words, *yes, "--node", "http://127.0.0.1:9")
    assert answer.code == 3, answer
    errors = [line for line in answer.err.splitlines() if line.startswith("✗ ")]
    assert errors == ["✗ No node answers at http://127.0.0.1:9."]


READ_ONLY: Final = sorted(path for path in DRY_RUNS if path in ASKING and path not in ("pay", "account delete"))


@pytest.mark.parametrize("path", READ_ONLY)
def test_a_token_that_may_only_read_changes_nothing_and_is_6(
    ilp: Ilp, place: Path, path: str, filled_in: Any, snapshot: Any
) -> None:
    made = ilp("token", "create", f"reader{next(NUMBERS)}", "--may", "read", "-o", "json").json
    words = filled_in(DRY_RUNS[path])
    before = snapshot()
    yes = ("--yes",) if any("--yes" in parameter.opts for parameter in COMMANDS[path].params) else ()
    answer = ilp(*path.split(), *words, *yes, "--auth", made["token"])
    assert answer.code == 6, answer
    assert answer.err.count("✗ ") == 1
    assert differences(before, snapshot()) == []
