"""What one run of `ilp` was told: the options that every command has, which node to ask, and how to answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from interledger.cli.console import Console, make_console
from interledger.cli.errors import CliError, as_cli_error
from interledger.cli.exit_codes import ExitCode
from interledger.cli.fields import check_fields
from interledger.cli.output import pick_fields, to_json, to_ndjson, to_tsv
from interledger.cli.targets import DEFAULT_URL, STATE_DIRECTORY, Said, Target, dev_document, find_target
from interledger.errors import InterledgerError

if TYPE_CHECKING:
    import ssl

    from interledger.api.calls import Fetch
    from interledger.api.client import ApiClient

__all__ = ["DEFAULT_URL", "STATE_DIRECTORY", "State", "Target", "trusted"]

T = TypeVar("T")


@dataclass(slots=True)
class State:
    """Everything the options say. `form`: table, json, ndjson or tsv; None: not said."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    directory: Path = STATE_DIRECTORY
    form: str | None = None
    fields: list[str] = field(default_factory=list)
    quiet: bool = False
    colour: str = "auto"
    exact: bool = False
    debug: bool = False
    curl: bool = False
    url: bool = False
    open: bool = False
    dry_run: bool = False
    would: str = ""
    """What the command does, for --dry-run: `make account carol`."""
    node: str | None = None
    auth: str | None = None
    _console: Console | None = None

    @property
    def console(self) -> Console:
        """Made when it is first used: by then all options have been read."""
        if self._console is None:
            self._console = make_console(self.environ, self.colour)
        return self._console

    @property
    def is_table(self) -> bool:
        """Whether people read the answer."""
        return self.form in (None, "table") and not self.quiet

    # ------------------------------------------------------------------ answers

    def emit(self, document: Mapping[str, Any], render: Callable[[], Sequence[str]], *, identifier: str = "id") -> None:
        """One document: `render` makes the lines that people read."""
        self._emit([document], render, identifier, single=True)

    def emit_list(
        self, items: Sequence[Mapping[str, Any]], render: Callable[[], Sequence[str]], *, identifier: str = "id"
    ) -> None:
        """A list."""
        self._emit(items, render, identifier, single=False)

    def _emit(
        self, items: Sequence[Mapping[str, Any]], render: Callable[[], Sequence[str]], identifier: str, *, single: bool
    ) -> None:
        if self.fields:
            check_fields(self.fields, items)
        picked: list[Any] = [pick_fields(item, self.fields) for item in items] if self.fields else list(items)
        if self.quiet:
            lines: Sequence[str] = [str(item.get(identifier, "")) for item in items]
        elif self.form == "json":
            lines = [to_json(picked[0] if single else {"items": picked, "next_cursor": None})]
        elif self.form == "ndjson":
            lines = to_ndjson(picked)
        elif self.form == "tsv" or self.fields:
            lines = to_tsv(picked)
        else:
            lines = render()
        for line in lines:
            self.console.print(line)

    def emit_dry_run(self, would: str, more: Mapping[str, Any], lines: Sequence[str] = ()) -> None:
        """What `--dry-run` says in place of doing it: the same words in every form."""
        document = {"dry_run": True, "would": would, **more}
        self.emit(document, lambda: [f"  Would {would}.", *lines, "  Nothing was changed."], identifier="would")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what cannot be undone. Raises `CliError` when the answer is no, or nobody can be asked."""
        if yes or self.dry_run:
            return
        if not sys.stdin.isatty():
            raise CliError(ExitCode.USAGE, "Nothing was done: nobody can be asked here.", "Answer before:  --yes")
        self.console.err.write(self.console.encode(f"  {question} [y/N] "))
        self.console.err.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliError(ExitCode.FAILED, "Nothing was done.")

    # ------------------------------------------------------------------ the node

    @property
    def said(self) -> Said:
        """What the options say of the node to ask."""
        return Said(self.environ, self.directory, self.node, self.auth)

    def dev_document(self) -> dict[str, Any] | None:
        """The development network that was started in this directory, if any."""
        return dev_document(self.directory)

    def target(self, name: str | None = None) -> Target:
        """The node to ask. `name`: which one of the development network, where that is meant."""
        return find_target(self.said, name)

    def sending_targets(self, account: str | None = None) -> list[Target]:
        """Where payments may have been sent from: in a development network every holder's node."""
        document = self.dev_document()
        chosen = self.target(account)
        if document is None or account is not None or self.node is not None or chosen.name is None:
            return [chosen]
        return [self.target(name) for name, node in document["nodes"].items() if node["account"]]

    def first_found(self, ask: Callable[[ApiClient], Coroutine[Any, Any, T]]) -> T:
        """The first answer that is not "not found", of the nodes payments are sent from."""
        *others, last = self.sending_targets()
        for target in others:
            try:
                return self.call(ask, target)
            except CliError as error:
                if error.code is not ExitCode.NOT_FOUND:
                    raise
        return self.call(ask, last)

    def call(self, ask: Callable[[ApiClient], Coroutine[Any, Any, T]], target: Target | None = None) -> T:
        """Ask the node. Raises `CliError` for whatever goes wrong on the way."""
        import asyncio

        from interledger.api.client import ApiClient

        where = target or self.target()
        try:
            tls = trusted(where.certificate)
            api = ApiClient(where.url, where.token, fetch=self._instead(where.url, tls), tls=tls)
            return asyncio.run(ask(api))
        except InterledgerError as error:
            raise as_cli_error(error, where.url) from error

    def _instead(self, base_url: str, tls: ssl.SSLContext | None) -> Fetch | None:
        """What is done with requests in place of sending them; None: they are sent."""
        from interledger.cli import asking

        if self.url:
            return asking.shown_as_page(self.console)
        if self.open:
            return asking.opened_page(self.console, base_url=base_url, tls=tls)
        if self.curl:
            return asking.shown_as_curl(self.console)
        if self.dry_run:
            return asking.dry_run_fetch(self, base_url=base_url, tls=tls)
        return None


def trusted(certificate: str | None) -> ssl.SSLContext | None:
    """Trust what a node of this machine presents; None: whom the system trusts. Raises `SettingsError`."""
    if certificate is None:
        return None
    from interledger.link.tls import pinned_context

    return pinned_context(Path(certificate))
