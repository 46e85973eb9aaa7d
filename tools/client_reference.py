"""The page about the client: every method, what it takes and gives out, made from its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.api_sync import Function, functions_of_client

__all__ = ["client_page"]

INTRO = """\
*Made from the code by `python -m tools.docs`.* `interledger.ApiClient(url, token)` and, without asyncio,
`interledger.SyncApiClient(url, token)` have the same methods; here they stand as the first has them, to be awaited.
What comes in many parts (`AsyncIterator`) is read with `async for`, or `for`.
[How to use them](../howto/use-the-api.md).

The types of documents are in `interledger.api.types`; [the page of the API](api.md#documents) says what their fields
mean. `ApiError` is the node's no, `LinkError` means that nobody answered.\
"""

TITLES = {
    "ApiClient": "The node, accounts, peers, routes, rates, payments",
    "WebhookCalls": "Webhooks",
    "LiveCalls": "What happens",
    "SettlementCalls": "Settlements",
    "LedgerCalls": "The books",
    "OperatorCalls": "As in interledger-rs",
    "NodeCalls": "The node as a whole, and what comes in",
}


def client_page() -> str:
    """All of it."""
    parts = ["# The client", INTRO]
    for cls, functions in functions_of_client().items():
        parts.append(f"## {TITLES[cls.__name__]}")
        parts += [_method(function) for function in functions]
    return "\n\n".join(parts) + "\n"


def _method(function: Function) -> str:
    parts = list(_arguments(function.args))
    returns = "" if function.returns is None else ast.unparse(function.returns)
    line = f"{function.name}({', '.join(parts)}) -> {returns}"
    if len(line) > 110:
        line = f"{function.name}(\n    {(',' + chr(10) + '    ').join(parts)},\n) -> {returns}"
    doc = ast.get_docstring(function, clean=True) or ""
    return f"### `{function.name}`\n\n```text\n{line}\n```\n\n{doc}".rstrip()


def _arguments(args: ast.arguments) -> Iterator[str]:
    own = args.args[1:]
    defaults: list[ast.expr | None] = [None] * (len(own) - len(args.defaults)) + list(args.defaults)
    yield from (_argument(arg, default) for arg, default in zip(own, defaults, strict=True))
    if args.vararg is not None:
        yield f"*{ast.unparse(args.vararg)}"
    elif args.kwonlyargs:
        yield "*"
    yield from (_argument(arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True))


def _argument(arg: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(arg) if default is None else f"{ast.unparse(arg)} = {ast.unparse(default)}"
