"""What the caption on the first page promises, read off the figure in the state it describes."""

import pytest

from cells import run


def test_hero():
    figure = run("index").figures["hero"]
    figure.time = 0.0
    out = figure.evaluate()
    assert (out["paths"][:, 0] == out["paths"][:, 1]).all()  # the noise, where it was
    figure.time = 16.0
    for seed in range(3):
        figure.seed = seed
        for temperature, promised in ((1.0, -2.4), (0.3, -1.8)):
            figure.temperature = temperature
            assert figure.evaluate()["log_p"].item() == pytest.approx(promised, abs=0.1)
