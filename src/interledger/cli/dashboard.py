"""`ilp node dashboard`: a link that lets a browser in, once."""

from __future__ import annotations

import click

from interledger.cli.asking import open_in_browser
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["dashboard"]


@command("dashboard")
@click.pass_obj
def dashboard(state: State) -> int:
    """A link to the node's pages. It works once, for ten minutes; then the browser is logged in for twelve hours.

    \b
      ilp node dashboard
      ilp node dashboard --open
    """
    opens, state.open = state.open, False
    target = state.target()
    login = state.call(lambda api: api.create_login(), target)
    url = target.url + login["path"]
    if opens and state.is_table:
        open_in_browser(url, state.console)
        return ExitCode.DONE
    state.emit({"url": url, "expires_at": login["expires_at"]}, lambda: [f"  {url}"], identifier="url")
    return ExitCode.DONE
