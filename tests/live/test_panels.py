"""Panels are plain JSON, and a shape that a mark cannot draw is refused before anyone sees it."""

import json
import math

import numpy as np
import pytest
import torch

from flowlib import live
from flowlib.live import (
    axes,
    bars,
    curve,
    grid,
    heat,
    marks,
    matrix,
    points,
    readouts,
    segments,
    sound,
)
from flowlib.live.panels import check_outputs, place

BOX = {"x": (-1, 1), "y": (-2, 2), "alt": "A picture."}
RIGHT = {
    "v": (6, 5), "m": (3, 4), "p": (9, 2), "g": (4, 5, 2), "x": (7,), "y": (7,), "s": (3, 2, 2), "h": (4,), "n": (),
}  # fmt: skip
EVERY = [
    axes(heat("v"), points("p"), grid("g"), curve("x", "y"), segments("s"), **BOX),
    axes(bars("h", labels=list("abcd")), y=(0, 1), alt="Bars."),
    axes(matrix("m"), alt="Cells."),
    readouts(n="a number"),
]


def test_every_mark_is_json_and_fits_its_shape():
    check_outputs(EVERY, RIGHT)
    placed = place(EVERY, RIGHT)
    assert json.loads(json.dumps(placed)) == placed
    assert placed[1]["x"] == [-0.6, 3.6]
    assert (placed[2]["x"], placed[2]["y"]) == ([0.5, 4.5], [3.5, 0.5])
    assert placed[2]["aspect"] == round(4 / 3, 4)


@pytest.mark.parametrize("write", [np.float32, np.array, torch.tensor])
def test_numbers_of_numpy_and_torch_are_numbers(write):
    low, high = write(0.0), write(0.5)
    made = [
        axes(heat("v", low, high), points("p", size=high), x=(low, high), y=[low, high], alt="A"),
        axes(bars("h", labels=[np.int64(1), torch.tensor(2)]), y=(low, high), alt="Bars."),
        readouts(np.int64(2), n="a number"),
        sound("x", write(8000)),
    ]
    assert json.loads(json.dumps(made)) == [
        axes(heat("v", 0.0, 0.5), points("p", size=0.5), x=(0.0, 0.5), y=(0.0, 0.5), alt="A"),
        axes(bars("h", labels=["1", "2"]), y=(0.0, 0.5), alt="Bars."),
        readouts(2, n="a number"),
        sound("x", 8000),
    ]


@pytest.mark.parametrize("kind", marks.SHAPES)
def test_every_mark_reads_the_outputs_that_it_names(kind):
    reads = marks.SHAPES[kind]
    made = getattr(live, kind)(*(f"its {name}" for name in reads))
    assert made["kind"] == kind and json.loads(json.dumps(made)) == made
    assert {name: made[name] for name in reads} == {name: f"its {name}" for name in reads}
    assert kind in live.__all__ and kind in marks.DRAWINGS


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_output_or_a_wrong_shape_says_what_was_expected(name):
    others = {key: shape for key, shape in RIGHT.items() if key != name}
    with pytest.raises(ValueError, match=rf"expected an output '{name}' of fn; got g?"):
        check_outputs(EVERY, others)
    with pytest.raises(ValueError, match=r"expected output .* of shape .*; got \(3, 3, 3, 3\)"):
        check_outputs(EVERY, {**RIGHT, name: (3, 3, 3, 3)})


def test_a_curve_needs_as_many_x_as_y_and_bars_as_many_labels():
    with pytest.raises(ValueError, match="curve expected x and y of one length"):
        check_outputs(EVERY, {**RIGHT, "y": (8,)})
    with pytest.raises(ValueError, match="bars expected 5 labels"):
        check_outputs(EVERY, {**RIGHT, "h": (5,)})


def test_units_as_long_across_as_up_where_asked():
    alone = place([axes(points("p"), x=(-4, 4), y=(-2, 2), alt="A", equal=True)], RIGHT)
    assert alone[0]["aspect"] == 2.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: axes(heat("v"), x=(0, 1), y=(0, 1), alt=" "), "expected alt"),
        (lambda: axes(**BOX), "expected marks"),
        (lambda: axes(readouts(n="n"), **BOX), "expected marks"),
        (lambda: axes(matrix("m"), matrix("m"), alt="A"), "expected one matrix"),
        (lambda: axes(matrix("m"), y=(1, 0), alt="A"), "no x and y with it"),
        (lambda: axes(bars("h"), alt="A"), r"y=\(low, high\)"),
        (lambda: axes(heat("v"), y=(0, 1), alt="A"), r"x=\(low, high\)"),
        (lambda: axes(heat("v"), x=(1, 0), y=(0, 1), alt="A"), "low < high"),
        (lambda: axes(heat("v"), x=(0, math.inf), y=(0, 1), alt="A"), "two finite numbers"),
        (lambda: axes(heat("v"), x=(0, 1), y=("a", "b"), alt="A"), "two finite numbers"),
        (lambda: points("p", role="red"), "expected a role of base, data"),
        (lambda: curve("x", "y", fill="below"), "expected fill"),
        (lambda: readouts(), "at least one"),
    ],
)
def test_a_panel_that_makes_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()
