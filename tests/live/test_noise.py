"""Noise is the same in Python and in the page, and as random as it should be."""

from __future__ import annotations

import base64
from statistics import NormalDist

import numpy as np
import pytest

from flowlib.live.noise import _quantile, noise

DRAW = """([kind, shape, seed]) => {
    const memory = new Memory();
    noise(kind, [8], seed, undefined, memory); // then there is room, but not enough
    const bytes = new Uint8Array(noise(kind, shape, seed, undefined, memory).buffer);
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("seed", [0, 1, 123456789, 2**31, 2**32 - 1])
def test_page_and_python_draw_the_same_bits(runtime, kind, seed):
    got = base64.b64decode(runtime.page.evaluate(DRAW, [kind, [50_001, 2], seed]))
    assert got == noise(kind, (50_001, 2), seed).tobytes()


def test_normal_has_the_moments_and_the_tails_of_a_normal():
    x = noise("normal", (400, 1000), 3).astype(np.float64)
    assert abs(x.mean()) < 0.006  # 4 standard errors
    assert abs(x.var() - 1) < 0.009
    assert abs((x**3).mean()) < 0.025
    assert abs((x**4).mean() - 3) < 0.07
    assert 4 < np.abs(x).max() < 6.5
    assert abs(np.corrcoef(x[:, :-1].ravel(), x[:, 1:].ravel())[0, 1]) < 0.007


def test_uniform_lies_inside_the_interval_and_fills_it():
    x = noise("uniform", (200_000,), 4)
    assert x.dtype == np.float32
    assert 0 < x.min() < 1e-4
    assert 1 - 1e-4 < x.max() < 1
    counts = np.histogram(x, 50, (0, 1))[0]
    assert ((counts - 4000) ** 2 / 4000).sum() < 95  # chi-squared, 49 degrees of freedom, 1e-4


def test_the_ends_of_the_quantile_are_finite():
    p = (np.array([0, 2**32 - 1]) + 0.5) / 2**32
    end = NormalDist().inv_cdf(2**-33)
    assert _quantile(p).tolist() == pytest.approx([end, -end], rel=2e-7)


def test_quantile_is_good_to_float32():
    p = (np.arange(0, 2**32, 2**32 // 4001) + 0.5) / 2**32
    expected = np.array([NormalDist().inv_cdf(each) for each in p])
    assert np.abs(_quantile(p) / expected - 1).max() < 2e-7


def test_seeds_differ_and_repeat():
    assert (noise("normal", (9,), 1) == noise("normal", (9,), 1)).all()
    assert not np.isin(noise("normal", (1000,), 1), noise("normal", (1000,), 2)).any()


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'normal' or 'uniform'; got 'cauchy'"):
        noise("cauchy", (2,), 0)
