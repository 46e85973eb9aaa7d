"""`deploy/docker`, `deploy/helm`: what linters say of them. No container is started here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from interledger.daemon.service_unit import STOP_S
from interledger.node.settings import SETTINGS

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKER, CHART = DEPLOY / "docker", DEPLOY / "helm" / "interledger"
PROGRAMS = Path(sys.executable).parent

TEMPLATES = sorted((CHART / "templates").iterdir())


def lint(program: str, *words: str | Path) -> None:
    found = shutil.which(program, path=PROGRAMS)
    assert found is not None, f"{program} is not installed"
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rendered(template: Path, place: Path, **changed: Any) -> Path:
    """By the real engine of Go's templates. Helm's own functions are not there, and not used."""
    go_template = pytest.importorskip("go_template", reason="go-template is for Linux on x86-64", exc_type=OSError)
    values = {**yaml.safe_load((CHART / "values.yaml").read_text()), **changed}
    facts = {"Values": values, "Release": {"Name": "hub"}}
    (place / "facts.yaml").write_text(yaml.safe_dump(facts))
    go_template.render_template(str(template), str(place / "facts.yaml"), str(place / template.name))
    return place / template.name


def test_the_dockerfile() -> None:
    lint("hadolint", DOCKER / "Dockerfile")


def test_the_compose_file() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
@pytest.mark.parametrize(
    "changed", [{}, {"storage": {"size": "1Ti", "className": "fast"}}, {"settings": {"A": 'b"\n'}}]
)
def test_the_chart(template: Path, changed: dict[str, Any], tmp_path: Path) -> None:
    place = rendered(template, tmp_path, **changed)
    lint("kubernetes-validate", "--strict", place)
    assert yaml.safe_load(place.read_text())["metadata"]["name"] == "hub"


def test_the_books_have_one_writer_and_time_to_stop(tmp_path: Path) -> None:
    pods = yaml.safe_load(rendered(CHART / "templates" / "statefulset.yaml", tmp_path).read_text())["spec"]
    assert pods["replicas"] == 1
    assert pods["template"]["spec"]["terminationGracePeriodSeconds"] == STOP_S
    assert (
        yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["node"]["stop_grace_period"] == f"{STOP_S}s"
    )


def test_every_variable_is_a_setting() -> None:
    known = {"ILP_" + row.key.upper().replace(".", "__") for row in SETTINGS}
    for place in (DOCKER / "Dockerfile", DOCKER / "compose.yaml", CHART / "values.yaml", *TEMPLATES):
        used = set(re.findall(r"\b(ILP_[A-Z_]+?)(?:_FILE)?[=:\s]", place.read_text())) - {"ILP_ADDRESS"}
        assert used <= known, place.name
