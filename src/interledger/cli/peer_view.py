"""What `ilp peer` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from interledger.accounts.account import Relation
from interledger.accounts.asset import Asset, format_amount
from interledger.cli.console import Console
from interledger.cli.money import parse_moment
from interledger.cli.output import Column, render_table

if TYPE_CHECKING:
    from interledger.application.peering.invitation import Invitation

__all__ = ["added_lines", "check_lines", "invitation_lines", "invite_lines", "invites_lines", "joined_lines"]

Document = Mapping[str, Any]

MARKS: Final = {"ok": "✓", "warning": "!", "failed": "✗", "skipped": "·"}


def invitation_lines(made: Document, console: Console, now: datetime | None = None) -> list[str]:
    """A new invitation: the string, and what it promises."""
    who = made["name"] or "the other node"
    asset, limits = _asset(made), made["limits"]
    until = _until(made["expires_at"], now)
    lines = [
        f"  Send this to {_operator(who)} over a channel you trust. It works once, until {until}.",
        "",
        f"  {made['invite']}",
        "",
        f"  {_sentence(who)} may owe us at most {_limit(limits['owes_us_max'], asset, console)}."
        f" We may owe {who} at most {_we_owe(limits['we_owe_max'], asset, console)}.",
        "  (--qr shows it as a code)",
        f"  Fingerprint {made['fingerprint']}: the other side sees the same before it accepts.",
    ]
    if limits["owes_us_max"] == "0" and limits["we_owe_max"] == "0":
        lines.append(
            f"  {console.mark('!')} So nothing can be paid yet. Allow something:  --max-balance '100 {asset.code}'"
        )
    if _is_local(made["url"]):
        lines.append(
            f"  {console.mark('!')} It leads to {made['url']}, so it works on this machine only. Set  public_url"
        )
    return [*lines, f"  Take it back  ilp peer invite --revoke {made['id']}"]


def invite_lines(invitation: Invitation, asked: Document, console: Console) -> list[str]:
    """What an invitation offers, before it is accepted."""
    name = asked.get("name") or invitation.address.rpartition(".")[2]
    is_child = invitation.relation is Relation.CHILD
    relation = f"{name} becomes our parent, and gives us our ILP address" if is_child else f"{name} becomes our peer"
    link = f"BTP: we connect to {name}" if invitation.link == "btp" else "ILP over HTTP: each calls the other"
    they, we = invitation.we_owe_max, invitation.owes_us_max
    owes_us = asked.get("owes_us_max", None if they is None else str(they))
    we_owe = asked.get("we_owe_max", None if we is None else str(we))
    asset = invitation.asset
    return [
        f"  {name:<9} {invitation.address}   {invitation.url}   fingerprint {invitation.fingerprint}",
        f"  Asset     {asset.code}, scale {asset.scale}",
        f"  Relation  {relation}",
        f"  Link      {link}",
        f"  Limits    We may owe {name} at most {_limit(we_owe, asset, console)}; {name} may owe us at most"
        f" {_limit(owes_us, asset, console)}",
    ]


def invites_lines(invites: Sequence[Document], console: Console, now: datetime | None = None) -> list[str]:
    """All invitations, newest first."""
    if not invites:
        return ["  There are no invitations. Make one:  ilp peer invite --asset USD/9 --max-balance '100 USD'"]
    columns = (
        Column("INVITATION", lambda row: row["id"], keep=3),
        Column("STATE", lambda row: row["state"], keep=3),
        Column("FOR", lambda row: row["name"] or "anybody"),
        Column("AS", lambda row: row["relation"]),
        Column("ASSET", lambda row: f"{row['asset_code']}/{row['asset_scale']}"),
        Column("OWES US AT MOST", lambda row: _limit(row["limits"]["owes_us_max"], _asset(row), console), right=True),
        Column("WHAT CAME OF IT", lambda row: _outcome(row, now), keep=1),
    )
    return render_table(invites, columns, console)


def joined_lines(joined: Document, console: Console) -> list[str]:
    """An invitation was accepted, and this is how the link does."""
    good = joined["check"]["good"]
    first = f"{console.mark('✓' if good else '!')} Account {joined['id']} is there" + (
        ", and the link is good." if good else ", but the link is not good yet."
    )
    return [first, *check_lines(joined["check"], console, heading=False)]


def added_lines(added: Document, console: Console) -> list[str]:
    """A Rafiki node is our peer now."""
    account = added["account"]
    lines = joined_lines(added, console)
    facts = [
        f"  {account['ilp_address']} is routed to {account['id']}, {account['asset_code']}/{account['asset_scale']}"
    ]
    if account["limits"]["owes_us_max"] == "0":
        hint = f"ilp account set {account['id']} --owes-us-max '100 {account['asset_code']}'"
        facts.append(f"  {console.mark('!')} It may owe us nothing, so it cannot pay through us. Change that:  {hint}")
    return [lines[0], *facts, *lines[1:]]


def check_lines(report: Document, console: Console, *, heading: bool = True) -> list[str]:
    """A line a question."""
    lines = []
    if heading:
        mark, word = ("✓", "good") if report["good"] else ("✗", "not good")
        lines.append(f"{console.mark(mark)} The link to {report['account']} is {word}.")
    lines += [
        f"  {console.mark(MARKS[item['verdict']])} {item['name']:<9}  {item['detail']}" for item in report["items"]
    ]
    if not report["good"]:
        lines.append(f"  Check it again  ilp peer check {report['account']}")
    return lines


def _asset(document: Document) -> Asset:
    return Asset(document["asset_code"], int(document["asset_scale"]))


def _limit(units: str | None, asset: Asset, console: Console) -> str:
    if units is None:
        return "any amount"
    return f"{format_amount(int(units), asset, thousands=console.is_terminal)} {asset.code}"


def _we_owe(units: str | None, asset: Asset, console: Console) -> str:
    return f"{format_amount(0, asset)} (change: --we-owe-max)" if units == "0" else _limit(units, asset, console)


def _outcome(invite: Document, now: datetime | None) -> str:
    if invite["state"] == "open":
        return f"good until {_until(invite['expires_at'], now)}"
    if invite["state"] == "spent":
        return f"account {invite['account']}, {_until(invite['ended_at'], now)}"
    return _until(invite["ended_at"] or invite["expires_at"], now)


def _until(text: str, now: datetime | None) -> str:
    """`today 12:04`, `tomorrow 12:04`, or the date; local."""
    moment = parse_moment(text).astimezone()
    today = (now or datetime.now(moment.tzinfo)).astimezone().date()
    day = {today: "today", today + timedelta(days=1): "tomorrow", today - timedelta(days=1): "yesterday"}
    return moment.strftime(f"{day.get(moment.date(), '%Y-%m-%d')} %H:%M")


def _is_local(url: str) -> bool:
    host = url.partition("://")[2]
    return host.startswith(("127.", "localhost", "[::1]"))


def _operator(who: str) -> str:
    return "the other node's operator" if who == "the other node" else who


def _sentence(text: str) -> str:
    return "T" + text[1:] if text == "the other node" else text
