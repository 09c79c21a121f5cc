"""The static picture: every mark leaves ink, and words and numbers follow one set of rules."""

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from flowlib.live import axes, curve, heat, live, matrix, static, words
from pages import MARKS, figure, gallery, long_numbers


def pixels(drawn):
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.mark.parametrize("name", MARKS)
def test_every_mark_is_drawn_and_follows_a_control(name):
    fig = gallery()
    number = list(MARKS).index(name)
    spec = {**fig.spec, "panels": [fig.spec["panels"][number]]}
    fig.a, fig.bent = 0.5, True
    before = pixels(static.picture(spec, fig.value, fig.evaluate()))
    fig.a, fig.bent = -1.5, False
    after = pixels(static.picture(spec, fig.value, fig.evaluate()))
    fig.a, fig.bent = 0.5, True  # the figure is one for all tests
    assert (before != after).any(-1).sum() > 100


def test_a_png_is_twice_as_fine_as_it_is_wide():
    png, width, height = static.to_png(figure().draw())
    assert (width, png[:4]) == (720, b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 2 * width
    assert abs(int.from_bytes(png[20:24], "big") - 2 * height) <= 1


def test_no_tick_label_is_cut_off():
    drawn = pixels(long_numbers().draw())
    assert (drawn[:, 0] == 255).all() and (drawn[:, -1] == 255).all()
    assert (drawn[:, 1:10] < 255).any() and (drawn[:, -10:-1] < 255).any()


def test_infinite_values_are_gaps():
    def hole(a):
        x = torch.linspace(-1.0, 1.0, 20)
        y = torch.where(x > 0, a / x.abs(), torch.inf)
        return {"x": x, "y": y, "v": y + x[:, None]}

    panel = axes(heat("v"), curve("x", "y"), x=(-1, 1), y=(0, 9), alt="Nothing on the left.")
    drawn = pixels(live(hole, panel, name="gap", a=(1.0, 2.0, 1.0)).draw())
    left, right = drawn[60:250, 80:400].std(), drawn[60:250, 520:900].std()
    assert left == 0 < right


def test_a_matrix_is_written_from_the_top_in_crisp_cells():
    cells = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    panel = axes(matrix("m"), alt="One cell.")
    drawn = live(lambda a: {"m": a * cells}, panel, name="m", a=(1.0, 2.0, 1.0)).draw()
    dark = pixels(drawn)[..., :3].sum(-1) < 300
    across, down = dark.any(0).nonzero()[0], dark.any(1).nonzero()[0]
    assert dark[down.min() : down.max() + 1, across.min() : across.max() + 1].all()
    left, top, right, bottom = *drawn.axes[0].bbox.min, *drawn.axes[0].bbox.max
    place = (
        (across.mean() - left) / (right - left),
        (len(dark) - down.mean() - top) / (bottom - top),
    )
    assert place == pytest.approx((5 / 6, 3 / 4), abs=0.01)


def test_a_matrix_counts_rows_and_columns_where_its_axes_have_a_label():
    named = live(
        lambda a: {"m": a + torch.zeros(12, 3)},
        axes(matrix("m"), xlabel="j", alt="Cells."),
        name="m", a=(0.0, 1.0, 0.5),
    ).spec["panels"][0]  # fmt: skip
    assert words.panel_ticks(named, 90, 300) == ([1, 2, 3], [])
    assert words.panel_ticks({**named, "ylabel": "i"}, 90, 150)[1] == [2, 4, 6, 8, 10, 12]


def test_the_alternative_says_what_is_drawn_and_where_the_controls_stand():
    fig = figure()
    text = words.describe(fig.spec, fig.value, fig.evaluate())
    assert text.startswith(
        "A grid and samples. A wave. a = 0.50, k = 2, bend it = on, shape = round"
    )
    assert "scale: 2.026" in text and text.endswith(".")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.5, 2, "1.50"),
        (-0.5, 1, "−0.5"),
        (-0.0001, 2, "0.00"),
        (float("-inf"), 2, "−∞"),
        (1234567.0, 2, "1.23e6"),
        (-1e12, 1, "−1.0e12"),
    ],
)
def test_numbers(value, digits, text):
    assert words.number(value, digits) == text


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (-4, 4, 5, [-4, -2, 0, 2, 4]),
        (0, 0.7, 4, [0, 0.2, 0.4, 0.6]),
        (0, 1, 1, [0, 0.5, 1]),
        (-4, 4, 2, [-4, -2, 0, 2, 4]),
    ],
)
def test_ticks_are_few_and_round(low, high, most, expected):
    assert words.ticks(low, high, most) == pytest.approx(expected)
    assert words.tick_text([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
