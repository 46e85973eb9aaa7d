"""`ilp token`: the operator's named tokens; one for each program or person, with what it may."""

from __future__ import annotations

import click

from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["create", "list_tokens", "revoke"]

_WORDS = {"read": "read", "operate": "operate", "money": "move money"}


@command("create", would="make a token")
@click.argument("name", metavar="NAME", default="")
@click.option(
    "--may", required=True, multiple=True, type=click.Choice(list(_WORDS)), help="What it may do; several times."
)
@click.pass_obj
def create(state: State, name: str, may: tuple[str, ...]) -> None:
    """A token for one use. It is shown now and never again. Whoever may act may look, too.

    read: look at everything. operate: routes, rates, webhooks, what is logged. money: payments, settlements, books,
    accounts, peers, tokens.

    \b
      ilp token create grafana --may read
      ilp token create ops --may operate --may money
    """
    name = name or "-".join(may)
    made = state.call(lambda api: api.create_admin_token(name, may))

    def render() -> list[str]:
        words = " and ".join(_WORDS[scope] for scope in made["may"])
        first = f"{state.console.mark('✓')} Token “{name}” may {words} ({made['id']})."
        return [first, "", f"  {made['token']}", "", "  Write it down now: it is not kept here."]

    state.emit(made, render)


@command("list")
@click.pass_obj
def list_tokens(state: State) -> None:
    """All of them, without what they are.

    \b
      ilp token list
    """
    tokens = state.call(lambda api: api.admin_tokens())

    def render() -> list[str]:
        if not tokens:
            return ["  There is no token but the one in the settings. Make one:  ilp token create NAME --may read"]
        width = max(len(token["label"]) for token in tokens)
        return [f"  {t['id']}  {t['label']:<{width}}  {', '.join(t['may'])}" for t in tokens]

    state.emit_list(tokens, render)


@command("revoke", would="revoke token {token}")
@click.argument("token", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(state: State, token: str, yes: bool) -> None:
    """A token opens nothing from now on.

    \b
      ilp token revoke 3f9a2c41
    """
    state.confirm(f"Revoke token {token}?", yes=yes)
    revoked = state.call(lambda api: api.revoke_admin_token(token))
    state.emit(revoked, lambda: [f"{state.console.mark('✓')} Revoked “{revoked['label']}”, at once."])
