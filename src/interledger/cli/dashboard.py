"""`ilp node dashboard`: a link that lets a browser in, once."""

from __future__ import annotations

import click

from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["dashboard"]


@command("dashboard")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser of this machine, too.")
@click.pass_obj
def dashboard(state: State, opens: bool) -> int:
    """A link to the node's pages. It works once, for ten minutes; then the browser is logged in for twelve hours.

    \b
      ilp node dashboard
    """
    target = state.target()
    login = state.call(lambda api: api.create_login(), target)
    url = target.url + login["path"]
    state.emit({"url": url, "expires_at": login["expires_at"]}, lambda: [f"  {url}"], identifier="url")
    if opens:
        click.launch(url)
    return ExitCode.DONE
