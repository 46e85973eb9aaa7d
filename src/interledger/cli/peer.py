"""`ilp peer`: become a peer in one step, and check the link."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, cast

import click

from interledger.accounts.asset import Asset, parse_amount, parse_asset, parse_money
from interledger.cli.account import find_account
from interledger.cli.asking import without_secrets
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.peer_view import (
    added_lines,
    check_lines,
    invitation_lines,
    invite_lines,
    invites_lines,
    joined_lines,
)
from interledger.cli.qr import qr_lines
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.types import AcceptInviteDocument, NewInviteDocument, NewPeerDocument

__all__ = ["accept", "add", "check", "invite", "invites"]

NONE: Final = "none"
"""What stands for no limit."""

_DURATION: Final = re.compile(r"([0-9]{1,4})(s|m|h|d)")
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

_OWES_US = click.option("--owes-us-max", metavar="'100 USD'", help="How much it may owe us; none for no limit.")
_WE_OWE = click.option("--we-owe-max", metavar="'100 USD'", help="How much we may owe it; none for no limit.")
_MAX_PACKET = click.option(
    "--max-packet", "packet_amount_max", metavar="'1 USD'", help="The largest packet it may send."
)
_NAME = click.option("--name", metavar="ACCOUNT", help="What it is called on this node.")


@command("invite", would="make an invitation")
@_NAME
@click.option("--asset", metavar="USD/9", help="What is counted: code and scale.")
@click.option("--max-balance", metavar="'100 USD'", help="How much each may owe the other.")
@_OWES_US
@_WE_OWE
@_MAX_PACKET
@click.option(
    "--relation", type=click.Choice(("child", "peer")), help="What it becomes: child gets its ILP address from us."
)
@click.option("--link", type=click.Choice(("btp", "http")), help="btp: it connects to us. http: each calls the other.")
@click.option("--expires", metavar="24h", help="How long the invitation is good: 30m, 24h, 7d.")
@click.option("--revoke", metavar="ID", help="Let nobody use this invitation any more.")
@click.option("--qr", is_flag=True, help="Show it as a code, too.")
@click.pass_obj
def invite(state: State, /, revoke: str | None, qr: bool, **given: Any) -> None:
    """Make an invitation: a string with which another node becomes a peer of this one, once.

    \b
      ilp peer invite --asset USD/9 --max-balance '100 USD' --name carol
      ilp peer invite --asset EUR/9 --owes-us-max '50 EUR' --relation peer --expires 2h
      ilp peer invite --revoke inv_0a1b2c3d4e

    It holds a secret: send it as you would send a password. With -q only the string is printed.
    """
    if revoke is not None:
        document = state.call(lambda api: api.revoke_invite(revoke))
        state.emit(
            document, lambda: [f"{state.console.mark('✓')} Revoked {document['id']}: nobody can use it any more."]
        )
        return
    asset = _asset(given["asset"])
    body: dict[str, Any] = {"asset_code": asset.code, "asset_scale": asset.scale, "limits": _limits(given, asset)}
    body |= {name: given[name] for name in ("name", "relation", "link") if given[name] is not None}
    if given["expires"] is not None:
        body["expires_in_ms"] = _duration(given["expires"])
    made = state.call(lambda api: api.create_invite(cast("NewInviteDocument", body)))

    def render() -> list[str]:
        code = qr_lines(made["invite"], state.console) if qr else []
        return [*invitation_lines(made, state.console), *(["", *code] if code else [])]

    state.emit(made, render, identifier="invite")


@command("invites")
@click.pass_obj
def invites(state: State) -> None:
    """The invitations of this node: which are open, what came of the others.

    \b
      ilp peer invites
    """
    found = state.call(lambda api: api.invites())
    state.emit_list(found, lambda: invites_lines(found, state.console))


@command("accept")
@click.argument("text", metavar="INVITATION")
@click.option("--name", metavar="ACCOUNT", help="What the inviting node is called on this node.")
@_OWES_US
@_WE_OWE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what it offers, and ask nobody.")
@click.pass_obj
def accept(
    state: State,
    text: str,
    name: str | None,
    owes_us_max: str | None,
    we_owe_max: str | None,
    yes: bool,
    dry_run: bool,
) -> int:
    """Accept an invitation: both nodes make their account, and the link is checked. "-" reads it from the input.

    \b
      ilp peer accept ilpeer1:eyJ1cmwiOi...
      ilp peer accept - < invitation.txt

    Run again with the same invitation it makes nothing twice, and checks the link again.
    """
    from interledger.application.peering.invitation import Invitation

    word = sys.stdin.read(8_192) if text == "-" else text
    invitation = Invitation.decode(word)
    body: dict[str, Any] = {"invite": word}
    body |= {} if name is None else {"name": name}
    body |= _limits({"owes_us_max": owes_us_max, "we_owe_max": we_owe_max}, invitation.asset)
    if state.is_table or not (yes or dry_run):
        for line in invite_lines(invitation, body, state.console):
            state.console.note(line)
    if dry_run:
        state.emit_dry_run("accept this invitation", {"body": without_secrets(body)})
        return ExitCode.DONE
    state.confirm("Accept?", yes=yes)
    joined = state.call(lambda api: api.accept_invite(cast("AcceptInviteDocument", body)))
    state.emit(joined, lambda: joined_lines(joined, state.console))
    return ExitCode.DONE if joined["check"]["good"] else ExitCode.FAULT_FOUND


@command("add", would="become a peer of {url}")
@click.argument("url", metavar="URL")
@click.option("--asset", metavar="USD/2", help="What is counted: code and scale, as that node has them.")
@_NAME
@_MAX_PACKET
@_OWES_US
@_WE_OWE
@click.option("--token", metavar="TOKEN", help="What we shall present; a new one when it is not given.")
@click.pass_obj
def add(state: State, /, url: str, asset: str | None, name: str | None, token: str | None, **given: Any) -> int:
    """Become a peer of a Rafiki node, by its auto-peering URL. Run again, both get new tokens.

    \b
      ilp peer add https://rafiki.example/auto-peering --asset USD/2 --owes-us-max '50 USD'

    It works with nodes of this program too, where auto_peering.enabled is set.
    """
    kept_in = _asset(asset)
    body: dict[str, Any] = {"url": url, "asset_code": kept_in.code, "asset_scale": kept_in.scale}
    body |= {key: value for key, value in (("name", name), ("token", token)) if value is not None}
    body["limits"] = _limits(given, kept_in)
    added = state.call(lambda api: api.add_peer(cast("NewPeerDocument", body)))
    state.emit(added, lambda: added_lines(added, state.console))
    return ExitCode.DONE if added["check"]["good"] else ExitCode.FAULT_FOUND


@command("check")
@click.argument("name", metavar="ACCOUNT")
@click.pass_obj
def check(state: State, name: str) -> int:
    """Check the link to a peer: is it up, do packets come and go, do the clocks and the assets agree.

    \b
      ilp peer check bob
    """
    account = find_account(state, name)
    report = state.call(lambda api: api.check_peer(account["id"]))
    state.emit(report, lambda: check_lines(report, state.console), identifier="account")
    return ExitCode.DONE if report["good"] else ExitCode.FAULT_FOUND


# ---------------------------------------------------------------------- what was given


def _asset(text: str | None) -> Asset:
    if text is None:
        raise CliError(ExitCode.USAGE, "--asset is missing: what is counted?", "Write  --asset USD/9")
    return parse_asset(text.replace(":", "/"))


def _limits(given: dict[str, str | None], asset: Asset) -> dict[str, str | None]:
    """The limits that were given, in units; `max_balance` is both."""
    both = given.get("max_balance")
    limits = {"owes_us_max": both, "we_owe_max": both} if both is not None else {}
    limits |= {
        name: text
        for name in ("owes_us_max", "we_owe_max", "packet_amount_max")
        if (text := given.get(name)) is not None
    }
    return {name: None if text == NONE else _units(name, text, asset) for name, text in limits.items()}


def _units(name: str, text: str, asset: Asset) -> str:
    number, code = (text, asset.code) if text.replace(".", "").isdecimal() else parse_money(text)
    if code != asset.code:
        raise CliError(ExitCode.USAGE, f"--{name.replace('_', '-')} is in {code}, the account is in {asset.code}.")
    return str(parse_amount(number, asset.scale))


def _duration(text: str) -> int:
    found = _DURATION.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise CliError(ExitCode.USAGE, f"“{text}” is not a time. Write  30m  24h  or  7d")
    return int(found[1]) * _UNITS_MS[found[2]]
