"""A link to a heading arrives: its place is below the header, however late the page is laid out.

By tap, every second link within a page with figures, on a phone; every eighth of the pages without,
and of all pages when they are wide.  Each starts at the top of the page, with the heights of all far
parts forgotten, as on a first visit.  By address, the middle and the last place of each page with
figures, each in a page that is loaded for it.
"""

from __future__ import annotations

import pytest

from tools.book import FIGURED, PAGES, Visit

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
WIDE = {"width": 1280, "height": 900}
FAR = 100  # pixels

LINKS = """() => [...new Set([...document.querySelectorAll("a[href^='#']")]
    .filter((link) => link.hash.length > 1 && !link.closest("#pst-skip-link"))
    .map((link) => link.hash))]"""
# How far a place is below the header; 0 where the page ends before it can go up that far.
WHERE = """
const still = async () => {
    let before = "", same = 0;
    for (let k = 0; same < 3 && k < 120; k++) {
        await new Promise(requestAnimationFrame);
        const now = [scrollY, document.documentElement.scrollHeight].join();
        same = now === before ? same + 1 : 0;
        before = now;
    }
};
const below = () => {
    const header = document.querySelector(".bd-header-article").getBoundingClientRect().bottom;
    const { top } = document.querySelector(":target").getBoundingClientRect();
    const page = document.documentElement;
    const end = scrollY >= page.scrollHeight - innerHeight - 2;
    return end && top > header && top < innerHeight ? 0 : Math.round(top - header);
};
"""
FOLLOW = f"""async (hashes) => {{
    {WHERE}
    const style = document.head.appendChild(document.createElement("style"));
    const found = [];
    for (const hash of hashes) {{
        scrollTo(0, 0);
        style.textContent = ".bd-article section {{ contain-intrinsic-size: 75rem !important; }}";
        for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame);
        style.textContent = "";
        document.querySelector(`a[href="${{hash}}"]`).click();
        await new Promise((go) => setTimeout(go));
        await still();
        found.push([hash, below()]);
    }}
    return found;
}}"""
ARRIVE = f"async () => {{ {WHERE} await still(); return below(); }}"
STAYS = """async () => {
    const { scrollY: before } = window;
    document.querySelector("article h1").style.paddingTop = "900px"; // what comes late
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    return scrollY - before;
}"""


def missed(found):
    return [(hash, away) for hash, away in found if not -10 <= away <= FAR]


@pytest.mark.parametrize("name", PAGES)
def test_a_link_within_a_page_arrives(browser, address, name):
    with Visit(browser, address, **PHONE) as visit:
        visit.open(name)
        visit.rest()
        links = visit.page.evaluate(LINKS)
        some = links[::-8]
        assert missed(visit.page.evaluate(FOLLOW, links[::-2] if name in FIGURED else some)) == []
        visit.page.set_viewport_size(WIDE)
        assert missed(visit.page.evaluate(FOLLOW, some)) == []


@pytest.mark.parametrize("name", FIGURED)
def test_an_address_with_a_place_arrives(browser, address, name):
    found = []
    with Visit(browser, address, **PHONE) as visit:
        visit.page.goto(f"{address}{name}.html")
        links = visit.page.evaluate(LINKS)
        for place in (links[len(links) // 2], links[-1]):
            visit.page.goto("about:blank")
            visit.page.goto(f"{address}{name}.html{place}", wait_until="load")
            visit.rest()
            found.append((place, visit.page.evaluate(ARRIVE)))
    assert missed(found) == []


def test_the_contents_close_on_a_phone_when_a_link_is_followed(browser, address):
    with Visit(browser, address, **PHONE) as visit:
        visit.open("coupling")
        visit.page.tap("button.secondary-toggle")
        entry = visit.page.locator("dialog[open] a[href='#exercises']")
        entry.tap()
        visit.page.wait_for_function("() => !document.querySelector('dialog[open]')")
        assert missed([("#exercises", visit.page.evaluate(ARRIVE))]) == []


def test_a_place_stays_until_the_reader_scrolls(browser, address):
    """The page keeps the place without the browser's help, which not every browser gives."""
    with Visit(browser, address, viewport=WIDE) as visit:
        visit.page.goto(f"{address}glossary.html#term-Jacobian")
        visit.rest()
        visit.page.add_style_tag(content="html { overflow-anchor: none; }")
        assert visit.page.evaluate(STAYS) == 900
        before = visit.page.evaluate("scrollY")
        visit.page.mouse.wheel(0, 300)
        visit.page.wait_for_function("(y) => scrollY !== y", arg=before)
        visit.page.evaluate("document.querySelector('article h1').style.paddingTop = ''")
        assert visit.page.evaluate(STAYS) == 0
