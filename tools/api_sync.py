"""The synchronous client of the API, made from the asynchronous one: `interledger/api/sync_client.py`.

    .venv/bin/python -m tools.docs

Every public method of `ApiClient` becomes one with the same name, parameters and answer that waits; an iterator of
what comes becomes a plain iterator. Nothing is written twice, and mypy sees every type.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from interledger.api.client import ApiClient
from interledger.api.sync_calls import SyncCalls
from tools.api_types import formatted
from tools.source import ROOT

__all__ = ["Function", "functions_of_client", "sync_client"]

PLACE: Final = ROOT / "src" / "interledger" / "api" / "sync_client.py"

Function = ast.FunctionDef | ast.AsyncFunctionDef

HEAD: Final = '''\
"""The client of a node's HTTP API for programs without asyncio: `client.ApiClient`, method for method.

    with SyncApiClient("http://127.0.0.1:7770", token) as client:
        payment = client.pay("$wallet.example/bob", send="10 USD")

Made by `python -m tools.docs` from the asynchronous one: change that.
"""
'''


def sync_client() -> dict[Path, str]:
    """The module and its text."""
    functions = [function for found in functions_of_client().values() for function in found]
    body = "\n\n".join(map(_method, functions))
    places = {name: module for cls in reversed(_classes()) for name, module in _named(cls).items()}
    used = {name for function in functions for name in _names(function)} & set(places) - {"AsyncIterator"}
    now, only_types = "", "    from collections.abc import Iterator\n"
    for name in sorted(used):
        line = f"from {places[name]} import {name}\n"
        # Defaults of parameters are needed when the module is loaded, types never.
        if name.isupper() or places[name] == "typing":
            now += line
        else:
            only_types += "    " + line
    text = (
        f"{HEAD}\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING, final\n{now}\n"
        f"from interledger.api.sync_calls import SyncCalls\n\nif TYPE_CHECKING:\n{only_types}\n"
        '__all__ = ["SyncApiClient"]\n\n\n@final\nclass SyncApiClient(SyncCalls):\n'
        f'    """One node, seen with one token. Errors are those of `ApiClient`."""\n\n{body}\n'
    )
    return {PLACE: formatted(text)}


def _classes() -> list[type]:
    """Of the asynchronous client, as it is read: its own methods first."""
    return [
        cls for cls in ApiClient.__mro__ if cls.__module__.startswith("interledger.") and cls.__name__ != "ApiCalls"
    ]


def functions_of_client() -> dict[type, list[Function]]:
    """The public methods of the asynchronous client, by the class that has them."""
    found: dict[type, list[Function]] = {}
    for cls in _classes():
        (own,) = (n for n in _module_of(cls).body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
        functions = [node for node in own.body if isinstance(node, Function)]
        found[cls] = [f for f in functions if not f.name.startswith("_") and not hasattr(SyncCalls, f.name)]
    return found


def _module_of(cls: type) -> ast.Module:
    path = ROOT / "src" / Path(*cls.__module__.split(".")).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _named(cls: type) -> dict[str, str]:
    """Name -> module, of what the class's module imports or says itself."""
    found: dict[str, str] = {}
    statements = list(_module_of(cls).body)
    for node in statements:
        if isinstance(node, ast.If):  # `if TYPE_CHECKING:`
            statements.extend(node.body)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            found[node.name] = cls.__module__
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: cls.__module__ for target in targets if isinstance(target, ast.Name)}
    return found


def _names(function: Function) -> set[str]:
    """Names that its signature needs."""
    parts = [function.args] if function.returns is None else [function.args, function.returns]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def _method(function: Function) -> str:
    returns = "None" if function.returns is None else ast.unparse(function.returns)
    iterates = returns.startswith("AsyncIterator[")
    call = f"self._client.{function.name}({', '.join(_passed(function.args))})"
    waits = f"self._iterate({call})" if iterates else f"self._run({call})"
    doc = ast.get_docstring(function, clean=True) or ""
    indented = doc.replace("\n", "\n        ").replace("\n        \n", "\n\n")
    closing = "\n        " if "\n" in doc else ""
    text = f'        """{indented}{closing}"""\n' if doc else ""
    return (
        f"    def {function.name}({ast.unparse(function.args)}) -> {returns.removeprefix('Async')}:\n"
        f"{text}        return {waits}"
    )


def _passed(args: ast.arguments) -> Iterator[str]:
    yield from (arg.arg for arg in args.args[1:])
    if args.vararg is not None:
        yield f"*{args.vararg.arg}"
    yield from (f"{arg.arg}={arg.arg}" for arg in args.kwonlyargs)
