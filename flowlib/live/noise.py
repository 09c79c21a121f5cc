"""Random numbers from a seed, the same to the last bit in Python and in the page.

32-bit integers by mulberry32, a hash of a counter.  From there to float32 only + - * / and square
roots, which IEEE 754 defines exactly: the normal quantile is a ratio of polynomials, algorithm
AS 241 of Wichura 1988 (PPND7, good to 1e-7), and its logarithm a series.  ``js/noise.js`` does the
same operations in the same order.
"""

from __future__ import annotations

import math

import numpy as np


def noise(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random numbers of the given shape, float32; ``kind`` is "normal" or "uniform" on (0, 1)."""
    bits = _integers(math.prod(shape), seed)
    if kind == "uniform":
        values = ((bits >> np.uint32(9)) + 0.5) / 2**23
    elif kind == "normal":
        values = _quantile((bits + 0.5) / 2**32)
    else:
        raise ValueError(f"noise expected kind 'normal' or 'uniform'; got {kind!r}")
    return values.astype(np.float32).reshape(shape)


def _integers(count: int, seed: int) -> np.ndarray:
    """mulberry32: the numbers ``seed + 0x6D2B79F5 i``, each of them scrambled."""
    uint = np.uint32
    state = np.arange(1, count + 1, dtype=uint) * uint(0x6D2B79F5) + uint(seed % 2**32)
    bits = (state ^ (state >> uint(15))) * (state | uint(1))
    bits ^= bits + (bits ^ (bits >> uint(7))) * (bits | uint(61))
    return bits ^ (bits >> uint(14))


def _quantile(p: np.ndarray) -> np.ndarray:
    """The standard normal quantile of p = odd / 2**33."""
    q, tail = p - 0.5, np.where(p < 0.5, p, 1 - p)
    r = 0.180625 - q * q
    middle = (
        q
        * (((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)
        / (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1)
    )
    r = np.sqrt(-_log(tail)) - 1.6
    outside = (((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777) / (
        (0.12021132975 * r + 0.7370016425) * r + 1
    )
    return np.where(np.abs(q) <= 0.425, middle, np.where(q < 0, -outside, outside))


def _log(p: np.ndarray) -> np.ndarray:
    """log p for p > 0: an exponent, and 2 artanh s of what is left, in [1, 2)."""
    rest, exponent = np.frexp(p)
    rest, exponent = rest * 2, exponent - 1
    s = (rest - 1) / (rest + 1)
    ss, series = s * s, 0.0
    for k in range(21, 0, -2):
        series = series * ss + 1 / k
    return exponent * math.log(2) + 2 * s * series
