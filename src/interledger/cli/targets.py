"""Which node a command asks, and with what it says who asks.

What is said wins over what was chosen (`ilp context use`), and that over what runs in this directory. On the machine of
the node nothing has to be configured: its token is in a file that the user who runs it can read.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from interledger.cli.contexts import LOCAL, Contexts, read_contexts, token_of
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode

__all__ = ["DEFAULT_URL", "SETTINGS_FILE", "STATE_DIRECTORY", "Said", "Target", "dev_document", "find_target"]

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


class Said(NamedTuple):
    """What options and environment say. `node`: a URL, a name in the development network, or a context."""

    environ: Mapping[str, str]
    directory: Path
    node: str | None
    auth: str | None


def dev_document(directory: Path) -> dict[str, Any] | None:
    """The development network that was started in this directory, if any."""
    return _read_json(directory / "dev.json")


def find_target(said: Said, name: str | None = None) -> Target:
    """The node to ask. `name`: which one of the development network, where that is meant. Raises `CliError`."""
    node = said.node or said.environ.get("ILP_CLI_NODE_URL")
    auth = said.auth or said.environ.get("ILP_CLI_API_AUTH")
    dev: dict[str, Any] = (dev_document(said.directory) or {}).get("nodes", {})
    if node is not None and "://" in node:
        return _by_url(said, node.rstrip("/"), auth, dev)
    if node is not None and node in dev:
        return _of_network(dev, node, auth)
    contexts = read_contexts(said.environ)
    if node is not None and node != LOCAL:
        if node not in contexts.entries:
            raise CliError(ExitCode.NOT_FOUND, f"There is no node “{node}”.", _known(node, dev, contexts))
        return _of_context(contexts.entries[node], auth)
    if node is None and contexts.current != LOCAL:
        return _of_context(contexts.entries[contexts.current], auth)
    chosen = name if name in dev else _middle(dev)
    return _of_directory(said, auth) if chosen is None else _of_network(dev, chosen, auth)


def _of_network(dev: Mapping[str, Any], name: str, auth: str | None) -> Target:
    entry = dev[name]
    return Target(entry["url"], auth or entry["token"], name, entry["account"], entry.get("certificate"))


def _of_context(entry: Mapping[str, str], auth: str | None) -> Target:
    url, certificate = entry.get("url"), entry.get("certificate")
    if "data_dir" in entry:
        document = _read_json(Path(entry["data_dir"]) / "node.json") or {}
        url, certificate = url or document.get("url"), certificate or document.get("certificate")
    return Target(url or DEFAULT_URL, auth or token_of(entry), account=entry.get("account"), certificate=certificate)


def _by_url(said: Said, url: str, auth: str | None, dev: Mapping[str, Any]) -> Target:
    """What this machine knows of the node there: of the network, of a context, of the node of this directory."""
    entry = next((item for item in dev.values() if item["url"] == url), None)
    if entry is not None:
        return Target(url, auth or entry.get("token"), certificate=entry.get("certificate"))
    known: Target | None = None
    with suppress(CliError):  # who says where and who needs no contexts
        targets = (_of_context(entry, None) for entry in read_contexts(said.environ).entries.values())
        known = next((target for target in targets if target.url == url), None)
    known = known or _of_directory(said, None)
    return known._replace(token=auth or known.token) if known.url == url else Target(url, auth)


def _of_directory(said: Said, auth: str | None) -> Target:
    """What `ilp node run` left in its default place; else the usual port."""
    place = _data_directory(said)
    document = _read_json(place / "node.json")
    auth = auth or token_of({"data_dir": str(place)})
    if document is None:
        return Target(DEFAULT_URL, auth)
    return Target(str(document.get("url", DEFAULT_URL)), auth, certificate=document.get("certificate"))


def _data_directory(said: Said) -> Path:
    """Where the node of this directory keeps its state, as far as environment and file say."""
    named = said.environ.get("ILP_DATA_DIR")
    if named is None and SETTINGS_FILE.exists():
        import tomllib

        with suppress(OSError, ValueError):
            named = tomllib.loads(SETTINGS_FILE.read_text(encoding="utf-8")).get("data_dir")
    return Path(named) if isinstance(named, str) else said.directory / "node"


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


def _known(node: str, dev: Mapping[str, Any], contexts: Contexts) -> str:
    names = list(dict.fromkeys([*dev, *contexts.entries]))
    near = difflib.get_close_matches(node, names, n=1)
    if near:
        return f"Did you mean  {near[0]} ?"
    return f"There are  {'  '.join(names)}" if names else "Give its URL:  --node http://localhost:7770"
