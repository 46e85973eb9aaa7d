"""`deploy/docker/Dockerfile`, step by step without a container: what it copies builds, what it installs is enough for a
node, and what it sets makes that node healthy, by its own check, and stop by its own signal.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
HOME: Final = "/opt/interledger"
DATA: Final = "/var/lib/interledger"

pytestmark = pytest.mark.slow


def steps() -> list[tuple[str, str]]:
    """Instruction and rest of each step, in order; comments left out, long lines put together."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.strip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def of(word: str) -> list[str]:
    return [rest for found, rest in steps() if found == word]


def words_of(rest: str) -> list[str]:
    """The words of an exec form."""
    return [str(word) for word in json.loads(rest)]


# ---------------------------------------------------------------------- build


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage has: what is copied there, of what `.dockerignore` lets in."""
    place = tmp_path_factory.mktemp("context")
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    hidden = shutil.ignore_patterns("__pycache__", "*.so")
    for rest in of("COPY"):
        if rest.startswith("--from="):
            continue
        *sources, target = rest.split()
        for source in sources:
            assert source in admitted, f"{source} is copied, and .dockerignore keeps it out"
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place / target, ignore=hidden)
            else:
                shutil.copy(ROOT / source, place / target)
    return place


@pytest.fixture(scope="module")
def extras() -> set[str]:
    """Those that the image installs."""
    (found,) = re.findall(r"install --no-cache-dir '\.\[([a-z0-9,]+)\]'", "\n".join(of("RUN")))
    return set(found.split(","))


def required(extras: set[str]) -> set[str]:
    """The distributions that these extras need, with what those need."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(f"interledger-py[{','.join(sorted(extras))}]")]
    while waiting:
        asked = waiting.pop()
        for one in map(Requirement, importlib.metadata.requires(asked.name) or ()):
            wanted = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in (*asked.extras, ""))
            key = (one.name.lower(), frozenset(one.extras))
            if wanted and key not in seen:
                seen.add(key)
                waiting.append(one)
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def image(context: Path, extras: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv with the wheel of the context, and the distributions that it asks for: nothing else."""
    place = tmp_path_factory.mktemp("image")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HATCH", "PYTHONPATH"))}
    built = subprocess.run(command, cwd=context, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = place.glob("*.whl")
    home = place / "interledger"
    venv.create(home, symlinks=True, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    shutil.unpack_archive(wheel, site, "zip")
    for name in required(extras):
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            target = Path(str(distribution.locate_file(top)))
            if not (site / top).exists():
                (site / top).symlink_to(target)
    entry = home / "bin" / "ilp"
    entry.write_text(f"#!{home}/bin/python\nimport sys\nfrom interledger.cli.main import main\nsys.exit(main())\n")
    entry.chmod(0o755)
    return home


# ---------------------------------------------------------------------- run


@pytest.fixture
def environment(image: Path, tmp_path: Path) -> dict[str, str]:
    """What ENV says, and what the compose file adds; in this test's places."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = dict(word.split("=", 1) for rest in of("ENV") for word in shlex.split(rest))
    token = tmp_path / "admin_token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    (tmp_path / "data").mkdir(mode=0o700)
    places = {HOME: str(image), DATA: str(tmp_path / "data"), "0.0.0.0:7770": f"0.0.0.0:{port}", "$PATH": os.defpath}
    for name, value in found.items():
        for there, here in places.items():
            value = value.replace(there, here)
        found[name] = value
    return found | {"ILP_ILP_ADDRESS": "test.hub", "ILP_ADMIN_AUTH_TOKEN_FILE": str(token), "PORT": str(port)}


@pytest.fixture
def node(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The entry point with its command, and no other variable."""
    (entry,), (command,) = of("ENTRYPOINT"), of("CMD")
    program, *words = [*words_of(entry), *words_of(command)]
    found = shutil.which(program, path=environment["PATH"])
    assert found is not None
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [found, *words], cwd=environment["ILP_DATA_DIR"], env=environment, stdout=log, stderr=log
    )
    yield process  # type: ignore[misc]  # of text or not
    log.close()
    if process.poll() is None:
        process.kill()
        process.wait()


def is_healthy(environment: dict[str, str]) -> bool:
    (check,) = of("HEALTHCHECK")
    program, *words = words_of(check.partition(" CMD ")[2])
    found = shutil.which(program, path=environment["PATH"])
    assert found is not None
    words = [word.replace(":7770", f":{environment['PORT']}") for word in words]
    return subprocess.run([found, *words], env=environment, capture_output=True, check=False).returncode == 0


def test_the_image_runs_a_healthy_node_that_stops_when_told(
    environment: dict[str, str], node: subprocess.Popen[str], tmp_path: Path
) -> None:
    deadline = time.monotonic() + 20
    while not is_healthy(environment):  # a process each time, which takes long enough
        assert node.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
    asked = [
        shutil.which("ilp", path=environment["PATH"]) or "",
        "status",
        "--node",
        f"http://127.0.0.1:{environment['PORT']}",
    ]
    token = Path(environment["ILP_ADMIN_AUTH_TOKEN_FILE"]).read_text()
    status = subprocess.run(
        [*asked, "--auth", token], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (status.returncode, "test.hub" in status.stdout) == (0, True), status.stderr
    (stop,) = of("STOPSIGNAL")
    node.send_signal(getattr(signal, stop))
    assert node.wait(20) == 0, (tmp_path / "log").read_text()
    assert not is_healthy(environment)
    assert list((tmp_path / "data").glob("ledger.db"))


def test_it_has_what_its_extras_promise(image: Path, extras: set[str]) -> None:
    """`http2` and `postgres` work there, and nothing of the tests came along."""
    assert extras == {"http2", "node", "postgres"}
    program = (
        "import interledger, ngh2, psycopg, importlib.util as u;"
        "import interledger.store.postgres, interledger.dashboard;"
        "assert not [n for n in ('pytest', 'hypothesis', 'packaging') if u.find_spec(n)]"
    )
    done = subprocess.run([image / "bin" / "python", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_who_runs_it_is_nobody_and_owns_the_books() -> None:
    (user,) = of("USER")
    (volume,) = of("VOLUME")
    made = next(rest for rest in of("RUN") if rest.startswith("useradd"))
    assert (f"--uid {user} " in made, f"--home-dir {volume} --create-home" in made) == (True, True)
    assert (
        volume == DATA == dict(word.split("=", 1) for rest in of("ENV") for word in shlex.split(rest))["ILP_DATA_DIR"]
    )
