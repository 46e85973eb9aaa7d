"""Shapes of development networks: nodes, links, ports, routes and limits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from interledger.accounts.asset import Asset
from interledger.daemon.topology import DEV_VALUES, credit_limit, parse_assets, parse_topology, unit_value
from interledger.errors import InvalidRequestError

USD, EUR = Asset("USD", 9), Asset("EUR", 9)


def test_three_in_a_line() -> None:
    shape = parse_topology("line:3", [USD, EUR])
    assert [(n.name, n.port, n.asset) for n in shape.nodes] == [
        ("alice", 7770, USD),
        ("hub", 7790, None),
        ("bob", 7780, EUR),
    ]
    assert [tuple(link) for link in ((k.left, k.right, k.kind, k.asset) for k in shape.links)] == [
        ("alice", "hub", "BTP", USD),
        ("hub", "bob", "HTTP", EUR),
    ]
    assert shape.routes_of("alice") == {"test": "hub"}
    assert shape.routes_of("hub") == {"test.alice": "alice", "test.bob": "bob"}
    assert shape.path("alice", "bob") == ["alice", "hub", "bob"]
    assert shape.node("bob").address == "test.bob"


@pytest.mark.parametrize("count", range(2, 13))
def test_lines_of_every_length(count: int) -> None:
    shape = parse_topology(f"line:{count}", [USD, EUR])
    assert len(shape.nodes) == count
    assert shape.path("alice", "bob") == [node.name for node in shape.nodes]
    assert len({node.port for node in shape.nodes}) == count
    assert shape.links[0].asset == USD
    assert shape.links[-1].asset == (EUR if count > 2 else USD)
    for node in shape.nodes:
        assert set(shape.routes_of(node.name).values()) <= set(shape.neighbours(node.name))


def test_a_star() -> None:
    shape = parse_topology("star:4", [USD, EUR], port=8800)
    assert [node.name for node in shape.nodes] == ["alice", "bob", "carol", "dave", "hub"]
    assert [node.port for node in shape.nodes] == [8760, 8770, 8780, 8790, 8800]
    assert [link.kind for link in shape.links] == ["BTP", "HTTP", "BTP", "HTTP"]
    assert shape.routes_of("dave") == {"test": "hub"}
    assert shape.routes_of("hub")["test.carol"] == "carol"


def test_free_ports() -> None:
    assert {node.port for node in parse_topology("line:3", [USD], port=0).nodes} == {0}


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        'nodes = {ann = "USD/2", mid = "", ben = "KES/2"}\n'
        'links = [["ann", "mid", "HTTP", "USD/2"], ["mid", "ben", "BTP", "KES/2"]]\n'
    )
    shape = parse_topology(str(path), [USD])
    assert [node.name for node in shape.nodes] == ["ann", "mid", "ben"]
    assert [node.port for node in shape.nodes] == [7770, 7790, 7780]
    assert shape.path("ann", "ben") == ["ann", "mid", "ben"]
    assert shape.path("ann", "nobody") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nodes = 5\n", "nodes is not a table"),
        ('nodes = {ann = "USD/2"}\n', "2 to 12 nodes"),
        ('nodes = {ann = "USD/2", ben = "USD/2"}\n', "and a link are needed"),
        ('nodes = {ann = "USD/2", ben = "USD/2"}\nlinks = [["ann"]]\n', "a link is written"),
        ('nodes = {ann = "USD/2", ben = "USD/2"}\nlinks = [["ann", "ann", "BTP", "USD/2"]]\n', "not two of the nodes"),
        ('nodes = {ann = "USD/2", ben = "USD/2"}\nlinks = [["ann", "ben", "UDP", "USD/2"]]\n', "by BTP or HTTP"),
        ('nodes = {ann = "FOO/2", ben = "USD/2"}\nlinks = [["ann", "ben", "BTP", "USD/2"]]\n', "no rate for FOO"),
        ('nodes = {a = "USD/2", ben = "USD/2"}\n', "account name"),
        ("x = \n", "net.toml"),
    ],
)
def test_files_that_are_no_shape(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(text)
    with pytest.raises(InvalidRequestError, match=message):
        parse_topology(str(path), [USD])


@pytest.mark.parametrize(
    "text", ["line", "line:1", "line:13", "star:0", "line:x", "line:٣", "ring:3", "star:11", "star:999"]
)
def test_no_shapes(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_topology(text, [USD])


def test_ports_that_cannot_be() -> None:
    for port in (15, 65_536):
        with pytest.raises(InvalidRequestError, match="cannot all be used"):
            parse_topology("line:3", [USD], port=port)


def test_assets() -> None:
    assert parse_assets("USD/9, eur/2,KES") == [Asset("USD", 9), Asset("EUR", 2), Asset("KES", 9)]
    with pytest.raises(InvalidRequestError, match=r"no rate for FOO\. It knows  EUR USD"):
        parse_assets("FOO/9")


@pytest.mark.parametrize(
    ("asset", "units"),
    [(Asset("USD", 9), 500 * 10**9), (Asset("EUR", 2), 500_00), (Asset("KES", 2), 60_000_00), (Asset("BTC", 0), 1)],
)
def test_credit_is_about_the_same_everywhere(asset: Asset, units: int) -> None:
    assert credit_limit(asset) == units


def test_every_rate_is_exact() -> None:
    assert all(Fraction(value) > 0 for value in DEV_VALUES.values())
    assert unit_value(USD) / unit_value(EUR) == Fraction("0.9213")
