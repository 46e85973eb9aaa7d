"""Commands that run a whole program, in this process, so that every line of them is seen."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interledger.accounts.asset import Asset
from interledger.cli import dev as dev_module
from interledger.cli.console import Console
from interledger.cli.demo_view import check_lines, report_document, sent_lines
from interledger.cli.main import run
from interledger.cli.node import _port_error
from interledger.daemon.demo import Check
from interledger.errors import LinkError
from interledger.node.settings import Settings

Stop = Callable[[str], None]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def stop_when(place: Path) -> Iterator[Stop]:
    """Send SIGTERM to this process once a file is there: the program under test handles it by then."""
    threads: list[threading.Thread] = []

    def wait(name: str) -> None:
        pause = threading.Event()
        for _ in range(1_000):
            if (place / name).exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return
            pause.wait(0.01)

    def stop(name: str) -> None:
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()

    yield stop
    for thread in threads:
        thread.join()


# ---------------------------------------------------------------------- demo


def test_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"], {}) == 0
    captured = capsys.readouterr()
    assert "  ✓ Delivered 9.18536" in captured.out
    assert "fee 0.03 USD   19 packets: 19 fulfilled" in captured.out
    assert "NODE     ACCOUNT  BEFORE            AFTER" in captured.out
    assert "Both sides of 2 links agree to the unit" in captured.out
    assert "✓ links  alice ─ hub by BTP, hub ─ bob by HTTP" in captured.err
    assert "10.00 USD   19 fulfilled" in captured.err


def test_demo_in_json(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert run(["demo", "--json", "--keep", "kept", "--amount", "1 USD"], {}) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out)["sound"] is True
    assert (place / "kept" / "alice" / "ledger.db").exists()


def report(**changes: Any) -> Any:
    payment = {
        "id": "pay_A", "state": "delivered", "sent": 100, "delivered": 90, "fulfilled": 1, "rejected": 2, "packets": 3,
        "source_asset": Asset("USD", 2), "destination_asset": Asset("EUR", 2), "error": None,
    }  # fmt: skip
    checks = changes.pop("checks", [])
    return SimpleNamespace(
        payment=SimpleNamespace(**(payment | changes)), balances=[], checks=checks, settled=[], is_sound=not checks
    )


def test_a_demo_that_is_not_sound(pipe: Console) -> None:
    wrong = report(checks=[Check("both agree", 3), Check("all is well", 0)])
    assert check_lines(wrong, pipe) == ["  ✗ Not so: both agree (off by 3 units)"]
    assert sent_lines(report(state="partial", error="no room"), pipe) == ["  ✗ Not delivered (partial): no room"]
    assert "1 fulfilled, 2 rejected" in sent_lines(report(), pipe)[1]
    assert "fee" not in sent_lines(report(source_asset=Asset("FOO", 2)), pipe)[1]
    assert report_document(report(destination_asset=None))["delivered"] is None


# ---------------------------------------------------------------------- node run


def test_node_run(stop_when: Stop, capsys: pytest.CaptureFixture[str], place: Path) -> None:
    stop_when("n/node.json")
    (place / "ilp.toml").write_text('admin_auth_token = "x"\n')
    (place / "ilp.toml").chmod(0o644)
    words = ["node", "run", "--http-bind-address", "127.0.0.1:0", "--ilp_address", "test.n", "--data-dir", "n"]
    assert run(words, {}) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("✓ test.n  http://localhost:")
    assert captured.out.endswith("state in n\n")
    assert "! ilp.toml:1  admin_auth_token is written in the file" in captured.err
    assert not (place / "n" / "node.json").exists()
    stop_when("n/node.json")
    assert run([*words, "--json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://localhost:")


def test_node_run_with_wrong_settings(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert run(["node", "run"], {"ILP_DATADIR": "x"}) == 2
    assert capsys.readouterr().err == "✗ environment  ILP_DATADIR is not a setting. Did you mean  ILP_DATA_DIR ?\n"
    assert run(["node", "run", "--durability", "x"], {"ILP_DATADIR": "x", "ILP_ZZ": "y"}) == 2
    assert "  2 more:  ilp config check" in capsys.readouterr().err


def test_node_run_where_the_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert run(["node", "run", "--http-bind-address", f"127.0.0.1:{port}"], {}) == 1
    err = capsys.readouterr().err
    assert f"✗ Port {port} is taken by another program" in err
    assert f"--http-bind-address 127.0.0.1:{port + 1000}" in err
    settings = Settings(secret_seed=bytes(32), http_bind_address="127.0.0.1:0")
    assert _port_error(settings, LinkError("no sockets left")).lines == ("no sockets left",)


# ---------------------------------------------------------------------- dev


def test_dev_up_until_a_signal(stop_when: Stop, capsys: pytest.CaptureFixture[str], place: Path) -> None:
    stop_when(".ilp/dev.json")
    assert run(["dev", "up", "--port", "0"], {}) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "  Stop       Ctrl-C, or  ilp dev down"
    assert captured.err == "  Stopping\n"
    assert not (place / ".ilp" / "dev.json").exists()
    (place / ".ilp" / "alice" / "mark").write_text("")
    stop_when(".ilp/dev.json")
    assert run(["dev", "up", "--port", "0", "--fresh"], {}) == 0
    assert not (place / ".ilp" / "alice" / "mark").exists()
    assert run(["dev", "down"], {}) == 0
    assert capsys.readouterr().out.endswith("  Nothing was running here.\n")


def test_dev_up_where_a_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert run(["dev", "up", "--port", str(port)], {}) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"✗ Port {port} is taken by another program")
    assert err.endswith(f"  Nothing was started. Use other ports:  ilp dev up --port {port + 1000}\n")


def test_dev_up_on_a_damaged_state(stop_when: Stop, capsys: pytest.CaptureFixture[str], place: Path) -> None:
    stop_when(".ilp/dev.json")
    run(["dev", "up", "--port", "0"], {})
    for path in (place / ".ilp" / "alice").glob("ledger.db*"):
        path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    capsys.readouterr()
    assert run(["dev", "up", "--port", "0"], {}) == 1
    assert "Forget all balances:  ilp dev up --fresh" in capsys.readouterr().err


def test_dev_up_detached_that_never_comes_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    monkeypatch.setattr(dev_module.sys, "argv", ["ilp", "dev", "up", "--topology", "ring"])
    assert run(["dev", "up", "--detach"], {}) == 1
    assert capsys.readouterr().err.startswith("✗ “ring” is not a shape.")
    monkeypatch.setattr(dev_module.sys, "argv", ["ilp", "help", "-q"])
    (place / ".ilp" / "dev.log").unlink()
    assert run(["dev", "up", "--detach"], {}) == 1


def test_dev_down_and_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Path) -> None:
    monkeypatch.setattr(dev_module.sys, "argv", ["ilp", "dev", "up", "--port", "0", "--detach"])
    assert run(["dev", "up", "--port", "0", "--detach"], {}) == 0
    document = json.loads((place / ".ilp" / "dev.json").read_text())
    capsys.readouterr()
    document["nodes"]["bob"]["url"] = "http://127.0.0.1:9"
    (place / ".ilp" / "dev.json").write_text(json.dumps(document))
    assert run(["dev", "status"], {}) == 3
    assert "✗ bob" in capsys.readouterr().out
    assert run(["dev", "down"], {}) == 0
    assert capsys.readouterr().out == "  ✓ Stopped. Balances are kept in ./.ilp\n"


def test_dev_down_that_is_not_heard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("interledger.daemon.dev_directory.running_network", lambda _: {"pid": 4127})
    monkeypatch.setattr(dev_module.os, "kill", lambda *_: None)
    monkeypatch.setattr(dev_module, "STOP_S", 0.0)
    assert run(["dev", "down"], {}) == 1
    assert capsys.readouterr().err == "✗ The network (pid 4127) does not stop.\n  End it yourself:  kill -9 4127\n"


# ---------------------------------------------------------------------- config


def test_config(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert run(["config", "check"], {}) == 0
    assert capsys.readouterr().out == "✓ No faults, 0 settings read. The running node is not changed.\n"
    (place / "ilp.toml").write_text(
        'ilp_address = "test.hub"\nsecret_seed = "' + "ab" * 32 + '"\n'
        '[accounts.bob]\nasset = "EUR/9"\n[routes]\n"test.bob" = "bob"\n[rates]\nUSD = 0.92\n'
    )
    (place / "ilp.toml").chmod(0o600)
    assert run(["config", "show"], {"ILP_LOG_LEVEL": "debug"}) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ilp_address", "test.hub", "ilp.toml:1"] in lines
    assert ["secret_seed", "(set)", "ilp.toml:2"] in lines
    assert ["log_level", "debug", "ILP_LOG_LEVEL"] in lines
    assert ["durability", "power", "default"] in lines
    assert ["accounts.bob", "EUR/9", "ilp.toml"] in lines
    assert ["routes.test.bob", "bob", "ilp.toml"] in lines
    assert ["rates.USD", "0.92", "ilp.toml"] in lines
    (place / "ilp.toml").write_text("nonsense = 1\n")
    assert run(["config", "check"], {}) == 10
    assert capsys.readouterr().out.startswith("✗ ilp.toml:1  nonsense is not a setting.")
    assert run(["config", "check", "--json"], {}) == 10
    assert json.loads(capsys.readouterr().out)["faults"][0]["where"] == "ilp.toml:1"
