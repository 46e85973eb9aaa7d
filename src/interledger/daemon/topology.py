"""The shape of a development network: which nodes, which links, in which assets, at which rates and limits.

`line:3` is alice ─ hub ─ bob; `star:4` four holders around one hub. A file says it in TOML. All of it is data: `dev.py`
makes nodes of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from interledger.accounts.account import parse_account_id
from interledger.accounts.asset import Asset, parse_asset
from interledger.errors import InvalidRequestError

__all__ = [
    "DEV_VALUES",
    "HUB_MARGIN",
    "DevLink",
    "DevNode",
    "Topology",
    "credit_limit",
    "parse_assets",
    "parse_topology",
    "unit_value",
]

HOLDERS: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
"""Those who hold money, in the order in which they join."""

NODES_MAX: Final = 12
"""All run in one process; more would teach nothing and be slow."""

FIRST_PORT: Final = 7_770
PORT_STEP: Final = 10

HUB_MARGIN: Final = Fraction(3, 1000)
"""What a hub keeps of each amount: 0.30 %."""

CREDIT_USD: Final = 500
"""What each end of a link lets the other owe it: about so much, in the link's asset."""

PACKET_USD: Final = Fraction(55, 100)
"""The largest packet a hub takes from a holder: a payment of 10 USD is seen to travel in packets."""

DEV_VALUES: Final[dict[str, str]] = {
    "EUR": "1",
    "USD": "0.9213",
    "GBP": "1.1872",
    "CHF": "1.0641",
    "JPY": "0.00587",
    "CAD": "0.6604",
    "AUD": "0.6012",
    "MXN": "0.0497",
    "BRL": "0.1618",
    "ZAR": "0.0507",
    "INR": "0.01093",
    "KES": "0.00716",
    "NGN": "0.00058",
    "CNY": "0.1271",
    "XRP": "0.5228",
    "LTC": "82.4",
    "ETH": "2950.5",
    "BTC": "88240",
}
"""What one unit of each is worth in EUR, in development networks: made up, and always the same."""


@dataclass(frozen=True, slots=True)
class DevNode:
    """One node. A holder has a wallet, in `asset`; a hub has none."""

    name: str
    port: int
    asset: Asset | None = None

    @property
    def address(self) -> str:
        """`test.alice`"""
        return f"test.{self.name}"


@dataclass(frozen=True, slots=True)
class DevLink:
    """One link: `left` dials `right`, or posts to it, and both keep accounts in `asset`."""

    left: str
    right: str
    kind: str
    """BTP or HTTP"""
    asset: Asset


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole network."""

    nodes: tuple[DevNode, ...]
    links: tuple[DevLink, ...]
    margin: Fraction = HUB_MARGIN
    values: dict[str, str] = field(default_factory=lambda: dict(DEV_VALUES))

    def node(self, name: str) -> DevNode:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)

    def neighbours(self, name: str) -> list[str]:
        """Whom a node has links with."""
        return [
            link.right if link.left == name else link.left for link in self.links if name in (link.left, link.right)
        ]

    def path(self, source: str, destination: str) -> list[str] | None:
        """The nodes on the shortest way, both ends included; None when there is no way."""
        ways: list[list[str]] = [[source]]
        seen = {source}
        for way in ways:
            if way[-1] == destination:
                return way
            for neighbour in self.neighbours(way[-1]):
                if neighbour not in seen:
                    seen.add(neighbour)
                    ways.append([*way, neighbour])
        return None

    def routes_of(self, name: str) -> dict[str, str]:
        """The static routes of a node: prefix -> account. A node with one link sends everything there."""
        neighbours = self.neighbours(name)
        if len(neighbours) == 1:
            return {"test": neighbours[0]}
        routes: dict[str, str] = {}
        for other in self.nodes:
            way = self.path(name, other.name)
            if way is not None and len(way) > 1:
                routes[other.address] = way[1]
        return routes


def parse_assets(text: str) -> list[Asset]:
    """`USD/9,EUR/9` -> assets; a code alone has scale 9. Raises `InvalidRequestError`."""
    assets = [parse_asset(part if "/" in part else f"{part}/9") for part in text.replace(" ", "").split(",")]
    for asset in assets:
        unit_value(asset)
    return assets


def unit_value(asset: Asset) -> Fraction:
    """What one whole unit is worth in EUR. Raises `InvalidRequestError` for an asset without a built-in rate."""
    value = DEV_VALUES.get(asset.code)
    if value is None:
        raise InvalidRequestError(
            f"A development network has no rate for {asset.code}. It knows  {' '.join(DEV_VALUES)}", "assets"
        )
    return Fraction(value)


def credit_limit(asset: Asset, usd: Fraction | int = CREDIT_USD) -> int:
    """So many USD in another asset, one leading digit, in units: `500 USD` is 60,000 KES."""
    if asset.code == "USD":
        units = Fraction(usd) * 10**asset.scale
        return max(int(units), 1)
    units = Fraction(usd) * Fraction(DEV_VALUES["USD"]) / unit_value(asset) * 10**asset.scale
    whole = max(int(units), 1)
    step: int = 10 ** (len(str(whole)) - 1)
    return max((2 * whole + step) // (2 * step), 1) * step


def parse_topology(text: str, assets: Sequence[Asset], port: int | None = None) -> Topology:
    """`line:N`, `star:N` or the name of a TOML file. `port`: the hub's; 0: free ports. Raises `InvalidRequestError`."""
    kind, _, count = text.partition(":")
    if kind in ("line", "star"):
        if not (count.isascii() and count.isdecimal() and len(count) <= 2 and 2 <= int(count) <= NODES_MAX):
            raise InvalidRequestError(f"“{text}” is not a shape. Write  {kind}:3  (2 to {NODES_MAX})", "topology")
        return _line(int(count), assets, port) if kind == "line" else _star(int(count), assets, port)
    if not Path(text).is_file():
        raise InvalidRequestError(f"“{text}” is not a shape. Write  line:3  star:4  or the name of a file", "topology")
    return _from_file(Path(text), port)


def _line(count: int, assets: Sequence[Asset], port: int | None) -> Topology:
    """alice ─ hubs ─ bob. Link k is in the asset that lies k/links of the way through `assets`."""
    hubs = ["hub"] if count == 3 else [f"hub{i + 1}" for i in range(count - 2)]
    names = ["alice", *hubs, "bob"]
    on_link = [assets[k * len(assets) // (count - 1)] for k in range(count - 1)]
    links = tuple(
        DevLink(names[k], names[k + 1], "HTTP" if k == count - 2 and count > 2 else "BTP", on_link[k])
        for k in range(count - 1)
    )
    return Topology(_place(names, {"alice": on_link[0], "bob": on_link[-1]}, port), links)


def _star(count: int, assets: Sequence[Asset], port: int | None) -> Topology:
    """`count` holders around one hub; every second one is linked by HTTP."""
    if count > len(HOLDERS):
        raise InvalidRequestError(f"A star has at most {len(HOLDERS)} holders", "topology")
    wallets = {name: assets[i % len(assets)] for i, name in enumerate(HOLDERS[:count])}
    links = tuple(
        DevLink(name, "hub", "BTP", asset) if i % 2 == 0 else DevLink("hub", name, "HTTP", asset)
        for i, (name, asset) in enumerate(wallets.items())
    )
    return Topology(_place([*wallets, "hub"], wallets, port), links)


def _place(names: Sequence[str], wallets: dict[str, Asset], port: int | None) -> tuple[DevNode, ...]:
    """Holders have the first ports, hubs the ones behind them; `port` is the last one's."""
    in_order = [n for n in names if n in wallets] + [n for n in names if n not in wallets]
    ports = dict.fromkeys(names, 0)
    if port != 0:
        last = FIRST_PORT + PORT_STEP * (len(names) - 1) if port is None else port
        first = last - PORT_STEP * (len(names) - 1)
        if first < 1 or last > 65_535:
            raise InvalidRequestError(f"The ports {first} to {last} cannot all be used", "port")
        ports = {name: first + PORT_STEP * i for i, name in enumerate(in_order)}
    return tuple(DevNode(name, ports[name], wallets.get(name)) for name in names)


def _from_file(path: Path, port: int | None) -> Topology:
    """`nodes = {alice = "USD/9", hub = "", bob = "EUR/9"}` and `links = [["alice", "hub", "BTP", "USD/9"], ...]`."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
        wallets = {parse_account_id(n): parse_asset(a) for n, a in _table(document, "nodes").items() if a}
        names = [parse_account_id(name) for name in _table(document, "nodes")]
        links = tuple(_link(names, item) for item in document.get("links", []))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(f"{path}: {error}", "topology") from None
    for asset in (*wallets.values(), *(link.asset for link in links)):
        unit_value(asset)
    if not 2 <= len(names) <= NODES_MAX or not links:
        raise InvalidRequestError(f"{path}: 2 to {NODES_MAX} nodes and a link are needed", "topology")
    return Topology(_place(names, {str(n): a for n, a in wallets.items()}, port), links)


def _table(document: dict[str, Any], key: str) -> dict[str, str]:
    table = document.get(key)
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ValueError(f'{key} is not a table of texts. Write  [{key}]  alice = "USD/9"')
    return table


def _link(names: Sequence[str], item: Any) -> DevLink:
    if not isinstance(item, list) or len(item) != 4 or not all(isinstance(part, str) for part in item):
        raise ValueError('a link is written  ["alice", "hub", "BTP", "USD/9"]')
    left, right, kind, asset = item
    if left not in names or right not in names or left == right:
        raise ValueError(f"a link leads from {left} to {right}, which are not two of the nodes")
    if kind not in ("BTP", "HTTP"):
        raise ValueError(f"a link is by BTP or HTTP, not by {kind}")
    return DevLink(left, right, kind, parse_asset(asset))
