"""Every fenced block of the documents is run, or says why not.

Each page has a network of its own (alice, hub, bob) that its commands talk to; `ilp` means the hub unless it says
otherwise. Commands have to end as the page says (`exit 2` as the last line; else 0); what they print is compared where
the block is marked `<!-- run -->` (`test_tutorial.py`). `toml` is checked as settings, `json` and `yaml` are read,
`http` is asked of the node, `python` is executed after what `PRELUDES` has for it.

`<!-- until "text" -->` before a block: the command stays, and is stopped when it has said so.
`<!-- not run: why -->` before a block: it is not. The reason is printed by  pytest -rs tests/docs.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from interledger.cli.main import run
from interledger.node.settings_load import read_settings
from tests.cli.conftest import NetworkThread
from tests.docs.test_tutorial import run as run_program
from tests.support.documents import LIMIT_S, OTHERS, Background, Fence, fences
from tools.source import ROOT

PRELUDES = ROOT / "tests" / "docs" / "preludes"

PAGES: Final = sorted((ROOT / "docs").rglob("*.md")) + [ROOT / name for name in OTHERS]
BLOCKS: Final = {page: list(fences(page)) for page in PAGES}

MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")

EXTRAS: Final = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
)

ELSEWHERE: Final = {
    "docs/reference/cli.md": "made from the commands' own help; tests/cli/test_tree.py parses each example",
    "docs/tutorial/first-payment.md": "test_tutorial.py follows it, and compares what is printed",
    "docs/howto/settle-on-your-machine.md": "test_tutorial.py follows it, and compares what is printed",
    "docs/howto/use-the-api.md": "test_use_the_api.py runs each program, and mypy reads them",
    "docs/howto/test-a-program.md": "tests/testing/test_plugin.py runs it with a pytest of its own",
}
"""Pages whose blocks another test runs."""


def why_not(block: Fence) -> str | None:
    """Why a block is not run here; None: it is."""
    if block.page in ELSEWHERE:
        return ELSEWHERE[block.page]
    if block.mark.startswith("not run: "):
        return block.mark.removeprefix("not run: ")
    if block.kind == "text":
        return "a drawing or a form, nothing to run"
    return None


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


RUN: Final = [page for page in PAGES if any(why_not(block) is None for block in BLOCKS[page])]
NOT_RUN: Final = [
    (block, why)
    for page in PAGES
    for number, block in enumerate(BLOCKS[page])
    if (why := why_not(block)) is not None and (not number or block.page not in ELSEWHERE)
]


@pytest.mark.parametrize(("block", "why"), NOT_RUN, ids=[block.name for block, _ in NOT_RUN])
def test_a_block_that_is_not_run_says_why(block: Fence, why: str) -> None:
    assert len(why) > 10
    pytest.skip(why)


def test_no_block_is_overlooked() -> None:
    for page in PAGES:
        opened = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(opened) == 2 * len(BLOCKS[page]), page


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_a_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in BLOCKS[page] if why_not(block) is None]
    if all(block.kind in {"json", "yaml", "toml"} for block in blocks):
        check_all(blocks, Place(tmp_path, {}, capsys))
        return
    with NetworkThread(tmp_path / ".ilp", durability="process"):
        nodes = json.loads((tmp_path / ".ilp" / "dev.json").read_text())["nodes"]
        check_all(blocks, Place(tmp_path, nodes, capsys))


def check_all(blocks: list[Fence], place: Place) -> None:
    place.prepare("".join(block.text for block in blocks))
    faults = []
    for block in blocks:
        try:
            RUNNERS[block.kind](block, place)
        except Exception as error:  # one report for the page
            faults.append(f"{block.name}: {error}")
    assert faults == [], "\n\n".join(faults)


class Place:
    """Where a page is tried: a directory with a network, and what its pages take for granted."""

    def __init__(self, directory: Path, nodes: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.nodes = nodes
        self.capsys = capsys
        self.names: dict[str, Any] = {}
        """What the Python of the page has defined so far."""
        self.environ = {
            **os.environ, "HOME": str(directory), "NO_COLOR": "1", "COLUMNS": "100", "PYTHONUTF8": "1",
            "ILP_HTTP_BIND_ADDRESS": "127.0.0.1:0", "ILP_DATA_DIR": str(directory / "data"),
            "PATH": os.pathsep.join([str(directory / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        }  # fmt: skip

    def prepare(self, text: str) -> None:
        program = self.directory / "bin" / "ilp"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nunset ILP_DATA_DIR\nexec {shlex.quote(sys.executable)} -m interledger "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        for name in ("carol.token", "bob.token", "alice.token", "bob.secret"):
            self.secret(name)
        if self.nodes:
            hub = self.directory / ".ilp" / "node"
            hub.mkdir(exist_ok=True)
            (hub / "admin_token").touch(0o600)
            (hub / "admin_token").write_text(self.nodes["alice"]["token"])
            assert self.ilp("pay", "--from", "alice", self.nodes["bob"]["wallet"], "5 USD") == (0, "")
            makes_carol = "account create carol" in text or "--name carol" in text
            for name in () if makes_carol else ("carol", "dave"):
                assert self.ilp("account", "create", name, "--asset", "USD/9", "--relation", "peer") == (0, "")
            certificate = "openssl req -x509 -newkey ed25519 -nodes -subj /CN=bob -keyout bob-key.pem -out bob.pem"
            subprocess.run(certificate.split(), cwd=self.directory, check=True, capture_output=True, timeout=LIMIT_S)

    def secret(self, name: str) -> None:
        path = self.directory / name
        path.write_text("s3cret-" + name.replace(".", "-") * 4)
        path.chmod(0o600)

    def real(self, text: str) -> str:
        """The text with the ports that the nodes have here."""
        for port, name in {"7770": "alice", "7780": "bob", "7790": "hub"}.items():
            if name in self.nodes:
                text = text.replace(f"localhost:{port}", self.nodes[name]["url"].partition("://")[2])
        return text

    def ilp(self, *words: str) -> tuple[int, str]:
        """The code, and what was said when it is not 0. Whoever asks is answered with yes."""
        self.capsys.readouterr()
        code = run(words, {"HOME": str(self.directory)})
        said = self.capsys.readouterr()
        if code == 2 and "--yes" in said.err and "--yes" not in words:
            return self.ilp(*words, "--yes")
        return code, "" if code == 0 else said.out + said.err


def commands(block: Fence) -> Iterator[tuple[str, str]]:
    """(who, command) of each line with a prompt, or of each line where there are no prompts."""
    text = block.text.replace("\\\n", " ")
    prompted = re.findall(r"^(\w*)\$ +(.+)$", text, re.MULTILINE)
    yield from prompted or [("", line) for line in text.splitlines() if line.strip()]


def check_console(block: Fence, place: Place) -> None:
    until = re.fullmatch(r'until "(.+)"', block.mark)
    if until:  # its only command
        (_, line), *_ = commands(block)
        stay(shlex.split(line, comments=True), until[1], place)
        return
    ends = re.search(r"^exit ([0-9]+)$", block.text, re.MULTILINE)
    expected = int(ends[1]) if ends else 0
    for node, line in commands(block):
        command = place.real(line)
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert f"\n{words[1]}:" in MAKEFILE, words[1]  # what it does CI runs
        elif words[:2] == ["pip", "install"]:
            assert set(re.findall(r"\w+", words[2].removeprefix("interledger-py"))) <= EXTRAS, words[2]
        elif words[0] == "ilp" and not re.search(r"[|><]|&&|\$\(", re.sub(r"'[^']*'", "", command)):
            code, said = place.ilp(*words[1:], *(("--node", node) if node else ()))
            assert code == expected, f"$ {line}\n{said}exit {code}"
        else:
            shell = ["bash", "-euo", "pipefail", "-c", command]
            done = run_program(shell, place.directory, place.environ)
            assert done.returncode == expected, f"$ {line}\n{done.stdout}exit {done.returncode}"


def stay(words: list[str], until: str, place: Place) -> None:
    command = [sys.executable, "-m", "interledger", *words[1:]] if words[0] == "ilp" else words
    background = Background(command, place.directory, place.environ)
    try:
        assert background.wait_for(until), "\n".join(["$ " + " ".join(words), *background.lines])
    finally:
        background.stop()


def check_toml(block: Fence, place: Place) -> None:
    for name in re.findall(r'_file = "([^"]+)"', block.text):
        place.secret(name)
    text = block.text if "ilp_address" in block.text.partition("[")[0] else 'ilp_address = "test.hub"\n' + block.text
    path = place.directory / "ilp.toml"
    path.write_text(text, encoding="utf-8")
    report = read_settings({}, {}, str(path))
    assert not report.faults, "\n".join(map(str, report.faults))
    assert report.read_count


def check_http(block: Fence, place: Place) -> None:
    first, _, body = block.text.partition("\n")
    method, path = first.split()
    words = ["curl", "-sS", "--fail-with-body", "-X", method, place.nodes["hub"]["url"] + path]
    words += ["-H", f"Authorization: Bearer {place.nodes['hub']['token']}", "-H", "Content-Type: application/json"]
    done = subprocess.run([*words, "-d", body], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_json(block: Fence, _: Place) -> None:
    json.loads(block.text)


def check_yaml(block: Fence, _: Place) -> None:
    assert yaml.safe_load(block.text)


def check_python(block: Fence, place: Place) -> None:
    names = place.names
    prelude = PRELUDES / f"{Path(block.page).stem.lower().replace('-', '_')}.py"
    if prelude.exists() and not names:
        exec(compile(prelude.read_text(encoding="utf-8"), str(prelude), "exec"), names)  # noqa: S102  # ours
    text = place.real(block.text)
    code = compile(text, block.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, names))  # noqa: S307  # ours
    else:
        exec(code, names)  # noqa: S102  # ours


RUNNERS: Final[dict[str, Callable[[Fence, Place], None]]] = {
    "console": check_console, "sh": check_console, "toml": check_toml, "json": check_json, "yaml": check_yaml,
    "python": check_python, "http": check_http,
}  # fmt: skip
