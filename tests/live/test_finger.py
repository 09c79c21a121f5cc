"""A finger drags a slider, taps it, or scrolls the page past it, which leaves it as it was."""

import pytest

from pages import book
from shown import Shown
from touch import PHONE, Finger

WATCH = """(figure) => {
  const { model } = figure.live;
  const { set } = model;
  window.moves = [];
  figure.addEventListener("pointerdown", ({ pointerId }) => { window.pointer = pointerId; });
  model.set = function (name, value) { moves.push(value); set.call(model, name, value); };
}"""
UP, RIGHT, LEFT = [(0, -15)] * 12, [(12, 0)] * 6, [(-12, 0)] * 6


class Slider:
    """The slider "a" of a figure on a phone, from −2 to 2 and at 0.5, and what it was moved to."""

    def __init__(self, page, tmp_path, **control):
        self.shown = Shown(page, tmp_path, book(**control), book("below"), book("last"))
        self.page, self.finger = page, Finger(page)
        self.input = self.shown.figure.locator("[name=a]")
        self.input.evaluate("(input) => input.scrollIntoView({ block: 'center' })")
        self.shown.settle()
        self.shown.figure.evaluate(WATCH)

    def at(self, part: float) -> tuple[float, float]:
        box = self.input.bounding_box()
        return box["x"] + part * box["width"], box["y"] + box["height"] / 2

    def path(self, part: float, steps, **options) -> list[float]:
        """What a finger's path that begins at a part of the length moves it to."""
        self.page.evaluate("moves.length = 0")
        self.finger.path(self.at(part), steps, **options)
        self.page.wait_for_timeout(100)  # the browser's own thread may still be scrolling
        self.shown.settle()
        return self.page.evaluate("moves")

    @property
    def value(self) -> float:
        model, input = self.shown.figure.evaluate(
            "(figure) => [figure.live.model.get('a'), figure.querySelector('[name=a]').valueAsNumber]"
        )
        assert model == input
        return model


@pytest.fixture
def slider(browser, tmp_path):
    context = browser.new_context(**PHONE)
    yield Slider(context.new_page(), tmp_path)
    context.close()


@pytest.mark.parametrize("part", [0.03, 0.4, 0.95])
@pytest.mark.parametrize("steps", [UP, [(0, 15)] * 8, [(3, -15)] * 12, [*UP, *RIGHT]])
def test_a_scroll_that_begins_on_a_slider_does_not_move_it(slider, part, steps):
    before = slider.page.evaluate("scrollY"), slider.shown.look()
    assert slider.path(part, steps) == [] and slider.value == 0.5
    assert slider.page.evaluate("scrollY") != before[0]
    assert slider.shown.look() == before[1]
    assert slider.path(0.2, []) == [slider.value] and slider.value < 0  # and a tap is a tap again


def test_a_finger_that_cannot_scroll_the_page_moves_no_slider_either(slider):
    slider.page.evaluate("document.documentElement.style.overflow = 'hidden'")
    assert slider.path(0.9, UP) == [] and slider.value == 0.5


def test_a_tap_moves_it_once_to_where_the_finger_was(slider):
    assert slider.path(0.9, []) == [slider.value] and slider.value > 1.5
    assert slider.path(0.1, [(1, 2)]) == [slider.value] and slider.value < -1.5


@pytest.mark.parametrize("steps", [LEFT, [(-10, 6)] * 7])
def test_a_drag_moves_it_all_the_way(slider, steps):
    moves = slider.path(0.9, steps)
    assert len(moves) > 3 and moves == sorted(moves, reverse=True)
    assert moves[-1] == slider.value < moves[0] - 0.5


def test_a_drag_that_the_system_ends_is_undone(slider):
    assert slider.path(0.9, LEFT, lifts=False)[-1] != 0.5
    slider.input.dispatch_event("pointercancel", {"pointerId": slider.page.evaluate("pointer")})
    assert slider.value == 0.5


def test_the_keyboard_and_the_mouse_move_it_as_before(slider):
    slider.path(0.9, UP)
    slider.page.evaluate("moves.length = 0")
    for key in ("End", "Home", "ArrowRight", "PageUp"):
        slider.input.press(key)
    moves = slider.page.evaluate("moves")
    assert moves[:2] == [2, -2] and moves[2] == -1.98 and moves[3] > moves[2] + 0.1
    slider.page.mouse.move(*slider.at(0.9))
    slider.page.mouse.down()
    assert slider.value > 1.5  # a mouse scrolls nothing: it moves at once
    slider.page.mouse.up()


def test_a_scroll_past_a_slider_that_plays_does_not_stop_it(slider):
    slider.input.press("Home")
    slider.shown.figure.get_by_role("button", name="Play a").click()
    slider.path(0.1, UP)
    slider.page.wait_for_function("document.querySelector('[name=a]').value === '2'")
