"""`ilp account token`: the tokens an account may present; add the new one, let the peer change, revoke the old one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["add", "list_tokens", "revoke"]


@command("add", would="make a token for {name}")
@click.argument("name", metavar="ACCOUNT")
@click.option("--use", metavar="http|btp|both", help="What it opens; when not said, what the account uses now.")
@click.option("--label", default="", metavar="TEXT", help="A word of yours, to know it by.")
@click.option("--token-file", metavar="FILE", help="The file it stands in; without it one is made.")
@click.pass_obj
def add(state: State, name: str, use: str | None, label: str, token_file: str | None) -> None:
    """One more token for an account. It is shown now and never again; the others stay good.

    \b
      ilp account token add bob --label spring
      ilp account token revoke bob 3f9a2c41
    """
    given = None if token_file is None else _read(token_file)
    made = state.call(lambda api: api.add_token(name, use=use, label=label, token=given))

    def render() -> list[str]:
        shown = "" if given is not None else f"\n\n  {made['token']}\n\n  Give it to the peer now: it is not kept."
        return [f"{state.console.mark('✓')} {name} has token {made['id']} ({made['use']}).{shown}"]

    state.emit(made, render)


@command("list")
@click.argument("name", metavar="ACCOUNT")
@click.pass_obj
def list_tokens(state: State, name: str) -> None:
    """The tokens of an account, without what they are.

    \b
      ilp account token list bob
    """
    tokens = state.call(lambda api: api.tokens(name))

    def render() -> list[str]:
        if not tokens:
            return [f"  {name} has no token. Make one:  ilp account token add {name}"]
        width = max(len(token["id"]) for token in tokens)
        return [_line(token, width) for token in tokens]

    state.emit_list(tokens, render)


@command("revoke", would="revoke token {token} of {name}")
@click.argument("name", metavar="ACCOUNT")
@click.argument("token", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(state: State, name: str, token: str, yes: bool) -> None:
    """A token opens nothing from now on; what it opened is closed.

    \b
      ilp account token revoke bob 3f9a2c41
    """
    state.confirm(f"Revoke token {token} of {name}?", yes=yes)
    revoked = state.call(lambda api: api.revoke_token(name, token))
    state.emit(revoked, lambda: [f"{state.console.mark('✓')} Revoked {revoked['id']}, at once."])


def _line(token: Mapping[str, Any], width: int) -> str:
    made = (token["created_at"] or "")[:16].replace("T", " ")
    return f"  {token['id']:<{width}}  {token['use']:<4}  {made:<16}  {token['label']}".rstrip()


def _read(place: str) -> str:
    try:
        return Path(place).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(ExitCode.USAGE, f"{place} cannot be read: {error}.") from None
