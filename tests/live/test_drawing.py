"""A drawing as an input of a traced function: its rows, its parts, its text, what it refuses."""

import re

import numpy as np
import pytest

from flowlib.live import ControlError, Drawn, Noise, axes, live, points, readouts
from flowlib.live.drawing import MOST, SHAPES, Paper, decode, encode, part_of

PAPER = Paper((-4.0, 4.0), (-3.0, 5.0), "spiral")


def panel(**options):
    plane = {"x": PAPER.x, "y": PAPER.y, "alt": "Rows of a drawing."}
    return axes(points("x"), points("t", role="truth"), **plane, **options)


def rows(x, t, a):
    return {"x": a * x, "t": t, "m": x.mean()}


def figure(**drawn):
    inputs = {"x": Drawn(64, part="train", **drawn), "t": Drawn(32, part="held out", seed=5)}
    return live(
        rows, panel(drawing="spiral"), readouts(m="mean"), name="drawn", a=(0.0, 2.0, 1.0), **inputs
    )


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_a_drawing_that_fits_a_link(name):
    drawing = PAPER.shape(name)
    text = encode(drawing, PAPER)
    assert len(text) <= 2048 and re.fullmatch(r"[\w-]+", text)
    assert PAPER.check(text) == PAPER.check(drawing) == drawing
    low, high = np.array(drawing).min(0), np.array(drawing).max(0)
    assert (low > [-3.95, -2.95]).all() and (high < [3.95, 4.95]).all()
    assert (high - low > 3.4).all()


def test_the_largest_drawing_takes_two_kilobytes_and_comes_back_whole():
    rng = np.random.default_rng(0)
    drawing = PAPER.check(rng.uniform((-4, -3), (4, 5), (MOST, 2)))
    assert len(encode(drawing, PAPER)) == 2002
    assert decode(encode(drawing, PAPER), PAPER) == drawing


def test_a_quarter_of_the_points_is_held_out_and_stays_so_while_others_come():
    out = part_of(400, "held out")
    assert out.sum() == 100 and (part_of(400, "train") == ~out).all()
    assert (part_of(240, "held out") == out[:240]).all()
    assert not (out[:200] == out[200:]).all()


def test_rows_are_near_points_of_their_part_and_differ_at_each_step():
    fig = figure()
    drawing = np.array(fig.drawing)
    outputs = fig.evaluate()
    for name, part in (("x", "train"), ("t", "held out")):
        apart = np.abs(outputs[name].numpy()[:, None] - drawing).max(-1)  # (n, N)
        assert apart.min(1).max() < 4.5 * 0.01 * 8
        exact = PAPER.rows(Drawn(2000, part=part, jitter=0), fig.drawing, 0).numpy()
        own = drawing[part_of(len(drawing), part)].astype(np.float32)
        assert {tuple(row) for row in exact} == {tuple(row) for row in own}
    fig.seed = 1
    assert (fig.evaluate()["x"] != outputs["x"]).all()
    fig.seed = 0
    assert (fig.evaluate()["x"] == outputs["x"]).all()


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        ([[0.1 * i, 0] for i in range(19)], r"N from 20 to 500; got shape \(19, 2\)"),
        (np.zeros((501, 2)), r"got shape \(501, 2\)"),
        (np.zeros((30, 3)), r"got shape \(30, 3\)"),
        (np.zeros((30, 2)), "all of them at one place"),
        (np.linspace(0, 5, 60).reshape(30, 2), r"x in \(-4.0, 4.0\) and y in \(-3.0, 5.0\)"),
        (np.full((30, 2), np.nan), "expected points with x in"),
        (encode(PAPER.shape("ring"), PAPER)[:-4], "cut off or altered"),
        (encode(PAPER.shape("ring"), PAPER)[:-1] + "é", "cut off or altered"),
        ("", "cut off or altered"),
    ],
)
def test_what_is_no_drawing_is_refused_and_the_last_one_kept(drawing, words):
    fig = figure()
    before = fig.drawing
    with pytest.raises(ControlError, match=words):
        fig.drawing = drawing
    assert fig.drawing is before
    fig.drawing = np.linspace(-2, 2, 60).reshape(30, 2)
    assert len(fig.drawing) == 30


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "rows above 0; got 0"),
        ({"n": 9, "part": "test"}, "'train' or 'held out'; got 'test'"),
        ({"n": 9, "seed": -1}, "whole seed"),
        ({"n": 9, "jitter": -0.1}, "jitter from 0 to 1"),
    ],
)
def test_what_is_no_input_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Drawn(**options)


def test_an_input_needs_its_axes_and_axes_their_input():
    with pytest.raises(ValueError, match=r"got 0 such panels and inputs \['x', 't'\]"):
        live(rows, panel(), name="d", a=(0.0, 2.0, 1.0), x=Drawn(9), t=Drawn(9))
    with pytest.raises(ValueError, match=r"got 1 such panels and inputs \[\]"):
        noise = {"x": Noise(9, 2), "t": Noise(9, 2)}
        live(rows, panel(drawing="ring"), name="d", a=(0.0, 2.0, 1.0), **noise)
    with pytest.raises(ValueError, match="drawing to be two moons, ring"):
        panel(drawing="square")
