"""Splines: a monotone curve of K bins, as a transformer of couplings and masked layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad, softplus

from flowlib.transformers import Transformer

# The least width and height of a bin, as a share of all bins, and the least slope at a knot.
LEAST = 1e-3


class SplineTransformer(Transformer):
    r"""A rational-quadratic spline of K bins on [-B, B]; outside it is the identity.

    With ξ = (z - z_k) / w the place inside the bin, w and h its width and height, s = h / w, and
    δ₀ and δ₁ the slopes at its two knots:

    .. math:: x = x_k + h\,\frac{s\xi^2 + \delta_0\,\xi(1-\xi)}{q}, \qquad
        \frac{dx}{dz} = s^2\,\frac{\delta_1\xi^2 + 2s\,\xi(1-\xi) + \delta_0(1-\xi)^2}{q^2}, \qquad
        q = s + (\delta_0 + \delta_1 - 2s)\,\xi(1-\xi)

    The inverse is the root of a quadratic, in the form that subtracts no nearly equal numbers.  The
    slopes at ±B are 1, as outside.  Parameters that are zero give the identity.

    Args:
        bins: how many, K.  One bin is the identity.
        box: B > 0.

    Shapes: values (*, D) and parameters (*, 3 K - 1, D): K for the widths, K for the heights, K - 1
        for the slopes inside.  Both directions return the value and the logarithm of its derivative,
        each (*, D).

    Raises:
        ValueError: fewer bins than 1, or more than fit with their least width; a box that is not
            positive or not finite.

    Source: Durkan et al. 2019, `arXiv:1906.04032 <https://arxiv.org/abs/1906.04032>`_, section 3.1.

    Example:
        >>> spline = SplineTransformer(bins=4, box=3.0)
        >>> x, log_slope = spline.forward(torch.tensor([0.5, 7.0]), torch.zeros(11, 2))
        >>> torch.allclose(x, torch.tensor([0.5, 7.0])), log_slope.abs().max().item() < 1e-6
        (True, True)
    """

    def __init__(self, bins: int, box: float):
        if not 1 <= bins < 1 / LEAST:
            raise ValueError(f"a spline expected from 1 to {round(1 / LEAST) - 1} bins; got {bins}")
        if not 0 < box < math.inf:
            raise ValueError(f"a spline expected a finite box > 0; got {box}")
        super().__init__(spline_bins=bins, spline_box=float(box))
        self.bins, self.box, self.numbers = bins, box, 3 * bins - 1

    def forward(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        inside, (z_k, w), (x_k, h), (left, right) = self._bin(z, parameters, side=0)
        xi = (inside - z_k) / w
        s, both = h / w, xi * (1 - xi)
        q = s + (left + right - 2 * s) * both
        x = x_k + h * (s * xi * xi + left * both) / q
        return self._with_tails(z, x, self._log_slope(xi, both, s, q, left, right))

    def inverse(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        inside, (z_k, w), (x_k, h), (left, right) = self._bin(x, parameters, side=1)
        up, s = inside - x_k, h / w
        bend = left + right - 2 * s
        a, b, c = h * (s - left) + up * bend, h * left - up * bend, -s * up
        # Rounding can take the discriminant below zero; its root has no derivative there.
        root = (b * b - 4 * a * c).clamp(min=torch.finfo(x.dtype).tiny).sqrt()
        # Of the two forms of the root, the one that adds numbers of one sign; where b < 0, a > 0.
        plus = b >= 0
        xi = torch.where(plus, -2 * c, root - b) / torch.where(plus, b + root, 2 * a)
        xi = xi.clamp(0, 1)  # rounding can take it past a knot, where q may be negative
        both = xi * (1 - xi)
        log_slope = self._log_slope(xi, both, s, s + bend * both, left, right)
        return self._with_tails(x, z_k + w * xi, -log_slope)

    def _bin(self, value: Tensor, parameters: Tensor, side: int):
        """The value, clamped to the box, and of its bin: start and size in z and in x; two slopes."""
        parameters = parameters.to(value.dtype)  # autocast's are narrower
        sizes, slopes = parameters.split_with_sizes([2 * self.bins, self.bins - 1], -2)
        shares = sizes.unflatten(-2, (2, self.bins)).softmax(-2)
        shares = LEAST + (1 - LEAST * self.bins) * shares
        # The ends are exact, so that no value of the box lies outside all bins.
        knots = shares[..., :-1, :].cumsum(-2) * (2 * self.box) - self.box
        knots = pad(pad(knots, (0, 0, 1, 0), value=-self.box), (0, 0, 0, 1), value=self.box)
        start = math.log(math.expm1(1 - LEAST))  # softplus of it is a slope of 1
        slopes = pad(LEAST + softplus(slopes + start), (0, 0, 1, 1), value=1.0)
        table = torch.cat([knots, slopes.unsqueeze(-3)], -3)  # (*, 3, K + 1, D)

        inside = value.clamp(-self.box, self.box)
        k = (inside.unsqueeze(-2) >= knots[..., side, 1:-1, :]).sum(-2, keepdim=True)
        ends = torch.cat([k, k + 1], -2).unsqueeze(-3)
        low, high = table.gather(-2, ends.expand(*table.shape[:-2], 2, -1)).unbind(-2)
        (z_k, x_k, left), (z_end, x_end, right) = low.unbind(-2), high.unbind(-2)
        return inside, (z_k, z_end - z_k), (x_k, x_end - x_k), (left, right)

    @staticmethod
    def _log_slope(xi, both, s, q, left, right) -> Tensor:
        over = right * xi * xi + 2 * s * both + left * (1 - xi) * (1 - xi)
        return torch.log(over * (s / q) * (s / q))

    def _with_tails(self, value: Tensor, moved: Tensor, log: Tensor) -> tuple[Tensor, Tensor]:
        inside = value.abs() < self.box
        return torch.where(inside, moved, value), torch.where(inside, log, 0.0)
