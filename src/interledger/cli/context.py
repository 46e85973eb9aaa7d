"""`ilp context`: nodes by name, and which one is asked when nobody says."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from interledger.cli.contexts import LOCAL, Contexts, read_contexts, write_contexts
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import Column, render_table
from interledger.cli.state import State
from interledger.cli.targets import find_target
from interledger.cli.tree import command

__all__ = ["add", "delete", "list_contexts", "show", "use"]

Document = dict[str, Any]

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done.")


@command("add")
@click.argument("name", metavar="NAME")
@click.argument("url", metavar="[URL]", required=False)
@click.option("--token-file", metavar="FILE", help="The file its token stands in; it is read each time. “-”: read now.")
@click.option("--data-dir", metavar="DIR", help="Of a node of this machine: where it listens and its token are there.")
@click.option("--account", metavar="ACCOUNT", help="Whose money is meant when nobody says.")
@click.option("--certificate", metavar="FILE", help="What the node presents, when it is not of a known authority.")
@click.option("--use", "is_used", is_flag=True, help="Use it from now on.")
@_DRY_RUN
@click.pass_obj
def add(
    state: State,
    /,
    name: str,
    url: str | None,
    token_file: str | None,
    data_dir: str | None,
    is_used: bool,
    dry_run: bool,
    **more: str | None,
) -> None:
    """Give a node a name: where it is, and what to show it. The same name again replaces it.

    \b
      ilp context add ops https://hub.example --token-file ops.token
      ilp context add hub --data-dir /var/lib/interledger --use
      ilp context add shop https://hub.example --token-file - --account shop
    """
    entry = {"url": _url(url)} if url is not None else {}
    entry |= _token(state, token_file)
    if data_dir is not None:
        entry["data_dir"] = str(_existing(data_dir, "directory"))
    if not ({"url", "data_dir"} & entry.keys()):
        raise CliError(ExitCode.USAGE, "URL is missing: where is the node?", "Write  ilp context add NAME URL")
    entry |= {key: value for key, value in more.items() if value is not None}
    if "certificate" in entry:
        entry["certificate"] = str(_existing(entry["certificate"], "file"))
    contexts = read_contexts(state.environ)
    if name == LOCAL or not _is_name(name):
        raise CliError(ExitCode.USAGE, f"“{name}” cannot be the name of a context.", "Use letters, digits, - and _")
    entries = contexts.entries | {name: entry}
    document = _document(name, entry, is_current=is_used)
    if dry_run:
        state.emit_dry_run(f"add context {name}", {"context": document})
        return
    write_contexts(state.environ, Contexts(name if is_used else contexts.current, entries))
    how = "" if is_used else f"   Use it:  ilp context use {name}"
    state.emit(document, lambda: [f"{state.console.mark('✓')} Added {name}.{how}"], identifier="name")


@command("use")
@click.argument("name", metavar="NAME")
@_DRY_RUN
@click.pass_obj
def use(state: State, name: str, dry_run: bool) -> None:
    """Ask this node from now on, wherever one is. “local” is what runs in the directory one is in.

    \b
      ilp context use ops
      ilp context use local
    """
    contexts = read_contexts(state.environ)
    entry = {} if name == LOCAL else _entry(contexts, name)
    where = "what runs in the directory you are in" if name == LOCAL else f"{name}   {_place(entry)}"
    document = _document(name, entry, is_current=not dry_run)
    if dry_run:
        state.emit_dry_run(f"ask {where}", {"context": document})
        return
    write_contexts(state.environ, contexts._replace(current=name))
    state.emit(document, lambda: [f"{state.console.mark('✓')} From now on ilp asks {where}"], identifier="name")


@command("list")
@click.pass_obj
def list_contexts(state: State) -> None:
    """All contexts, and which one is used.

    \b
      ilp context list
    """
    contexts = read_contexts(state.environ)
    items = [_document(LOCAL, {}, is_current=contexts.current == LOCAL)]
    items += [_document(name, entry, is_current=contexts.current == name) for name, entry in contexts.entries.items()]
    columns = (
        Column("CONTEXT", lambda row: row["name"], keep=9),
        Column("USED", lambda row: state.console.mark("✓", "now") if row["current"] else "", keep=8),
        Column("NODE", lambda row: row["data_dir"] or row["url"] or "what runs in this directory", keep=7),
        Column("ACCOUNT", lambda row: row["account"] or "", keep=2),
        Column("TOKEN", lambda row: row["token"], keep=1),
    )
    state.emit_list(items, lambda: render_table(items, columns, state.console), identifier="name")


@command("show")
@click.argument("name", metavar="[NAME]", required=False)
@click.pass_obj
def show(state: State, name: str | None) -> None:
    """One context, or the one in use: which node is asked, and who the node says we are. No token is shown.

    \b
      ilp context show
    """
    contexts = read_contexts(state.environ)
    chosen = name or contexts.current
    entry = {} if chosen == LOCAL else _entry(contexts, chosen)
    target = find_target(state.said._replace(node=state.node or chosen))
    document = _document(chosen, entry, is_current=chosen == contexts.current) | {"url": target.url}
    try:
        caller: Mapping[str, Any] = dict(state.call(lambda api: api.whoami(), target))
        who = state.console.mark("✓", _who(caller))
    except CliError as error:
        caller, who = {}, state.console.mark("✗", error.lines[0])
    document["caller"] = caller or None

    def render() -> list[str]:
        rows = [("Node", target.url), ("Token", document["token"]), ("Account", document["account"]), ("Answers", who)]
        used = state.console.mark("✓", "used now") if document["current"] else "not used"
        return [f"{chosen}   {used}", *(f"  {label:<9} {text}" for label, text in rows if text)]

    state.emit(document, render, identifier="name")


@command("delete")
@click.argument("name", metavar="NAME")
@_DRY_RUN
@click.pass_obj
def delete(state: State, name: str, dry_run: bool) -> None:
    """Forget a context, with the token that is kept here. The node notices nothing.

    \b
      ilp context delete ops
    """
    contexts = read_contexts(state.environ)
    entry = _entry(contexts, name)
    left = {other: kept for other, kept in contexts.entries.items() if other != name}
    document = _document(name, entry, is_current=False)
    if dry_run:
        state.emit_dry_run(f"forget context {name}", {"context": document})
        return
    write_contexts(state.environ, Contexts(LOCAL if contexts.current == name else contexts.current, left))
    state.emit(document, lambda: [f"{state.console.mark('✓')} Forgot {name}."], identifier="name")


# ---------------------------------------------------------------------- parts


def _entry(contexts: Contexts, name: str) -> dict[str, str]:
    if name in contexts.entries:
        return contexts.entries[name]
    near = difflib.get_close_matches(name, [*contexts.entries, LOCAL], n=1)
    hint = f"Did you mean  {near[0]} ?" if near else "All:  ilp context list"
    raise CliError(ExitCode.NOT_FOUND, f"There is no context “{name}”. {hint}")


def _document(name: str, entry: Mapping[str, str], *, is_current: bool) -> Document:
    """Without the token: only where it is."""
    if "token_file" in entry:
        token = f"in {entry['token_file']}"
    elif "token" in entry:
        token = "kept here"  # noqa: S105 - said in its place
    else:
        token = "" if name == LOCAL else "of the data directory" if "data_dir" in entry else "none"
    keys = ("url", "data_dir", "account", "certificate")
    return {"name": name, "current": is_current, **{key: entry.get(key) for key in keys}, "token": token}


def _place(entry: Mapping[str, str]) -> str:
    return entry.get("url") or f"the node of {entry['data_dir']}"


def _who(caller: Mapping[str, Any]) -> str:
    return "as the operator" if caller["is_admin"] else f"as {caller['account']}"


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise CliError(ExitCode.USAGE, f"“{text}” is not the URL of a node.", "Write  https://hub.example")
    return text.rstrip("/")


def _token(state: State, token_file: str | None) -> dict[str, str]:
    if token_file == "-":  # noqa: S105 - the input
        text = sys.stdin.read(8_192).strip()
        if not text:
            raise CliError(ExitCode.USAGE, "No token came from the input.", "Write  … --token-file - < FILE")
        return {"token": text}
    if token_file is not None:
        return {"token_file": str(_existing(token_file, "file"))}
    return {"token": state.auth} if state.auth else {}


def _existing(place: str, kind: str) -> Path:
    path = Path(place).absolute()
    if not (path.is_dir() if kind == "directory" else path.is_file()):
        raise CliError(ExitCode.NOT_FOUND, f"There is no {kind} {place}.")
    return path
