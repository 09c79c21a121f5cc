"""The four test potentials of the paper on planar flows, and their densities."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from flowlib.checks import total_mass
from flowlib.data.datasets import PlaneDensity
from flowlib.tensors import check_vectors

#: Low and high corner of the box that holds all that the potentials have where abs(z₁) <= 4.
BOX = ((-4.0, -6.0), (4.0, 6.0))


def U1(z: Tensor) -> Tensor:
    r"""Two arcs of a ring: the first test potential, shape (*, 2) -> (*).

    .. math:: \tfrac12 \left(\tfrac{\lVert z \rVert - 2}{0.4}\right)^2 - \ln\left(
        e^{-\frac12 \left[\frac{z_1 - 2}{0.6}\right]^2} + e^{-\frac12 \left[\frac{z_1 + 2}{0.6}\right]^2}\right)

    Like the other three it computes in the dtype and on the device of its input.

    Raises:
        ValueError: anything but a floating-point tensor of that shape.

    Source: Rezende and Mohamed 2015, `arXiv:1505.05770 <https://arxiv.org/abs/1505.05770>`_, table
        1, as are :func:`U2`, :func:`U3` and :func:`U4`.

    Example:
        >>> U1(torch.tensor([2.4, 0.0]))  # ½ (0.4/0.4)² + ½ (0.4/0.6)²
        tensor(0.7222)
    """
    check_vectors("U1", z, 2)
    radius = z.square().sum(-1).clamp(min=1e-12).sqrt()  # the clamp: no NaN gradient at z = 0
    ring = bowl(radius - 2, 0.4)
    return ring - torch.logaddexp(-bowl(z[..., 0] - 2, 0.6), -bowl(z[..., 0] + 2, 0.6))


def U2(z: Tensor) -> Tensor:
    r"""A sine wave, shape (*, 2) -> (*).

    .. math:: \tfrac12 \left(\tfrac{z_2 - w_1}{0.4}\right)^2, \qquad w_1 = \sin \tfrac{2 \pi z_1}{4}

    Example:
        >>> U2(torch.tensor([1.0, 1.8]))  # ½ (0.8/0.4)²
        tensor(2.0000)
    """
    check_vectors("U2", z, 2)
    return bowl(z[..., 1] - wave(z), 0.4)


def U3(z: Tensor) -> Tensor:
    r"""A sine wave that splits and joins again, shape (*, 2) -> (*).

    .. math:: -\ln\left(e^{-\frac12 \left[\frac{z_2 - w_1}{0.35}\right]^2}
        + e^{-\frac12 \left[\frac{z_2 - w_1 + w_2}{0.35}\right]^2}\right), \qquad
        w_2 = 3 e^{-\frac12 \left[\frac{z_1 - 1}{0.6}\right]^2}

    Example:
        >>> U3(torch.tensor([1.0, -1.3]))  # ½ (0.7/0.35)², from the lower branch
        tensor(2.0000)
    """
    check_vectors("U3", z, 2)
    height = z[..., 1] - wave(z)
    gap = 3 * torch.exp(-bowl(z[..., 0] - 1, 0.6))
    return -torch.logaddexp(-bowl(height, 0.35), -bowl(height + gap, 0.35))


def U4(z: Tensor) -> Tensor:
    r"""A sine wave that splits for good, shape (*, 2) -> (*).

    .. math:: -\ln\left(e^{-\frac12 \left[\frac{z_2 - w_1}{0.4}\right]^2}
        + e^{-\frac12 \left[\frac{z_2 - w_1 + w_3}{0.35}\right]^2}\right), \qquad
        w_3 = 3 \sigma\left(\tfrac{z_1 - 1}{0.3}\right)

    Example:
        >>> round(U4(torch.tensor([3.0, -0.2])).item(), 4)  # ½ (0.8/0.4)², from the upper branch
        2.0
    """
    check_vectors("U4", z, 2)
    height = z[..., 1] - wave(z)
    gap = 3 * torch.sigmoid((z[..., 0] - 1) / 0.3)
    return -torch.logaddexp(-bowl(height, 0.4), -bowl(height + gap, 0.35))


def wave(z: Tensor) -> Tensor:
    """w₁ = sin(2π z₁ / 4), shape (*, 2) -> (*).

    Example:
        >>> wave(torch.tensor([1.0, 0.0]))
        tensor(1.)
    """
    return torch.sin(math.pi / 2 * z[..., 0])


def bowl(distance: Tensor, width: float) -> Tensor:
    """½ (distance / width)².

    Example:
        >>> bowl(torch.tensor(0.8), width=0.4)
        tensor(2.)
    """
    return 0.5 * (distance / width) ** 2


#: The four by name.
POTENTIALS = {"U1": U1, "U2": U2, "U3": U3, "U4": U4}


class Boxed(PlaneDensity):
    r"""The density of a potential, kept in :data:`BOX` by a wall.

    .. math:: \log p(x) = -U(x) - \sum_i \tfrac12 \left(\tfrac{\max(0, \lvert x_i \rvert - c_i)}{0.2}\right)^2
        - \log Z_U, \qquad c = (4, 6)

    U2 to U4 are improper: their mass grows with the width of the box without end.  The wall makes
    them densities, and it has a gradient for samples that leave the box, which a hard edge has not.
    With the normaliser known, the mean of log q - log p over a flow's samples is its KL divergence.

    Args:
        potential: U, (*, 2) -> (*); any that is at least -ln 2, as U1 to U4 are.

    Attributes:
        log_normalizer: log Z_U in nats, a float, by the midpoint rule; right to 1e-6.

    Raises:
        ValueError: a potential that returns another shape, or whose mass is 0, infinite or NaN;
            ``sample``, of one that falls below -ln 2.

    Example:
        >>> target = Boxed(U1)
        >>> round(target.log_normalizer, 4)
        1.8775
        >>> round(total_mass(target.log_prob, (-6, -6), (6, 6)), 4)
        1.0
    """

    low, high = (-5.5, -7.5), (5.5, 7.5)  # the wall at its foot is 7.5 widths away

    def __init__(self, potential: Callable[[Tensor], Tensor]):
        super().__init__()
        self.potential = potential
        shape = tuple(potential(torch.zeros(3, 2, dtype=torch.float64)).shape)
        if shape != (3,):
            raise ValueError(f"Boxed expected a potential (3, 2) -> (3,); got {shape}")
        self.log_normalizer = 0.0
        mass = total_mass(self.log_prob, self.low, self.high, n=1000)
        if not 0 < mass < math.inf:
            raise ValueError(f"Boxed expected a potential of finite mass; got {mass}")
        self.log_normalizer = math.log(mass)

    def log_prob(self, value: Tensor) -> Tensor:
        check_vectors("Boxed", value, 2)
        outside = (value.abs() - value.new_tensor(BOX[1])).clamp(min=0)
        return -self.potential(value) - bowl(outside, 0.2).sum(-1) - self.log_normalizer

    @torch.no_grad()
    def sample(self, sample_shape=()) -> Tensor:
        """Exact samples by rejection from the uniform density."""
        samples = torch.empty(*sample_shape, 2)
        count, kept = samples.numel() // 2, [torch.empty(0, 2)]
        while sum(map(len, kept)) < count:
            low, high = torch.tensor(self.low), torch.tensor(self.high)
            x = low + (high - low) * torch.rand(64 * count, 2)
            height = torch.exp(self.log_prob(x) + self.log_normalizer)
            if (height > 2.001).any():  # 2, and rounding
                raise ValueError(
                    "Boxed samples from potentials of at least -ln 2; "
                    f"got one that falls to {-height.max().log():.3g}"
                )
            kept.append(x[2 * torch.rand(64 * count) < height])
        return torch.cat(kept)[:count].view_as(samples)
