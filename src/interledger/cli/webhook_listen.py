"""`ilp webhook listen`: what a webhook would be sent, as it happens; passed on to a program of this machine, signed.

Nothing is set up at the node, so it may be anywhere, and a token that may read is enough. What the program does not
take is not sent again: that is what webhooks are for.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import click

from interledger.application.webhook_body import webhook_document, webhook_type
from interledger.application.webhook_signature import SIGNATURE_HEADER, sign
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import duration, time_of_day
from interledger.cli.output import printable
from interledger.cli.state import State
from interledger.cli.stream import Stream
from interledger.cli.tree import command
from interledger.clock import SystemClock
from interledger.errors import InterledgerError, InvalidRequestError

__all__ = ["listen"]

TIMEOUT_MS: Final = 10_000
"""As a node waits for the answer to a delivery."""

ANSWER_MAX: Final = 65_536
"""Octets of an answer, which nobody reads."""


@command("listen")
@click.option("--forward-to", "url", metavar="URL", help="Send each there, signed; to a program of this machine.")
@click.option(
    "--event", "kinds", multiple=True, metavar="KIND", help="A kind or topic of events; all, if none is said."
)
@click.option("--secret", metavar="SECRET", help="Sign with this one; a new one, if none is said.")
@click.option("--since", type=click.IntRange(0), metavar="ID", help="Begin with what came after this event.")
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Stop after so many.")
@click.pass_obj
def listen(
    state: State, url: str | None, kinds: tuple[str, ...], secret: str | None, since: int | None, limit: int | None
) -> None:
    """What a webhook would be sent, as it happens, until Ctrl-C; and pass it on to a program that you are writing.

    \b
      ilp webhook listen
      ilp webhook listen --forward-to http://127.0.0.1:8000/ilp --event payment
      ilp webhook listen --forward-to http://127.0.0.1:8000/ilp --secret whsec_of_mine --since 0

    Nothing is set up at the node, and a token that may read is enough. It is sent once, as a node sends it: with
    Interledger-Delivery and Interledger-Signature.
    """
    from interledger.cli.events import Tail

    stream, console = Stream(state), state.console
    forward = None if url is None else _Forward(url, secret or f"whsec_{secrets.token_hex(32)}")
    if forward is not None and state.is_table and secret is None:
        console.note(f"  Signed with  {forward.secret}")

    async def put(event: Mapping[str, Any]) -> None:
        document = webhook_document(event["id"], event["kind"], event["at"], event["text"], event["data"])
        text = json.dumps(document, ensure_ascii=False)
        came = None if forward is None else await forward.send(text)
        stream.put(document if came is None else document | {"forwarded": came}, lambda: _line(state, event, came))

    only = ",".join(kinds) or None
    state.call(lambda api: Tail(api, put, console, only=only, since=since, limit=limit).run())


class _Forward:
    """Where it goes, and with which secret."""

    def __init__(self, url: str, secret: str) -> None:
        """Raises `CliError` for what is no URL."""
        from interledger.link.http.egress import EgressPolicy
        from interledger.link.http.urls import parse_url

        self.secret = secret
        self._url = url
        try:
            self._egress = EgressPolicy(allowed=frozenset({parse_url(url).authority}))
        except InvalidRequestError as error:
            raise CliError(ExitCode.USAGE, f"--forward-to: {error}", "Write  http://127.0.0.1:8000/path") from None

    async def send(self, text: str) -> dict[str, Any]:
        """Status or error, and how long it took."""
        from interledger.clock import stopwatch_us
        from interledger.link.http.fetch import fetch

        body, clock = text.encode("utf-8"), SystemClock()
        headers = {
            "Content-Type": "application/json",
            "Interledger-Delivery": f"dlv_{secrets.token_hex(8)}",
            SIGNATURE_HEADER: sign(self.secret, body, clock.now()),
        }
        start = stopwatch_us()
        status: int | None = None
        error: str | None = None
        try:
            answer = await fetch(
                "POST", self._url, headers=headers, body=body, egress=self._egress, timeout_ms=TIMEOUT_MS,
                limit_octets=ANSWER_MAX,
            )  # fmt: skip
            status = answer.status
        except (InterledgerError, TimeoutError, OSError) as failed:
            error = str(failed) or "no answer in time"
        return {"status": status, "error": error, "ms": (stopwatch_us() - start) // 1000}


def _line(state: State, event: Mapping[str, Any], came: Mapping[str, Any] | None) -> str:
    """`12:00:27  ✓ outgoing_payment.completed  204 in 3 ms`; with nobody to send it to, the event in words."""
    mark, said = "·", printable(f"{event['subject'] or ''} {event['text']}".strip())
    if came is not None:
        taken = came["status"] is not None and HTTPStatus.OK <= came["status"] < HTTPStatus.MULTIPLE_CHOICES
        mark = "✓" if taken else "✗"
        said = printable(came["error"]) if came["error"] else f"{came['status']} in {duration(came['ms'])}"
    kind = printable(webhook_type(event["kind"], event["data"]))
    return f"{time_of_day(event['at'])}  {state.console.mark(mark)} {kind}  {said}"
