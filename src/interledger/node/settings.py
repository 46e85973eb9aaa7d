"""The settings of a node: one table, from which flags, environment names, TOML keys and the reference page are made.

Precedence: flags, then the environment (`ILP_...`), then the TOML file, then the defaults. A name that no setting
has is a fault, wherever it stands, and the nearest one is suggested. `settings_load` reads, by this.
"""

# ruff: noqa: RUF009  `_setting` is a dataclass field with metadata

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from interledger.accounts.account import Account, AccountId, parse_account_id
from interledger.accounts.asset import Asset
from interledger.errors import SettingsError
from interledger.ilp.address import Address, parse_address
from interledger.node.settings_access import stands_last
from interledger.node.settings_otel import otel_faults
from interledger.node.settings_parsers import (
    bind_text,
    is_loopback_host,
    one_of,
    parse_bind_address,
    parse_bool,
    parse_offers,
    parse_origins,
    parse_ratio,
    parse_seed,
    parse_sources,
    parse_text,
    parse_token,
    parse_url,
    whole_number,
)
from interledger.node.settings_routes import DAY_MS, route_faults
from interledger.node.settings_rows import Setting, rows_of
from interledger.node.settings_rows import setting as _setting
from interledger.node.settings_settlement import SettlementSettings, settlement_faults
from interledger.node.settings_state import StateSettings, state_faults

__all__ = ["SETTINGS", "Setting", "Settings", "faults_between"]


@dataclass(frozen=True, kw_only=True)
class Settings(StateSettings, SettlementSettings):
    """What one node is told. Every field but the last three is a row of the table. Raises `SettingsError`."""

    ilp_address: Address = _setting(
        parse_address,
        "local.host",
        "ADDRESS",
        "The node's ILP address. With a parent, the parent gives the address and this one is not used.",
    )
    admin_auth_token: str | None = _setting(
        parse_token,
        None,
        "TOKEN",
        "What the administrator presents to the HTTP API. When none is given, one is made and kept in",
        "DATA_DIR/admin_token, readable only by the user who runs the node.",
        secret=True,
    )
    secret_seed: bytes = _setting(
        parse_seed,
        None,
        "HEX",
        "32 octets in hex: the secrets of receivers are derived from it, and the database keeps tokens sealed with it.",
        "When none is given, one is made and kept in DATA_DIR/secret_seed. Without it both are lost.",
        secret=True,
    )
    http_bind_address: str = _setting(
        bind_text,
        "127.0.0.1:7770",
        "HOST:PORT",
        "Where the node listens: HTTP API, SPSP, ILP-over-HTTP and BTP on one port. Port 0 takes a free one.",
    )
    public_url: str | None = _setting(
        parse_url,
        None,
        "URL",
        "Under which others reach this node, when a proxy stands before it. Payment pointers start with its host.",
        "Without it they start with the address the node listens on.",
    )
    allow_plain_text: bool = _setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether to listen without TLS where other machines can connect. Say true only when a proxy on the way",
        "encrypts: tokens and payments are readable on the network otherwise.",
    )
    tls_certificate: str | None = _setting(
        parse_text,
        None,
        "FILE",
        "A certificate in PEM form, with its chain: the port speaks TLS (https, wss) and nothing else. The file is",
        "read again when it changes and on SIGHUP.",
        key="tls.cert",
    )
    tls_key: str | None = _setting(
        parse_text, None, "FILE", "The certificate's key in PEM form, when it stands in another file.", key="tls.key"
    )
    tls_client_ca: str | None = _setting(
        parse_text,
        None,
        "FILE",
        "Authorities in PEM form whose client certificates are let in. An account says by  client_certificates  which",
        "certificate is its peer's.",
        key="tls.client_ca",
    )
    tls_ca: str | None = _setting(
        parse_text,
        None,
        "FILE",
        "Authorities in PEM form by which the servers of peers are checked, in place of the system's. An account may",
        "have a file of its own.",
        key="tls.ca",
    )
    default_spsp_account: AccountId | None = _setting(
        parse_account_id,
        None,
        "ACCOUNT",
        "Whom a payment to the bare host (/.well-known/pay) pays. Without it such a payment finds nobody.",
    )
    development: bool = _setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether payment pointers may use http, ports and addresses of this machine. Never on a public node.",
    )
    rates_provider: str = _setting(
        one_of("static", "file", "http", "ecb"),
        "static",
        "static|file|http|ecb",
        "Where exchange rates come from. static: the table [rates] and `ilp rate set`. file: a JSON file, read again",
        "when it changes. http: the same document from a URL. ecb: the European Central Bank's daily reference rates.",
        "With another provider than static, a static rate counts only for an asset that the provider does not know,",
        "and only when the static table says what USD is worth: both tables are brought to USD.",
        key="exchange_rate.provider",
    )
    rates_url: str | None = _setting(
        parse_url,
        None,
        "URL",
        'The document {"base": "USD", "rates": {"EUR": 0.92}} for the provider http; another address for ecb.',
        key="exchange_rate.url",
    )
    rates_path: str | None = _setting(
        parse_text, None, "FILE", "The same document for the provider file.", key="exchange_rate.path"
    )
    rates_poll_ms: int = _setting(
        whole_number(100, DAY_MS),
        "60000",
        "MS",
        "How often rates are asked for, in milliseconds; of the ecb never more than once an hour.",
        key="exchange_rate.poll_ms",
        aliases=("exchange_rate.poll_interval",),
    )
    rates_max_age_ms: int | None = _setting(
        whole_number(1_000, 30 * DAY_MS),
        None,
        "MS",
        "How old a rate may be before packets that need it are rejected with T00. Without it: five minutes for http,",
        "six days for ecb (which rests at Easter), and no limit for file, which says what its writer wants. A file's",
        "rates are as old as its last change. Static rates do not age.",
        key="exchange_rate.max_age_ms",
    )
    spread: Fraction = _setting(
        parse_ratio,
        "0.002",
        "SHARE",
        "What the node keeps of every amount it forwards to another account: 0.002 or '0.2 %'.",
        key="exchange_rate.spread",
    )
    packets_per_minute: int = _setting(
        whole_number(1, 100_000_000),
        "10000",
        "COUNT",
        "Packets an account may send in a minute when it has no limit of its own; more are rejected with T05.",
        key="limits.packets_per_minute",
    )
    in_flight_max: int = _setting(
        whole_number(1, 1_000_000),
        "1000",
        "COUNT",
        "Packets that may wait for one peer's answer at the same time; more are rejected with T02.",
        key="limits.in_flight_max",
    )
    min_message_window_ms: int = _setting(
        whole_number(1, 60_000),
        "1000",
        "MS",
        "How much earlier, in ms, a packet expires on the next link: the time for a fulfillment to come back.",
        key="limits.min_message_window_ms",
    )
    max_hold_ms: int = _setting(
        whole_number(1_000, 600_000),
        "30000",
        "MS",
        "How long at most, in milliseconds, money is held for one packet, whatever expiry its sender wrote.",
        key="limits.max_hold_ms",
    )
    btp_children: AccountId | None = _setting(
        parse_account_id,
        None,
        "ACCOUNT",
        "Lets anybody connect by BTP with a token of its own, and makes an account for each: a child in the asset and",
        "with the limits of this account, at an address below it. Its first token is the only one it can come back",
        "with. Without this setting only accounts that exist can connect.",
        key="btp.children",
    )
    btp_children_names: str = _setting(
        one_of("either", "username", "token"),
        "either",
        "either|username|token",
        "What such a child is called in its address. either: the user name it gives, or else the hash of its token.",
        "username: one has to be given. token: always the hash, so that no two children can want the same name.",
        key="btp.children_names",
    )
    btp_children_max: int = _setting(
        whole_number(1, 100_000),
        "1000",
        "COUNT",
        "How many such children there are at most. Then one that never moved money and is not connected makes room.",
        key="btp.children_max",
    )
    btp_origins: tuple[str, ...] = _setting(
        parse_origins,
        "",
        "ORIGINS",
        "Web pages that may connect by BTP from a browser, by their origins: https://wallet.example. Without it none",
        "may. Programs other than browsers are not asked.",
        key="btp.origins",
    )
    spsp_queries_per_minute: int = _setting(
        whole_number(1, 1_000_000),
        "600",
        "COUNT",
        "How often one address may ask in a minute where to pay (SPSP); more is answered with 429.",
        key="limits.spsp_queries_per_minute",
    )
    trusted_proxies: frozenset[str] = _setting(
        parse_sources,
        "127.0.0.1, ::1",
        "ADDRESSES",
        "Proxies before this node: what they say in X-Forwarded-For is taken for the address of who asks.",
    )
    auto_peering_enabled: bool = _setting(
        parse_bool,
        "false",
        "BOOL",
        "Whether any node may become a peer by asking at /auto-peering, as Rafiki nodes do.",
        key="auto_peering.enabled",
    )
    auto_peering_assets: Mapping[Asset, int] | None = _setting(
        parse_offers,
        None,
        "ASSETS",
        "What such a peer may choose from, and how much it may owe us: 'USD/2=500, EUR/9' is 500 USD, and no EUR.",
        key="auto_peering.assets",
    )
    auto_peering_peers_max: int = _setting(
        whole_number(1, 10_000),
        "100",
        "COUNT",
        "How many peers may come that way.",
        key="auto_peering.peers_max",
    )
    auto_peering_relation: str = _setting(
        one_of("peer", "child"),
        "peer",
        "peer|child",
        "What they become. A child needs an address below ours.",
        key="auto_peering.relation",
    )
    auto_peering_packets_per_minute: int = _setting(
        whole_number(1, 100_000_000),
        "6000",
        "COUNT",
        "Packets that each of them may send in a minute.",
        key="auto_peering.packets_per_minute",
    )
    accounts: tuple[Account, ...] = ()
    """Accounts of the file: made when the node does not have them yet."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Static routes of the file: prefix -> where it leads (`routing.targets`)."""
    rates: Mapping[str, str] = field(default_factory=dict)
    """Static rates of the file: code -> value of one whole unit in a common base, decimal text."""

    def __post_init__(self) -> None:
        # It has a default, None, only so that all rows of the table have one form.
        if len(self.secret_seed or b"") != 32:
            raise SettingsError("secret_seed has to be 32 octets")
        for key, problem in faults_between(vars(self)):
            raise SettingsError(f"{key} {problem}")

    @property
    def bind(self) -> tuple[str, int]:
        """(host, port) to listen on."""
        return parse_bind_address(self.http_bind_address)


SETTINGS: Final[tuple[Setting, ...]] = tuple(sorted(rows_of(Settings), key=stands_last))


def faults_between(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong) for values (by attribute) that are good alone but not together."""
    faults: list[tuple[str, str]] = []
    host, _ = parse_bind_address(values["http_bind_address"])
    if not is_loopback_host(host) and not values["allow_plain_text"] and not values["tls_certificate"]:
        why = (
            f"is {values['http_bind_address']}: other machines could read tokens and payments there. Listen on"
            " 127.0.0.1, name a certificate with  tls.cert or say  allow_plain_text = true  when a proxy on the way"
            " encrypts"
        )
        faults.append(("http_bind_address", why))
    for key in ("key", "client_ca"):
        if values[f"tls_{key}"] and not values["tls_certificate"]:
            faults.append((f"tls.{key}", "is of no use without  tls.cert"))
    if values["rates_provider"] == "file" and not values["rates_path"]:
        faults.append(("exchange_rate.provider", "is file, so  exchange_rate.path  is needed"))
    if values["rates_provider"] == "http" and not values["rates_url"]:
        faults.append(("exchange_rate.provider", "is http, so  exchange_rate.url  is needed"))
    faults += route_faults(values) + settlement_faults(values) + state_faults(values) + otel_faults(values)
    if values["min_message_window_ms"] >= values["max_hold_ms"]:
        faults.append(("limits.min_message_window_ms", "has to be less than  limits.max_hold_ms"))
    if values["auto_peering_enabled"] and not values["auto_peering_assets"]:
        faults.append(("auto_peering.enabled", "is true, so  auto_peering.assets  is needed: what may a peer choose?"))
    if values["auto_peering_enabled"] and not is_loopback_host(host) and values["public_url"] is None:
        faults.append(("auto_peering.enabled", "is true, so  public_url  is needed: where do peers send packets?"))
    return faults
