"""Planar flows: every point moves along one direction u, by an amount set by one plane w·z + b."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import softplus

from flowlib.base import Bijection
from flowlib.tensors import fix, hold, may_hold


class Planar(Bijection):
    r"""One planar layer with h = tanh.

    .. math:: x = z + \hat u \tanh(a), \quad a = w^\top z + b, \qquad
        \log\lvert\det J\rvert = \log\lvert 1 + w^\top \hat u \,(1 - \tanh^2 a)\rvert

    The layer is a diffeomorphism where w·û > -1, which the constraint ensures:

    .. math:: \hat u = u + \bigl(\rho(w^\top u) - w^\top u\bigr) \frac{w}{\lVert w \rVert^2},
        \qquad \rho(s) = -1 + \log(1 + e^s)

    The inverse has no closed form.  It is one scalar root, bracketed and halved (:func:`brackets`),
    in float64 whatever the dtype of ``x``, so that its result is the exact inverse to the rounding
    of ``x``: 1e-12 relative in float64, 1e-6 in float32.  Its derivatives are right to third order.

    Args:
        dim: the dimension D.
        constrain: replace u by û.  Without it the layer may fold, and ``inverse`` may refuse.
        u, w, b: tensors of shape (D,), (D,) and (), used as they are.  Those left out become
            parameters, started so that û = 0: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape; ``inverse`` where w·u < -1, for then several z have the same x.

    Source: Rezende and Mohamed 2015, `arXiv:1505.05770 <https://arxiv.org/abs/1505.05770>`_,
        equations 10 to 12; û from appendix A.1.

    Example:
        >>> layer = Planar(2, u=torch.tensor([2.0, 0.0]), w=torch.tensor([1.0, 0.0]), b=torch.zeros(()))
        >>> x, log_det = layer(torch.tensor([0.5, 1.0]))
        >>> z, _ = layer.inverse(x)
        >>> z
        tensor([0.5000, 1.0000])
    """

    u: Tensor
    w: Tensor
    b: Tensor

    def __init__(
        self,
        dim: int,
        constrain: bool = True,
        u: Tensor | None = None,
        w: Tensor | None = None,
        b: Tensor | None = None,
    ):
        super().__init__()
        self.dim, self.constrain = dim, constrain
        fix(self, "constrained", constrain)
        shapes = {"w": (dim,), "u": (dim,), "b": ()}
        starts = {"w": torch.randn, "u": self._u_at_rest, "b": torch.zeros}
        hold(self, shapes, starts, w=w, u=u, b=b)

    def _u_at_rest(self, shape: tuple[int, ...]) -> Tensor:
        """The u with û = 0, where w·û = w·u = 0 or, constrained, ρ(ln(e - 1)) = 0."""
        w = self.w.detach()
        wu = math.log(math.e - 1) if self.constrain else 0.0
        return wu * w / w.square().sum().clamp(min=1e-30)

    def u_hat(self) -> Tensor:
        """The vector û along which the layer moves points, shape (D,); u itself if unconstrained.

        Example:
            >>> layer = Planar(2, u=torch.zeros(2), w=torch.tensor([1.0, 0.0]))
            >>> layer.u_hat()  # not zero: w·û = ln 2 - 1
            tensor([-0.3069,  0.0000])
        """
        return self._terms(self.u.dtype)[0]

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        u_hat, w, b, det_at_plane = self._terms(self.u.dtype)
        a = (z * w).sum(-1) + b  # (*)
        return z + u_hat * torch.tanh(a)[..., None], log_abs_det(a, det_at_plane)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        u_hat, w, b, det_at_plane = self._terms(torch.float64)
        if not self.constrain and not may_hold(~(det_at_plane < 0)):
            raise ValueError(
                f"Planar.inverse expected w·u >= -1; got {det_at_plane.item() - 1:.6g}, where the "
                "layer folds and several z have the same x: use constrain=True"
            )
        y = (x * w).sum(-1) + b  # (*), float64
        wu = det_at_plane - 1
        *_, (low, high) = brackets(y.detach(), wu.detach(), steps=torch.finfo(x.dtype).bits)
        a = (low + high) / 2
        # The root is now a constant.  A Newton step from it brings the first derivatives (the
        # implicit function theorem), a second one the second and third.
        for _ in range(2):
            a = a - (a + wu * torch.tanh(a) - y) / det(a, det_at_plane)
        z = x - u_hat * torch.tanh(a)[..., None]
        return z.to(x.dtype), -log_abs_det(a, det_at_plane).to(x.dtype)

    def _terms(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """û, w, b and det J on the plane a = 0, which is 1 + w·û without its cancellation."""
        u, w, b = self.u.to(dtype), self.w.to(dtype), self.b.to(dtype)
        products = w * u
        wu, ww = products.sum(), (w * w).sum()
        if not self.constrain:
            return u, w, b, 1 + wu
        eps, tiny = torch.finfo(self.u.dtype).eps, torch.finfo(self.u.dtype).tiny
        # û is rounded, and softplus underflows: this least value keeps the rounded w·û above -1.
        least = 4 * eps * (1 + products.detach().abs().sum())
        det_at_plane = torch.maximum(softplus(wu), least)
        det_at_plane = torch.where(ww > tiny, det_at_plane, 1 + wu)  # w = 0: û = u
        u_hat = u + (det_at_plane - 1 - wu) * w / ww.clamp(min=tiny)
        return u_hat, w, b, det_at_plane


def brackets(y: Tensor, wu: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    r"""The brackets (low, high) that close in on the root a of the planar layer's scalar equation.

    .. math:: a + w^\top \hat u \tanh(a) = y, \qquad y = w^\top x + b

    The left side grows with a where w·û >= -1, and tanh is within ±1, so the root is within
    y ± abs(w·û).  Each step halves that: one bit of the root a step.

    Args:
        y: right-hand sides, shape (*).
        wu: w·û, shape () or (*).
        steps: how many halvings; ``steps + 1`` brackets come out, each a pair of shape (*).

    Example:
        >>> for low, high in brackets(torch.tensor(1.0), torch.tensor(2.0), steps=3):
        ...     print(low.item(), high.item())
        -1.0 3.0
        -1.0 1.0
        0.0 1.0
        0.0 0.5
    """
    low, high = y - wu.abs(), y + wu.abs()
    yield low, high
    for _ in range(steps):
        middle = (low + high) / 2
        above = middle + wu * torch.tanh(middle) > y
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        yield low, high


def det(a: Tensor, det_at_plane: Tensor) -> Tensor:
    """1 + w·û (1 - tanh² a), as tanh² a + (1 + w·û) sech² a: no cancellation close to a fold.

    Example:
        >>> det(torch.tensor([0.0, 50.0]), torch.tensor(0.25))
        tensor([0.2500, 1.0000])
    """
    sech2 = 4 * torch.sigmoid(2 * a) * torch.sigmoid(-2 * a)  # 1 - tanh² has no digits at large a
    return torch.tanh(a) ** 2 + det_at_plane * sech2


def log_abs_det(a: Tensor, det_at_plane: Tensor) -> Tensor:
    """The layer's log-determinant in nats, shape (*); abs matters only where it folds.

    Example:
        >>> log_abs_det(torch.tensor(0.0), torch.tensor(-2.0))  # w·u = -3, unconstrained
        tensor(0.6931)
    """
    return det(a, det_at_plane).abs().log()
