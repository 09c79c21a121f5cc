"""Pictures: the right way up, in the colours of their roles, and without a trace on matplotlib."""

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

import flowlib
from flowlib import HEAT, PALETTE, Affine, draw_density, draw_grid, draw_points, panels
from flowlib.checks import cell_centres


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_panels_are_labelled_and_set_nothing_global():
    before = dict(mpl.rcParams)
    fig, axes = panels("base", "data", ylabel="density")
    assert [ax.get_title() for ax in axes] == ["base", "data"]
    assert axes[1].get_ylabel() == "density"
    assert fig.get_facecolor() == (1, 1, 1, 1)  # opaque: readable on a dark page
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("shown_at_once", [True, False])
def test_a_figure_stays_as_interactive_as_the_backend_makes_it(shown_at_once, monkeypatch):
    """A notebook's backend turns that on with its first figure; a style's end would undo it."""
    make = plt.subplots

    def first_figure(*args, **kwargs):
        mpl.interactive(shown_at_once)
        return make(*args, **kwargs)

    before = plt.isinteractive()
    monkeypatch.setattr(plt, "subplots", first_figure)
    try:
        for start in (False, True):
            mpl.interactive(start)
            panels("")
            assert plt.isinteractive() is shown_at_once
    finally:
        mpl.interactive(before)


def test_a_heat_map_is_the_right_way_up():
    """A peak at x = 3, y = -1 is drawn at x = 3, y = -1."""
    _, (ax,) = panels("")
    peak = torch.tensor([3.0, -1.0])
    draw_density(ax, lambda x: -4 * (x - peak).square().sum(-1), low=(-4, -2), high=(4, 2), n=80)
    (image,) = ax.get_images()
    assert image.get_extent() == [-4, 4, -2, 2]
    row, column = np.unravel_index(image.get_array().argmax(), (80, 80))
    at = cell_centres((-4, -2), (4, 2), 80)[row, column]
    assert (at - peak).abs().max() < 0.06
    assert image.origin == "lower"
    assert to_hex(HEAT(0.0)) == "#ffffff"


def test_points_have_the_colour_of_their_role():
    _, (ax,) = panels("")
    draw_points(ax, torch.randn(5, 2, requires_grad=True), role="base")
    assert to_hex(ax.collections[0].get_facecolor()[0]) == PALETTE["base"].lower()


def test_a_grid_is_pushed_through_the_map():
    _, (ax,) = panels("")
    double = Affine(2, log_scale=torch.full((2,), 2.0).log(), shift=torch.tensor([1.0, 0.0]))
    draw_grid(ax, double, low=(-1, -1), high=(1, 1), lines=3)
    segments = np.array(ax.collections[0].get_segments())
    assert segments.shape == (6, 200, 2)
    assert np.allclose(segments.reshape(-1, 2).min(0), [-1, -2])
    assert np.allclose(segments.reshape(-1, 2).max(0), [3, 2])
    rows, columns = segments[:3], segments[3:]
    assert np.ptp(rows[:, :, 1], axis=1).max() == 0
    assert np.ptp(columns[:, :, 0], axis=1).max() == 0


def test_importing_flowlib_leaves_matplotlib_until_something_is_drawn():
    code = """
import sys, flowlib
assert "matplotlib" not in sys.modules
assert "panels" in dir(flowlib) and flowlib.panels.__module__ == "flowlib.plotting"
assert "matplotlib" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_flowlib_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="flowlib has no 'flow_of_time'"):
        getattr(flowlib, "flow_" + "of_time")
