"""Every control of every figure, on a phone: a finger that scrolls the page past it changes nothing."""

from __future__ import annotations

import pytest

from tools.book import FIGURED, TWO_FRAMES, Visit
from touch import PHONE, Finger

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


@pytest.mark.parametrize("name", FIGURED)
def test_a_scroll_that_begins_on_a_control_changes_nothing(browser, address, name):
    with Visit(browser, address, **PHONE) as visit:
        figures, finger = visit.open(name), Finger(visit.page)
        for figure in figures:
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
        assert visit.complaints == [] and visit.foreign == []
