"""`ilp doctor`: what is wrong with a node or with the link to a peer, and what to do about each thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from interledger.cli.account import find_account
from interledger.cli.account_view import NEAR_LIMIT, position_of
from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import duration, parse_moment
from interledger.cli.output import printable
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.client import ApiClient

__all__ = ["Finding", "doctor", "finding_lines", "node_findings"]

Document = Mapping[str, Any]

MARKS: Final = {"good": "✓", "look": "!", "unknown": "?", "bad": "✗", "skipped": "·"}

_VERDICTS: Final = {"ok": "good", "warning": "look", "failed": "bad", "skipped": "skipped"}
"""Those of a check of a peer."""

NAMED: Final = 3
"""So many accounts are named in a line; the rest is counted."""

LABEL: Final = 11


class Finding(NamedTuple):
    """One check. `verdict`: good, look, unknown, bad, skipped; `advice`: the command that helps."""

    check: str
    verdict: str
    text: str
    advice: str = ""


@command("doctor")
@click.argument("words", metavar="[peer NAME]", nargs=-1)
@click.pass_obj
def doctor(state: State, words: tuple[str, ...]) -> int:
    """Look for what is wrong with a node, or with the link to a peer, and say what to do. Nothing is changed.

    \b
      ilp doctor
      ilp doctor peer bob

    Exit code 10 when something is wrong.
    """
    if words and (words[0] != "peer" or len(words) != 2):
        raise CliError(
            ExitCode.USAGE,
            f"“{' '.join(words)}” is nothing a doctor knows.",
            "Write  ilp doctor  or  ilp doctor peer NAME",
        )
    title, findings = _of_peer(state, words[1]) if words else _of_node(state)
    is_good = not any(finding.verdict in ("bad", "look", "unknown") for finding in findings)
    document = {"subject": title, "good": is_good, "checks": [finding._asdict() for finding in findings]}
    state.emit(document, lambda: [title, *finding_lines(findings, state.console)], identifier="good")
    return ExitCode.FAULT_FOUND if any(finding.verdict == "bad" for finding in findings) else ExitCode.DONE


def finding_lines(findings: Sequence[Finding], console: Console) -> list[str]:
    """A line a check, what to do below those that are not good, and the sum."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"  {console.mark(MARKS[finding.verdict])} {finding.check:<{LABEL}} {finding.text}".rstrip())
        if finding.advice:
            lines.append(f"    {'':<{LABEL}} {finding.advice}")
    count = sum(finding.verdict in ("bad", "look", "unknown") for finding in findings)
    if not count:
        return [*lines, "Nothing is wrong."]
    return [*lines, f"{count} thing{'' if count == 1 else 's'} to see to."]


# ---------------------------------------------------------------------- a node


def _of_node(state: State) -> tuple[str, list[Finding]]:
    target = state.target()
    began = time.monotonic()
    caller: Document = dict(state.call(lambda api: api.whoami(), target))
    took = duration(int((time.monotonic() - began) * 1000))
    who = "the operator" if caller["is_admin"] else f"{caller['account']}, who sees only its own account"
    findings = [*_settings(state), Finding("answers", "good", f"in {took}, to {who}")]
    if not caller["is_admin"]:
        advice = "Ask as the operator:  --auth TOKEN  or  ilp context use NAME"
        return target.url, [*findings, Finding("the rest", "skipped", "only the operator may see it", advice)]

    async def ask(api: ApiClient) -> Any:
        return await asyncio.gather(api.status(), api.accounts(), api.rates(), api.settlements())

    status, accounts, rates, settlements = state.call(ask, target)
    findings += node_findings(status, accounts, rates, settlements, datetime.now(UTC))
    return f"{status['ilp_address']}   {target.url}   version {status['version']}", findings


def _settings(state: State) -> list[Finding]:
    """The file of this directory, where the node of this directory is asked."""
    from interledger.cli.targets import SETTINGS_FILE
    from interledger.node.settings_load import read_settings

    if state.node is not None or not SETTINGS_FILE.exists():
        return []
    faults = read_settings({}, state.environ).faults
    if not faults:
        return [Finding("settings", "good", f"{SETTINGS_FILE} has no faults")]
    return [Finding("settings", "bad", f"{faults[0].where} {faults[0].problem}", "All:  ilp config check")]


def node_findings(
    status: Document, accounts: Sequence[Any], rates: Sequence[Any], settlements: Sequence[Any], now: datetime
) -> list[Finding]:
    """What the node's own documents show."""
    findings = [_ready(status)]
    findings += _links([one for one in accounts if one["relation"] != "local"], now)
    findings += _limits(accounts)
    findings += _rates(accounts, rates)
    findings += _settlements(settlements)
    unknown = status["unknown"]
    if unknown:
        text = f"{unknown} amount{'' if unknown == 1 else 's'} that nobody has proved"
        findings.append(Finding("unknown", "unknown", text, "See  ilp unknown list"))
    else:
        findings.append(Finding("unknown", "good", "every packet has a proven outcome"))
    findings += [Finding("alarm", "bad", printable(alarm)) for alarm in status["alarms"]]
    return findings


def _ready(status: Document) -> Finding:
    if status["read_only"]:
        advice = "Look at the disk and the node's log; then  ilp ledger check"
        return Finding("ready", "bad", "read-only: its books cannot be written", advice)
    if not status["ready"]:
        return Finding("ready", "bad", "it does not take packets yet", "Wait, then  ilp status")
    return Finding("ready", "good", "takes packets")


def _links(peers: Sequence[Document], now: datetime) -> Iterator[Finding]:
    if not peers:
        yield Finding("links", "look", "there are no peers: nothing can be sent", "Get one:  ilp peer invite --help")
        return
    down = [peer for peer in peers if not peer["link"]["up"]]
    if not down:
        yield Finding("links", "good", f"all {len(peers)} up" if len(peers) > 1 else f"{peers[0]['id']} is up")
    for peer in down[:NAMED]:
        since = peer["link"]["since"]
        age = (
            "" if since is None else f" for {duration(max(int((now - parse_moment(since)).total_seconds() * 1000), 0))}"
        )
        yield Finding("links", "bad", f"{peer['id']} is down{age}", f"Look closer:  ilp doctor peer {peer['id']}")
    if len(down) > NAMED:
        yield Finding("links", "bad", f"{len(down) - NAMED} more are down", "All:  ilp account list")


def _limits(accounts: Sequence[Document]) -> Iterator[Finding]:
    near = [(one, position_of(one)) for one in accounts]
    found = False
    for account, position in near:
        if position.used is None or position.used < NEAR_LIMIT:
            continue
        found = True
        whose = "it may owe us" if position.owes_us else "we may owe it"
        text = f"{account['id']} has used {int(position.used * 100)} % of what {whose}"
        verdict = "bad" if position.room == 0 else "look"
        yield Finding("limits", verdict, text, f"Settle, or allow more:  ilp account show {account['id']}")
    if not found:
        yield Finding("limits", "good", "no account is near one")


def _rates(accounts: Sequence[Document], rates: Sequence[Document]) -> Iterator[Finding]:
    codes = sorted({account["asset_code"] for account in accounts})
    if len(codes) < 2:
        return
    missing = [code for code in codes if code not in {rate["code"] for rate in rates}]
    if missing:
        text = f"none of {', '.join(missing)}: packets that need it are rejected"
        yield Finding("rates", "bad", text, f"Give one:  ilp rate set {missing[0]} 1.23")
    else:
        yield Finding("rates", "good", f"of {', '.join(codes)}")


def _settlements(settlements: Sequence[Document]) -> Iterator[Finding]:
    for one in [one for one in settlements if one["error"] and one["done_at"] is None][:NAMED]:
        text = f"{one['id']} with {one['account']}: {printable(one['error'])}"
        yield Finding("settlement", "look", text, f"See  ilp settlement show {one['id']}")
    held = [one for one in settlements if one["state"] == "held"]
    if held:
        text = f"{len(held)} came in beyond what is credited by itself"
        yield Finding("settlement", "look", text, f"Decide:  ilp settlement show {held[0]['id']}")


# ---------------------------------------------------------------------- a peer


def _of_peer(state: State, name: str) -> tuple[str, list[Finding]]:
    """The link as it answers now, and the account that stands behind it."""
    account = find_account(state, name)
    if account["relation"] == "local":
        raise CliError(ExitCode.USAGE, f"{name} is held on this node: there is no link to look at.")

    async def ask(api: ApiClient) -> Any:
        return await asyncio.gather(api.check_peer(name), api.settlements(name))

    report, settlements = state.call(ask)
    findings = [_of_check(item) for item in report["items"]]
    findings += _limits([account])
    findings += _settlements(settlements)
    asset = f"{account['asset_code']}, scale {account['asset_scale']}"
    return f"{name}   {account['relation']}   {asset}   {account['ilp_address']}", findings


def _of_check(item: Document) -> Finding:
    return Finding(item["name"], _VERDICTS.get(item["verdict"], "skipped"), printable(item["detail"]))
