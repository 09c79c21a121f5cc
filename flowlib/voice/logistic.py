"""The logistic distribution and mixtures of it: the densities that waveforms are scored by."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.utils import broadcast_all


class Logistic(Distribution):
    r"""The logistic distribution, a bell with tails that fall like ``exp(-|x| / s)``.

    .. math:: p(x) = \frac1s \, \sigma(u) \, \sigma(-u), \quad u = \frac{x - \mu}s, \qquad
        H = 2 + \ln s, \qquad x = \mu + s \ln \frac{q}{1 - q}, \; q \sim \mathcal U(0, 1)

    Args:
        loc: μ, the mean.
        scale: s > 0; the standard deviation is π s / √3.

    Shapes: loc and scale broadcast to the batch's shape.

    Example:
        >>> Logistic(0.0, torch.tensor([1.0, 2.0])).entropy()
        tensor([2.0000, 2.6931])
    """

    arg_constraints: ClassVar[dict] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        return logistic_log_prob(value, self.loc, self.scale.log())

    def rsample(self, sample_shape=()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        noise = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + self.scale * logit(noise)

    def entropy(self) -> Tensor:
        return 2 + self.scale.log()

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (math.pi * self.scale) ** 2 / 3


def logistic_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    r"""Log-density in nats of a logistic, without overflow however far out x lies.

    .. math:: \log p(x) = -|u| - 2 \ln(1 + e^{-|u|}) - \ln s, \qquad u = (x - \mu) / s

    Shapes: the three broadcast.

    Example:
        >>> logistic_log_prob(torch.tensor(1e4), torch.tensor(0.0), torch.tensor(0.0))
        tensor(-10000.)
    """
    u = ((x - mean) * torch.exp(-log_scale)).abs()
    return -u - 2 * torch.log1p(torch.exp(-u)) - log_scale


def mixture_log_prob(x: Tensor, logits: Tensor, means: Tensor, log_scales: Tensor) -> Tensor:
    r"""Log-density in nats of a mixture of K logistics at each sample.

    .. math:: \log p(x_t) = \log \sum_{k=1}^K \pi_{kt} \, \text{Logistic}(x_t; \mu_{kt}, s_{kt}),
        \qquad \pi_t = \text{softmax}(\text{logits}_t)

    It is the density of the continuous sample: no bins, so it can exceed 1.

    Args:
        x: shape (*, T).
        logits, means, log_scales: of the components, shapes (*, K, T).

    Shapes: leading dimensions broadcast: x may be (M, B, T) draws against (B, K, T).

    Source: Salimans et al. 2017, `arXiv:1701.05517 <https://arxiv.org/abs/1701.05517>`_, there for
        the bins of an image.

    Example:
        >>> zeros = torch.zeros(2, 1)
        >>> mixture_log_prob(torch.zeros(1), zeros, zeros, zeros).exp()  # two alike, each 1/4 at 0
        tensor([0.2500])
    """
    each = logistic_log_prob(x.unsqueeze(-2), means, log_scales)  # (*, K, T)
    return torch.logsumexp(each + torch.log_softmax(logits, -2), -2)


def mixture_sample(noise: Tensor, logits: Tensor, means: Tensor, log_scales: Tensor) -> Tensor:
    r"""A sample of each mixture of logistics, from two uniforms: which component, and where in it.

    Args:
        noise: uniforms in [0, 1), shape (*, 2, T): the first picks k, the second is q in
            x = μ_k + s_k ln(q / (1 - q)).
        logits, means, log_scales: of the components, shapes (*, K, T).

    Returns:
        x, shape (*, T).

    Example:
        >>> means = torch.tensor([[-1.0], [1.0]])  # two components, one sample
        >>> mixture_sample(torch.full((2, 1), 0.5), torch.zeros(2, 1), means, torch.zeros(2, 1))
        tensor([1.])
    """
    pick, where = noise.unsqueeze(-2).unbind(-3)  # each (*, 1, T)
    below = torch.softmax(logits, -2).cumsum(-2)[..., :-1, :]  # rounding cannot pick a component K
    component = (pick >= below).sum(-2, keepdim=True)  # (*, 1, T)
    mean, log_scale = (each.take_along_dim(component, -2) for each in (means, log_scales))
    return (mean + torch.exp(log_scale) * logit(where)).squeeze(-2)


def logit(q: Tensor) -> Tensor:
    """ln(q / (1 - q)) of uniforms in [0, 1]: 0 and 1 count as the nearest number within.

    Example:
        >>> logit(torch.tensor([0.5, 0.0])).isfinite()
        tensor([True, True])
    """
    eps = torch.finfo(q.dtype).eps
    q = q.clamp(eps, 1 - eps)
    return torch.log(q) - torch.log1p(-q)
