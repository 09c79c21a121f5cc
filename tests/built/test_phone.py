"""A page on a phone, in the dark, opened once: its tests follow each other in the order of this file."""

from __future__ import annotations

import pytest

from alive import assert_trains, dead
from arrival import ARRIVE, FOLLOW, missed, places
from fits import COVERED, FAULTS, LAID_OUT, LETTERS, SIZES
from tools.book import FIGURED, PAGES, TWO_FRAMES, Visit
from touch import PHONE, Finger

in_every_page = pytest.mark.parametrize("visit", PAGES, indirect=True)
where_a_figure_is = pytest.mark.parametrize("visit", FIGURED, indirect=True)


@pytest.fixture(scope="module")
def visit(request, browser, address):
    """It comes to the last place of a page with figures: all that is laid out late is before it."""
    place = places(request.param)[-1] if request.param in FIGURED else ""
    with Visit(browser, address, color_scheme="dark", **PHONE) as visit:
        visit.open(request.param, place)
        visit.rest()
        visit.away = visit.page.evaluate(ARRIVE) if place else 0
        yield visit


@where_a_figure_is
def test_an_address_with_a_place_arrives(visit):
    assert missed([("the last place", visit.away)]) == []


@in_every_page
def test_a_page_is_dark_and_fits(visit):
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


@in_every_page
def test_a_link_within_a_page_arrives(visit):
    """Every second one where figures are, every eighth elsewhere."""
    step = -2 if visit.figures else -8
    assert missed(visit.page.evaluate(FOLLOW, places(visit.name)[::step])) == []


@pytest.mark.parametrize("visit", ["coupling"], indirect=True)
def test_the_contents_close_when_a_link_is_followed(visit):
    visit.page.evaluate("scrollTo(0, 0)")
    visit.page.tap("button.secondary-toggle")
    visit.page.locator("dialog[open] a[href='#exercises']").tap()
    visit.page.wait_for_function("() => !document.querySelector('dialog[open]')")
    assert missed([("#exercises", visit.page.evaluate(ARRIVE))]) == []


WATCH = """(figure) => {
    const { model } = figure.live, { set } = model;
    window.moves ??= [];
    model.set = function (name, value) { moves.push([figure.id, name]); set.call(model, name, value); };
    figure.addEventListener("click", ({ target }) => moves.push([figure.id, target.textContent]));
}"""
STATE = """(figure) => [figure.live.address.write(), figure.dataset.step, figure.dataset.frameMs,
    ...[...figure.querySelectorAll("input, select")].map((each) => each.checked ?? each.value)]"""
PLACE = """(control) => {
    control.scrollIntoView({ block: "center" });
    const { x, y, width, height } = control.getBoundingClientRect();
    return [x + 0.9 * width, y + height / 2, scrollY];
}"""
UP = [(0, -60)] * 2
ASIDE = [(-30, 0)] * 3


@where_a_figure_is
def test_a_finger_that_scrolls_past_a_control_changes_nothing(visit):
    finger = Finger(visit.page)
    for figure in visit.figures:
        figure.wake()
        figure.handle.evaluate(WATCH)
        before = figure.handle.evaluate(STATE), figure.readouts(), figure.picture()
        controls = figure.handle.query_selector_all(".live-side :is(input, select, button)")
        for control in controls:
            *place, top = control.evaluate(PLACE)
            finger.path(place, UP)
            assert visit.page.evaluate("scrollY") != top, f"{figure.name}: nothing was scrolled"
        visit.page.evaluate(TWO_FRAMES)
        assert visit.page.evaluate("moves") == []
        assert before == (figure.handle.evaluate(STATE), figure.readouts(), figure.picture())
        if slider := figure.handle.query_selector(".live-side input[type=range]"):
            finger.path(slider.evaluate(PLACE)[:2], ASIDE)
            visit.page.evaluate(TWO_FRAMES)
            assert visit.page.evaluate("moves.splice(0)"), f"{figure.name}: no finger arrives"
            figure.act("Reset")
            visit.page.evaluate("moves.splice(0)")


@where_a_figure_is
def test_nothing_covers_a_control_when_a_reader_scrolls_back(visit):
    for figure in visit.figures:
        figure.wake()
        controls = figure.handle.query_selector(".live-controls")
        controls.evaluate("(it) => scrollBy(0, it.getBoundingClientRect().top - 680)")
        visit.page.mouse.wheel(0, 120)
        visit.page.evaluate(TWO_FRAMES)
        visit.page.mouse.wheel(0, -120)
        visit.page.evaluate(TWO_FRAMES)
        assert figure.handle.evaluate(COVERED) == [], figure.name


@pytest.fixture
def offline(visit):
    visit.context.set_offline(True)
    yield
    visit.context.set_offline(False)


@where_a_figure_is
def test_files_that_a_choice_needs_come_when_it_is_chosen(visit):
    """From the book, and once here, they stay."""
    lifeless = []
    for figure in visit.figures:
        if figure.fetches():
            figure.wake()
            lifeless += dead(figure, figure.fetches())
    assert lifeless == []


@where_a_figure_is
def test_without_a_network_every_control_changes_its_picture_and_its_readouts(visit, offline):
    """By keyboard; test_file.py moves them all fast on a wide, light page."""
    lifeless = []
    for figure in visit.figures:
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
            figure.act("Reset")
    assert lifeless == []


@where_a_figure_is
def test_without_a_network_figures_train(visit, offline):
    for figure in visit.figures:
        if figure.trains:
            figure.wake()
            assert_trains(figure)


@in_every_page
def test_nothing_was_logged_and_nobody_else_asked(visit):
    visit.assert_quiet()


@in_every_page
def test_no_page_is_wider_than_a_small_screen_and_letters_leave_controls_their_room(visit):
    visit.page.add_style_tag(content=LAID_OUT)
    faults = []
    for width, percent in SIZES if visit.figures else SIZES[:3]:
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.page.evaluate(LETTERS, percent)
        visit.page.evaluate(TWO_FRAMES)
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        faults += [(width, percent, wide)] if wide > width else []
        faults += [(width, percent, *each) for each in visit.page.evaluate(FAULTS)]
    assert faults == []
