"""One constructor for every bijection of flowlib: the suite runs over this dictionary."""

import torch
from torch.distributions import Laplace, Normal

from flowlib import (
    Affine,
    Compose,
    Inverse,
    InverseCDF,
    Linear,
    Planar,
    Sigmoid,
    SinhArcsinh,
)


def affine(dim):
    return Affine(dim, log_scale=0.5 * torch.randn(dim), shift=torch.randn(dim))


def linear(dim):
    orthogonal, _ = torch.linalg.qr(torch.randn(dim, dim))
    return Linear(orthogonal * (0.5 + torch.rand(dim)))


def sinh_arcsinh(dim):
    return SinhArcsinh(dim, skew=0.5 * torch.randn(dim), log_tail=0.3 * torch.rand(dim))


def planar(dim):
    return Planar(dim, u=torch.randn(dim), w=torch.randn(dim), b=torch.randn(()))


def planar_with(wu):
    """An unconstrained planar layer whose w·u is what it says."""

    def build(dim):
        u, w = torch.randn(dim), torch.randn(dim)
        u = u + (wu - w @ u) * w / (w @ w)
        return Planar(dim, constrain=False, u=u, w=w, b=torch.randn(()))

    return build


BIJECTIONS = {
    "affine": affine,
    "affine, new": Affine,
    "linear": linear,
    "sinh-arcsinh": sinh_arcsinh,
    "sinh-arcsinh, new": SinhArcsinh,
    "planar": planar,
    "planar, new": Planar,
    "planar, w·u = 2": planar_with(2.0),
    "planar, w·u = -0.9": planar_with(-0.9),
    "planar, w = 0": lambda dim: Planar(dim, u=torch.ones(dim), w=torch.zeros(dim)),
    "nothing": lambda dim: Compose(),
    "three": lambda dim: Compose(affine(dim), planar(dim), linear(dim)),
    "inverse of planar": lambda dim: Inverse(planar(dim)),
    "inverse of three": lambda dim: Inverse(Compose(planar(dim), sinh_arcsinh(dim), planar(dim))),
    "sigmoid": lambda dim: Sigmoid(),
    "inverse cdf": lambda dim: InverseCDF(Laplace(torch.zeros(dim), 1 + torch.rand(dim))),
    "sigmoid, inverse cdf": lambda dim: Compose(Sigmoid(), InverseCDF(Normal(0.0, 1.0))),
}
UNIT_INTERVAL_IN = {"inverse cdf"}  # z must lie in (0, 1)
UNIT_INTERVAL_OUT = {"sigmoid"}  # x must lie in (0, 1)


def build(name, dim, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return BIJECTIONS[name](dim).to(dtype)


def points(shape, unit_interval, dtype=torch.float64, seed=1):
    """Normal points, or uniform ones well inside (0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    if unit_interval:
        return 0.02 + 0.96 * torch.rand(shape, generator=generator, dtype=dtype)
    return torch.randn(shape, generator=generator, dtype=dtype)


def inputs(name, shape, dtype=torch.float64):
    """A z for ``forward`` and, drawn on its own, an x for ``inverse``."""
    z = points(shape, name in UNIT_INTERVAL_IN, dtype)
    x = points(shape, name in UNIT_INTERVAL_OUT, dtype, seed=2)
    return z, x
