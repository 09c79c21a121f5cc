"""Between the real line and the unit interval: the sigmoid, and the inverse of any CDF."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint, independent, unit_interval
from torch.nn.functional import softplus

from flowlib.base import Bijection
from flowlib.distributions import DistributionModule
from flowlib.tensors import may_hold

UNIT_CUBE = independent(unit_interval, 1)


class Sigmoid(Bijection):
    r"""Squeeze each coordinate of the real line into (0, 1).

    .. math:: x = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad
        \log\lvert\det J\rvert = \sum_i \log \sigma(z_i) + \log \sigma(-z_i)

    Where rounding would give 0 or 1, x is the number next to it; ``inverse`` takes 0 and 1, and what
    rounding puts beyond them, for those numbers (:func:`within`).

    Shapes: (*, D) -> (*, D) and (*), for any D.

    Raises:
        ValueError: ``inverse`` of an x outside [0, 1].

    Example:
        >>> Sigmoid()(torch.zeros(1))
        (tensor([0.5000]), tensor(-1.3863))
    """

    @property
    def codomain(self) -> Constraint:
        return UNIT_CUBE

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        return within(torch.sigmoid(z)), -(softplus(z) + softplus(-z)).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        check_unit_interval(self, x)
        x = within(x)
        log_x, log_rest = torch.log(x), torch.log1p(-x)
        return log_x - log_rest, -(log_x + log_rest).sum(-1)


class InverseCDF(Bijection):
    r"""Turn uniform noise into a one-dimensional distribution, coordinate by coordinate.

    .. math:: x = F^{-1}(u), \qquad \log\lvert\det J\rvert = -\sum_i \log p(x_i), \quad p = F'

    Args:
        distribution: a univariate ``torch.distributions.Distribution`` that has ``icdf`` and
            ``cdf``, of batch shape () for any D, or (D,).

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a distribution that is not univariate; ``forward`` of a u outside [0, 1];
            ``inverse`` of an x outside the distribution's support.
        NotImplementedError: a distribution without ``icdf``.

    Example:
        >>> from torch.distributions import Laplace
        >>> InverseCDF(Laplace(0.0, 1.0))(torch.tensor([0.5]))
        (tensor([0.]), tensor(0.6931))
    """

    def __init__(self, distribution: Distribution):
        super().__init__()
        batch, event = distribution.batch_shape, distribution.event_shape
        if event or len(batch) > 1:
            raise ValueError(
                "InverseCDF expected a univariate distribution of batch shape () or (D,); "
                f"got batch {tuple(batch)} and event {tuple(event)}"
            )
        if type(distribution).icdf is Distribution.icdf:
            raise NotImplementedError(
                f"{type(distribution).__name__} has no icdf: use Normal, Laplace, Cauchy or another "
                "distribution that has one"
            )
        self.dim = batch[0] if batch else None
        # Checked here: torch's own check reads values, which older torch refuses inside vmap.
        distribution = copy.copy(distribution)
        distribution._validate_args = False
        self.state = DistributionModule(distribution)

    @property
    def distribution(self) -> Distribution:
        """The distribution, of the tensors that the layer holds now."""
        return self.state()

    @property
    def domain(self) -> Constraint:
        return UNIT_CUBE

    @property
    def codomain(self) -> Constraint:
        return independent(self.distribution.support, 1)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        check_unit_interval(self, z)
        distribution = self.distribution
        # Off the ends, where x may be infinite, by so much that 2u - 1 and (1 + u) / 2, which torch's
        # distributions compute, do not round to an end.
        eps = torch.finfo(z.dtype).eps
        x = distribution.icdf(z.clamp(eps, 1 - eps))
        return x, -distribution.log_prob(x).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        distribution = self.distribution
        support: Any = distribution.support
        if support is not None and not may_hold(support.check(x) | x.isnan()):
            raise ValueError(
                f"InverseCDF expected values that {type(distribution).__name__} can take; "
                f"got {x.min().item():.6g} to {x.max().item():.6g}"
            )
        return within(distribution.cdf(x)), distribution.log_prob(x).sum(-1)


def within(u: Tensor) -> Tensor:
    """u in [0, 1], moved off the ends: the smallest normal number for 0, the number before 1 for 1.

    Example:
        >>> within(torch.tensor([0.0, 0.5, 1.0])).logit().isfinite()
        tensor([True, True, True])
    """
    numbers = torch.finfo(u.dtype)
    return u.clamp(numbers.tiny, 1 - numbers.eps / 2)


def check_unit_interval(bijection: Bijection, value: Tensor) -> None:
    """Raise ValueError where ``value`` is known to leave [0, 1] by more than rounding; NaN passes.

    Example:
        >>> check_unit_interval(Sigmoid(), torch.tensor([0.5, 2.0]))
        Traceback (most recent call last):
        ValueError: Sigmoid expected values in (0, 1); got 0.5 to 2
    """
    slack = 64 * torch.finfo(value.dtype).eps  # of a few layers that follow
    if not may_hold((value >= -slack) & (value <= 1 + slack) | value.isnan()):
        low, high = value.min().item(), value.max().item()
        raise ValueError(
            f"{type(bijection).__name__} expected values in (0, 1); got {low:.6g} to {high:.6g}"
        )
