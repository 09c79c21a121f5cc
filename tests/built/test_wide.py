"""A page on a wide, light screen, opened once: its tests follow each other in the order of this file."""

from __future__ import annotations

import json
import re

import pytest
from fontTools.ttLib import TTFont

import axe
from arrival import FOLLOW, missed, places
from tools.book import HTML, PAGES, WIDE, Visit

in_every_page = pytest.mark.parametrize("visit", PAGES, indirect=True)


@pytest.fixture(scope="module")
def visit(request, browser, address):
    with Visit(browser, address, **WIDE) as visit:
        visit.open(request.param)
        yield visit


LETTERS = """() => [...new Set([...document.querySelectorAll("mjx-c")].map((letter) => {
    const { content, fontFamily } = getComputedStyle(letter, "::before");
    return `${fontFamily}: ${content}`;
}))]"""
UNSET = """() => [...document.querySelectorAll(".math")]
    .filter((formula) => !formula.querySelector("mjx-container")).map((each) => each.textContent)"""
AWAITED = """() => performance.getEntriesByType("resource")
    .filter((each) => each.renderBlockingStatus === "blocking")
    .map((each) => new URL(each.name).pathname.split("/").pop())"""
FACES = """() => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSFontFaceRule)
    .map(({ style }) => [style.fontFamily, style.src])"""


def letters_that_no_font_has(page) -> list[str]:
    """What a formula on the page shows, as its styles say, but none of the fonts that they name."""
    files = {family: re.search(r"[\w-]+\.woff\b", src)[0] for family, src in page.evaluate(FACES)}
    known = {
        family: TTFont(HTML / "_static" / "mathjax" / file).getBestCmap() or {}
        for family, file in files.items()
        if family.startswith("MJX")
    }
    lost = []
    for shown in page.evaluate(LETTERS):
        families, content = shown.split(": ", 1)
        fonts = [known.get(family, {}) for family in families.split(", ")]
        if content == "none" or not all(any(ord(c) in f for f in fonts) for c in content[1:-1]):
            lost.append(shown)
    return lost


def assert_keeps_the_theme_and_the_place_in_the_sidebar_alone(visit):
    assert visit.context.cookies() == []
    for store, own in (("local", {"mode", "theme"}), ("session", {"sidebar-scroll-top"})):
        kept = json.loads(visit.page.evaluate(f"JSON.stringify({store}Storage)"))
        assert set(kept) <= own, kept


@in_every_page
def test_a_page_is_light_and_its_formulas_are_set_by_the_book_itself(visit):
    for figure in visit.figures:
        assert len(figure.data["data"]) * 3 / 4 <= 500_000, f"the constants of {figure.name}"
    assert visit.weight() <= 4_000_000
    assert visit.page.evaluate(AWAITED) == ["styles.css"]
    assert visit.page.evaluate(UNSET) == []
    assert letters_that_no_font_has(visit.page) == []
    assert_keeps_the_theme_and_the_place_in_the_sidebar_alone(visit)
    visit.assert_quiet()
    assert (HTML / "_static" / "live.js").stat().st_size <= 72_000


@in_every_page
def test_every_eighth_link_within_a_page_arrives(visit):
    assert missed(visit.page.evaluate(FOLLOW, places(visit.name)[::-8])) == []


@in_every_page
def test_axe_has_nothing_to_say(visit):
    """Of any rule and weight: what the theme does wrong is mended by extensions/theme.py."""
    for figure in visit.figures:
        figure.wake()
    assert axe.said(visit.page) == []
