"""What `ilp explain` knows beside ILP error codes: the API's problems by their type, and exit codes by their number."""

from __future__ import annotations

import textwrap
from typing import Any, Final, NamedTuple

from interledger.cli.exit_codes import MEANINGS, ExitCode

__all__ = ["EXITS", "PROBLEMS", "Advice", "exit_document", "more_lines", "problem_document_of"]

WIDTH: Final = 79
LABEL: Final = 19


class Advice(NamedTuple):
    """What it usually comes from, and a command that shows more, or does something about it."""

    reasons: str
    see: str = ""


PROBLEMS: Final[dict[str, Advice]] = {
    "invalid-request": Advice(
        "a value that cannot be; `param` names the field", "the OpenAPI document: /api/openapi.json"
    ),
    "malformed-body": Advice("JSON that is cut, has a key twice, or a number that JSON does not have"),
    "unauthorized": Advice("no token; a token of another node; one that was revoked", "ilp context show"),
    "forbidden": Advice("a token that may read, for what moves money; another account's token", "ilp token list"),
    "not-found": Advice("a name that was mistyped; what was deleted; another node's", "ilp context show"),
    "method-not-allowed": Advice(
        "GET for what is done by POST, or the other way", "the OpenAPI document: /api/openapi.json"
    ),
    "conflict": Advice(
        "a name that is taken; an account with a balance, which cannot be deleted; an Idempotency-Key that was used for"
        " another request"
    ),
    "body-too-large": Advice("a body of more than the node reads"),
    "misdirected": Advice("a name for the node that it does not know, behind a proxy", "the setting host_names"),
    "unsupported-media-type": Advice("a body that is not JSON, or not called so", "Content-Type: application/json"),
    "too-many-requests": Advice("more requests in a minute than one address may make", "the header Retry-After"),
    "upgrade-required": Advice("a plain request to a path that is a WebSocket: incoming payments, BTP"),
    "invalid-setting": Advice("a setting of an account or of the node that cannot be", "ilp config check"),
    "receiver-unresolved": Advice(
        "a pointer that was mistyped; a wallet that is off or takes no payments", "ilp quote POINTER '1 USD'"
    ),
    "payment-failed": Advice("nothing arrived; `code` is the ILP error code", "ilp payment show PAYMENT"),
    "payment-partial": Advice(
        "some arrived, then no more went through; what did is not sent again", "ilp payment show PAYMENT"
    ),
    "payment-unknown": Advice(
        "answers that never came: counted as sent until they are proved otherwise", "ilp unknown list"
    ),
    "payment-cancelled": Advice("somebody stopped it; what had arrived stays there", "ilp payment show PAYMENT"),
    "peer-failed": Advice("a peer or its engine answered wrongly, or not at all", "ilp doctor peer NAME"),
    "internal-error": Advice("a fault of ours: the node's log has it under the number in `detail`", "the node's log"),
    "store-unavailable": Advice(
        "a disk that is full; a database that is away: nothing moves until it can be written", "ilp doctor"
    ),
    "no-answer": Advice("a node on the way, or a receiver, that is slow or away", "ilp ping ADDRESS"),
    "not-ready": Advice("a node that starts, or has no address from its parent yet", "ilp status"),
}  # fmt: skip
"""By the last part of a problem's type."""

EXITS: Final[dict[ExitCode, Advice]] = {
    ExitCode.DONE: Advice("all went well; a dry run too"),
    ExitCode.FAILED: Advice("whatever the error says, which is none of the reasons below", "the command with --debug"),
    ExitCode.USAGE: Advice(
        "a word or an option that is not known; a question that nobody could answer",
        "the command with --help"
    ),
    ExitCode.NO_NODE: Advice("no node runs; another address or port", "ilp dev up   ilp context use NAME"),
    ExitCode.NOT_FOUND: Advice("a name that was mistyped; a receiver that is not there", "ilp account list"),
    ExitCode.OWN_LIMIT: Advice("a limit that you gave: --min-rate; a limit of your account", "ilp rate list"),
    ExitCode.NOT_ALLOWED: Advice("a token that is missing, or may not do that", "ilp context show"),
    ExitCode.REJECTED: Advice("no route; no room; a receiver that does not want it", "ilp explain CODE, as printed"),
    ExitCode.PARTLY_DONE: Advice(
        "some was delivered; the rest was not sent, and can be sent again", "ilp payment show PAYMENT"
    ),
    ExitCode.UNKNOWN: Advice("answers that never came: do not simply send it again", "ilp unknown list"),
    ExitCode.FAULT_FOUND: Advice("the check works, and found something", "what it printed"),
    ExitCode.INTERRUPTED: Advice("Ctrl-C; what happened until then is printed first", "ilp payment list"),
}  # fmt: skip


def problem_document_of(words: str) -> dict[str, Any] | None:
    """By `not-found` or the whole type; None where there is none."""
    from interledger.api.problems import PROBLEM_TYPES, problem_type_url

    kind = words.rpartition("/")[2].lower()
    found = PROBLEM_TYPES.get(kind)
    if found is None:
        return None
    advice = PROBLEMS[kind]
    return {
        "code": kind, "kind": "problem", "name": found.title, "meaning": f"HTTP status {found.status}.",
        "reasons": advice.reasons.split("; "), "see": advice.see or None, "type": problem_type_url(kind),
    }  # fmt: skip


def exit_document(words: str) -> dict[str, Any] | None:
    """By its number; None where there is none."""
    code = next((code for code in ExitCode if str(int(code)) == words), None)
    if code is None:
        return None
    advice = EXITS[code]
    return {
        "code": words, "kind": "exit code", "name": f"exit code {words}", "meaning": f"{MEANINGS[code].capitalize()}.",
        "reasons": advice.reasons.split("; "), "see": advice.see or None, "type": None,
    }  # fmt: skip


def more_lines(document: dict[str, Any]) -> list[str]:
    """The whole entry."""
    title = document["name"] if document["kind"] == "exit code" else f"{document['code']}  {document['name']}"
    source = "ilp help exit-codes" if document["type"] is None else document["type"]
    rows = [("Usual reasons", "; ".join(document["reasons"])), ("See it", document["see"] or ""), ("Source", source)]
    lines = [title, f"  {document['meaning']}"]
    for label, text in rows:
        if text:
            lines += textwrap.wrap(
                text,
                WIDTH,
                initial_indent=f"  {label}".ljust(LABEL),
                subsequent_indent=" " * LABEL,
                break_on_hyphens=False,
                break_long_words=False,
            )
    return lines
