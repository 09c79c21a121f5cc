"""A page opened from disk, on a wide, light screen, once: its tests follow each other in this order."""

from __future__ import annotations

import pytest

from arrival import ARRIVE, missed, places
from tools.book import FIGURED, HTML, TWO_FRAMES, WIDE, Visit

where_a_figure_is = pytest.mark.parametrize("visit", FIGURED, indirect=True)


@pytest.fixture(scope="module")
def visit(request, browser):
    """It comes to the place in the middle of the page's links."""
    links = places(request.param)
    with Visit(browser, HTML.as_uri() + "/", **WIDE) as visit:
        visit.open(request.param, links[len(links) // 2])
        visit.rest()
        visit.away = visit.page.evaluate(ARRIVE)
        yield visit


@where_a_figure_is
def test_an_address_with_a_place_arrives(visit):
    assert missed([("the place in the middle", visit.away)]) == []


# Both ends of a control, forty times without waiting, then one frame: a reader who shakes it.
SHAKE = """([input, end]) => {
    for (let i = 0; i <= 40; i++) {
        const last = (i + end) % 2;
        if (input.type === "checkbox") input.checked = last;
        else if (input.type === "range") input.value = last ? input.max : input.min;
        else input.selectedIndex = last ? input.options.length - 1 : 0;
        input.dispatchEvent(new Event(input.type === "range" ? "input" : "change"));
    }
}"""


@where_a_figure_is
def test_every_control_shaken_to_either_end_leaves_numbers_and_another_picture(visit):
    """A state other than "ready" would be a NaN, which the figure reports in words."""
    lost, dead = [], []

    def shake(figure, controls, end):
        for control in controls:
            figure.page.evaluate(SHAKE, [figure.input(control["name"]), end])
        figure.page.evaluate(TWO_FRAMES)
        state = figure.handle.get_attribute("data-state")
        picture, readouts = figure.look()
        if state != "ready" or "NaN" in str(readouts):
            lost.append((figure.name, [each["name"] for each in controls], end, figure.alert()))
        return picture

    for figure in visit.figures:
        figure.wake()
        for control in figure.controls:
            low, high = (shake(figure, [control], end) for end in (0, 1))
            if low == high and not figure.trains:
                dead.append((figure.name, control["name"]))
            figure.act("Reset")
        for end in (0, 1):  # and all of them together
            shake(figure, figure.controls, end)
        figure.act("Reset")
        if figure.trains:
            before = figure.picture()
            if figure.see()[0] == before:
                dead.append((figure.name, "Step"))
            figure.act("Reset")
    assert lost == [] and dead == []


@where_a_figure_is
def test_play_moves_its_slider(visit):
    for figure in visit.figures:
        for control in [each for each in figure.controls if each.get("play")]:
            figure.wake()
            before = figure.picture()
            button = figure.handle.query_selector(f"[aria-label='Play {control['label']}']")
            figure.press(button, "Enter")
            visit.page.wait_for_function(
                "([input, value]) => Number(input.value) !== value",
                arg=[figure.input(control["name"]), control["value"]],
            )
            figure.press(button, "Enter")
            assert figure.picture() != before, f"{figure.name}: play moves nothing"
            figure.act("Reset")  # at one control's other end the next may have nothing to move


@where_a_figure_is
def test_a_figure_can_be_saved(visit):
    visit.page.get_by_role("button", name="Save or embed").first.click()
    visit.page.get_by_role("button", name="PNG").wait_for()


@where_a_figure_is
def test_nothing_was_logged_and_nobody_else_asked(visit):
    visit.assert_quiet()
