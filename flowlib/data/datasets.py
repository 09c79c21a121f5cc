"""Toy densities on the plane, with exact log-densities and an entropy to measure a fit against."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from flowlib.checks import cell_centres
from flowlib.tensors import check_vectors, may_hold


class PlaneDensity(Distribution):
    r"""A density on the plane: ``log_prob`` maps (*, 2) -> (*), ``sample`` returns (*shape, 2).

    ``log_prob`` computes in the dtype and on the device of its input, and raises ValueError for
    anything but a floating-point tensor of that shape.  NaN in, NaN out.  Samples have torch's
    default dtype, those of a mixture the dtype and the device of its centres.

    ``entropy()`` is in nats, shape (), float64.  It is numerically exact, by the midpoint rule
    over the box from ``low`` to ``high``, where a subclass has no closed form.

    .. math:: H(p) = -\int p(x) \log p(x) \, dx

    The mean of -log p over test data cannot stay below H(p), whatever the model: the difference is
    its KL divergence.

    Example:
        >>> from flowlib import Banana
        >>> Banana().event_shape
        torch.Size([2])
    """

    arg_constraints: ClassVar[dict] = {}
    support = constraints.real_vector
    low, high = (-6.0, -6.0), (6.0, 6.0)

    def __init__(self):
        super().__init__(event_shape=torch.Size((2,)), validate_args=False)

    def entropy(self) -> Tensor:
        rows = cell_centres(self.low, self.high, 300).split(30)  # a mixture of many needs room
        p = torch.cat([self.log_prob(each) for each in rows]).exp()
        area = math.prod(b - a for a, b in zip(self.low, self.high, strict=True))
        return -torch.xlogy(p, p).mean() * area


class Banana(PlaneDensity):
    r"""A Gaussian bent along a parabola; its entropy is that of the Gaussian, exactly.

    .. math:: x_1 = 1.5 \, \varepsilon_1, \qquad x_2 = \tfrac12 x_1^2 - 1.5 + 0.5 \, \varepsilon_2,
        \qquad \varepsilon \sim \mathcal N(0, I), \qquad H = \ln(2 \pi e) + \ln(1.5 \cdot 0.5)

    The bend moves no volume: its Jacobian is triangular with ones on the diagonal.

    Example:
        >>> Banana().entropy()
        tensor(2.5502, dtype=torch.float64)
    """

    low, high = (-9.0, -5.0), (9.0, 40.0)

    def log_prob(self, value: Tensor) -> Tensor:
        check_vectors("Banana", value, 2)
        x1, x2 = value.unbind(-1)
        e1, e2 = x1 / 1.5, (x2 - x1**2 / 2 + 1.5) / 0.5
        return -(e1**2 + e2**2) / 2 - math.log(2 * math.pi * 1.5 * 0.5)

    def sample(self, sample_shape=()) -> Tensor:
        e1, e2 = torch.randn(*sample_shape, 2).unbind(-1)
        return torch.stack([1.5 * e1, (1.5 * e1) ** 2 / 2 - 1.5 + 0.5 * e2], -1)

    def entropy(self) -> Tensor:
        return torch.tensor(math.log(2 * math.pi * math.e * 1.5 * 0.5), dtype=torch.float64)


class Checkerboard(PlaneDensity):
    r"""Uniform on every other square of a 4 x 4 board over [-4, 4]²; its entropy is exact.

    .. math:: p(x) = \tfrac{1}{32} \text{ on the eight dark squares}, \qquad H = \ln 32

    ``log_prob`` is -inf elsewhere.

    Example:
        >>> Checkerboard().log_prob(torch.tensor([[1.0, 1.0], [1.0, 3.0]]))
        tensor([-3.4657,    -inf])
    """

    low, high = (-4.0, -4.0), (4.0, 4.0)

    def log_prob(self, value: Tensor) -> Tensor:
        check_vectors("Checkerboard", value, 2)
        square = torch.floor(value / 2)  # (*, 2), -2 to 1 on the board
        dark = (square.sum(-1) % 2 == 0) & (square >= -2).all(-1) & (square <= 1).all(-1)
        level = value.new_full(dark.shape, -math.log(32))
        level = torch.where(value.isnan().any(-1), math.nan, level)
        return torch.where(dark | level.isnan(), level, -math.inf)

    def sample(self, sample_shape=()) -> Tensor:
        column = torch.randint(-2, 2, sample_shape)
        row = 2 * torch.randint(-1, 1, sample_shape) + column % 2
        return 2 * (torch.stack([column, row], -1) + torch.rand(*sample_shape, 2))

    def entropy(self) -> Tensor:
        return torch.tensor(math.log(32), dtype=torch.float64)


class GaussianMixture(PlaneDensity):
    r"""Equal round Gaussians at given centres; its entropy is numerically exact.

    .. math:: p(x) = \frac1M \sum_{m=1}^M \mathcal N(x \mid c_m, \sigma^2 I)

    Args:
        centres: c_1 to c_M, shape (M, 2), floating point.
        width: σ.

    Raises:
        ValueError: centres of another shape or dtype, none, or not finite; a width that is not
            positive and finite.

    Example:
        >>> GaussianMixture(torch.zeros(1, 2), width=1.0).entropy()  # ln(2πe)
        tensor(2.8379, dtype=torch.float64)
    """

    def __init__(self, centres: Tensor, width: float):
        super().__init__()
        check_vectors("GaussianMixture", centres, 2)
        if centres.ndim != 2 or not len(centres):
            raise ValueError(
                f"GaussianMixture expected centres of shape (M, 2); got {tuple(centres.shape)}"
            )
        if not (may_hold(centres.isfinite()) and 0 < width < math.inf):
            raise ValueError(
                "GaussianMixture expected finite centres and a width above 0; "
                f"got width {width} and centres up to {centres.abs().max().item():g}"
            )
        self.centres, self.width = centres, width

    def log_prob(self, value: Tensor) -> Tensor:
        check_vectors(type(self).__name__, value, 2)
        offset = (value[..., None, :] - self.centres.to(value)) / self.width  # (*, M, 2)
        log_kernel = -offset.square().sum(-1) / 2 - math.log(2 * math.pi * self.width**2)
        return torch.logsumexp(log_kernel, -1) - math.log(len(self.centres))

    @torch.no_grad()
    def sample(self, sample_shape=()) -> Tensor:
        centre = self.centres[torch.randint(len(self.centres), sample_shape)]
        return centre + self.width * torch.randn_like(centre)


class EightGaussians(GaussianMixture):
    """Eight round Gaussians of width 0.3, evenly spaced on a circle of radius 3.

    Example:
        >>> EightGaussians().entropy()
        tensor(2.5090, dtype=torch.float64)
    """

    def __init__(self):
        angle = torch.arange(8) * (math.pi / 4)
        super().__init__(3 * torch.stack([angle.cos(), angle.sin()], -1), width=0.3)


class TwoMoons(GaussianMixture):
    """Two half-circles of radius 2 that reach into each other, blurred by Gaussians of width 0.2.

    The blurred arcs are a mixture of 2 x 32 Gaussians one width apart, level along
    the arcs to a millionth; the density is exact.  Entropy 2.3934 nats.

    Example:
        >>> TwoMoons().sample((5,)).shape
        torch.Size([5, 2])
    """

    def __init__(self):
        angle = (torch.arange(32) + 0.5) * (math.pi / 32)
        upper = 2 * torch.stack([angle.cos(), angle.sin()], -1)  # (32, 2)
        shift = torch.tensor([1.0, -0.5])
        super().__init__(torch.cat([upper - shift, shift - upper]), width=0.2)
