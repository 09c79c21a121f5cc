"""What the captions of the chapter on continuous flows promise; those of trained flows are checked in it."""

from __future__ import annotations

import torch

from cells import caption, run, scalars, sources

CELLS = sources("continuous")


def figure(*cells: str):
    return run("continuous", "imports", "imports-flowlib", "settings", *cells).shown


def test_four_layers_of_slope_3_do_not_fold_and_24_come_close_to_the_limit():
    fig = figure("residual-outputs", "residual-live")
    said = caption(CELLS["residual-live"])
    assert fig.K == 2 and fig.s == 3 and "Two layers of slope 3 fold" in said
    rising = {}
    for fig.K in range(1, 25):
        out = fig.evaluate()
        rising[fig.K] = bool((out["x"].diff() > 0).all())
        assert rising[fig.K] == (out["fold"] > 0).item()
    assert min(K for K in rising if rising[K]) == 4 and "(Four: then hL = 3/4 < 1" in said
    assert all(rising[K] for K in range(4, 25)) and not rising[2]
    shown = scalars(fig)
    assert abs(shown["log_det"] - shown["limit"]) < 0.15 and "to within 0.15" in said
    assert torch.allclose(fig.evaluate()["x"], fig.evaluate()["exact"], atol=0.1)


def test_the_text_names_the_ranges_of_its_neighbours():
    """From the chapters on couplings and on autoregressive flows."""
    assert "0.015 to 0.054 nat" in CELLS["moons-after"]
    assert "0.015 to 0.054 nat" in sources("coupling")["moons-check-text"]
