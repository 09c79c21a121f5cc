"""Small flows that several suites use, their parameters moved away from where they start."""

import torch
from torch.testing import assert_close

from bijections import moved as moved_from_start
from flowlib import (
    Affine,
    AffineCoupling,
    Flow,
    MaskedAutoregressive,
    Permutation,
    Planar,
    standard_normal,
)


def new():
    every_other = torch.tensor([True, False, True], device="cpu")
    return Flow(
        standard_normal(3),
        Planar(3),
        AffineCoupling(3, every_other, hidden=(4,)),
        MaskedAutoregressive(3, (4,), order=[2, 0, 1]),
        Permutation([1, 2, 0]),
        Affine(3),
    )


def moved(seed=0):
    torch.manual_seed(seed)
    return moved_from_start(new(), by=0.2)


def some_flow():
    flow = Flow(standard_normal(2), Planar(2), AffineCoupling(2, hidden=(4,)), Affine(2))
    return moved_from_start(flow, by=0.2)


def same(flow, other, x):
    """Both directions: what scores and what samples."""
    assert_close(flow.log_prob(x), other.log_prob(x), rtol=0, atol=0)
    for a, b in zip(flow.bijection(x), other.bijection(x)):
        assert_close(a, b, rtol=0, atol=0)
