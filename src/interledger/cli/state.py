"""What one run of `ilp` was told: the options that every command has, which node to ask, and how to answer."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from interledger.cli.console import Console, make_console
from interledger.cli.errors import CliError, OnlyShownError, as_cli_error
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import pick_fields, to_json, to_ndjson, to_tsv
from interledger.errors import InterledgerError

if TYPE_CHECKING:
    import ssl

    from interledger.api.client import ApiClient

__all__ = ["DEFAULT_URL", "STATE_DIRECTORY", "State", "Target", "trusted"]

T = TypeVar("T")

DEFAULT_URL: Final = "http://localhost:7770"
STATE_DIRECTORY: Final = Path(".ilp")
"""Below the working directory: what `ilp dev up` and `ilp node run` leave there says where they listen."""

SETTINGS_FILE: Final = Path("ilp.toml")


class Target(NamedTuple):
    """A node to talk to. `account`: whose money is meant when nobody says. `name`: in the development network."""

    url: str
    token: str | None = None
    name: str | None = None
    account: str | None = None
    certificate: str | None = None
    """The file whose first certificate the node presents, where this machine knows it."""


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
    node: str | None = None
    auth: str | None = None
    _console: Console | None = None
    _was_shown: bool = False
    """With --curl, of several requests only the first is printed: it is the one that was asked for."""

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

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what cannot be undone. Raises `CliError` when the answer is no, or nobody can be asked."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise CliError(ExitCode.USAGE, "Nothing was done: nobody can be asked here.", "Answer before:  --yes")
        self.console.err.write(self.console.encode(f"  {question} [y/N] "))
        self.console.err.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliError(ExitCode.FAILED, "Nothing was done.")

    # ------------------------------------------------------------------ the node

    def dev_document(self) -> dict[str, Any] | None:
        """The development network that was started in this directory, if any."""
        return _read_json(self.directory / "dev.json")

    def target(self, name: str | None = None) -> Target:
        """The node to ask: the one named by `--node`, else `name` in the development network, else what runs here."""
        node = self.node or self.environ.get("ILP_CLI_NODE_URL")
        auth = self.auth or self.environ.get("ILP_CLI_API_AUTH")
        dev = (self.dev_document() or {}).get("nodes", {})
        if node is not None and "://" in node:
            entry: Mapping[str, Any] = next((item for item in dev.values() if item["url"] == node.rstrip("/")), {})
            return Target(node.rstrip("/"), auth or entry.get("token"), certificate=entry.get("certificate"))
        if node is not None and node not in dev:
            raise CliError(ExitCode.NOT_FOUND, f"There is no node “{node}”.", _known_nodes(dev))
        chosen = node or (name if name in dev else _middle(dev))
        if chosen is not None:
            entry = dev[chosen]
            return Target(entry["url"], auth or entry["token"], chosen, entry["account"], entry.get("certificate"))
        return self._node_of_directory(auth)

    def _node_of_directory(self, auth: str | None) -> Target:
        """What `ilp node run` left in its default place; else the usual port."""
        place = self._data_directory()
        document = _read_json(place / "node.json")
        if auth is None:
            try:
                auth = (place / "admin_token").read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError):
                auth = None
        if document is None:
            return Target(DEFAULT_URL, auth)
        return Target(str(document.get("url", DEFAULT_URL)), auth, certificate=document.get("certificate"))

    def sending_targets(self, account: str | None = None) -> list[Target]:
        """Where payments may have been sent from: in a development network every holder's node."""
        document = self.dev_document()
        if document is None or self.node is not None or account is not None:
            return [self.target(account)]
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

    def _data_directory(self) -> Path:
        """Where the node of this directory keeps its state, as far as environment and file say."""
        named = self.environ.get("ILP_DATA_DIR")
        if named is None and SETTINGS_FILE.exists():
            import tomllib

            with suppress(OSError, ValueError):
                named = tomllib.loads(SETTINGS_FILE.read_text(encoding="utf-8")).get("data_dir")
        return Path(named) if isinstance(named, str) else self.directory / "node"

    def call(self, ask: Callable[[ApiClient], Coroutine[Any, Any, T]], target: Target | None = None) -> T:
        """Ask the node. Raises `CliError` for whatever goes wrong on the way."""
        import asyncio

        from interledger.api.client import ApiClient

        where = target or self.target()
        try:
            api = ApiClient(
                where.url,
                where.token,
                fetch=self._show_request if self.curl else None,
                tls=trusted(where.certificate),
            )
            return asyncio.run(ask(api))
        except InterledgerError as error:
            raise as_cli_error(error, where.url) from error

    async def _show_request(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, **_: Any) -> Any:
        """`--curl`: the request instead of the answer. The token is not printed, only where it goes."""
        if self._was_shown:
            raise OnlyShownError
        self._was_shown = True
        parts = ["curl", "-X", method, shlex.quote(url)]
        for name, value in headers.items():
            shown = "Bearer $ILP_CLI_API_AUTH" if name == "Authorization" else value
            parts.append(f'-H "{name}: {shown}"')
        if body:
            parts += ["-d", shlex.quote(body.decode("utf-8"))]
        self.console.print(" ".join(parts))
        raise OnlyShownError


def trusted(certificate: str | None) -> ssl.SSLContext | None:
    """Trust what a node of this machine presents; None: whom the system trusts. Raises `SettingsError`."""
    if certificate is None:
        return None
    from interledger.link.tls import pinned_context

    return pinned_context(Path(certificate))


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _middle(dev: Mapping[str, Any]) -> str | None:
    """The node that most questions are about: a hub, for it sees both sides."""
    hubs = [name for name, entry in dev.items() if entry.get("account") is None]
    return next(iter([*hubs, *dev]), None)


def _known_nodes(dev: Mapping[str, Any]) -> str:
    return f"There are  {'  '.join(dev)}" if dev else "Give its URL:  --node http://localhost:7770"
