"""A reader draws, by mouse, finger and keys, pastes numbers, and takes the drawing along in a link."""

import json
import re

import numpy as np
import pytest
import torch

from flowlib.live import Drawn, axes, bundle, curve, drawing, live, points, readouts, train
from flowlib.live.drawing import FEWEST, MOST, encode
from shown import Shown, open_widget
from touch import PHONE, Finger

PLANE = {"x": (-4.0, 4.0), "y": (-3.0, 5.0), "equal": True}


def rows(x, t):
    return {"x": x, "t": t, "mean": x.mean()}


@pytest.fixture(scope="module")
def figure():
    sheet = axes(points("x"), points("t", role="truth"), **PLANE, alt="Rows.", drawing="ring")
    inputs = {"x": Drawn(64, part="train"), "t": Drawn(32, part="held out", seed=5)}
    return live(rows, sheet, readouts(mean="mean"), name="drawn", **inputs)


class Studio:
    """A page with the figure, and what is on its paper."""

    def __init__(self, page, tmp_path, data, fragment=""):
        self.page = page
        self.shown = Shown(page, tmp_path, data, fragment=fragment)
        self.figure = self.shown.figure

    def press(self, name):
        self.figure.get_by_role("button", name=name).click()
        self.shown.settle()

    def at(self, across, up):
        box = self.figure.locator(".live-paper").bounding_box()
        return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]

    def drag(self, start, end):
        mouse = self.page.mouse
        mouse.move(*self.at(*start))
        mouse.down()
        mouse.move(*self.at(*end), steps=4)
        mouse.up()
        self.shown.settle()

    def paste(self, text):
        if not self.figure.locator("textarea").is_visible():
            self.figure.locator("summary").click()
        self.figure.locator("textarea").evaluate("(area, text) => { area.value = text; }", text)
        self.press("Draw these points")
        return self.figure.locator(".live-refused").inner_text()

    @property
    def told(self):
        return self.figure.locator(".live-told").inner_text()

    @property
    def drawing(self):
        return self.figure.evaluate("(figure) => figure.live.model.get('drawing')")


@pytest.fixture
def studio(page, tmp_path, figure):
    made = Studio(page, tmp_path, figure.book_data())
    yield made
    assert made.shown.errors == []


def spread(drawing, before):
    """Points that are new in a drawing, as fractions of the axes."""
    new = [point for point in drawing if point not in before]
    return (np.array(new) - [-4.0, -3.0]) / 8


def test_a_mouse_sprays_erases_and_undoes(studio, figure):
    before, look = studio.drawing, studio.shown.look()
    assert before == figure.drawing and studio.told == "240 points."
    studio.press("Spray")
    studio.drag((0.3, 0.5), (0.7, 0.5))
    new = spread(studio.drawing, before)
    assert studio.drawing[:240] == before and 20 < len(new) < 60
    assert 0.2 < new[:, 0].min() < 0.35 and 0.65 < new[:, 0].max() < 0.8
    assert abs(new[:, 1] - 0.5).max() < 0.1 < np.ptp(new[:, 0])
    assert studio.shown.look() != look
    studio.press("Erase")
    studio.drag((0.3, 0.5), (0.7, 0.5))
    assert len(spread(studio.drawing, before)) < 5
    studio.press("Undo")
    studio.press("Undo")
    assert studio.drawing == before
    studio.press("Undo")
    assert studio.told == "240 points. There is nothing to undo."
    studio.press("Erase")
    assert studio.figure.locator(".live-paper").is_hidden()


def test_the_page_feeds_the_rows_that_torch_gets(studio, figure):
    studio.press("Spray")
    studio.drag((0.4, 0.4), (0.6, 0.6))
    figure.drawing = studio.drawing
    for seed in (0, 3):
        figure.seed = seed
        got = studio.figure.evaluate(
            """(figure, seed) => {
              figure.live.model.set("seed", seed);
              return Object.entries(figure.live.graphs.inputs(0, ["x", "t"])).map(([k, v]) => [k, [...v]]);
            }""",
            seed,
        )
        expected = figure._arguments(seed)
        assert {name: values for name, values in got} == {
            name: expected[name].ravel().tolist() for name in ("x", "t")
        }
    figure.drawing, figure.seed = figure._paper.shape("ring"), 0


def test_a_drawing_that_is_too_little_says_so_and_the_last_one_stays(studio):
    before = studio.drawing
    studio.press("Clear")
    until = "The figure keeps the last drawing until then."
    assert studio.told == f"0 points. A drawing needs {FEWEST} points. {until}"
    assert studio.drawing == before and studio.shown.state == "ready"
    studio.press("Spray")
    for _ in range(5):
        studio.drag((0.5, 0.5), (0.5, 0.5))
    assert studio.told == "20 points." and len(studio.drawing) == 20
    for _ in range(3):
        studio.press("Undo")
    assert studio.told.startswith("8 points. ") and len(studio.drawing) == 20


def test_a_full_drawing_says_so(studio):
    studio.press("Spray")
    for up in np.linspace(0.1, 0.9, 5):
        studio.drag((0.0, up), (1.0, up))
    assert MOST - 3 <= len(studio.drawing) <= MOST
    assert "A drawing holds 500 points: erase some to draw on." in studio.told


def test_keys_draw(studio):
    before = studio.drawing
    studio.figure.get_by_role("button", name="Spray").focus()
    for key in ("Enter", *["Shift+ArrowLeft"] * 2, "ArrowUp", "Space"):
        studio.page.keyboard.press(key)
    new = spread(studio.drawing, before)
    assert len(new) == 6 and (abs(new - [0.3, 0.52]) < 0.1).all()
    studio.page.keyboard.press("ArrowDown")
    assert studio.told == "246 points. Brush at x = −1.6, y = 1."
    studio.page.keyboard.press("Escape")
    assert studio.page.evaluate("document.activeElement.textContent") == "Spray"
    assert studio.figure.locator(".live-paper").is_hidden()
    studio.figure.locator(".live-shapes select").select_option("two moons")
    assert studio.drawing != before and len(studio.drawing) == 240


def test_a_finger_draws_with_a_brush_and_scrolls_without(browser, tmp_path, figure):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    studio = Studio(page, tmp_path, figure.book_data())
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    finger, before = Finger(page), studio.drawing
    canvas = studio.figure.locator("canvas").bounding_box()
    middle = (canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    finger.path(middle, [(0, -15)] * 8)
    page.wait_for_function("scrollY > 0")
    assert studio.drawing == before
    page.evaluate("scrollTo(0, 0)")
    studio.press("Spray")
    finger.path(middle, [(0, -10)] * 8)
    studio.shown.settle()
    new = spread(studio.drawing, before)
    assert page.evaluate("scrollY") == 0 and len(new) > 10 and np.ptp(new[:, 1]) > 0.15
    drawn = studio.drawing
    finger.path(middle, [(8, 0)] * 6, lifts=False)
    studio.figure.locator(".live-paper").evaluate(
        "(paper) => paper.dispatchEvent(new PointerEvent('pointercancel', "
        "{ pointerId: document.querySelector('figure').live.drawing.pointer }))"
    )
    assert studio.drawing == drawn  # two fingers zoom
    studio.press("Spray")
    assert studio.figure.locator(".live-paper").is_hidden()
    context.close()


def test_a_link_carries_a_drawing(studio, page, figure):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio.press("Spray")
    for up in np.linspace(0.1, 0.9, 5):
        studio.drag((0.0, up), (1.0, up))
    drawing, look = studio.drawing, studio.shown.look()
    link = studio.figure.evaluate("(figure) => figure.live.address.write()")
    text = link.split("drawing=")[1]
    assert text == encode(drawing, figure._paper) and len(text) <= 2048
    page.goto("about:blank")
    page.goto(link)
    studio.shown.settle()
    assert studio.drawing == drawing and studio.shown.look()[1:] == look[1:]
    page.goto("about:blank")
    page.goto(link[:-1000])
    page.wait_for_selector("figure[data-state=error]")
    assert studio.shown.alert == (
        "The link could not be followed: the drawing in it is cut off or altered. "
        "Move a control to go on."
    )
    assert studio.drawing == figure.drawing
    studio.press("Spray")
    studio.drag((0.4, 0.4), (0.6, 0.6))
    assert studio.shown.state == "ready"


LINES = [(i, i * i / 10) for i in range(30)]


TABLES = [  # a row, and what is above the rows
    ("{0}\t{1}", ""), ("{0};{1}", "x;y\n"), ("{0},{1}", "x,y\n"), ("{0}, {1}", "\n"),
    ("{0} {1}", ""), ("{c0};{c1}", "größe;höhe\n"), ("{c0}\t{c1}\t", ""), ("{c0} {c1}", ""),
    ('"{0}","{1}"', '"x","y"\r\n'), ("{e0}\t−{1}", ""),
]  # fmt: skip


def test_a_table_is_read_as_it_comes(studio):
    step = 8 / 4095
    x, squares = np.array(LINES).T
    for row, head in TABLES:
        lines = [
            row.format(x, y, c0=f"{x},5", c1=str(y).replace(".", ","), e0=f"{x / 10:e}")
            for x, y in LINES
        ]
        assert studio.paste(head + "\n".join(lines) + "\n\n") == "", row
        y = squares.max() - squares if "−" in row else squares
        drawing = np.array(studio.drawing)
        assert np.abs(drawing[:, 0] - (-3.2 + 6.4 * x / 29)).max() < step, row
        assert np.abs(drawing[:, 1] - (-2.2 + 6.4 * y / y.max())).max() < step, row
        assert "Scale: x from " in studio.told and " from −3.2 to 3.2; y from " in studio.told


GOOD = "1 2\n3 4\n"
REFUSED = [
    ("", "That is 0 rows: a drawing needs 20."),
    (GOOD, "That is 2 rows: a drawing needs 20."),
    ("1 2\n" * 30, "All rows are the same point."),
    ("1\n2\n", "Row 1 has 1 column: two are needed, x and y."),
    (f"{GOOD}5;6;7", "Row 1 has 1 column: two are needed, x and y."),
    ("1,2\n\n3,4,5\n", "Row 3 has 3 columns: two are needed, x and y."),
    (f"{GOOD}5 NaN", "“NaN” in row 3 is not a finite number."),
    (f"{GOOD}5 1e999", "“1e999” in row 3 is not a finite number."),
    ("1\t2\n3\t", "Row 2 has 1 column: two are needed, x and y."),
    ("1;2\n3;", "“” in row 2 is not a finite number."),
    ("1;2\nhello, this is a long cell;4", "“hello, this is a lon…” in row 2 is not a finite number."),
    ("1,234;5,678\n", "“1,234” could be a fraction or thousands. Write it with a point or without a comma."),
    ("1.234,5;1\n", "“1.234,5” in row 1 is not a finite number."),
    ("1 2\n" * 100_001, "That is 100,001 rows: at most 100,000 are read. Paste some of them."),
]  # fmt: skip


def test_what_is_no_table_is_refused_in_a_sentence(studio):
    before = studio.drawing
    for text, words in REFUSED:
        assert studio.paste(text) == f"{words} Your drawing is as it was."
        assert studio.drawing == before and studio.told == "240 points."


def test_a_million_rows_are_refused_before_they_are_in_the_page(studio):
    studio.figure.locator("summary").click()
    stopped = studio.figure.locator("textarea").evaluate(
        """(area) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", "0.12 3.45\\n".repeat(1e6));
          const event = new ClipboardEvent("paste", { clipboardData, cancelable: true, bubbles: true });
          return !area.dispatchEvent(event);
        }"""
    )
    said = studio.figure.locator(".live-refused").inner_text()
    assert stopped and said.startswith("That is too long: at most 100,000 rows are read.")
    many = "\n".join(f"{i} {i % 7}" for i in range(2000))
    assert studio.paste(many) == "" and len(studio.drawing) == MOST
    assert "500 of the 2,000 rows, chosen at random. Scale: " in studio.told


def test_a_step_of_training_gets_fresh_rows_as_torch_does(page, tmp_path):
    def step(state, x):
        return x.mean(), {"mean": state["mean"] + x.mean(0), "last": x}

    def show(state):
        return {"x": state["last"], "a": state["mean"][:1], "b": state["mean"][1:]}

    begin = lambda: {"mean": torch.zeros(2), "last": torch.zeros(16, 2)}
    sheet = axes(points("x"), curve("a", "b"), **PLANE, alt="A batch.", drawing="spiral")
    fig = train(begin, step, show, sheet, name="batches", steps=9, x=Drawn(16, part="train"))
    studio = Studio(page, tmp_path, json.loads(json.dumps(fig.book_data())))
    batches = []
    for _ in range(3):
        studio.press("Step")
        state = studio.figure.evaluate("(figure) => [...figure.live.training.state['state.last']]")
        fig.run(1)
        assert state == fig.state["last"].ravel().tolist()
        batches.append(tuple(state))
    assert len(set(batches)) == 3
    studio.press("Spray")
    studio.drag((0.4, 0.4), (0.6, 0.6))
    studio.press("Reset")
    assert len(studio.drawing) > 280  # a drawing has an Undo of its own


def test_a_kernel_shares_the_drawing(page, figure):
    widget = open_widget(page, figure.book_data(), drawing=figure.drawing)
    widget.evaluate(
        "(points) => window.model.set('drawing', points)", figure._paper.shape("spiral")
    )
    assert widget.locator(".live-told").inner_text() == "280 points."
    widget.get_by_role("button", name="Clear").click()
    widget.get_by_role("button", name="Undo").click()
    widget.wait_for_function("window.model.saved > 0")
    drawing = widget.evaluate("window.model.values.drawing")
    figure.drawing = drawing
    assert figure.drawing == drawing == figure._paper.shape("spiral")
    figure.drawing = figure._paper.shape("ring")


def test_both_have_the_same_measures():
    source = (bundle.HERE / "js" / "cells.js").read_text(encoding="utf-8")
    for name in ("MOST", "FEWEST", "STEPS", "APART", "HELD_OUT", "SPLIT", "DIGITS"):
        (value,) = re.findall(rf"^(?:export )?const {name} = (.*);$", source, re.MULTILINE)
        assert json.loads(value) == getattr(drawing, name)
    assert "const JITTER = 2 ** 31;" in source and drawing.JITTER == 2**31
