"""`ilp node install-service`: the node as a service of systemd that starts by itself."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["install_service"]


@command("install-service")
@click.option("--config", metavar="FILE", help="The TOML file of the node's settings.")
@click.option("--print", "--dry-run", "print_only", is_flag=True, help="Print the unit; write nothing.")
@click.option("--directory", metavar="DIR", help="Where units are. Default: /etc/systemd/system")
@click.option("--replace", is_flag=True, help="Write over a unit that is there.")
@click.pass_obj
def install_service(state: State, config: str | None, print_only: bool, directory: str | None, replace: bool) -> None:
    """Write a systemd unit that runs the node, shut off from the rest of the machine, and say how to start it.

    \b
      sudo ilp node install-service --config /etc/interledger/ilp.toml
      ilp node install-service --print
    """
    from interledger.daemon.service_unit import UNIT_DIRECTORY, UNIT_NAME, unit_text

    settings = _checked_config(config)
    text = unit_text(_program(), settings, [] if settings is None else _secret_files(settings))
    if print_only:
        state.console.print(text.rstrip("\n"))
        return
    place = Path(directory or UNIT_DIRECTORY) / UNIT_NAME
    if place.exists() and not replace and place.read_text(encoding="utf-8") != text:
        raise CliError(ExitCode.USAGE, f"{place} is there and differs.", "Write over it:  --replace")
    try:
        place.write_text(text, encoding="utf-8")
        place.chmod(0o644)
    except OSError as error:
        why = f"{place} cannot be written: {(error.strerror or str(error)).lower()}."
        raise CliError(ExitCode.FAILED, why, "Run it as root, or look at it first:  --print") from None
    state.console.print(f"{state.console.mark('✓')} Wrote {place}")
    for line in _NEXT.splitlines():
        state.console.note(line)


_NEXT = """\
  Start it, now and at every boot   systemctl daemon-reload && systemctl enable --now interledger
  See that it runs                  systemctl status interledger
  Read its log                      journalctl -u interledger
  Its books and secrets             /var/lib/interledger (back it up)"""


def _program() -> list[str]:
    """The words that start this same program."""
    found = shutil.which("ilp", path=os.path.dirname(sys.executable))
    return [found] if found else [sys.executable, "-m", "interledger"]


def _checked_config(config: str | None) -> Path | None:
    from interledger.node.settings_load import read_settings

    if config is None:
        return None
    place = Path(config).absolute()
    faults = read_settings({}, {}, place).faults
    if faults:
        first = faults[0]
        raise CliError(
            ExitCode.FAULT_FOUND, f"{first.where}  {first.problem}", f"See all:  ilp config check --config {config}"
        )
    return place


def _secret_files(config: Path) -> list[str]:
    """The names of files with secrets that the settings mention. They have to lie beside them."""
    names: list[str] = []

    def walk(table: dict[str, Any], where: str) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                walk(value, f"{where}{key}.")
            elif key.endswith("_file") and not key.startswith("tls_"):
                if Path(value).name != value:
                    raise CliError(
                        ExitCode.USAGE,
                        f"{config}: {where}{key} is {value}, which the service's own user may not read.",
                        f"Put that file beside {config.name} and give its name alone.",
                    )
                names.append(value)

    walk(tomllib.loads(config.read_text(encoding="utf-8")), "")
    return sorted(set(names))
