"""What the captions of the chapter on splines promise; those of trained flows are checked in it."""

from __future__ import annotations

import pytest

from cells import caption, run, scalars, sources

CELLS = sources("splines")


def test_a_density_at_a_knot_is_that_of_the_bell_by_the_slope():
    cells = "imports", "imports-flowlib", "settings", "one-function", "one-live"
    fig = run("splines", *cells).shown
    said, before = caption(CELLS["one-live"]), scalars(fig)
    assert before["mass"] == pytest.approx(1, abs=1e-3)
    fig.middle = 0.6
    assert scalars(fig)["at_middle"] == pytest.approx(before["at_middle"], rel=1e-3)
    fig.slope_middle = fig.slope_middle / 2
    assert scalars(fig)["at_middle"] == pytest.approx(2 * before["at_middle"], rel=1e-3)
    assert "(It doubles.)" in said and "(No: it is that of the bell" in said
    for at, name in fig.spec["panels"][0]["drag"]:  # a handle is on the curve
        z, x = (fig.evaluate()[axis] for axis in "zx")
        assert x[(z - at).abs().argmin()].item() == pytest.approx(getattr(fig, name), abs=1e-4)
    for fig.left, fig.middle, fig.right in ((-2.8, -0.8, 1.0), (-1.0, 0.8, 2.8)):
        assert (fig.evaluate()["x"].diff() > 0).all()
