"""`daemon/service_unit.py`: the unit says what it should, and systemd's own tools find no fault with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from interledger.daemon.service_unit import STOP_S, UNIT_NAME, unit_text

EXPOSURE_MAX = 2.0
"""Of 10, by `systemd-analyze security`. A service without any of these lines has 9.6."""


@pytest.mark.parametrize(
    ("program", "config", "expected"),
    [
        (["/usr/bin/ilp"], None, "ExecStart=/usr/bin/ilp node run --data-dir /var/lib/interledger"),
        (["/usr/bin/ilp"], "/etc/il/ilp.toml", "/var/lib/interledger --config %d/ilp.toml"),
        (["/opt/a b/ilp"], None, 'ExecStart="/opt/a b/ilp" node run'),
        (["/opt/50%/ilp"], None, "ExecStart=/opt/50%%/ilp node run"),
        (["/opt/$x/ilp"], None, "ExecStart=/opt/$$x/ilp node run"),
        (["/" + "home/ann/.local/bin/ilp"], None, "ProtectHome=read-only"),
        (["/usr/bin/ilp"], None, "ProtectHome=yes"),
    ],
)
def test_what_the_unit_says(program: list[str], config: str | None, expected: str) -> None:
    assert expected in unit_text(program, PurePosixPath(config) if config else None)


def test_settings_and_secrets_are_credentials_and_stay_roots_alone() -> None:
    text = unit_text(["/usr/bin/ilp"], PurePosixPath("/etc/il/ilp.toml"), ["alice.token"])
    assert "LoadCredential=ilp.toml:/etc/il/ilp.toml\nLoadCredential=alice.token:/etc/il/alice.token\n" in text


def test_a_stop_waits_longer_than_any_packet_is_held() -> None:
    assert STOP_S > 30


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemds_own_tools_find_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / UNIT_NAME
    unit.write_text(unit_text([sys.executable, "-m", "interledger"], None))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert UNIT_NAME not in checked.stderr, checked.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-300:]
