"""axe on a page of the built book: what a reader who listens, has no mouse or wants no motion needs."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT

from tools.book import TWO_FRAMES

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
    for (const each of document.querySelectorAll("code > .pre")) each.replaceWith(each.textContent);
    const seen = new Set();
    for (const word of document.querySelectorAll(".highlight pre span[class], .sig :is(em, span)[class]")) {
        if (word.closest("a")) continue;
        const kind = `${word.parentElement.className} > ${word.className}`;
        if (seen.has(kind)) word.remove();
        seen.add(kind);
    }
}"""
FROM_THE_TOP = """() => {
    // An entry of the reference is marked as the one that a link led to; elsewhere nothing is.
    location.hash = document.querySelector("dt[id]")?.id ?? "";
    scrollTo(0, 0); // and the header covers no link by half
    dispatchEvent(new Event("resize"));
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


def said(page) -> list[tuple]:
    """By any rule, of any weight.  Thins the page out: nothing else can be judged on it afterwards."""
    found = []
    page.evaluate(THIN_OUT)
    page.add_style_tag(content=STILL)
    page.evaluate(AXE_SCRIPT)
    for width, theme in SETTINGS:
        if width != page.viewport_size["width"]:
            page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(FROM_THE_TOP)
        page.wait_for_function(LOOKED)
        page.evaluate(DRESS, theme)
        page.evaluate(TWO_FRAMES)
        rules = EVERY_RULE if (width, theme) == SETTINGS[0] else OF_LOOKS
        found += [(width, theme, *each) for each in page.evaluate(LOOK, rules)]
    return found
