"""The built book in a browser that lets it reach only its own server."""

from __future__ import annotations

import json
import re

import pytest
from fontTools.ttLib import TTFont

from alive import assert_trains, dead
from flowlib.live import bundle
from links import Links, broken_links
from tools.book import FIGURED, HTML, NARROW, NOTEBOOKS, PAGES, ROOT, WIDE, Visit

in_every_page = pytest.mark.parametrize("name", PAGES)
where_a_figure_is = pytest.mark.parametrize("name", FIGURED)


def assert_fits(visit):
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"the page is {width} pixels wide"


def assert_quiet(visit):
    assert visit.foreign == [], "requests to others"
    assert visit.complaints == [], "errors in the console"


def assert_keeps_the_theme_and_the_place_in_the_sidebar_alone(visit):
    assert visit.context.cookies() == []
    for store, own in (("local", {"mode", "theme"}), ("session", {"sidebar-scroll-top"})):
        kept = json.loads(visit.page.evaluate(f"JSON.stringify({store}Storage)"))
        assert set(kept) <= own, kept


@where_a_figure_is
def test_without_a_network_every_control_changes_its_picture_and_its_readouts(
    browser, address, name
):
    """By keyboard, on a phone, in the dark; test_extremes.py moves them all on a wide, light page."""
    lifeless = []
    with Visit(browser, address, color_scheme="dark", **NARROW) as visit:
        figures = visit.open(name)
        assert figures
        visit.rest()
        for figure in figures:
            if figure.fetches():  # from the book, and once here, they stay
                figure.wake()
                lifeless += dead(figure, figure.fetches())
        visit.context.set_offline(True)
        for figure in figures:
            figure.wake()
            box = figure.handle.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390, figure.name
            fetched = figure.fetches()
            lifeless += dead(figure, [c for c in figure.controls if c not in fetched])
            if figure.data["spec"]["noise"]:
                before, _ = figure.see()
                figure.act("Reset")
                figure.act("New noise")
                if figure.see()[0] == before:
                    lifeless.append(f"{figure.name}: the picture does not follow new noise")
        assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert_fits(visit)
        assert_quiet(visit)
    assert lifeless == []


@where_a_figure_is
def test_without_a_network_figures_train(browser, address, name):
    with Visit(browser, address, **NARROW) as visit:
        figures = [figure for figure in visit.open(name) if figure.trains]
        visit.rest()
        visit.context.set_offline(True)
        for figure in figures:
            figure.wake()
            assert_trains(figure)
        assert_quiet(visit)


@where_a_figure_is
def test_play_moves_its_slider(browser, address, name):
    with Visit(browser, address, **WIDE) as visit:
        for figure in visit.open(name):
            for control in [each for each in figure.controls if each.get("play")]:
                figure.wake()
                before = figure.picture()
                button = f"[aria-label='Play {control['label']}']"
                figure.press(button, "Enter")
                visit.page.wait_for_function(
                    "([input, value]) => Number(input.value) !== value",
                    arg=[figure.input(control["name"]), control["value"]],
                )
                figure.press(button, "Enter")
                assert figure.picture() != before, f"{figure.name}: play moves nothing"
                figure.act("Reset")  # at one control's other end the next may have nothing to move
        assert_quiet(visit)


@where_a_figure_is
def test_figures_live_in_a_page_opened_as_a_file(browser, name):
    with Visit(browser, HTML.as_uri() + "/", **WIDE) as visit:
        for figure in visit.open(name):
            figure.wake()
            pictures = {picture for picture, _ in figure.sweep(figure.controls[0])}
            assert len(pictures) > 1, figure.name
        visit.page.get_by_role("button", name="Save or embed").first.click()
        visit.page.get_by_role("button", name="PNG").wait_for()
        assert_quiet(visit)


def test_a_figure_whose_file_is_missing_says_so_below_its_picture(browser, address):
    with Visit(browser, address, **WIDE) as visit:
        visit.context.route("**/_images/live-*.js", lambda route: route.abort())
        visit.page.goto(f"{address}index.html")
        words = visit.page.wait_for_selector("figure[data-state=error] [role=alert]").inner_text()
        assert words == "This figure could not be read: its file is missing."
        assert visit.page.is_visible("figure img.live-static")


def test_where_the_second_script_is_missing_the_button_that_needs_it_says_so(browser, address):
    second = f"**/{bundle.MORE}*"
    with Visit(browser, address, **WIDE) as visit:
        visit.context.route(second, lambda route: route.abort())
        visit.open("index")[0].wake()
        button = visit.page.locator(".live-buttons button").last
        button.click()
        visit.page.get_by_text("It did not load: press again").wait_for()
        visit.context.unroute(second)
        button.click()
        visit.page.get_by_role("button", name="PNG").wait_for()


LETTERS = """() => [...new Set([...document.querySelectorAll("mjx-c")].map((letter) => {
    const { content, fontFamily } = getComputedStyle(letter, "::before");
    return `${fontFamily}: ${content}`;
}))]"""
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


@in_every_page
def test_a_page_is_light_and_its_formulas_are_set_by_the_book_itself(browser, address, name):
    with Visit(browser, address, **WIDE) as visit:
        for figure in visit.open(name):
            assert len(figure.data["data"]) * 3 / 4 <= 500_000, f"the constants of {figure.name}"
        assert visit.weight() <= 4_000_000
        assert visit.page.evaluate(AWAITED) == ["styles.css"]
        formulas = visit.page.query_selector_all(".math")
        assert len(visit.page.query_selector_all(".math mjx-container")) == len(formulas)
        assert letters_that_no_font_has(visit.page) == []
        assert_keeps_the_theme_and_the_place_in_the_sidebar_alone(visit)
        assert_quiet(visit)
    assert (HTML / "_static" / "live.js").stat().st_size <= 72_000


@where_a_figure_is
def test_without_javascript_the_pictures_stand_in(browser, address, name):
    with Visit(browser, address, java_script_enabled=False, **WIDE) as visit:
        visit.page.goto(f"{address}{name}.html")
        for figure in visit.page.query_selector_all("figure.live-figure"):
            image = figure.query_selector("img.live-static")
            image.scroll_into_view_if_needed()
            assert image.is_visible() and image.get_attribute("alt").strip()
            assert figure.query_selector("figcaption").is_visible()
            source = image.get_attribute("src")
            assert (HTML / source).is_file(), f"{source} is missing"
        for formula in visit.page.query_selector_all(".math"):
            assert formula.query_selector("mjx-container")
        assert visit.foreign == []


@pytest.mark.parametrize("name", sorted({*PAGES} - {*FIGURED}))
def test_a_page_without_figures_fits_a_phone_too(browser, address, name):
    with Visit(browser, address, **NARROW) as visit:
        visit.open(name)
        visit.rest()
        assert_fits(visit)


def test_the_search_finds_without_a_server(browser):
    own = HTML.as_uri() + "/"
    with Visit(browser, own, **WIDE) as visit:
        visit.page.goto(f"{own}search.html?q=density")
        visit.page.wait_for_selector("#search-results li")
        assert_quiet(visit)


def test_every_internal_link_arrives():
    assert broken_links(HTML) == []


@in_every_page
def test_no_two_places_share_a_name(name):
    assert Links(HTML / f"{name}.html").twice == []


def code(notebook):
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(cell["id"], "".join(cell["source"])) for cell in cells]


def test_what_was_executed_is_what_is_committed():
    for path in NOTEBOOKS:
        executed = (ROOT / "_build" / "jupyter_execute" / path.name).read_text(encoding="utf-8")
        assert code(json.loads(executed)) == code(json.loads(path.read_text(encoding="utf-8")))
