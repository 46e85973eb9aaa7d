"""`ilp`: the one place where a run begins and ends."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from interledger.cli.commands import root
from interledger.cli.errors import CliError, OnlyShownError, as_cli_error, error_lines, problem_document, write_trace
from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import to_json, to_ndjson
from interledger.cli.state import State
from interledger.errors import InterledgerError

__all__ = ["main", "run"]

ALIKE: Final = 0.7
"""So much alike are an option and what was typed for it. Less, and `--help` is like anything short."""


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:], os.environ))


def run(args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line, and return its exit code. Errors are printed, never raised."""
    state = State(environ=environ)
    try:
        result = root.main(list(args), prog_name="ilp", standalone_mode=False, obj=state)
        sys.stdout.flush()
    except CliError as error:
        return _end(state, error, args)
    except OnlyShownError:
        return ExitCode.DONE
    except click.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _end(state, _usage_error(error), args)
    except InterledgerError as error:
        return _end(state, as_cli_error(error), args, error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has enough. Python would complain about it once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # the last net: people get a sentence, never a traceback
        return _end(state, _fault(error), args, error)
    return result if isinstance(result, int) else ExitCode.DONE


def _end(state: State, error: CliError, args: Sequence[str], cause: BaseException | None = None) -> int:
    """Print an error in the form that was asked for."""
    wants_json = state.form in ("json", "ndjson") or "--json" in args
    console = state.console
    sys.stdout.flush()
    if wants_json:
        document = problem_document(error)
        console.print(to_ndjson([document])[0] if state.form == "ndjson" else to_json(document))
        sys.stdout.flush()
    else:
        for line in error_lines(error, console.paint("✗", "red")):
            console.note(line)
    if state.debug:
        console.note(f"  Written for --debug:  {write_trace(cause or error)}")
    return error.code


def _usage_error(error: click.ClickException) -> CliError:
    """Click's own refusals, in our words."""
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else "ilp"
    help_line = f"See  {path} --help"
    if isinstance(error, click.NoSuchOption):
        found = difflib.get_close_matches(error.option_name, error.possibilities or (), n=1, cutoff=ALIKE)
        near = f" Did you mean  {found[0]} ?" if found else ""
        return CliError(ExitCode.USAGE, f"There is no option “{error.option_name}”.{near}", help_line)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = error.param.make_metavar(error.ctx) if error.ctx is not None else error.param.name or ""
        if isinstance(error.param, click.Option):
            name = error.param.opts[-1]
        return CliError(ExitCode.USAGE, f"{name} is missing.", help_line)
    return CliError(ExitCode.USAGE, error.format_message().splitlines()[0], help_line)


def _fault(error: Exception) -> CliError:
    """Nobody's mistake but ours."""
    return CliError(
        ExitCode.FAILED,
        f"ilp itself has a fault here: {type(error).__name__}.",
        "The same command with --debug writes down what is needed to find it.",
    )


if __name__ == "__main__":
    main()
