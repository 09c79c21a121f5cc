"""What the captions of "Where next?" promise, read off the figures in the state they describe."""

import pytest

from cells import run


@pytest.fixture(scope="module")
def page():
    return run("where-next")


def test_spline(page):
    figure = page.figures["spline"]
    before = figure.evaluate()
    for left, right in ((-2.8, 2.8), (-0.2, 0.2), (-1.8, 1.8)):
        figure.left, figure.right = left, right
        assert f"{figure.evaluate()['mass']:.3f}" == "0.683"
    for at, name in figure.spec["panels"][0]["drag"]:  # a handle is on the curve
        z, x = (figure.evaluate()[axis] for axis in "zx")
        assert x[(z - at).abs().argmin()].item() == pytest.approx(getattr(figure, name))
    figure.steep_left = 5 * figure.steep_left
    assert figure.steep_left == 3
    after = figure.evaluate()
    assert after["at_left"].item() == pytest.approx(before["at_left"].item() / 5, rel=1e-3)
    figure.steep_left = 0.6
    density = figure.evaluate()["density"]
    peaks = (density[1:-1] > density[:-2]) & (density[1:-1] > density[2:])
    assert peaks.sum() == 2  # two humps of one bell
