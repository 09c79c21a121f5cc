"""What a reader who listens to the book, has no mouse or wants no motion needs, on every page of it."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tools.book import PAGES, TWO_FRAMES, WIDE, Visit

in_every_page = pytest.mark.parametrize("name", PAGES)

SETTINGS = [(1200, "light"), (390, "dark")]  # colours follow only the theme, sizes only the width
# The theme looks a while after each change which blocks can be scrolled: then keys reach them.
LOOKED = """() => [...document.querySelectorAll("pre, .pst-scrollable-table-container")].every(
    (block) => block.tabIndex === 0 || block.scrollWidth <= block.clientWidth
        || !block.checkVisibility({ contentVisibilityAuto: true }) // folded
)"""
# axe walks 20,000 elements for twenty seconds, most of them letters of formulas and words of code.
# A formula's inside becomes a box of its size, and of the words of code one of each kind stays.
THIN_OUT = """() => {
    for (const formula of document.querySelectorAll("mjx-math")) {
        const { width, height } = formula.getBoundingClientRect();
        formula.replaceChildren();
        formula.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
    }
    for (const each of document.querySelectorAll("mjx-assistive-mml")) each.remove();
    const seen = new Set();
    for (const word of document.querySelectorAll(".highlight pre span[class]")) {
        if (seen.has(word.className)) word.remove();
        seen.add(word.className);
    }
}"""
DRESS = "(theme) => { document.documentElement.dataset.theme = theme; }"
# Some rules are off by default.  Those about how things look are checked in each setting, all others once.
OFF_BY_DEFAULT = ("target-size", "label-content-name-mismatch", "td-has-header")
EVERY_RULE = {"rules": {rule: {"enabled": True} for rule in OFF_BY_DEFAULT}}
OF_LOOKS = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"]}
STILL = """*, *::before, *::after { transition: none !important; animation: none !important }
    section { content-visibility: visible !important }"""  # axe checks what is far from sight too
LOOK = """async (rules) => {
    const { violations } = await axe.run({ ...rules, resultTypes: ["violations"] });
    return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html }) => [id, impact, html]));
}"""


@in_every_page
def test_axe_has_nothing_to_say(browser, address, name):
    """Of any rule and weight: what the theme does wrong is mended by extensions/theme.py."""
    said = []
    with Visit(browser, address, **WIDE) as visit:
        figures = visit.open(name)
        visit.rest()
        for figure in figures:
            figure.wake()
        visit.page.evaluate(THIN_OUT)
        visit.page.add_style_tag(content=STILL)
        visit.page.evaluate(AXE_SCRIPT)
        for width, theme in SETTINGS:
            if width != visit.page.viewport_size["width"]:
                visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.evaluate("() => { dispatchEvent(new Event('resize')); }")
            visit.page.wait_for_function(LOOKED)
            visit.page.evaluate(DRESS, theme)
            visit.page.evaluate(TWO_FRAMES)
            rules = EVERY_RULE if (width, theme) == SETTINGS[0] else OF_LOOKS
            said += [(width, theme, *each) for each in visit.page.evaluate(LOOK, rules)]
    assert said == []
