"""`ilp dev break` and `ilp dev mend`: the controls of the development network, as its dashboard has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from interledger.cli.console import Console
from interledger.cli.errors import CliError
from interledger.cli.exit_codes import ExitCode
from interledger.cli.state import State, Target
from interledger.cli.tree import command

__all__ = ["break_network", "broken_lines", "mend"]

_LATENCY: Final = re.compile(r"([0-9]{1,5})(ms|s)?")
_DROP: Final = re.compile(r"([0-9]{1,3})%?")
_JUMP: Final = re.compile(r"([A-Za-z0-9]{1,12})=([+-]?[0-9]{1,4})%?")

Document = Mapping[str, Any]


@command("break")
@click.argument("name", required=False, metavar="NODE")
@click.argument("other", required=False, metavar="OTHER")
@click.option("--latency", metavar="TIME", help="So much later, each way: 800ms or 2s.")
@click.option("--drop", metavar="SHARE", help="So many packets are lost, each way: 5%.")
@click.option("--cut", is_flag=True, help="Nothing goes through.")
@click.option("--kill", is_flag=True, help="The node is gone from one moment to the next.")
@click.option("--rate", metavar="CODE=PERCENT", help="A rate jumps, at every node: EUR=-20%.")
@click.pass_obj
def break_network(
    state: State, name: str | None, other: str | None, latency: str | None, drop: str | None, cut: bool, kill: bool,
    rate: str | None,
) -> int:  # fmt: skip
    """Break something of the network of this directory, to see what the nodes do about it.

    \b
      ilp dev break bob --latency 800ms --drop 5%
      ilp dev break alice hub --cut
      ilp dev break bob --kill
      ilp dev break --rate EUR=-20%

    Of a node all links are meant, or the one with OTHER. With nothing to break it says what is broken. Everything is
    put back by  ilp dev mend .
    """
    trouble = {"delay_ms": _latency(latency), "loss_percent": _drop(drop), "cut": cut}
    troubled = any(trouble.values()) or latency is not None or drop is not None
    if name is None and (troubled or kill):
        raise CliError(ExitCode.USAGE, "Say which node's links:  ilp dev break bob --latency 800ms")
    if name is not None and not (troubled or kill):
        raise CliError(ExitCode.USAGE, f"Say what is to happen to {name}:  --latency 800ms, --drop 5%, --cut or --kill")
    jump = None if rate is None else _jump(rate)
    network = _network(state)
    # Whoever is killed does not answer: another one is asked.
    asked = _target(network, not_this=name if kill else None)
    found: Document = state.call(lambda api: api.call("GET", "/api/dev"), asked)
    if troubled:
        for link in _links(found, str(name), other):
            path = f"/api/dev/links/{link['left']}/{link['right']}"
            found = state.call(lambda api, path=path: api.call("PUT", path, trouble), asked)  # type: ignore[misc]  # a default binds the loop's value
    if kill:
        found = state.call(lambda api: api.call("POST", f"/api/dev/nodes/{name}/kill"), asked)
    if jump is not None:
        found = state.call(lambda api: api.call("PUT", f"/api/dev/rates/{jump[0]}", {"percent": jump[1]}), asked)
    state.emit(found, lambda: broken_lines(found, state.console))
    return ExitCode.DONE


@command("mend")
@click.pass_obj
def mend(state: State) -> int:
    """Put everything back that was broken: links, nodes and rates.

    \b
      ilp dev mend
    """
    found: Document = state.call(lambda api: api.call("POST", "/api/dev/mend"), _target(_network(state)))
    state.emit(found, lambda: broken_lines(found, state.console))
    return ExitCode.DONE


def broken_lines(document: Document, console: Console) -> list[str]:
    """`! hub ─ bob   800 ms later, 5 % lost, each way`"""
    lines = []
    for link in document["links"]:
        name = f"{link['left']} ─ {link['right']}"
        if link["cut"]:
            lines.append(f"  {console.mark('✗')} {name}   cut")
        elif link["delay_ms"] or link["loss_percent"]:
            lines.append(
                f"  {console.mark('!')} {name}   {link['delay_ms']} ms later, {link['loss_percent']} % lost, each way"
            )
    lines += [f"  {console.mark('✗')} {node['name']}   killed" for node in document["nodes"] if not node["running"]]
    lines += [
        f"  {console.mark('!')} {rate['code']}   worth {rate['value']}, {rate['jump_percent']:+} % off the usual"
        for rate in document["rates"]
        if rate["jump_percent"]
    ]
    return [*lines, "  Put everything back:  ilp dev mend"] if lines else [f"  {console.mark('✓')} Nothing is broken."]


def _network(state: State) -> Document:
    from interledger.daemon.dev_directory import running_network

    document = running_network(state.directory)
    if document is None:
        raise CliError(ExitCode.NO_NODE, "No network runs here.", "Start one:  ilp dev up")
    return document


def _target(network: Document, *, not_this: str | None = None) -> Target:
    """The first node that is not the one, nor gone."""
    nodes: Mapping[str, Document] = network["nodes"]
    name = next((one for one in _by_answer(nodes) if one != not_this), next(iter(nodes)))
    node = nodes[name]
    return Target(node["url"], node["token"], certificate=node.get("certificate"))


def _by_answer(nodes: Mapping[str, Document]) -> list[str]:
    """Those whose port is open come first: a node that was killed answers nobody."""
    import socket
    from urllib.parse import urlsplit

    def is_open(name: str) -> bool:
        parts = urlsplit(nodes[name]["url"])
        try:
            with socket.create_connection((parts.hostname, parts.port), timeout=1):
                return True
        except OSError:
            return False

    return [name for name in nodes if is_open(name)]


def _links(document: Document, node: str, other: str | None) -> Sequence[Document]:
    names = [one["name"] for one in document["nodes"]]
    if node not in names:
        raise CliError(
            ExitCode.NOT_FOUND, f"There is no node “{node}” in this network.", f"There are {', '.join(names)}"
        )
    found = [
        link
        for link in document["links"]
        if node in (link["left"], link["right"]) and (other is None or other in (link["left"], link["right"]))
    ]
    if not found:
        raise CliError(ExitCode.NOT_FOUND, f"{node} and {other} have no link with each other.")
    return found


def _latency(text: str | None) -> int:
    match = None if text is None else _LATENCY.fullmatch(text)
    if text is not None and match is None:
        raise CliError(ExitCode.USAGE, f"“{text}” is no time. Write  --latency 800ms  or  2s")
    return 0 if match is None else int(match[1]) * (1_000 if match[2] == "s" else 1)


def _drop(text: str | None) -> int:
    match = None if text is None else _DROP.fullmatch(text)
    if text is not None and match is None:
        raise CliError(ExitCode.USAGE, f"“{text}” is no share of packets. Write  --drop 5%")
    return 0 if match is None else int(match[1])


def _jump(text: str) -> tuple[str, int]:
    match = _JUMP.fullmatch(text)
    if match is None:
        raise CliError(ExitCode.USAGE, f"“{text}” is no jump of a rate. Write  --rate EUR=-20%")
    return match[1].upper(), int(match[2])
