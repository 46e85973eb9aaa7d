"""Errors as people see them: three lines at most. What did not happen, why, what to do."""

from __future__ import annotations

from typing import Any

from interledger.cli.exit_codes import ExitCode
from interledger.cli.output import printable
from interledger.errors import InterledgerError

__all__ = [
    "CliError",
    "OnlyShownError",
    "as_cli_error",
    "error_lines",
    "no_node_error",
    "problem_document",
    "write_trace",
]

PROBLEMS = "https://interledger-py.dev/problems/"

_KINDS = {
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "invalid-request",
    ExitCode.NO_NODE: "no-node",
    ExitCode.NOT_FOUND: "not-found",
    ExitCode.OWN_LIMIT: "own-limit",
    ExitCode.NOT_ALLOWED: "forbidden",
    ExitCode.REJECTED: "payment-failed",
    ExitCode.PARTLY_DONE: "payment-partial",
    ExitCode.UNKNOWN: "payment-unknown",
    ExitCode.FAULT_FOUND: "fault-found",
    ExitCode.INTERRUPTED: "interrupted",
}

_CODES_OF_KINDS = {
    "invalid-request": ExitCode.USAGE,
    "malformed-body": ExitCode.USAGE,
    "unauthorized": ExitCode.NOT_ALLOWED,
    "forbidden": ExitCode.NOT_ALLOWED,
    "not-found": ExitCode.NOT_FOUND,
    "receiver-unresolved": ExitCode.NOT_FOUND,
    "payment-failed": ExitCode.REJECTED,
    "payment-partial": ExitCode.PARTLY_DONE,
    "payment-unknown": ExitCode.UNKNOWN,
    "not-ready": ExitCode.NO_NODE,
}


class CliError(Exception):
    """The command ends here. `lines`: what did not happen and why; what to do. `problem`: what the API said."""

    def __init__(self, code: ExitCode, *lines: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(lines[0])
        self.code = code
        self.lines = lines
        self.problem = problem


class OnlyShownError(Exception):
    """`--curl`: the request was printed instead of sent, so there is no answer to go on with."""


def error_lines(error: CliError, mark: str = "✗") -> list[str]:
    """`✗ Not sent: …` and up to two lines below it."""
    first, *rest = map(printable, error.lines)
    return [f"{mark} {first}", *(f"  {line}" for line in rest[:2])]


def problem_document(error: CliError) -> dict[str, Any]:
    """RFC 7807: what the API said, or the same form for what never reached it."""
    if error.problem is not None:
        return error.problem | {"exit_code": int(error.code)}
    document: dict[str, Any] = {
        "type": PROBLEMS + _KINDS.get(error.code, "failed"),
        "title": error.lines[0],
        "exit_code": int(error.code),
    }
    if len(error.lines) > 1:
        document["detail"] = " ".join(line.strip() for line in error.lines[1:])
    return document


def no_node_error(url: str) -> CliError:
    """Nobody listens there."""
    return CliError(
        ExitCode.NO_NODE,
        f"No node answers at {url}.",
        "Start one to try things:  ilp dev up      Use another:  ilp context use NAME",
    )


def as_cli_error(error: InterledgerError, url: str | None = None) -> CliError:
    """Any error of ours as one that ends the command."""
    from interledger.errors import InvalidRequestError, LinkError, NotFoundError, SettingsError

    # Without asyncio: an ApiError can only have been raised when its module is loaded.
    problem: dict[str, Any] | None = getattr(error, "problem", None)
    if isinstance(problem, dict):
        kind = str(problem.get("type", "")).rpartition("/")[2]
        code = _CODES_OF_KINDS.get(kind, ExitCode.FAILED)
        lines = [_sentence(str(error))]
        suggestion = problem.get("suggestion")
        if suggestion:
            lines.append(f"Did you mean  {suggestion} ?")
        elif kind == "forbidden":
            make = f"ilp token create --may {problem.get('scope') or 'money'}"
            lines.append(f"Use one that may:  ilp context use NAME      Make one:  {make}")
        elif kind == "unauthorized":
            lines.append("Give the right one:  --auth TOKEN  or  ILP_CLI_API_AUTH")
        return CliError(code, *lines, problem=problem)
    if isinstance(error, LinkError) and url is not None:
        return no_node_error(url)
    if isinstance(error, NotFoundError):
        return CliError(ExitCode.NOT_FOUND, _sentence(str(error)))
    if isinstance(error, (InvalidRequestError, SettingsError)):
        return CliError(ExitCode.USAGE, *_sentence(str(error)).splitlines())
    return CliError(ExitCode.FAILED, _sentence(str(error)))


def _sentence(text: str) -> str:
    return text if text.startswith("http") else text[:1].upper() + text[1:]


def write_trace(error: BaseException) -> str:
    """For `--debug`: where it was written."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="ilp-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return file.name
