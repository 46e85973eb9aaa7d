"""Modules and functions stay readable: a size may fall, never rise."""

from __future__ import annotations

import re

from tools.sizes import FUNCTION_LINES_MAX, MODULE_LINES_EVER, MODULE_LINES_MAX, SIZES_FILE, listed_sizes, sizes_now


def test_a_module_is_no_longer_than_it_may_be() -> None:
    listed, _ = listed_sizes()
    modules, _ = sizes_now()
    too_long = [
        f"{name}: {size} lines, at most {listed.get(name, MODULE_LINES_MAX)}"
        for name, size in modules.items()
        if size > min(listed.get(name, MODULE_LINES_MAX), MODULE_LINES_EVER)
    ]
    assert too_long == [], "split by concern"


def test_a_function_is_no_longer_than_it_may_be() -> None:
    _, listed = listed_sizes()
    _, functions = sizes_now()
    too_long = [
        f"{name}: {size} lines, at most {listed.get(name, FUNCTION_LINES_MAX)}"
        for name, size in functions.items()
        if size > listed.get(name, FUNCTION_LINES_MAX)
    ]
    assert too_long == [], "take a step out and give it a name"


def test_the_list_names_nothing_that_is_gone() -> None:
    listed_modules, listed_functions = listed_sizes()
    modules, functions = sizes_now()
    gone = [*(listed_modules.keys() - modules.keys()), *(listed_functions.keys() - functions.keys())]
    assert gone == [], "run  python -m tools.sizes"


def test_what_is_larger_than_new_things_may_be_says_why() -> None:
    text = SIZES_FILE.read_text(encoding="utf-8")
    listed, _ = listed_sizes()
    silent = [
        name
        for name, size in listed.items()
        if size > MODULE_LINES_MAX and not re.search(rf'^"{re.escape(name)}" = {size} +# ', text, re.MULTILINE)
    ]
    assert silent == []
