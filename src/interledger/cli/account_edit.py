"""`ilp account create`, `set` and `delete`. Names of ilp-cli's options are taken too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from interledger.accounts.asset import NO_CURRENCY, Asset, format_amount, parse_amount, parse_asset, parse_money
from interledger.cli.account import find_account, rate_values
from interledger.cli.account_fields import FIELDS, UNIT_OPTIONS, WORDS, Field
from interledger.cli.account_view import account_lines, asset_of
from interledger.cli.asking import without_secrets
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.money import floor_spoken
from interledger.cli.state import State
from interledger.cli.tree import command

if TYPE_CHECKING:
    from interledger.api.types import AccountPatchDocument, NewAccountDocument

__all__ = ["change_lines", "create", "delete", "set_account"]

NONE: Final = "none"
"""What clears a limit."""


_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")

_FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False}

RS_RELATIONS: Final = {"NonRoutingAccount": "local", "Parent": "parent", "Peer": "peer", "Child": "child"}


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Every field as an option, and ilp-cli's own."""
    for name in ("min_balance", *UNIT_OPTIONS):
        function = click.option("--" + name.replace("_", "-"), name, hidden=True)(function)
    function = click.option("--routing-relation", hidden=True)(function)
    for field in reversed(FIELDS):
        if field.may_be_file:
            help_ = f"The file it stands in, instead of {field.flag}."
            function = click.option(f"{field.flag}-file", _name(field) + "_file", metavar="FILE", help=help_)(function)
        metavar = {"money": "'5 USD'", "count": "COUNT", "token": "TOKEN", "flag": "yes|no"}.get(field.kind, "TEXT")
        names = (field.flag, *field.others, _name(field))
        function = click.option(*names, metavar=metavar, help=field.help)(function)
    return function


def _name(field: Field) -> str:
    return field.path.replace(".", "__")


@command("create", would="make account {name}")
@click.argument("name", metavar="ACCOUNT")
@click.option("--asset", metavar="USD/9", help="What is counted: code and scale. A parent says it itself.")
@click.option("--asset-code", hidden=True)
@click.option("--asset-scale", hidden=True)
@_options
@click.pass_obj
def create(
    state: State, /, name: str, asset: str | None, asset_code: str | None, asset_scale: str | None, **given: Any
) -> None:
    """Make an account: a holder on this node, or a peer that is linked with it.

    \b
      ilp account create carol --asset USD/9
      ilp account create bob --asset EUR/9 --relation peer --owes-us-max '400 EUR'
          --http-url https://bob.example/accounts/hub/ilp --http-outgoing-token-file bob.token
    """
    if asset is None and asset_code is not None:
        asset = f"{asset_code}/{asset_scale or 9}"
    if asset is None and given.get("relation") == "parent":
        asset = str(NO_CURRENCY)  # it tells us
    if asset is None:
        raise CliError(ExitCode.USAGE, "--asset is missing: what is counted?", "Write  --asset USD/9")
    kept_in = parse_asset(asset)
    changes = read_changes(given, kept_in)
    body = {"id": name, "asset_code": kept_in.code, "asset_scale": kept_in.scale, **changes}
    document = state.call(lambda api: api.create_account(cast("NewAccountDocument", body)))

    def render() -> list[str]:
        return [f"{state.console.mark('✓')} Made account {document['id']}.", *account_lines(document, state.console)]

    state.emit(document, render)


@command("set")
@click.argument("name", metavar="ACCOUNT")
@_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@click.option("--asset-code", hidden=True)
@click.option("--asset-scale", hidden=True)
@click.pass_obj
def set_account(state: State, /, name: str, yes: bool, dry_run: bool, **given: Any) -> int:
    """Change an account; what is not named stays. More that may be owed to us is asked about first.

    \b
      ilp account set bob --owes-us-max '600 EUR'
      ilp account set bob --packets-per-minute none
    """
    given.pop("asset_code"), given.pop("asset_scale")
    old = find_account(state, name)
    changes = read_changes(given, asset_of(old))
    if not changes:
        raise CliError(ExitCode.USAGE, "Nothing to change was named.", "See  ilp account set --help")
    values = rate_values(state.call(lambda api: api.rates()))
    lines, is_riskier = change_lines(old, changes, values, thousands=state.console.is_terminal)
    if state.is_table or not (yes or dry_run):
        for line in lines:
            state.console.note(line)
    if dry_run:
        state.emit_dry_run(f"change account {old['id']}", {"changes": without_secrets(changes)})
        return ExitCode.DONE
    if is_riskier:
        state.confirm("Change it?", yes=yes)
    document = state.call(lambda api: api.update_account(name, cast("AccountPatchDocument", changes)))
    state.emit(document, lambda: [f"{state.console.mark('✓')} Changed, at once."])
    return ExitCode.DONE


@command("delete")
@click.argument("name", metavar="ACCOUNT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.pass_obj
def delete(state: State, name: str, yes: bool, dry_run: bool) -> int:
    """Remove an account. One that owes something, is owed something, or has packets in flight stays.

    \b
      ilp account delete bob --dry-run
    """
    document = find_account(state, name)
    if dry_run:
        state.emit_dry_run(f"delete account {document['id']}", {"account": document})
        return ExitCode.DONE
    state.confirm(f"Delete {document['id']}? Its routes go with it.", yes=yes)
    deleted = state.call(lambda api: api.delete_account(name))
    state.emit(deleted, lambda: [f"{state.console.mark('✓')} Deleted {deleted['id']}."])
    return ExitCode.DONE


# ---------------------------------------------------------------------- what was given


def read_changes(given: Mapping[str, str | None], asset: Asset) -> dict[str, Any]:
    """The options -> the part of an account's document that they set. Raises `CliError`, `InvalidRequestError`."""
    changes: dict[str, Any] = {}
    if given.get("routing_relation"):
        relation = str(given["routing_relation"])
        changes["relation"] = RS_RELATIONS.get(relation, relation)
    if given.get("min_balance"):
        _put(changes, "limits.owes_us_max", _units(str(given["min_balance"]).removeprefix("-")))
    for name, path in UNIT_OPTIONS.items():
        if given.get(name):
            _put(changes, path, _units(str(given[name])))
    for field in FIELDS:
        text = given.get(_name(field))
        place = given.get(_name(field) + "_file")
        if place is not None:
            text = _read_token(place)
        if text is not None:
            _put(changes, field.path, _value(field, text, asset))
    return changes


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    parent, _, key = path.rpartition(".")
    (document.setdefault(parent, {}) if parent else document)[key] = value


def _value(field: Field, text: str, asset: Asset) -> str | int | list[str] | None:
    if text == NONE and field.kind != "text":
        return None
    if field.kind == "certificates":
        return _PEM.findall(text) or [text]
    if field.kind == "money":
        number, code = (text, asset.code) if text.replace(".", "").isdecimal() else parse_money(text)
        if code != asset.code:
            raise CliError(ExitCode.USAGE, f"{field.flag} is in {code}, the account is in {asset.code}.")
        return str(parse_amount(number, asset.scale))
    if field.kind == "flag":
        if text not in _FLAGS:
            raise CliError(ExitCode.USAGE, f"{field.flag} is yes or no, not “{text}”.")
        return _FLAGS[text]
    if field.kind == "count":
        return int(_units(text))
    return text


def _units(text: str) -> str:
    if not (text.isascii() and text.isdecimal()):
        raise CliError(ExitCode.USAGE, f"“{text}” is not a whole number.")
    return text


def _read_token(place: str) -> str:
    try:
        return Path(place).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(ExitCode.USAGE, f"{place} cannot be read: {error}.") from None


# ---------------------------------------------------------------------- what will change


def change_lines(
    old: Mapping[str, Any], changes: Mapping[str, Any], values: Mapping[str, Fraction], *, thousands: bool
) -> tuple[list[str], bool]:
    """A line a change, and whether more may be owed to us afterwards."""
    asset = asset_of(old)
    lines: list[str] = []
    is_riskier = False
    for path, new in _leaves(changes):
        before = _get(old, path)
        words = WORDS.get(path)
        if words is None:
            shown = "(set)" if path.endswith(("_token", "_secret")) else _shown(new)
            lines.append(f"  {old['id']} {path.rpartition('.')[2]} → {shown}")
            continue
        is_money = not path.endswith("packets_per_minute")
        texts = [_limit_text(text, asset, is_money=is_money, thousands=thousands) for text in (before, new)]
        line = f"  {words.format(id=old['id'])}  {texts[0]} → {texts[1]}" + (f" {asset.code}" if is_money else "")
        if path == "limits.owes_us_max" and before is not None and (new is None or int(new) > int(before)):
            is_riskier = True
            line += _more_at_risk(asset, before, new, values, thousands=thousands)
        lines.append(line)
    return lines, is_riskier


def _shown(value: Any) -> Any:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _limit_text(text: Any, asset: Asset, *, is_money: bool, thousands: bool) -> str:
    if text is None:
        return NONE
    return format_amount(int(text), asset, thousands=thousands) if is_money else str(text)


def _more_at_risk(
    asset: Asset, before: str, new: str | None, values: Mapping[str, Fraction], *, thousands: bool
) -> str:
    if new is None:
        return "   (without any limit)"
    if asset.code not in values or not values.get("USD"):
        return ""
    more = Fraction(int(new) - int(before), 10**asset.scale) * values[asset.code] / values["USD"]
    return f"   ({floor_spoken(more, 'USD', thousands=thousands)} USD more at risk)"


def _leaves(document: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in document.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return found


def _get(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
