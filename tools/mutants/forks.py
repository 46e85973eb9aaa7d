"""Makes one change at a time, each in a fork of a process that has collected the tests, and runs those that reach it.

A fork puts the changed code into the live function (`__code__`), so that whoever holds the function has the change, and
everything else runs as fast as ever. It ends at the first test that fails. The tests of a fork are those that were seen
to run the changed lines: first those that noticed other changes of the function, then those of the module's own file,
the quickest first. How long each took without a change limits how long it may take with one.
"""

from __future__ import annotations

import ast
import gc
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final, NamedTuple, NoReturn

import pytest
from coverage import Coverage

from tools.mutants.changes import Change

__all__ = ["KILLED", "NO_TESTS", "SURVIVED", "TIMEOUT", "Forks"]

KILLED: Final = "killed"
TIMEOUT: Final = "timeout"
SURVIVED: Final = "survived"
NO_TESTS: Final = "no tests"

_NOTICED: Final = 1
_UNNOTICED: Final = 0
_BROKEN: Final = 3

_CPU_S: Final = 1.0
"""Beside ten times what a test takes without a change: more than any test of less than that needs."""
_WALL_S: Final = 10.0
"""The same for a test that waits, on a machine that is busy."""
_OTHERS_S: Final = 8.0
"""For tests of other modules, all together, of one change: half the tests there are run the ledger by the way."""
_MEMORY_OCTETS: Final = 3 << 30
"""A loop that collects for ever ends here."""


class _Seen(NamedTuple):
    """What the tests do without a change."""

    seconds: list[float]
    """Of each test, by its number."""
    cpu: list[float]
    failed: list[int]
    lines: dict[str, dict[int, list[int]]]
    """By file and line: the tests that ran it."""


class Forks:
    """A plugin of pytest, which runs the tests once for each change instead of once.

    `report(change, outcome)` is called for each; `jobs`: forks at a time.
    """

    def __init__(self, changes: Sequence[Change], report: Callable[[Change, str], None], jobs: int = 1) -> None:
        self._changes = changes
        self._report = report
        self._jobs = jobs
        self._noticed: dict[str, list[int]] = {}
        """By function: the tests that noticed a change, the last one first."""
        self._place = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Property tests try the same inputs each time, and look for no smaller one."""
        from hypothesis import Phase, settings  # not before pytest has said how it is to be imported

        settings.register_profile(
            "mutants", parent=settings(), derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """All of it."""
        try:
            seen = self._look(session)
            for number in seen.failed:
                sys.stderr.write(f"fails without a change, left out: {session.items[number].nodeid}\n")
            gc.collect()
            live = _live_functions({str(change.path) for change in self._changes})
            gc.freeze()  # what forks do not touch they share
            self._run(session, seen, live)
        finally:
            shutil.rmtree(self._place, ignore_errors=True)
        return True

    # ------------------------------------------------------------------ without a change

    def _look(self, session: pytest.Session) -> _Seen:
        result = self._place / "seen"
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            self._begin_child(session)
            result.write_bytes(pickle.dumps(_watch(session, sorted({str(change.path) for change in self._changes}))))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise SystemExit("the tests could not be run without a change")
        seen: _Seen = pickle.loads(result.read_bytes())  # noqa: S301  # written above
        sys.stderr.write(f"{len(session.items)} tests took {time.monotonic() - began:.0f} s without a change\n")
        return seen

    # ------------------------------------------------------------------ with one

    def _run(self, session: pytest.Session, seen: _Seen, live: _Live) -> None:
        running: dict[int, tuple[Change, int]] = {}
        own = {str(change.path): _own_tests(change.path, session) for change in self._changes}
        for change in self._changes:
            first = self._noticed.get(change.survivor.where, [])
            tests = _tests_of(change, seen, first, own[str(change.path)])
            if not tests:
                self._report(change, NO_TESTS)
                continue
            while len(running) >= self._jobs:
                self._wait(running)
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                self._begin_child(session)
                _try(session, change, live, tests, seen, writer)
            os.close(writer)
            running[child] = change, reader
        while running:
            self._wait(running)

    def _wait(self, running: dict[int, tuple[Change, int]]) -> None:
        child, status = os.waitpid(-1, 0)
        if child not in running:
            return
        change, reader = running.pop(child)
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read(4)
        if told:
            noticed = self._noticed.setdefault(change.survivor.where, [])
            number = int.from_bytes(told, "big")
            noticed[:] = [number, *(other for other in noticed if other != number)]
        shutil.rmtree(self._place / str(child), ignore_errors=True)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _BROKEN:
            raise SystemExit(f"could not be changed: {change.survivor}")
        timed_out = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGPROF)
        unnoticed = os.WIFEXITED(status) and os.WEXITSTATUS(status) == _UNNOTICED
        self._report(change, SURVIVED if unnoticed else TIMEOUT if timed_out else KILLED)

    def _begin_child(self, session: pytest.Session) -> None:
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(silence, descriptor)
        # So that forks do not wait for each other where pytest keeps the folders of tests.
        session.config._tmp_path_factory._given_basetemp = self._place / str(os.getpid())  # type: ignore[attr-defined]
        gc.enable()


def _watch(session: pytest.Session, files: list[str]) -> _Seen:
    """Run all tests, and see which lines each of them runs."""
    watcher = Coverage(data_file=None, include=files, config_file=False)
    seen = _Seen([], [], [], {})
    watcher.start()
    for number, item in enumerate(session.items):
        failed_before = session.testsfailed
        watcher.switch_context(str(number))
        began, cpu_began = time.monotonic(), time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=_after(session.items, number))
        seen.seconds.append(time.monotonic() - began)
        seen.cpu.append(time.process_time() - cpu_began)
        if session.testsfailed > failed_before:
            seen.failed.append(number)
    watcher.stop()
    data = watcher.get_data()
    for file in files:
        by_line = data.contexts_by_lineno(file)
        seen.lines[file] = {line: [int(name) for name in names if name] for line, names in by_line.items()}
    return seen


def _after(items: Sequence[pytest.Item], number: int) -> pytest.Item | None:
    return items[number + 1] if number + 1 < len(items) else None


def _own_tests(path: Path, session: pytest.Session) -> set[int]:
    """The numbers of the tests in the file that mirrors a module's."""
    mirror = Path("tests", *path.parts[path.parts.index("interledger") + 1 : -1], f"test_{path.name}")
    return {number for number, item in enumerate(session.items) if item.path.as_posix().endswith(mirror.as_posix())}


def _tests_of(change: Change, seen: _Seen, first: Sequence[int], own: set[int]) -> list[int]:
    """The numbers of the tests that run what is changed, in the order in which they are to run."""
    by_line = seen.lines[str(change.path)]
    reaching = {number for line in change.lines for number in by_line.get(line, ())}.difference(seen.failed)
    rank = {number: place for place, number in enumerate(first)}
    ordered = sorted(
        reaching, key=lambda number: (rank.get(number, len(rank)), number not in own, seen.seconds[number])
    )
    left = _OTHERS_S
    chosen = []
    for number in ordered:
        left -= 0 if number in own or number in rank else seen.cpu[number]
        if left > 0 or number in own:
            chosen.append(number)
    return chosen


def _try(
    session: pytest.Session, change: Change, live: _Live, numbers: Sequence[int], seen: _Seen, writer: int
) -> NoReturn:
    """In the fork: make the change and run the tests until one fails, whose number is written to `writer`."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_OCTETS, _MEMORY_OCTETS))
    try:
        _exchange(change, live)
    except BaseException:  # whatever it is, this was no test of the tests
        os._exit(_BROKEN)
    items = [session.items[number] for number in numbers]
    for at, item in enumerate(items):
        signal.setitimer(signal.ITIMER_PROF, _CPU_S + 10 * seen.cpu[numbers[at]])
        signal.setitimer(signal.ITIMER_REAL, _WALL_S + 20 * seen.seconds[numbers[at]])
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=_after(items, at))
        except BaseException:  # one that pytest lets through ends the run of the tests, too
            os._exit(_NOTICED)
        if session.testsfailed:
            os.write(writer, numbers[at].to_bytes(4, "big"))
            os._exit(_NOTICED)
    os._exit(_UNNOTICED)


# ---------------------------------------------------------------------- code that lives

_Place = tuple[str, str, int]
_Live = dict[_Place, list[FunctionType]]


def _place(code: CodeType) -> _Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _live_functions(files: set[str]) -> _Live:
    """Every function of these files that anybody holds, by where it stands."""
    live: _Live = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename in files:
            live.setdefault(_place(one.__code__), []).append(one)
    return live


def _exchange(change: Change, live: _Live) -> None:
    source = change.source()
    tree = ast.parse(source)
    module = compile(source, str(change.path), "exec", dont_inherit=True)
    new = {code.co_qualname: code for code in _codes(module)}[change.function]
    functions = live[_place(new)]
    for function in functions:
        function.__code__ = new
        function.__defaults__, function.__kwdefaults__ = _defaults(_find(tree, change.function), function)
    for inner in _codes(new):
        for function in live.get(_place(inner), ()):
            if function.__code__.co_freevars == inner.co_freevars:  # another closure: only those made from now on
                function.__code__ = inner


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _find(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    body: Iterable[ast.stmt] = tree.body
    *classes, last = name.split(".")
    for each in classes:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == each)
    return next(node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == last)


def _defaults(
    node: ast.FunctionDef | ast.AsyncFunctionDef, function: FunctionType
) -> tuple[tuple[object, ...] | None, dict[str, object] | None]:
    """Those of the changed function: what is a constant is read anew, the rest is as it was."""
    old = function.__defaults__ or ()
    positional = tuple(_value(each, was) for each, was in zip(node.args.defaults, old, strict=True))
    named = dict(function.__kwdefaults__ or {})
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            named[argument.arg] = _value(default, named[argument.arg])
    return positional or None, named or None


def _value(node: ast.expr, otherwise: object) -> object:
    return node.value if isinstance(node, ast.Constant) else otherwise
