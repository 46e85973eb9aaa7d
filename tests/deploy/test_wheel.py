"""The wheel has all that the package needs, and runs from nothing but itself and its dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATCH")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = place.glob("*.whl")
    return found


@pytest.mark.slow
def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "interledger").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".so", ".pyc"}
    }
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert files - inside == set()
    assert {name.partition("/")[0].rpartition(".")[2] for name in inside - files} == {"dist-info"}


@pytest.mark.slow
def test_a_payment_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Not from the source tree: what is missing in the wheel is missing here."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        points = archive.read(entry).decode()
    assert "ilp = interledger.cli.main:main" in points
    assert "interledger = interledger.testing.plugin" in points
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import interledger;"
        f"assert interledger.__file__.startswith({str(tmp_path)!r}), interledger.__file__;"
        "from interledger.cli.main import main; sys.argv = ['ilp', 'demo']; main()"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Delivered" in done.stdout
