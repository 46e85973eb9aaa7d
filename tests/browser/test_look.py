"""How every page looks, at both sizes and in both themes: screenshots, accessibility, nothing that sticks out.

The screenshots are left in `build/screenshots`, for people to look at.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"

LOOKS = ((1440, 1000, "light"), (1440, 1000, "dark"), (390, 844, "dark"), (390, 844, "light"))

RULES = """axe.run({resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then(r => r.violations)"""
"""WCAG 2.2 AA and best practices, the size of what is pressed too."""

STICKS_OUT = """() => {
    const found = [], wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > wide) found.push("the page scrolls sideways");
    const scrolls = one => { const how = getComputedStyle(one).overflowX; return how !== "visible" };
    for (const one of document.querySelectorAll("main *, header *")) {
        const box = one.getBoundingClientRect();
        if (box.width < 2 || box.height < 2 || box.right <= wide + 1) continue;
        let up = one;
        while (up && !scrolls(up)) up = up.parentElement;
        if (!up || up === document.body || up === document.documentElement) found.push(one.outerHTML.slice(0, 120));
    }
    for (const one of document.querySelectorAll("main .btn, main .p, main h1, main h2, main .stat .v, .nav a"))
        if (!one.matches(".sr") && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
            found.push("cut: " + one.outerHTML.slice(0, 120));
    return found.slice(0, 3);
}"""


@pytest.fixture
def calm(browser: Any, network: Any) -> Any:
    """A browser in which nothing moves, so that what is looked at stands still."""
    context = browser.new_context(reduced_motion="reduce", locale="en-GB")
    yield context
    context.close()


@pytest.mark.parametrize("name", ["hub", "alice", "bob"])
def test_every_page_at_both_sizes_in_both_themes(calm: Any, network: Any, places: Any, name: str) -> None:
    """WCAG 2.2 AA and best practices by axe, in both themes and at both sizes."""
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page, found = calm.new_page(), []
    page.goto(network.login_url(name))
    page.wait_for_selector("main.page h1")
    SHOTS.mkdir(parents=True, exist_ok=True)
    for path in places(network, name):
        answer = page.goto(network.url(name) + path)
        assert answer.status < 500, path
        page.evaluate(axe)
        for width, height, theme in LOOKS:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            where = f"{path} {width} {theme}"
            for violation in page.evaluate(RULES):
                found += [f"{where}: {violation['id']}: {node['html'][:200]}" for node in violation["nodes"][:2]]
            found += [f"{where}: {one}" for one in page.evaluate(STICKS_OUT)]
            shot = SHOTS / f"{file_name(name, path)}-{width}-{theme}.jpeg"
            page.screenshot(path=shot, type="jpeg", quality=75, full_page=True)
    assert found == []


SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
"""WCAG 1.4.12: what a reader may ask for."""


@pytest.mark.parametrize("name", ["hub", "alice", "bob"])
def test_wide_spacing_cuts_nothing_off_and_forced_colours_keep_the_bars(
    browser: Any, network: Any, places: Any, name: str
) -> None:
    context = browser.new_context(forced_colors="active", bypass_csp=True, reduced_motion="reduce", locale="en-GB")
    page, found = context.new_page(), []
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(network.login_url(name))
    page.wait_for_selector("main.page h1")
    for path in places(network, name):
        page.goto(network.url(name) + path)
        page.add_style_tag(content=SPACED)
        found += [f"{path}: {one}" for one in page.evaluate(STICKS_OUT)]
        bars = page.locator("svg.bar rect")
        if bars.count():
            assert bars.first.evaluate("one => getComputedStyle(one).strokeWidth") == "1px"
    context.close()
    assert found == []


def file_name(name: str, path: str) -> str:
    """`/ui/accounts/alice/ledger` of hub -> `hub-accounts-alice-ledger`; of payments and packets only what they are."""
    path, _, mark = path.partition("#")
    first, *more = path.partition("?")[0].removeprefix("/ui").strip("/").split("/")
    if first in ("payments", "packets", "webhooks", "tokens") and more:
        first, more = first.removesuffix("s"), []
    return "-".join([name, first or "overview", *more, *([mark] if mark else [])])
