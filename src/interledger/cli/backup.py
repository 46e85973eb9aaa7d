"""`ilp node backup` and `ilp node restore`: the books of a node in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command
from interledger.codec.timestamp import format_rfc3339

__all__ = ["backup", "restore"]

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done; of a backup, whether it is sound.")


@command("backup")
@click.option("--data-dir", metavar="DIR", help="The data directory of a node that does not run.")
@_DRY_RUN
@click.pass_obj
def backup(state: State, data_dir: str | None, dry_run: bool) -> None:
    """Copy the books into one file in the node's data directory, while it runs and packets pass.

    \b
      ilp node backup
      ilp node backup --data-dir /var/lib/interledger
    """
    if dry_run:
        where = "of the node" if data_dir is None else data_dir
        state.emit_dry_run(f"copy the books into a new file in the data directory {where}", {})
        return
    document = state.call(lambda api: api.make_backup()) if data_dir is None else _of_stopped(Path(data_dir))

    def render() -> list[str]:
        size, commit = f"{document['octets']:,}", f"{document['commit']:,}"
        return [
            state.console.mark("✓", f"{document['file']}   {size} octets, all up to commit {commit}"),
            "  What is secret in it opens with the node's  secret_seed , which is not in it: keep that apart.",
            f"  Put it back  ilp node restore {document['file']} --data-dir DIR",
        ]

    state.emit(document, render, identifier="file")


def _of_stopped(directory: Path) -> dict[str, Any]:
    from interledger.clock import SystemClock
    from interledger.store.backup import new_backup
    from interledger.store.stopped import open_stopped

    with open_stopped(directory) as history:
        made = history.backup(new_backup(directory, SystemClock().now()))
    at = format_rfc3339(made.at) if made.at else None
    return {"file": str(made.path), "octets": made.octets, "commit": made.commit, "at": at}


@command("restore")
@click.argument("file", metavar="FILE")
@click.option("--data-dir", metavar="DIR", required=True, help="The data directory of a node that does not run.")
@click.option("--replace", is_flag=True, help="There are books: set them aside, in a directory beside.")
@_DRY_RUN
@click.pass_obj
def restore(state: State, file: str, data_dir: str, replace: bool, dry_run: bool) -> None:
    """Check the books of a backup, record by record, and put them into the data directory of a node that is stopped.

    \b
      ilp node restore books-20261121T120000000Z.db --data-dir /var/lib/interledger

    What happened after the backup is missing in them. The peers know it: ask them as soon as the node runs, by
    ilp ledger reconcile PEER.
    """
    from interledger.errors import ConflictError
    from interledger.store.restoring import restore_books

    directory = Path(data_dir)
    try:
        made, former = restore_books(Path(file), directory, replace=replace, dry_run=dry_run)
    except ConflictError as error:
        raise CliError(ExitCode.FAILED, str(error), "Nothing was changed. To set them aside:  --replace") from None
    at = format_rfc3339(made.at) if made.at else None
    document = {"commit": made.commit, "at": at, "set_aside": None if former is None else str(former)}

    def render() -> list[str]:
        lines = [state.console.mark("✓", f"The books are sound, up to commit {made.commit:,} of {at or 'no moment'}.")]
        if dry_run:
            return [*lines, f"  Would put them into {directory}. Nothing was changed."]
        if former is not None:
            lines.append(f"  The former ones are in {former}.")
        if not (directory / "secret_seed").exists():
            lines.append("  There is no  secret_seed  here: without that of the node its links have no tokens.")
        lines.append("  Start the node, then compare with every peer:  ilp ledger reconcile PEER")
        lines.append("  Nothing is settled from these books until you say so:  ilp settlement resume")
        return lines

    state.emit(document, render, identifier="commit")
