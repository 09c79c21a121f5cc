"""A reader guesses a curve before seeing it, by mouse, finger and keys."""

import numpy as np
import pytest
import torch

from flowlib.live import axes, curve, live, readouts, static, words
from shown import PIXELS, Shown, open_widget
from touch import PHONE, Finger

RANGE = {"x": (-4.0, 4.0), "y": (0.0, 1.0)}


def bell(s):
    x = torch.linspace(-4, 4, 101)
    p = torch.exp(-(x**2) / (2 * s**2)) / (s * (2 * torch.pi) ** 0.5)
    return {"x": x, "p": p, "q": 0.1 + 0 * x, "top": p.max(), "variance": s**2}


def figure(guess=("p", "top")):
    panel = axes(
        curve("x", "q"), curve("x", "p", role="truth"), **RANGE, alt="A bell.", guess=guess
    )
    numbers = readouts(top="highest", variance="variance")
    return live(bell, panel, numbers, name="bell", s=(0.5, 2.0, 0.7))


@pytest.fixture(scope="module")
def data():
    return figure().book_data()


@pytest.fixture
def shown(page, tmp_path, data):
    made = Shown(page, tmp_path, data)
    yield made
    assert made.errors == []


def heights(shown):
    handles = shown.figure.get_by_role("slider", name="Your guess").all()
    return [float(each.get_attribute("aria-valuenow")) for each in handles]


def handle(shown, x):
    box = shown.figure.get_by_role("slider", name=f"Your guess at {x}", exact=True).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_truth_is_hidden_until_it_is_compared_with(shown):
    assert shown.look()[1:] == (["", "?", "0.490"], "A bell. s = 0.70, variance: 0.490.")
    before = shown.look()[0]
    shown.set("s", 1.0)
    assert shown.look()[0] == before  # the curve moved, unseen
    shown.set("s", 0.7)
    shown.press("Compare")
    picture, (area, top, _), alt = shown.look()
    assert picture != before and top == "0.570"
    assert alt == "A bell. s = 0.70, highest: 0.570, variance: 0.490."
    p = figure().evaluate()["p"].double()
    between = torch.trapezoid((p - 0.25).abs(), torch.linspace(-4, 4, 101).double()).item()
    assert area == f"Area between the two: {words.number(between, 3)}."
    shown.set("s", 1.5)
    assert shown.look()[0] != picture and shown.look()[1][0] != area
    shown.press("Guess again")
    assert shown.look()[0] == before and shown.look()[1][:2] == ["", "?"]


def test_a_mouse_drags_a_curve_through_the_handles(shown):
    x, y = handle(shown, "−2.00")
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    end, _ = handle(shown, "2.00")
    shown.page.mouse.move(end, y - 100)
    shown.page.mouse.up()
    got = heights(shown)
    assert got[:2] == got[7:] == [0.25, 0.25]
    assert got[2:7] == sorted(got[2:7]) and got[6] > 0.4
    assert np.ptp(np.diff(got[2:7])) < 0.02


def test_keys_move_handles_and_the_best_guess_stays_on_the_device(shown):
    slider = shown.figure.get_by_role("slider", name="Your guess at −4.00", exact=True)
    slider.focus()
    press = shown.page.keyboard.press
    for height in (0, 0, 0, 0.14, 0.57, 0.14, 0, 0, 0):
        press("Home")
        for _ in range(round(height / 0.02)):
            press("ArrowUp")
        press("ArrowRight")
    assert heights(shown) == [0, 0, 0, 0.14, 0.56, 0.14, 0, 0, 0]
    shown.press("Compare")
    told = shown.figure.locator(".live-guessing").inner_text()
    best = told.split("Your best on this device: ")[1]
    assert float(best.rstrip(".")) < 0.2
    shown.figure.get_by_role("slider", name="Your guess at 4.00", exact=True).focus()
    press("End")
    assert heights(shown)[-1] == 0  # nobody moves a guess once the truth is seen
    shown.page.reload()
    shown.settle()
    shown.press("Compare")
    assert f"Your best on this device: {best}" in shown.figure.inner_text()
    shown.page.evaluate("localStorage.clear()")


def test_a_device_that_keeps_nothing_is_no_error(page, tmp_path, data):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw Error('refused'); } })"
    )
    shown = Shown(page, tmp_path, data)
    shown.press("Compare")
    said = shown.figure.locator(".live-guessing").inner_text()
    assert "Area between the two: " in said and "best" not in said
    assert shown.state == "ready" and shown.errors == []


def test_a_finger_drags_a_handle_and_scrolls_beside_it(browser, tmp_path, data):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    shown, finger = Shown(page, tmp_path, data), Finger(page)
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    finger.path(handle(shown, "0.00"), [(0, -6)] * 8)
    got = heights(shown)
    assert page.evaluate("scrollY") == 0 and got[4] > 0.4 and set(got[:4] + got[5:]) == {0.25}
    x, y = handle(shown, "−2.00")
    finger.path((x, y - 60), [(0, -15)] * 8)
    page.wait_for_function("scrollY > 0")
    assert heights(shown) == got
    context.close()


def test_a_kernel_asks_as_well(page, data):
    widget = open_widget(page, data)
    before = widget.locator("canvas").evaluate(PIXELS)
    widget.get_by_role("button", name="Compare").click()
    page.wait_for_function("document.querySelector('output[name=top]').textContent === '0.570'")
    assert widget.locator("canvas").evaluate(PIXELS) != before


def test_the_static_picture_and_its_words_ask_as_well():
    asked, told = figure(), figure(None)
    values, outputs = asked.value, asked.evaluate()
    words_of = [words.describe(each.spec, values, outputs) for each in (asked, told)]
    assert words_of[0] == "A bell. s = 0.70, variance: 0.490."
    assert words_of[1] == "A bell. s = 0.70, highest: 0.570, variance: 0.490."
    lines = [len(each.draw().axes[0].lines) for each in (asked, told)]
    texts = [[text.get_text() for text in each.draw().texts] for each in (asked, told)]
    assert lines == [1, 2] and static.UNKNOWN in texts[0] and static.UNKNOWN not in texts[1]


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        ("x", "the y of one of its curves; got 'x'"),
        (("p", "mass"), "name outputs that are shown; got 'mass'"),
    ],
)
def test_a_guess_of_nothing_is_refused(guess, words):
    with pytest.raises(ValueError, match=words):
        figure(guess)
