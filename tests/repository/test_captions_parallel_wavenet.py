"""What captions of Parallel WaveNet promise, read off the figures in the state they describe.

The instrument's caption is checked by the chapter itself, in exercise 4: its student takes minutes.
"""

import pytest

from cells import run


@pytest.fixture(scope="module")
def figures():
    cells = "field-function", "field-live", "sample-function", "sample-live"
    return run("parallel-wavenet", "imports", "imports-flowlib", "settings", *cells).figures


def test_receptive_field(figures):
    figure = figures["receptive-field"]
    seen = {}
    for distances in ("1, 2, 4, 8, …", "1, 1, 1, 1, …"):
        figure.distances = distances
        figure.depth = 6
        seen[distances] = int(figure.evaluate()["count"])
    assert list(seen.values()) == [64, 7]
    assert 1 + 39 == 40 and 2**5 < 40 <= 2**6  # K layers see K + 1 samples, or 2^K


def test_one_sample(figures):
    figure = figures["one-sample"]

    def at(shift, log_scale):
        figure.shift, figure.log_scale = shift, log_scale
        return {name: figure.evaluate()[name].item() for name in ("kl", "cross")}

    for shift, log_scale, promised in ((1.15, -1.0, 0.36), (0.0, -0.25, 1.05), (-1.6, -1.8, 1.29)):
        assert at(shift, log_scale)["kl"] == pytest.approx(promised, abs=0.005)
        around = [
            at(shift + a, log_scale + b)["kl"] for a in (-0.1, 0, 0.1) for b in (-0.1, 0, 0.1)
        ]
        if shift:  # on a hump, the best place; between them it is a saddle
            assert min(around) > promised - 0.01
    best = at(0.95, -3.0)
    assert best["cross"] == pytest.approx(0.5, abs=0.005)
    assert best["kl"] == pytest.approx(1.5, abs=0.005)
    assert min(at(shift / 4, -3.0)["cross"] for shift in range(-12, 13)) >= best["cross"]
    out = figure.evaluate()
    assert out["x"][out["teacher"].argmax()].item() == pytest.approx(0.95, abs=0.02)
