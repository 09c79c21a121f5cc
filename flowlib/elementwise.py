"""The maps of the first chapter: each coordinate on its own, and one matrix for all of them."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn.functional import softplus

from flowlib.base import Bijection
from flowlib.tensors import hold, map_tensors, may_hold


class Affine(Bijection):
    r"""Scale and shift each coordinate.

    .. math:: x = e^s z + t, \qquad \log\lvert\det J\rvert = \sum_i s_i

    Args:
        dim: D.
        log_scale, shift: s and t, tensors of shape (D,), used as they are.  Those left out become
            parameters that start at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape.

    Source: Dinh et al. 2014, section 3.3, where it is the layer that rescales.

    Example:
        >>> layer = Affine(2, log_scale=torch.tensor([0.0, 1.0]), shift=torch.tensor([1.0, 0.0]))
        >>> layer(torch.ones(2))
        (tensor([2.0000, 2.7183]), tensor(1.))
    """

    log_scale: Tensor
    shift: Tensor

    def __init__(self, dim: int, log_scale: Tensor | None = None, shift: Tensor | None = None):
        super().__init__()
        self.dim = dim
        hold(self, "log_scale", log_scale, (dim,), torch.zeros)
        hold(self, "shift", shift, (dim,), torch.zeros)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(z)
        x = torch.exp(self.log_scale) * z + self.shift
        return x, self.log_scale.sum().expand(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(x)
        z = (x - self.shift) * torch.exp(-self.log_scale)
        return z, -self.log_scale.sum().expand(x.shape[:-1])


class Linear(Bijection):
    r"""Multiply by a matrix.

    .. math:: x = A z, \qquad \log\lvert\det J\rvert = \log\lvert\det A\rvert

    Both directions cost O(D^3), for the determinant and, in ``inverse``, for solving A z = x.

    Args:
        matrix: A, shape (D, D), used as it is.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a matrix that is not square, or that is singular to the precision of its dtype;
            a wrong shape.

    Source: Papamakarios et al. 2021, section 3.2.

    Example:
        >>> z, log_det = Linear(torch.tensor([[2.0, 1.0], [0.0, 1.0]])).inverse(torch.ones(2))
        >>> z, log_det
        (tensor([0., 1.]), tensor(-0.6931))
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor):
        super().__init__()
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"Linear expected a matrix (D, D); got {tuple(matrix.shape)}")
        self.dim = matrix.shape[0]
        hold(self, "matrix", matrix, (self.dim, self.dim), torch.zeros)
        condition = torch.linalg.cond(matrix.detach())
        if not may_hold(condition * torch.finfo(matrix.dtype).eps < 1):
            raise ValueError(f"Linear expected an invertible matrix; got {matrix.tolist()}")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(z)
        return z @ self.matrix.mT, self._log_det().expand(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(x)
        z = torch.linalg.solve(self.matrix, x[..., None])[..., 0]
        return z, -self._log_det().expand(x.shape[:-1])

    def _log_det(self) -> Tensor:
        return torch.linalg.slogdet(self.matrix).logabsdet


class SinhArcsinh(Bijection):
    r"""Skew each coordinate and change the weight of its tails.

    .. math:: x = \sinh\frac{\sinh^{-1}(z) + \epsilon}{\delta}, \qquad
        \frac{dx}{dz} = \frac{\cosh\bigl((\sinh^{-1}(z) + \epsilon) / \delta\bigr)}
                             {\delta \cosh\bigl(\sinh^{-1}(z)\bigr)}

    ε > 0 skews to the right; δ < 1 makes the tails heavier, δ > 1 lighter.

    Args:
        dim: D.
        skew: ε, shape (D,), used as it is.
        log_tail: log δ, shape (D,), used as it is.  Left out, the two become parameters that start
            at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape.

    Source: Jones and Pewsey 2009, solved for x.

    Example:
        >>> layer = SinhArcsinh(1, skew=torch.tensor([0.5]), log_tail=torch.zeros(1))
        >>> layer(torch.zeros(1))
        (tensor([0.5211]), tensor(0.1201))
    """

    skew: Tensor
    log_tail: Tensor

    def __init__(self, dim: int, skew: Tensor | None = None, log_tail: Tensor | None = None):
        super().__init__()
        self.dim = dim
        hold(self, "skew", skew, (dim,), torch.zeros)
        hold(self, "log_tail", log_tail, (dim,), torch.zeros)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(z)
        s = torch.asinh(z)
        t = (s + self.skew) * torch.exp(-self.log_tail)
        return torch.sinh(t), (log_cosh(t) - log_cosh(s) - self.log_tail).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(x)
        t = torch.asinh(x)
        s = t * torch.exp(self.log_tail) - self.skew
        return torch.sinh(s), (log_cosh(s) - log_cosh(t) + self.log_tail).sum(-1)


class Sigmoid(Bijection):
    r"""Squeeze each coordinate of the real line into (0, 1).

    .. math:: x = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad
        \log\lvert\det J\rvert = \sum_i \log \sigma(z_i) + \log \sigma(-z_i)

    Shapes: (*, D) -> (*, D) and (*), for any D.

    Raises:
        ValueError: ``inverse`` of an x outside (0, 1).

    Example:
        >>> Sigmoid()(torch.zeros(1))
        (tensor([0.5000]), tensor(-1.3863))
    """

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(z)
        return torch.sigmoid(z), -(softplus(z) + softplus(-z)).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(x)
        check_unit_interval(self, x)
        z = torch.log(x) - torch.log1p(-x)
        return z, -(torch.log(x) + torch.log1p(-x)).sum(-1)


class InverseCDF(Bijection):
    r"""Turn uniform noise into a one-dimensional distribution, coordinate by coordinate.

    .. math:: x = F^{-1}(u), \qquad \log\lvert\det J\rvert = -\sum_i \log p(x_i), \quad p = F'

    Args:
        distribution: a univariate ``torch.distributions.Distribution`` that has ``icdf`` and
            ``cdf``, of batch shape () for any D, or (D,).

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a distribution that is not univariate; ``forward`` of a u outside (0, 1);
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
        self.distribution = copy.copy(distribution)
        self.distribution._validate_args = False

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(z)
        check_unit_interval(self, z)
        x = self.distribution.icdf(z)
        return x, -self.distribution.log_prob(x).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check_shape(x)
        support = self.distribution.support
        if support is not None and not may_hold(support.check(x) | x.isnan()):
            raise ValueError(
                f"InverseCDF expected values that {type(self.distribution).__name__} can take; "
                f"got {x.min().item():.6g} to {x.max().item():.6g}"
            )
        return self.distribution.cdf(x), self.distribution.log_prob(x).sum(-1)

    def _apply(self, fn, recurse=True):
        self.distribution = map_tensors(self.distribution, fn)
        return super()._apply(fn, recurse)


def log_cosh(t: Tensor) -> Tensor:
    """log cosh(t), with no overflow.

    Example:
        >>> log_cosh(torch.tensor([0.0, 100.0]))
        tensor([ 0.0000, 99.3069])
    """
    return t.abs() + softplus(-2 * t.abs()) - math.log(2)


def check_unit_interval(bijection: Bijection, value: Tensor) -> None:
    """Raise ValueError where ``value`` is known to leave (0, 1); NaN passes.

    Example:
        >>> check_unit_interval(Sigmoid(), torch.tensor([0.5, 2.0]))
        Traceback (most recent call last):
        ValueError: Sigmoid expected values in (0, 1); got 0.5 to 2
    """
    if not may_hold((value > 0) & (value < 1) | value.isnan()):
        low, high = value.min().item(), value.max().item()
        raise ValueError(
            f"{type(bijection).__name__} expected values in (0, 1); got {low:.6g} to {high:.6g}"
        )
