"""Settings from all sources, checked: what `ilp node run` starts with and `ilp config check` reports on."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from interledger.accounts.account import Account, Relation
from interledger.accounts.asset import parse_amount, parse_asset
from interledger.clock import Entropy, SystemEntropy
from interledger.errors import InvalidRequestError, SettingsError
from interledger.ilp.address import parse_prefix
from interledger.node.settings import SETTINGS, Setting, Settings, faults_between
from interledger.node.settings_accounts import ACCOUNT_KEYS, TOKEN_KEYS, parse_account
from interledger.node.settings_parsers import parse_seed, parse_token
from interledger.node.settings_sources import (
    Fault,
    Given,
    from_environment,
    from_flags,
    from_toml,
    readable_by_others,
    secret_from_file,
)
from interledger.node.transport_security import tls_faults
from interledger.routing.targets import format_targets, parse_targets

__all__ = [
    "DEFAULT_CONFIG",
    "MADE_SECRETS",
    "SettingsReport",
    "keep_secret",
    "load_settings",
    "make_secrets",
    "read_settings",
]

DEFAULT_CONFIG: Final = "ilp.toml"
"""Read from the working directory when no other file is named and it is there."""

RATE_PLACES_MAX: Final = 18
"""Decimal places of a rate in the file: as many as any source gives."""

ELSEWHERE: Final = {
    "database_url": "This node keeps its state in  data_dir, or in the PostgreSQL database that  store  names",
    "redis_url": "This node keeps its state in  data_dir",
    "database_prefix": "This node keeps its state in  data_dir",
    "exchange_rate.poll_failure_tolerance": "Say how old a rate may be:  exchange_rate.max_age_ms",
}
"""Settings of interledger-rs that have no counterpart, and what to do instead."""

MADE_SECRETS: Final = ("secret_seed", "admin_auth_token")
"""Settings that a node makes itself at its first start where nobody gives them."""

_BY_KEY: Final[dict[str, Setting]] = {name: row for row in SETTINGS for name in (row.key, *row.aliases)}
_ALSO_CALLED: Final = {"address": "ilp_address"}
"""`ILP_ADDRESS`, as interledger-rs's guides have it."""


@dataclass(slots=True)
class SettingsReport:
    """All that was found. `settings` values are by attribute; `origins` say by key where each was written."""

    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    routes: dict[str, str] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    read_count: int = 0
    path: Path | None = None


def load_settings(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    toml_path: str | Path | None = None,
    *,
    entropy: Entropy | None = None,
) -> Settings:
    """Read, check, and make the secrets that are absent. Raises `SettingsError` with every fault, a line each."""
    report = read_settings(flags, environ, toml_path)
    fatal = [str(fault) for fault in report.faults if fault.fatal]
    if fatal:
        raise SettingsError("\n".join(fatal))
    make_secrets(report.values, entropy or SystemEntropy())
    accounts, routes, rates, origins = tuple(report.accounts), report.routes, report.rates, report.origins
    return Settings(**report.values, accounts=accounts, routes=routes, rates=rates, origins=origins)


def read_settings(
    flags: Mapping[str, str], environ: Mapping[str, str], toml_path: str | Path | None = None
) -> SettingsReport:
    """Read and check; make nothing, raise nothing: whatever is wrong is in `faults`."""
    report = SettingsReport()
    given = _gather(report, flags, environ, toml_path)
    report.read_count = len(given)
    tables: dict[str, dict[str, Given]] = {}
    for item in given:
        _sort_in(report, item, tables)
    for row in SETTINGS:
        report.values.setdefault(row.attribute, None if row.default is None else row.parse(row.default))
    for name, table in tables.items():
        _read_account(report, name, table)
    _check_route_targets(report)
    _check_parents(report, tables)
    for key, problem in (*faults_between(report.values), *tls_faults(report.values)):
        report.faults.append(Fault(report.origins.get(key, "settings"), f"{key} {problem}"))
    return report


def _gather(
    report: SettingsReport, flags: Mapping[str, str], environ: Mapping[str, str], toml_path: str | Path | None
) -> list[Given]:
    """Weakest source first, so that a later one writes over it."""
    path = Path(toml_path) if toml_path is not None else Path(DEFAULT_CONFIG)
    given: list[Given] = []
    if toml_path is not None or path.exists():
        report.path = path
        try:
            given += from_toml(path)
        except SettingsError as error:
            report.faults.append(Fault(path.name, str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")))
    return given + from_environment(environ) + from_flags(flags)


def _sort_in(report: SettingsReport, item: Given, tables: dict[str, dict[str, Given]]) -> None:
    """One value to its place: a setting, an account's table, a route, a rate; or a fault."""
    head, _, rest = item.key.partition(".")
    try:
        if head == "accounts" and rest.count(".") == 1:
            name, _, key = rest.partition(".")
            _sort_in_account(report, item, key, tables.setdefault(name, {}))
        elif head == "routes" and rest:
            prefix = parse_prefix(rest)
            report.routes[prefix] = format_targets(parse_targets(prefix, item.text))
            report.origins[item.key] = item.where
        elif head == "rates" and rest:
            parse_amount(item.text, RATE_PLACES_MAX)
            report.rates[parse_asset(f"{rest}/0").code] = item.text
        else:
            _take_setting(report, item)
    except (InvalidRequestError, SettingsError) as error:
        # A flag and a variable say their name themselves.
        is_named = item.where.startswith(("--", "ILP_"))
        report.faults.append(Fault(item.where, str(error) if is_named else f"{item.key}: {error}"))


def _take_setting(report: SettingsReport, item: Given) -> None:
    key = _ALSO_CALLED.get(item.key, item.key)
    row = _BY_KEY.get(key)
    if row is None and key.endswith("_file"):
        named = _BY_KEY.get(key.removesuffix("_file"))
        if named is not None and named.secret:
            row, item = named, secret_from_file(item)
    if row is None:
        report.faults.append(_unknown(item, list(_BY_KEY)))
        return
    if row.secret:
        _check_hidden(report, item)
    report.values[row.attribute] = row.parse(item.text)
    report.texts[row.key] = item.text
    report.origins[row.key] = item.where


def _sort_in_account(report: SettingsReport, item: Given, key: str, table: dict[str, Given]) -> None:
    if key.endswith("_file") and _is_token(key.removesuffix("_file")):
        item = secret_from_file(item)
        key = key.removesuffix("_file")
    if key not in ACCOUNT_KEYS:
        prefix = item.key.removesuffix(key)
        report.faults.append(_unknown(item, [prefix + known for known in ACCOUNT_KEYS]))
        return
    if _is_token(key):
        _check_hidden(report, item)
    table[key] = item


def _is_token(key: str) -> bool:
    return key.removeprefix("ilp_over_") in TOKEN_KEYS


def _check_hidden(report: SettingsReport, item: Given) -> None:
    """A secret in a file that others can read is a fault of `config check`; the node starts, and says so."""
    mode = readable_by_others(item.path) if item.path is not None else None
    if mode is None or item.path is None:
        return
    who = "anyone on this machine can read it" if mode & 0o004 else "its group can read it"
    if item.path == report.path:
        problem = f"{item.key} is written in the file, and {who} (mode {mode:04o})."
        advice = f"Use  {item.key}_file  or  chmod 600 {item.path.name}"
    else:
        problem = f"{item.key} stands in {item.path.name}, and {who} (mode {mode:04o})."
        advice = f"Do  chmod 600 {item.path}"
    report.faults.append(Fault(item.where, problem, advice, fatal=False))


def _unknown(item: Given, known: list[str]) -> Fault:
    """Not a setting; with the nearest one, where there is one near."""
    instead = ELSEWHERE.get(item.key)
    if instead is not None:
        return Fault(item.where, f"{item.key} is not a setting of this node. {instead}")
    near = difflib.get_close_matches(item.key, known, n=1, cutoff=0.6)
    if not near:
        last = {name.rpartition(".")[2]: name for name in known}
        near = [last[name] for name in difflib.get_close_matches(item.key.rpartition(".")[2], list(last), n=1)]
    shown = near[0] if near else ""
    if near and item.where.startswith("ILP_"):
        shown = _BY_KEY[shown].environment if shown in _BY_KEY else shown
    name = item.where if item.where.startswith("ILP_") else item.key
    where = "environment" if item.where.startswith("ILP_") else item.where
    return Fault(
        where, f"{name} is not a setting." + (f" Did you mean  {shown} ?" if near else " List:  ilp config show")
    )


def _read_account(report: SettingsReport, name: str, table: dict[str, Given]) -> None:
    try:
        account = parse_account(name, {key: item.text for key, item in table.items()}, report.values["ilp_address"])
    except InvalidRequestError as error:
        item = table.get(error.field or "", next(iter(table.values()), None))
        where = item.where if item is not None else "settings"
        key = f"accounts.{name}.{error.field}" if error.field in table else f"accounts.{name}"
        report.faults.append(Fault(where, f"{key}: {error}"))
        return
    report.accounts.append(account)


def _check_route_targets(report: SettingsReport) -> None:
    """A route of the file leads to an account of the file; accounts made later get theirs by `ilp route set`."""
    names = {str(account.id) for account in report.accounts}
    for prefix, text in report.routes.items():
        for name in (str(route.account) for route in parse_targets(prefix, text)):
            if name in names or not names:
                continue
            near = difflib.get_close_matches(name, sorted(names), n=1)
            hint = f" Did you mean  {near[0]} ?" if near else ""
            where = report.origins.get(f"routes.{prefix}", "settings")
            report.faults.append(
                Fault(where, f"routes.{prefix} leads to “{name}”, which is no account of the file.{hint}")
            )


def _check_parents(report: SettingsReport, tables: Mapping[str, Mapping[str, Given]]) -> None:
    """CR-13: at most one parent."""
    parents = [str(account.id) for account in report.accounts if account.relation is Relation.PARENT]
    for name in parents[1:]:
        written = next((item for item in tables.get(name, {}).values() if item.key.endswith("relation")), None)
        report.faults.append(
            Fault(
                written.where if written is not None else "settings",
                f"accounts.{name}.relation: “{parents[0]}” is the parent already, and a node has one at most."
                f' Write  relation = "peer"',
            )
        )


# ---------------------------------------------------------------------- secrets that the node makes itself


def make_secrets(values: dict[str, Any], entropy: Entropy) -> None:
    """Give `values` the seed and the admin token they lack: kept in the data directory, 0600, and found there again."""
    keep = values["durability"] != "memory"
    directory = Path(values["data_dir"]) if keep else None
    if values["secret_seed"] is None:
        values["secret_seed"] = parse_seed(keep_secret(directory, "secret_seed", entropy))
    if values["admin_auth_token"] is None:
        values["admin_auth_token"] = parse_token(keep_secret(directory, "admin_token", entropy))


def keep_secret(directory: Path | None, name: str, entropy: Entropy) -> str:
    """The secret of that name: read from the directory, or made and written there (0600). None: made, not kept.

    Raises `SettingsError` when the file cannot be read or written, or others can read it.
    """
    if directory is None:
        return entropy.octets(32).hex()
    path = directory / name
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Exclusive and private from its first moment: there is no instant in which another user could open it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_kept(path)
    except OSError as error:
        raise SettingsError(f"data_dir: {path} cannot be written: {error.strerror}") from None
    secret = entropy.octets(32).hex()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    return secret


def _read_kept(path: Path) -> str:
    mode = readable_by_others(path)
    if mode is not None:
        raise SettingsError(f"{path} is a secret that others can read (mode {mode:04o}). Do  chmod 600 {path}")
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
