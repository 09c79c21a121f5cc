"""What a reader without scripts sees and unfolds: pictures, answers, solutions; code by keys; the index."""

from __future__ import annotations

import re

import pytest

from tools.book import CHAPTERS, FIGURED, HTML, NARROW, ROOT, Visit

THUMB = 44  # pixels
SEEN = "(code) => code.checkVisibility({ contentVisibilityAuto: true })"

in_every_chapter = pytest.mark.parametrize("visit", CHAPTERS, indirect=True)


@pytest.fixture(scope="module")
def visit(request, browser, address):
    """A page on a phone without scripts, opened once for the tests in this order."""
    with Visit(browser, address, java_script_enabled=False, **NARROW) as visit:
        visit.page.goto(f"{address}{request.param}.html")
        yield visit


@pytest.mark.parametrize("visit", FIGURED, indirect=True)
def test_the_pictures_stand_in(visit):
    for figure in visit.page.query_selector_all("figure.live-figure"):
        image = figure.query_selector("img.live-static")
        image.scroll_into_view_if_needed()
        assert image.is_visible() and image.get_attribute("alt").strip()
        assert figure.query_selector("figcaption").is_visible()
        source = image.get_attribute("src")
        assert (HTML / source).is_file(), f"{source} is missing"
    formulas = visit.page.locator(".math")
    assert formulas.count() == visit.page.locator(".math:has(mjx-container)").count()
    assert visit.foreign == []


def opened(quiz) -> list[str]:
    """The texts of the answers that are open."""
    return [answer.inner_text() for answer in quiz.query_selector_all("details[open]")]


def assert_answers(page):
    quizzes = page.query_selector_all(".quiz")
    assert len(quizzes) >= 2
    for quiz in quizzes:
        assert opened(quiz) == []
        for answer in quiz.query_selector_all("summary"):
            box = answer.bounding_box()
            assert box["height"] >= THUMB and box["x"] + box["width"] <= 390
            answer.focus()
            page.keyboard.press("Enter")
            (text,) = opened(quiz)
            right = answer.evaluate("(each) => each.parentElement.className") == "right"
            assert ("Right." if right else "Not quite.") in text


@in_every_chapter
def test_an_answer_says_at_once_whether_it_is_right_and_closes_the_others(visit):
    assert_answers(visit.page)
    assert visit.foreign == []


@in_every_chapter
def test_solutions_are_folded_and_open_from_the_keyboard(visit):
    solutions = visit.page.query_selector_all("#exercises .tag_hide-cell > details")
    assert len(solutions) >= 2
    for solution in solutions:
        code, summary = (solution.query_selector(p) for p in (".cell_input", "summary"))
        summary.focus()
        assert not code.is_visible()
        assert summary.inner_text() == "Show a solution"
        visit.page.keyboard.press("Enter")
        assert code.is_visible() and code.inner_text().strip()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


@in_every_chapter
def test_on_paper_every_answer_and_every_solution_is_open(visit):
    for each in visit.page.query_selector_all("details[open] > summary"):
        each.press("Enter")
    visit.page.emulate_media(media="print")
    folded = visit.page.query_selector_all(".quiz details, #exercises .tag_hide-cell > details")
    assert len(folded) >= 8
    for each in folded:
        inside = each.query_selector(":scope > p, .cell_input")
        assert inside.bounding_box()["height"] > 10
        assert inside.evaluate("(it) => it.checkVisibility({contentVisibilityAuto: true})")


def test_the_index_has_every_term_of_the_glossary():
    source = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(\w.*)\n  \S", source.split("```{glossary}")[1], re.MULTILINE)
    index = (HTML / "genindex.html").read_text(encoding="utf-8")
    assert len(terms) > 40
    for term in terms:
        assert re.search(
            rf'href="glossary\.html#term-[^"]+">(?:<strong>)?{re.escape(term)}<', index
        ), term
    assert 'href="genindex.html"' in (HTML / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def planar(browser, address):
    """A chapter with scripts."""
    with Visit(browser, address, **NARROW) as visit:
        visit.open("planar")
        yield visit.page


def test_wide_code_can_be_scrolled_by_keys_once_a_reader_comes_near(planar):
    codes = planar.query_selector_all("section > .cell > .cell_input pre")
    far = [code for code in codes if not code.evaluate(SEEN)]
    wide = [code for code in far if code.evaluate("(c) => c.scrollWidth > c.clientWidth")]
    assert len(wide) >= 5
    for code in wide[:: len(wide) // 4]:
        code.evaluate("(code) => code.scrollIntoView()")
        planar.wait_for_function("(code) => code.tabIndex === 0", arg=code)


def test_wide_code_can_be_scrolled_by_keys_once_it_is_open(planar):
    folded = planar.query_selector(".tag_hide-cell > details")
    code = folded.query_selector("pre")
    folded.query_selector("summary").press("Enter")
    planar.wait_for_function("(code) => code.tabIndex === 0", arg=code)
    assert code.evaluate("(code) => code.scrollWidth > code.clientWidth")


def test_an_answer_says_whether_it_is_right_with_scripts_too(planar):
    assert_answers(planar)
