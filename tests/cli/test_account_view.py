"""The account transcripts of the specification, byte for byte, and what is left out where nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from interledger.cli.account_view import AtRisk, account_lines, accounts_lines, at_risk, balance_lines
from interledger.cli.console import Console

NOW = datetime(2026, 11, 21, 12, 4, 0, tzinfo=UTC)
UNIT = 10**9

LIST = """\
ACCOUNT         RELATION  LINK        POSITION                    LIMIT    USED   PACKETS/S
alice           child     ✓ BTP       owes us      128.40 USD    500.00    25 %        156
bob             peer      ✓ HTTP      we owe       412.75 EUR    600.00    68 %        171
lago            peer      ! BTP       owes us    8,230.00 MXN 10,000.00    82 %         48
northwind       parent    ✓ BTP       owes us      310.00 USD  1,500.00    20 %         21
rafiki-sandbox  peer      ✓ HTTP      we owe        61.20 USD    250.00    24 %          6
shop            child     ✓ BTP       we owe        74.33 EUR    300.00    24 %          2
kivu            peer      ✗ down 4 m  owes us   21,400.00 KES 60,000.00    35 %          0

At risk 1,065.48 USD of 3,596.23 in limits.   ? 2 unknown items with kivu (ilp unknown list)"""

ROWS = [
    ("alice", "child", "BTP", "USD", 12840, 50000, 156),
    ("bob", "peer", "HTTP", "EUR", -41275, 60000, 171),
    ("lago", "peer", "BTP", "MXN", 823000, 1000000, 48),
    ("northwind", "parent", "BTP", "USD", 31000, 150000, 21),
    ("rafiki-sandbox", "peer", "HTTP", "USD", -6120, 25000, 6),
    ("shop", "child", "BTP", "EUR", -7433, 30000, 2),
    ("kivu", "peer", "down", "KES", 2140000, 6000000, 0),
]

SHOW = """\
bob   peer   EUR, scale 9   ✓ up, answers in 11.9 ms

             we owe                        0                       owes us
  600.00 ├·······┃··▒█████████████████████┼·······························┤ 400.00
                 settle at 450.00

  We owe bob     412.75 EUR   room 178.15
  In flight        9.10 EUR   18 packets
  On its way     450.00 EUR   set_4H2, ! trying again in 41 s
  Next           settle in about 25 s, by sepa-sim
  Limits         owes us at most 400.00, we owe at most 600.00, packet at most 50.00
  Today          148,020.55 USD moved, 98.9 % fulfilled"""


def test_account_list(terminal: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    accounts = [
        make_account(
            id=name,
            relation=relation,
            asset_code=code,
            net=net * UNIT // 100,
            limits={"owes_us_max" if net > 0 else "we_owe_max": str(limit * UNIT // 100)},
            link={"kind": kind, "up": kind != "down", "since": "2026-11-21T12:00:00.000Z"},
            packets_per_s=packets,
        )
        for name, relation, kind, code, net, limit, packets in ROWS
    ]
    risk = AtRisk(Fraction("1065.48"), Fraction("3596.23"), "USD")
    unknown = "2 unknown items with kivu (ilp unknown list)"
    assert "\n".join(accounts_lines(accounts, terminal, now=NOW, risk=risk, unknown=unknown)) == LIST


def test_account_show(terminal: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    bob = make_account(
        net=-41275 * UNIT // 100,
        pending={"in": "0", "out": str(910 * UNIT // 100)},
        limits={
            "owes_us_max": str(400 * UNIT),
            "we_owe_max": str(600 * UNIT),
            "packet_amount_max": str(50 * UNIT),
        },
        settle_threshold=str(450 * UNIT),
        answers_in="11.9 ms",
        packets_in_flight=18,
        on_its_way={"amount": str(450 * UNIT), "text": "set_4H2, ! trying again in 41 s"},
        next="settle in about 25 s, by sepa-sim",
        today="148,020.55 USD moved, 98.9 % fulfilled",
    )
    assert "\n".join(account_lines(bob, terminal)) == SHOW


def test_what_is_not_known_is_not_said(pipe: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    account = make_account(net=5 * UNIT, limits={"owes_us_max": str(4 * UNIT)}, settle_threshold="1")
    assert account_lines(account, pipe) == [
        "bob   peer   EUR, scale 9   ✓ up, by HTTP",
        "",
        "  bob owes us    5.00 EUR   room 0.00",
        "  Limits         owes us at most 4.00",
        "  Address        test.bob",
    ]


def test_a_holder_of_this_node(pipe: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    account = make_account(relation="local", link={"kind": "local"}, limits={"packets_per_minute": "60"})
    assert account_lines(account, pipe) == [
        "bob   local   EUR, scale 9   · on this node",
        "",
        "  Position       0.00 EUR",
        "  Limits         60 packets a minute",
    ]
    assert accounts_lines([account], pipe) == [
        "ACCOUNT  RELATION  LINK     POSITION         LIMIT    USED",
        "bob      local     · local          0.00 EUR  none       –",
    ]


def test_a_link_that_is_down(pipe: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    ages = ["2026-11-21T12:03:20.000Z", "2026-11-21T10:03:20.000Z", "2026-11-18T12:03:20.000Z", None]
    accounts = [make_account(id=f"a{i}", link={"up": False, "since": since}) for i, since in enumerate(ages)]
    lines = accounts_lines(accounts, pipe, now=NOW)
    assert "✗ down 40 s" in lines[1]
    assert "✗ down 2 h" in lines[2]
    assert "✗ down 3 d" in lines[3]
    assert "✗ down " in lines[4]
    assert "✗ down, HTTP" in account_lines(accounts[0], pipe)[0]


def test_no_accounts(pipe: Console) -> None:
    assert accounts_lines([], pipe) == ["No accounts. Make one:  ilp account create NAME --asset USD/9"]


def test_the_gauge_on_the_other_side(pipe: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    account = make_account(
        net=200 * UNIT,
        limits={"owes_us_max": str(400 * UNIT), "we_owe_max": "0"},
        pending={"in": str(100 * UNIT), "out": "0"},
    )
    gauge = account_lines(account, pipe)[3]
    assert gauge == f"  0.00 ├{'·' * 32}┼{'█' * 16}{'▒' * 7}{'·' * 8}┤ 400.00"


def test_at_risk_needs_every_rate_and_limit(make_account: Callable[..., dict[str, Any]]) -> None:
    values = {"EUR": Fraction(1), "USD": Fraction(1, 2)}
    limited = make_account(net=10 * UNIT, limits={"owes_us_max": str(20 * UNIT)})
    assert at_risk([limited], values) == AtRisk(Fraction(20), Fraction(40), "USD")
    assert at_risk([limited], {"EUR": Fraction(1)}) == AtRisk(Fraction(10), Fraction(20), "EUR")
    assert at_risk([limited], {"EUR": Fraction(0)}) is None
    assert at_risk([limited], {}) is None
    assert at_risk([make_account()], values) is None
    assert at_risk([make_account(relation="local")], values) is None


def test_balances(pipe: Console, make_account: Callable[..., dict[str, Any]]) -> None:
    rows = [
        ("alice", make_account(id="alice", asset_code="USD", net=10 * UNIT)),
        ("bob", make_account(net=-9185360997)),
    ]
    assert balance_lines(rows, pipe) == [
        "NODE   ACCOUNT  POSITION",
        "alice  alice    owes us 10.00 USD",
        "bob    bob      we owe   9.185360997 EUR",
    ]
    assert balance_lines([("", rows[0][1])], pipe) == ["ACCOUNT  POSITION", "alice    owes us 10.00 USD"]
