"""Whole programs in processes of their own: `ilp node run`, `ilp dev up` and `down`, `ilp demo`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]

TIME_LIMIT_S = 30


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `ilp ...` in a directory of the test's own; whatever still runs at its end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start_(*words: str) -> subprocess.Popen[str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ILP_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "interledger.cli.main", *words],
            cwd=tmp_path,
            env=environ | {"PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        running.append(process)
        return process

    yield start_
    for process in running:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=TIME_LIMIT_S)
    return process.returncode, out, err


def node(start: Start, *words: str) -> subprocess.Popen[str]:
    return start("node", "run", "--http-bind-address", "127.0.0.1:0", "--data-dir", "n", *words)


def test_a_node_says_where_it_is_and_stops_cleanly(start: Start, tmp_path: Path) -> None:
    process = node(start, "--ilp-address", "test.n", "-o", "json")
    ready = json.loads(first_line(process))
    assert (ready["ready"], ready["ilp_address"], ready["data_dir"]) == (True, "test.n", "n")
    written = json.loads((tmp_path / "n" / "node.json").read_text())
    assert (written["url"], written["pid"]) == (ready["url"], process.pid)
    with urllib.request.urlopen(ready["url"], timeout=10) as answer:  # noqa: S310 - our own http
        assert json.load(answer)["ilp_address"] == "test.n"
    process.send_signal(signal.SIGTERM)
    code, _, err = finish(process)
    assert code == 0
    assert "started address=test.n url=http://localhost:" in err
    assert err.rstrip().endswith("stopped")
    assert not (tmp_path / "n" / "node.json").exists()
    assert (tmp_path / "n" / "admin_token").stat().st_mode & 0o777 == 0o600


def test_the_ready_line_for_people_and_a_warning(start: Start, tmp_path: Path) -> None:
    (tmp_path / "ilp.toml").write_text('admin_auth_token = "x"\n')
    (tmp_path / "ilp.toml").chmod(0o644)
    process = node(start, "--durability", "memory")
    line = first_line(process)
    assert line.startswith("✓ local.host  http://localhost:")
    assert line.endswith("nothing is kept\n")
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert (code, "! ilp.toml:1  admin_auth_token is written in the file" in err) == (0, True)
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--durability", "disk"), 2, "✗ --durability  “disk” is not one of  power  process  memory"),
        (("--config", "no.toml"), 2, "✗ no.toml  cannot be read"),
        (("--http-bind-address", "0.0.0.0:0"), 2, "other machines could read tokens"),
        (("--spread", "1"), 2, "✗ There is no option “--spread”."),
    ],
)
def test_a_node_that_does_not_start(start: Start, words: tuple[str, ...], code: int, message: str) -> None:
    found, out, err = finish(node(start, *words))
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_a_port_that_is_taken(start: Start) -> None:
    port = json.loads(first_line(node(start, "--json")))["url"].rpartition(":")[2]
    code, _, err = finish(start("node", "run", "--http-bind-address", f"127.0.0.1:{port}", "--data-dir", "m"))
    assert code == 1
    assert err.startswith(f"✗ Port {port} is taken by another program")


def test_dev_up_pay_and_down(start: Start, tmp_path: Path) -> None:
    up = start("dev", "up", "--port", "0")
    assert first_line(up).startswith("  ✓ alice  test.alice  USD/9      http://localhost:")
    wallet = json.loads((tmp_path / ".ilp" / "dev.json").read_text())["nodes"]["bob"]["wallet"]
    code, out, _ = finish(start("pay", "--from", "alice", wallet, "10 USD"))
    assert (code, out[:21]) == (0, "  ✓ Delivered 9.18536")
    assert finish(start("dev", "down"))[:2] == (0, "  ✓ Stopped. Balances are kept in ./.ilp\n")
    assert finish(up)[0] == 0
    assert finish(start("dev", "down"))[1] == "  Nothing was running here.\n"
    assert not (tmp_path / ".ilp" / "dev.json").exists()


def test_dev_up_detached_twice_and_fresh(start: Start, tmp_path: Path) -> None:
    code, out, err = finish(start("dev", "up", "--port", "0", "--detach"))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "  Stop       ilp dev down"
    assert "Already running since" in finish(start("dev", "up"))[1]
    (tmp_path / ".ilp" / "alice" / "mark").write_text("")
    assert finish(start("dev", "up", "--port", "0", "--fresh", "--detach"))[0] == 0
    assert not (tmp_path / ".ilp" / "alice" / "mark").exists()
    assert finish(start("dev", "down"))[0] == 0


def test_a_detached_network_that_does_not_start_says_why(start: Start, tmp_path: Path) -> None:
    port = json.loads(first_line(node(start, "--json")))["url"].rpartition(":")[2]
    code, out, err = finish(start("dev", "up", "--port", port, "--detach"))
    assert (code, out) == (1, "")
    assert err.startswith(f"✗ Port {port} is taken by another program")
    assert "Use other ports:  ilp dev up --port" in err


def test_the_demo(start: Start) -> None:
    began = time.monotonic()
    code, out, err = finish(start("demo"))
    assert time.monotonic() - began < 10  # three seconds on an idle machine; this one may be busy
    assert code == 0, err
    assert out.startswith("  ✓ Delivered 9.18536")
    assert "✓ Both sides of 2 links agree to the unit" in out
    assert "Ready in" in err
    code, out, err = finish(start("demo", "--json", "--topology", "star:3", "--keep", "kept"))
    report = json.loads(out)
    assert (code, err, report["sound"], report["state"]) == (0, "", True, "delivered")
    assert {check["difference"] for check in report["checks"]} == {"0"}


@pytest.mark.slow
def test_ctrl_c_stops_a_payment_and_says_what_happened(start: Start, tmp_path: Path) -> None:
    up = start("dev", "up", "--port", "0")
    first_line(up)
    wallet = json.loads((tmp_path / ".ilp" / "dev.json").read_text())["nodes"]["bob"]["wallet"]
    # More than the hub lets alice owe: the payment would try for a while.
    paying = start("pay", "--from", "alice", wallet, "5000 USD")
    assert paying.stderr is not None
    while "fulfilled" not in paying.stderr.readline():  # a line a second, once it is under way
        pass
    paying.send_signal(signal.SIGINT)
    code, out, err = finish(paying)
    assert "Stopping: waiting for" in err
    assert code == 130
    assert "Stopped at" in out
    up.send_signal(signal.SIGINT)
    assert finish(up)[0] == 0
