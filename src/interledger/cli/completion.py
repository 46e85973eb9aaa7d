"""`ilp completion`: what a shell needs to complete commands, options and their values."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from interledger.cli.state import State
from interledger.cli.tree import command

__all__ = ["COMPLETE_VARIABLE", "completion"]

COMPLETE_VARIABLE: Final = "_ILP_COMPLETE"
"""By which the script asks the program; click's convention for a program called `ilp`."""

_SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@command("completion")
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Write the script that makes a shell complete what one types after ilp.

    \b
      ilp completion bash > ~/.local/share/bash-completion/completions/ilp
      ilp completion zsh > "${fpath[1]}/_ilp"
      ilp completion fish > ~/.config/fish/completions/ilp.fish
    """
    complete = _SHELLS[shell](context.find_root().command, {}, "ilp", COMPLETE_VARIABLE)
    # Not `complete.source()`: it runs the shell to ask for its version.
    text = complete.source_template % complete.source_vars()
    context.ensure_object(State).console.print(text.strip("\n"))
