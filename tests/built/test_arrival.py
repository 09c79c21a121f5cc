"""A place that a reader came to stays there.  That links arrive is in the tests of each screen."""

from __future__ import annotations

from tools.book import WIDE, Visit

STAYS = """async () => {
    const { scrollY: before } = window;
    document.querySelector("article h1").style.paddingTop = "900px"; // what comes late
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    return scrollY - before;
}"""


def test_a_place_stays_until_the_reader_scrolls(browser, address):
    """The page keeps the place without the browser's help, which not every browser gives."""
    with Visit(browser, address, **WIDE) as visit:
        visit.page.goto(f"{address}glossary.html#term-Jacobian")
        visit.rest()
        visit.page.add_style_tag(content="html { overflow-anchor: none; }")
        assert visit.page.evaluate(STAYS) == 900
        before = visit.page.evaluate("scrollY")
        visit.page.mouse.wheel(0, 300)
        visit.page.wait_for_function("(y) => scrollY !== y", arg=before)
        visit.page.evaluate("document.querySelector('article h1').style.paddingTop = ''")
        assert visit.page.evaluate(STAYS) == 0
