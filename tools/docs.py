"""Pages that are made from the code: `python -m tools.docs` writes them, a test fails when they are not current."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from interledger.api.app import all_operations
from interledger.api.openapi import document_text
from interledger.ilp.error_codes import ERROR_CODES
from interledger.node.live.kinds import EVENT_KINDS
from interledger.node.metric_kinds import MetricKind
from interledger.node.metrics import METRICS
from interledger.node.settings import SETTINGS
from tools.api_reference import api_page
from tools.api_sync import sync_client
from tools.api_types import type_modules
from tools.cli_reference import cli_parts
from tools.client_reference import client_page
from tools.contents import sections
from tools.library_reference import index_rows
from tools.peer_bugs import PAGE as PEER_BUGS
from tools.peer_bugs import current_page as peer_bugs
from tools.requirements import requirements_page
from tools.rfc_quotes import quotes
from tools.rules import rules_page
from tools.source import ROOT, package_sources
from tools.torture import results

__all__ = ["pages"]

REFERENCE = ROOT / "docs" / "reference"
LLMS = ROOT / "docs" / "llms.txt"

CLASSES = {
    "F": ("Final", "trying again unchanged is pointless"),
    "T": ("Temporary", "the same packet may pass a little later"),
    "R": ("Relative", "another amount or a later expiry may pass"),
}


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    return {
        REFERENCE / "error-codes.md": _error_codes(),
        REFERENCE / "errors.md": _errors(),
        REFERENCE / "settings.md": _settings(),
        REFERENCE / "events.md": _events(),
        REFERENCE / "metrics.md": _metrics(),
        REFERENCE / "cli.md": _page("The command line", *cli_parts()),
        REFERENCE / "library.md": _library(),
        REFERENCE / "rfc-quotes.md": _rfc_quotes(),
        REFERENCE / "requirements.md": _page("Sentences of the RFCs", *requirements_page()),
        REFERENCE / "rules.md": _page("Rules", *rules_page()),
        LLMS: _llms(),
        REFERENCE / "reliability-results.md": _reliability_results(),
        REFERENCE / "openapi.json": document_text(all_operations()),
        REFERENCE / "api.md": api_page(all_operations()),
        REFERENCE / "client.md": client_page(),
        PEER_BUGS: peer_bugs(),
        **type_modules(),
        **sync_client(),
    }


def _llms() -> str:
    """What a program that reads for somebody should know first: llmstxt.org."""
    lines = [
        "# interledger-py",
        "",
        "> The Interledger protocol suite in Python: a library, a production node (connector, sender, receiver), and a "
        "network of nodes on one machine. Import `interledger`, command `ilp`, Python 3.11 or newer.",
        "",
        "The site has all pages that people wrote in one file: `llms-full.txt`.",
    ]
    for section in sections():
        lines += ["", f"## {section.title}", ""]
        lines += [f"- [{e.title}]({e.place}): {e.meaning}" for e in section.entries if not e.place.startswith("..")]
    return "\n".join(lines) + "\n"


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", "*Made from the code by `python -m tools.docs`.*", *parts]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _metrics() -> str:
    suffix = {MetricKind.COUNTER: "_total"}
    rows = [
        (
            f"`{metric.name}{suffix.get(metric.kind, '')}`",
            metric.kind.value,
            ", ".join(f"`{label}`" for label in metric.labels),
            metric.meaning,
        )
        for metric in METRICS
    ]
    return _page(
        "Metrics",
        "What `GET /metrics` tells Prometheus, with the token of the operator. Amounts are in the units of the "
        "account's asset: divide by ten to the power of `asset_scale`. The figures of the process "
        "(`process_resident_memory_bytes`, `process_cpu_seconds_total` and so on) are those of Prometheus' own "
        "client. How to use them: [watch a node](../howto/watch-a-node.md).",
        _table(("name", "kind", "labels", "meaning"), rows),
    )


def _error_codes() -> str:
    parts = ["The codes of RFC 27 that a Reject carries. A code that is not listed counts by its first letter."]
    for letter, (name, advice) in CLASSES.items():
        rows = [(f"`{code}`", info.name, info.meaning) for code, info in ERROR_CODES.items() if code[0] == letter]
        parts += [
            f"## {letter}: {name}",
            f"{advice[0].upper()}{advice[1:]}.",
            _table(("code", "name", "meaning"), rows),
        ]
    return _page("Error codes", *parts)


def _errors() -> str:
    source = next(source for source in package_sources() if source.module == "interledger.errors")
    intro = ast.get_docstring(source.tree) or ""
    rows = [
        (f"`{node.name}`", " ".join((ast.get_docstring(node) or "").split()))
        for node in source.tree.body
        if isinstance(node, ast.ClassDef)
    ]
    return _page("Errors", intro, _table(("class in `interledger.errors`", "raised when"), rows))


def _reliability_results() -> str:
    runs = results.read()
    kinds = sorted({run.kind for run in runs})
    sums = {kind: [run for run in runs if run.kind == kind] for kind in kinds}
    rows = [
        (
            kind,
            f"{sum(run.times for run in of):,}",
            f"{min(run.first_seed for run in of):,} to {max(run.last_seed for run in of):,}",
            f"{sum(run.seconds for run in of):,} s",
            str(sum(run.outcome != "ok" for run in of)),
        )
        for kind, of in sums.items()
    ]
    return _page(
        "Results of long runs",
        "All runs recorded in `docs/reliability-results.csv`, by kind; a run goes on where the last one ended.",
        _table(("kind", "times", "seeds", "took", "runs that broke"), rows),
    )


def _settings() -> str:
    intro = (
        "Each setting can be given as a flag, in the environment or in the TOML file; flags win over the environment, "
        "the environment over the file. A name that no setting has is an error."
    )
    parts = [intro]
    for setting in SETTINGS:
        default = "none" if setting.default is None else f"`{setting.default}`" if setting.default else "empty"
        names = f"`{setting.flag} {setting.metavar}` · `{setting.environment}` · default {default}"
        if setting.secret:
            names += " · secret"
        parts.append(f"## `{setting.key}`\n\n{names}\n\n{setting.help}")
    return _page("Settings", *parts)


def _events() -> str:
    parts = [
        "What a node tells of by `GET /api/events`, `ilp events tail` and webhooks. Every event has `id` (it only"
        " grows), `at`, `kind`, `level`, `subject` (what it is about), `text` (for people) and `data` (for programs)."
        " The part of a kind before the dot is its topic: `only=settlement,limit.near` takes all of one topic and one"
        " kind of another."
    ]
    for kind, info in EVENT_KINDS.items():
        fields = [(f"`{name}`", meaning) for name, meaning in info.fields.items()]
        parts.append(f"## `{kind}`\n\n{info.meaning} Level: {info.level}.")
        if fields:
            parts.append(_table(("in `data`", "is"), fields))
    return _page("Events", *parts)


def _library() -> str:
    parts = [
        "What a program can import: each module of the package that is no program itself. What a module lists in "
        "`__all__` is public. What most programs need is in `interledger` by name. The docstrings say the rest: "
        "`python -m pydoc interledger.ilp.packet`, or the pages of the site."
    ]
    for package, rows in index_rows().items():
        parts += [f"## `{package}`", _table(("module", "is"), [(f"`{name}`", said) for name, said in rows])]
    return _page("The library", *parts)


def _rfc_quotes() -> str:
    parts = ["Sentences of the RFCs that stand in the code above the lines that obey them."]
    found = quotes()
    for rfc in sorted({quote.rfc for quote in found}):
        rows = [(quote.text or "", f"`{quote.module}`") for quote in found if quote.rfc == rfc]
        parts += [f"## RFC {rfc}", _table(("sentence", "obeyed in"), rows)]
    return _page("RFC sentences in the code", *parts)


def write() -> None:
    """Write every page that is not current."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
