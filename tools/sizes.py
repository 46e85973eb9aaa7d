"""Size as a ratchet: `python -m tools.sizes` writes what is large today to tests/repo/sizes.toml; tests/repo holds it.

A listed size may fall, never rise. What is not listed must stay below the limit for new things.
"""

from __future__ import annotations

import re
import tomllib

from tools.source import ROOT, functions_of, package_sources

__all__ = [
    "FUNCTION_LINES_MAX",
    "LISTED_FROM",
    "MODULE_LINES_EVER",
    "MODULE_LINES_MAX",
    "SIZES_FILE",
    "listed_sizes",
    "sizes_now",
]

SIZES_FILE = ROOT / "tests" / "repo" / "sizes.toml"

MADE = "by `python -m tools.docs`"
"""In the docstring of a module that is made from others: it is as long as those make it."""
LISTED_FROM = 300
"""A module longer than this is listed with its size."""
MODULE_LINES_MAX = 400
"""A module that is not listed has at most so many lines."""
MODULE_LINES_EVER = 650
"""No module is ever longer."""
FUNCTION_LINES_MAX = 70
"""A function that is not listed has at most so many lines, without its docstring."""


def sizes_now() -> tuple[dict[str, int], dict[str, int]]:
    """Lines of every module and of every function, by name."""
    modules = {source.name: source.line_count for source in package_sources() if MADE not in source.text[:800]}
    functions = {
        f"{source.name}::{name}": lines for source in package_sources() for name, lines in functions_of(source.tree)
    }
    return modules, functions


def listed_sizes() -> tuple[dict[str, int], dict[str, int]]:
    """What sizes.toml allows."""
    listed = tomllib.loads(SIZES_FILE.read_text(encoding="utf-8"))
    return listed["modules"], listed["functions"]


def write() -> None:
    """List what is large now. Never raises a size that is listed, and never lists what is too large to be new.

    A comment behind a size says why it may be so large, and stays.
    """
    modules, functions = sizes_now()
    old_modules, old_functions = listed_sizes()
    reasons = dict(re.findall(r'^("[^"]+") = [0-9]+( +#.*)$', SIZES_FILE.read_text(encoding="utf-8"), re.MULTILINE))
    lines = ["# Written by `python -m tools.sizes`. A size here may fall, never rise; above 400 it needs a reason."]
    lines += ["", "[modules]"]
    for name, size in sorted(modules.items()):
        if size > LISTED_FROM:
            allowed = min(size, old_modules.get(name, MODULE_LINES_MAX))
            lines.append(f'"{name}" = {allowed}' + reasons.get(f'"{name}"', ""))
    lines += ["", "[functions]"]
    for name, size in sorted(functions.items()):
        if size > FUNCTION_LINES_MAX and name in old_functions:
            lines.append(f'"{name}" = {min(size, old_functions[name])}' + reasons.get(f'"{name}"', ""))
    SIZES_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
