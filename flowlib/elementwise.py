"""The maps of the first chapter: each coordinate on its own, and one matrix for all of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from flowlib.base import Bijection
from flowlib.tensors import hold, kind_of, may_hold


class Affine(Bijection):
    r"""Scale and shift each coordinate.

    .. math:: x = e^s z + t, \qquad \log\lvert\det J\rvert = \sum_i s_i

    Args:
        dim: the dimension D.
        log_scale, shift: s and t, tensors of shape (D,), used as they are.  Those left out become
            parameters that start at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape.

    Source: Dinh et al. 2014, `arXiv:1410.8516 <https://arxiv.org/abs/1410.8516>`_, section 3.3,
        where it is the layer that rescales.

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
        both = ("log_scale", "shift")
        shapes, starts = dict.fromkeys(both, (dim,)), dict.fromkeys(both, torch.zeros)
        hold(self, shapes, starts, log_scale=log_scale, shift=shift)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        x = torch.exp(self.log_scale) * z + self.shift
        return x, self.log_scale.sum().expand(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        z = (x - self.shift) * torch.exp(-self.log_scale)
        return z, -self.log_scale.sum().expand(x.shape[:-1])


class Linear(Bijection):
    r"""Multiply by a matrix.

    .. math:: x = A z, \qquad \log\lvert\det J\rvert = \log\lvert\det A\rvert

    Both directions cost O(D^3), for the determinant and, in ``inverse``, for the inverse matrix.

    Args:
        matrix: A, shape (D, D), used as it is.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a matrix that is not square, or that is singular to the precision of its dtype;
            a wrong shape.

    Source: Papamakarios et al. 2021, `arXiv:1912.02762 <https://arxiv.org/abs/1912.02762>`_,
        section 3.2.

    Example:
        >>> z, log_det = Linear(torch.tensor([[2.0, 1.0], [0.0, 1.0]])).inverse(torch.ones(2))
        >>> z, log_det
        (tensor([0., 1.]), tensor(-0.6931))
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor):
        super().__init__()
        if not isinstance(matrix, Tensor) or matrix.ndim != 2 or len(set(matrix.shape)) != 1:
            got = tuple(matrix.shape) if isinstance(matrix, Tensor) else kind_of(matrix)
            raise ValueError(f"Linear expected a matrix (D, D); got {got}")
        self.dim = matrix.shape[0]
        hold(self, {"matrix": (self.dim, self.dim)}, {}, matrix=matrix)
        condition = torch.linalg.cond(matrix.detach())
        if not may_hold(condition * torch.finfo(matrix.dtype).eps < 1):
            raise ValueError(
                f"Linear expected an invertible matrix; got one of shape {tuple(matrix.shape)} and "
                f"condition number {condition.item():.3g}"
            )

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        x = (z @ self.matrix.mT).to(z.dtype)  # autocast's product may be narrower
        return x, self._log_det().expand(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        # Not linalg.solve: under vmap(jacfwd) torch 2.13 gets it wrong with an unbatched matrix.
        z = (x @ torch.linalg.inv(self.matrix).mT).to(x.dtype)
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
        dim: the dimension D.
        skew: ε, shape (D,), used as it is.
        log_tail: log δ, shape (D,), used as it is.  Left out, the two become parameters that start
            at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape.

    Source: Jones and Pewsey 2009,
        `doi:10.1093/biomet/asp053 <https://doi.org/10.1093/biomet/asp053>`_, solved for x.

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
        both = ("skew", "log_tail")
        shapes, starts = dict.fromkeys(both, (dim,)), dict.fromkeys(both, torch.zeros)
        hold(self, shapes, starts, skew=skew, log_tail=log_tail)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        s = torch.asinh(z)
        t = (s + self.skew) * torch.exp(-self.log_tail)
        return torch.sinh(t), (log_cosh(t) - log_cosh(s) - self.log_tail).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        t = torch.asinh(x)
        s = t * torch.exp(self.log_tail) - self.skew
        return torch.sinh(s), (log_cosh(s) - log_cosh(t) + self.log_tail).sum(-1)


def log_cosh(t: Tensor) -> Tensor:
    """log cosh(t), with no overflow.

    Example:
        >>> log_cosh(torch.tensor([0.0, 100.0]))
        tensor([ 0.0000, 99.3069])
    """
    return t.abs() + softplus(-2 * t.abs()) - math.log(2)
