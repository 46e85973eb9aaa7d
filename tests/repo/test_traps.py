"""Python's traps (K1 to K10 of the threat model): one place does it right, and elsewhere it is banned."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.repo.test_rules import calls, within
from tools.source import ROOT, Source, package_sources

OWN_TEXT = {
    "codec/": "the strict parsers themselves",
    "link/http/": "octets, where only ASCII digits count",
    "cli/": "what our own API answered",
    "dashboard/": "what our own API answered; what people type is read by the API",
    "sim/": "figures of its own",
}
"""Where `int` is called on text that was looked at before, or is ours."""

PARSED_BEFORE = {
    "settlement/engines/json_rpc.py": "a number of JSON; what is none raises, and is caught",
    "settlement/engines/evm/chain.py": "the answers of a node of our own, and what the engine wrote itself",
    "settlement/engines/evm/claims.py": "after fullmatch",
    "settlement/engines/evm/engine.py": "after isascii and isdigit, and what the engine wrote itself",
    "application/webhook_signature.py": "after a fullmatch",
    "accounts/asset.py": "after a fullmatch",
    "accounts/books/statement.py": "a bool",
    "accounts/records.py": "members of an IntEnum",
    "application/payment_pointer.py": "after a fullmatch",
    "application/peering/fields.py": "after a fullmatch",
    "application/peering/records.py": "documents of our own store",
    "application/spsp/messages.py": "a group of a fullmatch",
    "link/jwt/messages.py": "after a fullmatch",
    "link/listener.py": "a port of the system, and a constant",
    "store/": "rows and names of our own",
    "transport/stream/quote.py": "a Fraction, rounded down",
    "api/bodies.py": "after its own fullmatch",
    "api/unknown.py": "after a fullmatch",
    "api/unproven.py": "after a fullmatch",
    "api/connect.py": "documents of our own API",
    "api/calls.py": "documents of our own API",
    "api/json_text.py": "an IntEnum",
    "api/payment_terms.py": "a Fraction that is whole",
    "node/settings_parsers.py": "after a fullmatch",
    "node/settings_access.py": "a bool",
    "node/explainer.py": "a power of ten",
    "node/payments.py": "a Fraction, rounded down",
    "node/peer_check.py": "milliseconds of a stopwatch",
    "node/statements.py": "a Timestamp",
    "node/live/feed.py": "names of our own store",
    "api/events.py": "after a fullmatch",
    "api/packets.py": "after a fullmatch",
    "api/payment_trace.py": "amounts of a document that it has just made",
    "settlement/quantity.py": "after a fullmatch",
    "settlement/records.py": "documents of our own store",
    "settlement/engine/state.py": "rows of its own database",
    "settlement/engines/bank/": "after a fullmatch",
    "settlement/engines/litecoin.py": "answers of the operator's own node",
    "settlement/engines/xrp/": "after fullmatch, answers of the operator's server, what the engine wrote itself",
    "settlement/engines/core_rpc.py": "answers of the operator's own node",
    "settlement/engines/folder.py": "options of the operator",
    "routing/targets.py": "after a fullmatch",
    "routing/rate_sources.py": "groups of a fullmatch",
    "daemon/settled.py": "documents of our own APIs",
    "daemon/dev_settlement.py": "a file of our own",
    "daemon/ledgers/": "the answers of ledgers of our own",
    "cli/dev_settlement.py": "documents of our own",
    "daemon/topology.py": "after isascii and isdecimal",
    "daemon/ports.py": "what the system says",
}

OWN_JSON = {
    "settlement/engines/xrp/sim.py": "requests to a simulator, which nothing of worth depends on",
    "node/settlement_btp.py": "what the node and the account's own engine say of themselves",
    "settlement/engines/evm/contract.py": "a file of the package",
    "codec/strict_json.py": "the strict parser itself",
    "settlement/engine/state.py": "what it wrote into its own database",
    "daemon/process.py": "a file of our own",
    "daemon/ledgers/xrp_sim.py": "answers of a simulator of our own",
    "api/connect.py": "a file of our own",
    "api/calls.py": "an answer of our own API",
    "cli/targets.py": "a file of our own",
    "cli/contexts.py": "a file of our own",
    "cli/asking.py": "a request of our own, that is shown",
    "api/live_calls.py": "a stream of our own API",
    "api/operator_calls.py": "a stream of our own API",
}

DECIMALS = {"settlement/engines/litecoin.py": "coins with eight places: the 28 digits of the context hold them all"}


def is_listed(source: Source, *lists: dict[str, str]) -> bool:
    inside = source.name.removeprefix("src/interledger/")
    return any(inside.startswith(name) for listed in lists for name in listed)


def swallows_a_cancellation(source: Source) -> Iterator[int]:
    """K1: `CancelledError` is a BaseException. Who catches it does what it must, and raises it again."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            if re.search(r"\b(BaseException|CancelledError)\b", caught) and not any(
                isinstance(inner, ast.Raise) for inner in ast.walk(node)
            ):
                yield node.lineno
    for node, name in calls(source):
        if name.endswith("suppress") and any("CancelledError" in ast.unparse(argument) for argument in node.args):
            yield node.lineno


def may_swallow_a_cancellation(source: Source) -> Iterator[int]:
    """K1: Python 3.11's `wait_for` goes on when what it waits for comes at the moment of the cancellation."""
    yield from (node.lineno for node, name in calls(source) if name == "asyncio.wait_for")


def shields_a_task_that_nobody_holds(source: Source) -> Iterator[int]:
    """K2: when the one who waits is cancelled, the loop holds a shielded task weakly: it may be collected."""
    for node, name in calls(source):
        if name.endswith("shield") and node.args and isinstance(node.args[0], ast.Call):
            inner = ast.unparse(node.args[0].func)
            if inner.endswith(("create_task", "ensure_future")) or not inner.endswith("_start"):
                yield node.lineno


def reads_digits_of_other_alphabets(source: Source) -> Iterator[int]:
    """K4: `'²'.isdigit()` and `int('１_2')` are true and 12. One parser for amounts, and `fullmatch` before `int`."""
    if is_listed(source, OWN_TEXT):
        return
    for node, name in calls(source):
        if name == "int" and node.args and not isinstance(node.args[0], ast.Constant):
            if not is_listed(source, PARSED_BEFORE):
                yield node.lineno
        elif name.endswith((".isnumeric", ".isdigit", ".isdecimal")):
            line = source.text.splitlines()[node.lineno - 1]
            if ".isascii()" not in line and not is_listed(source, PARSED_BEFORE):
                yield node.lineno


def reads_json_that_is_not_strict(source: Source) -> Iterator[int]:
    """K5: `json` takes NaN, Infinity and duplicate keys."""
    if not is_listed(source, OWN_JSON):
        yield from (node.lineno for node, name in calls(source) if name in ("json.loads", "json.load"))


def counts_money_in_decimals(source: Source) -> Iterator[int]:
    """K6: a Decimal rounds to the digits of whatever context is current."""
    if within(source, ("accounts/", "connector/", "settlement/", "store/", "ilp/")) and not is_listed(source, DECIMALS):
        yield from (node.lineno for node, name in calls(source) if name in ("Decimal", "decimal.Decimal"))


BLOCKING = ("time.sleep", "socket.getaddrinfo", "socket.gethostbyname", "os.system", "urllib.request.urlopen")


def blocks_the_loop(source: Source) -> Iterator[int]:
    """K10: while it waits, no packet is answered and none expires. A store's writer has a thread of its own."""
    if not within(source, ("cli/", "daemon/", "store/postgres_session.py", "store/postgres_writer.py")):
        yield from (node.lineno for node, name in calls(source) if name in BLOCKING)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and ast.unparse(inner.func) in (*BLOCKING, "subprocess.run"):
                    yield inner.lineno


def adds_up_money_in_sql(source: Source) -> Iterator[int]:
    """K3: SQLite turns 2^63 into a float. SQL keeps and finds money, Python counts it."""
    for node in ast.walk(source.tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and re.search(r"\bSELECT\b.*\b(sum|total|avg)\s*\(", text, re.I | re.S):
            yield node.lineno


RULES = [
    swallows_a_cancellation,
    may_swallow_a_cancellation,
    shields_a_task_that_nobody_holds,
    reads_digits_of_other_alphabets,
    reads_json_that_is_not_strict,
    counts_money_in_decimals,
    blocks_the_loop,
    adds_up_money_in_sql,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_in_the_package(rule: Callable[[Source], Iterator[int]]) -> None:
    found = [f"{source.name}:{line}" for source in package_sources() for line in rule(source)]
    assert found == [], rule.__doc__


CAUGHT = "try:\n    a()\nexcept BaseException:\n    b()"


@pytest.mark.parametrize(
    ("rule", "path", "bad", "good"),
    [
        (swallows_a_cancellation, "node/x.py", CAUGHT, CAUGHT + "\n    raise"),
        (swallows_a_cancellation, "node/x.py", "\n\nsuppress(asyncio.CancelledError)", "suppress(OSError)"),
        (may_swallow_a_cancellation, "node/x.py", "\n\nasyncio.wait_for(a, 1)", "asyncio.timeout(1)"),
        (shields_a_task_that_nobody_holds, "node/x.py", "\n\nasyncio.shield(ensure_future(a()))", "asyncio.shield(a)"),
        (reads_digits_of_other_alphabets, "node/x.py", "\n\nint(a)", "int('1')"),
        (reads_digits_of_other_alphabets, "node/x.py", "\n\na.isdigit()", "a.isascii() and a.isdigit()"),
        (reads_json_that_is_not_strict, "api/x.py", "\n\njson.loads(a)", "parse_json_object(a)"),
        (counts_money_in_decimals, "accounts/x.py", "\n\nDecimal(a)", "Fraction(a)"),
        (blocks_the_loop, "node/x.py", "\n\ntime.sleep(1)", "asyncio.sleep(1)"),
        (adds_up_money_in_sql, "store/x.py", "\n\n'SELECT sum(amount) FROM a'", "'SELECT max(at) FROM a'"),
    ],
)
def test_the_rules_can_fail(rule: Callable[[Source], Iterator[int]], path: str, bad: str, good: str) -> None:
    where = ROOT / "src" / "interledger" / path
    assert list(rule(Source(where, bad, ast.parse(bad)))) == [3]
    assert list(rule(Source(where, good, ast.parse(good)))) == []


def test_K3_every_table_is_strict() -> None:
    """Else a column takes whatever comes: an amount that is text, or a float."""
    found = []
    for path in (ROOT / "src").rglob("*"):
        if path.suffix in (".sql", ".py"):
            for table in re.findall(r"CREATE TABLE[^;]*", path.read_text(encoding="utf-8")):
                if "postgres" not in str(path) and not re.search(r"\)\s*(WITHOUT ROWID,\s*)?STRICT", table):
                    found.append(f"{path.name}: {table[:60]}")
    assert found == []
