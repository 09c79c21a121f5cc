"""Every control of every figure, moved fast in both directions: no number is lost, and no end like the other."""

from __future__ import annotations

import pytest

from tools.book import FIGURED, TWO_FRAMES, WIDE, Visit

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


@pytest.mark.parametrize("name", FIGURED)
def test_every_control_shaken_to_either_end_leaves_numbers_and_another_picture(
    browser, address, name
):
    """A state other than "ready" would be a NaN, which the figure reports in words."""
    lost, dead = [], []

    def shake(figure, controls, end):
        for control in controls:
            figure.page.evaluate(SHAKE, [figure.input(control["name"]), end])
        figure.page.evaluate(TWO_FRAMES)
        state = figure.handle.get_attribute("data-state")
        if state != "ready" or "NaN" in str(figure.readouts()):
            lost.append((figure.name, [each["name"] for each in controls], end, figure.alert()))
        return figure.picture()

    with Visit(browser, address, **WIDE) as visit:
        for figure in visit.open(name):
            figure.wake()
            for control in figure.controls:
                low, high = (shake(figure, [control], end) for end in (0, 1))
                if low == high and not figure.trains:
                    dead.append((figure.name, control["name"]))
                figure.act("Reset")
            for end in (0, 1):  # and all of them together
                shake(figure, figure.controls, end)
        assert visit.complaints == [] and visit.foreign == []
    assert lost == [] and dead == []
