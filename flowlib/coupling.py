"""Coupling flows: one half passes unchanged and sets how the other half moves."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from flowlib.base import Bijection
from flowlib.context import broadcast_rows
from flowlib.network import bounded, mlp
from flowlib.tensors import fix, kind_of
from flowlib.transformers import AdditiveTransformer, AffineTransformer, Transformer


class Coupling(Bijection):
    r"""Move one half by a transformer g, whose parameters are any function of the other half.

    .. math:: x_1 = z_1, \qquad x_2 = g\bigl(z_2;\, m(z_1)\bigr), \qquad
        \log\lvert\det J\rvert = \sum_i \log g'_i

    The Jacobian is block triangular, and only ∂x₂/∂z₂ counts for its determinant.  The network m
    needs no inverse: in both directions its input is the half that did not change.

    Args:
        dim: the dimension D.
        transformer: g, such as a :class:`~flowlib.splines.SplineTransformer`.
        keep: bool mask of shape (D,), True where z passes unchanged.  None: the first half,
            ``alternate(dim, 0)``.
        hidden: widths of the hidden layers of the network.
        network: the map m from z₁, shape (*, d₁), to shape (*, numbers · d₂), used as it is; any
            callable.  Of each of g's numbers, the d₂ coordinates are neighbours.  None: ReLU layers
            of the widths ``hidden``, the last layer starting at zero.
        context: the width C of the vector c that m also depends on, after z₁: (*, d₁ + C).

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim below 2; a mask of another shape or dtype, or that keeps none or all;
            a network whose output has another shape; a wrong shape.

    Source: Dinh et al. 2014, `arXiv:1410.8516 <https://arxiv.org/abs/1410.8516>`_, section 3.2.

    Example:
        >>> from flowlib import SplineTransformer
        >>> layer = Coupling(3, SplineTransformer(bins=4, box=3.0), context=2)
        >>> x, log_det = layer(torch.ones(5, 3), torch.ones(2))
        >>> x.shape, log_det.shape
        (torch.Size([5, 3]), torch.Size([5]))
    """

    order: Tensor
    back: Tensor

    def __init__(
        self,
        dim: int,
        transformer: Transformer,
        keep: Tensor | None = None,
        hidden: tuple[int, ...] = (64, 64),
        network: Callable[[Tensor], Tensor] | None = None,
        context: int = 0,
    ):
        super().__init__()
        keep = alternate(dim, 0) if keep is None else keep
        if not isinstance(keep, Tensor) or keep.dtype != torch.bool or keep.shape != (dim,):
            shape = f" and {tuple(keep.shape)}" if isinstance(keep, Tensor) else ""
            raise ValueError(
                f"{type(self).__name__} expected keep of dtype torch.bool and shape ({dim},); "
                f"got {kind_of(keep)}{shape}"
            )
        if keep.is_meta:
            raise ValueError(f"{type(self).__name__} expected keep with values; got one on meta")
        mask = keep.tolist()  # a list, whose values are known inside a trace too
        kept = sum(mask)
        if kept in (0, dim):
            raise ValueError(
                f"{type(self).__name__} expected a coordinate to keep and one to change; "
                f"got keep={mask}"
            )
        fix(self, "keep", mask)
        for name, value in transformer.constants.items():
            fix(self, name, value)
        self.dim, self.context, self.sizes = dim, context, (kept, dim - kept)
        self.transformer, self.outputs = transformer, transformer.numbers * (dim - kept)
        if network is None:
            network = mlp(kept + context, hidden, self.outputs)
        self.network = network

        # Adjacent halves are slices; any other mask is sorted into halves and back.
        self.kept_first = mask[0]
        self.in_halves = mask in (sorted(mask), sorted(mask, reverse=True))
        if not self.in_halves:
            order = sorted(range(dim), key=lambda i: not mask[i])  # the kept ones first
            fix(self, "order", order, persistent=False)
            fix(self, "back", sorted(range(dim), key=order.__getitem__), persistent=False)

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(z, c)
        z1, z2 = self.split(z)
        x2, logs = self.transformer.forward(z2, self.parameters_for(z1, c))
        return self.join(z1, x2), logs.sum(-1)

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(x, c)
        x1, x2 = self.split(x)
        z2, logs = self.transformer.inverse(x2, self.parameters_for(x1, c))
        return self.join(x1, z2), logs.sum(-1)

    def split(self, value: Tensor) -> tuple[Tensor, Tensor]:
        """The half that is kept (*, d₁) and the half that changes (*, d₂), of a value (*, D)."""
        if not self.in_halves:
            value = value.index_select(-1, self.order)
        if self.kept_first or not self.in_halves:
            kept, changed = value.split_with_sizes(self.sizes, -1)  # half the time of ``split``
        else:
            changed, kept = value.split_with_sizes(self.sizes[::-1], -1)
        return kept, changed

    def join(self, kept: Tensor, changed: Tensor) -> Tensor:
        """The value (*, D) whose halves these are."""
        if kept.shape[:-1] != changed.shape[:-1]:  # there is a row for each of several contexts
            kept = kept.expand(*changed.shape[:-1], -1)
        if not self.in_halves:
            return torch.cat([kept, changed], -1).index_select(-1, self.back)
        return torch.cat([kept, changed] if self.kept_first else [changed, kept], -1)

    def parameters_for(self, kept: Tensor, c: Tensor | None = None) -> Tensor:
        """The transformer's parameters, (*, numbers, d₂), for the half that is kept."""
        return self.condition(kept, c).unflatten(-1, (self.transformer.numbers, self.sizes[1]))

    def condition(self, kept: Tensor, c: Tensor | None = None) -> Tensor:
        """The network's outputs, (*, numbers · d₂); ValueError if their shape is another."""
        if c is not None:
            kept = torch.cat(broadcast_rows(kept, c), -1)
        outputs = self.network(kept)
        if outputs.shape != (*kept.shape[:-1], self.outputs):
            raise ValueError(
                f"{type(self).__name__} expected a network that takes {tuple(kept.shape)} to "
                f"{(*kept.shape[:-1], self.outputs)}; got {tuple(outputs.shape)}"
            )
        return outputs


class AdditiveCoupling(Coupling):
    r"""NICE's layer: shift one half by any function of the other.

    .. math:: x_1 = z_1, \qquad x_2 = z_2 + m(z_1), \qquad \log\lvert\det J\rvert = 0

    It preserves volume.  NICE is a stack of these, the halves alternating (:func:`alternate`; at
    least three, for every output to depend on every input), and one layer that rescales:
    ``Affine(dim, shift=torch.zeros(dim))``.

    Args:
        dim: D, at least 2.
        keep: bool mask of shape (D,), True where z passes unchanged (z₁).  None: the first half.
        hidden: widths of the hidden layers of the network.
        network: m, any callable from (*, d₁) to (*, d₂), used as it is.  None: ReLU layers of the
            widths ``hidden``, the last starting at zero: a new layer is the identity.
        context: as in :class:`Coupling`, of which this is the one with an
            :class:`~flowlib.transformers.AdditiveTransformer`.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim below 2; a mask of another shape or dtype, or that keeps none or all;
            a network whose output has another shape; a wrong shape.

    Source: Dinh et al. 2014, `arXiv:1410.8516 <https://arxiv.org/abs/1410.8516>`_, section 3.2.

    Example:
        >>> layer = AdditiveCoupling(2, network=torch.square)
        >>> layer(torch.tensor([3.0, 1.0]))
        (tensor([ 3., 10.]), tensor(0.))
    """

    def __init__(
        self,
        dim: int,
        keep: Tensor | None = None,
        hidden: tuple[int, ...] = (64, 64),
        network: Callable[[Tensor], Tensor] | None = None,
        context: int = 0,
    ):
        super().__init__(dim, AdditiveTransformer(), keep, hidden, network, context)

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(z, c)
        z1, z2 = self.split(z)
        x = self.join(z1, z2 + self.condition(z1, c))
        return x, z.new_zeros(x.shape[:-1])

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(x, c)
        x1, x2 = self.split(x)
        z = self.join(x1, x2 - self.condition(x1, c))
        return z, x.new_zeros(z.shape[:-1])


class AffineCoupling(Coupling):
    r"""RealNVP's layer: scale and shift one half by any two functions of the other.

    .. math:: x_1 = z_1, \qquad x_2 = e^{s(z_1)} \odot z_2 + t(z_1), \qquad
        \log\lvert\det J\rvert = \sum_i s_i(z_1)

    The log-scale is bounded smoothly, so that a stack of layers keeps its digits:

    .. math:: s = c \tanh(\tilde s / c), \qquad (\tilde s, t) = \text{network}(z_1)

    Args:
        dim: D, at least 2.
        keep: bool mask of shape (D,), True where z passes unchanged (z₁).  None: the first half.
        hidden: widths of the hidden layers of the network.
        network: any callable from (*, d₁) to (*, 2 d₂), the log-scale first, then the shift, used
            as it is.  None: ReLU layers of the widths ``hidden``, the last starting at zero: a new
            layer is the identity.
        bound: c > 0, in nats; ``math.inf`` leaves the network's log-scale as it is.
        context: as in :class:`Coupling`, of which this is the one with an
            :class:`~flowlib.transformers.AffineTransformer`.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim below 2; a mask of another shape or dtype, or that keeps none or all;
            a bound that is not positive; a network whose output has another shape; a wrong shape.

    Source: Dinh et al. 2017, `arXiv:1605.08803 <https://arxiv.org/abs/1605.08803>`_, sections 3.2
        and 3.3.

    Example:
        >>> layer = AffineCoupling(2, network=lambda z1: torch.cat([z1, 5 * z1], -1), bound=torch.inf)
        >>> layer(torch.tensor([1.0, 2.0]))
        (tensor([ 1.0000, 10.4366]), tensor(1.))
    """

    def __init__(
        self,
        dim: int,
        keep: Tensor | None = None,
        hidden: tuple[int, ...] = (64, 64),
        network: Callable[[Tensor], Tensor] | None = None,
        bound: float = 2.0,
        context: int = 0,
    ):
        super().__init__(dim, AffineTransformer(bound), keep, hidden, network, context)
        self.bound = bound

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(z, c)
        z1, z2 = self.split(z)
        log_scale, shift = self.log_scale_and_shift(z1, c)
        return self.join(z1, z2 * torch.exp(log_scale) + shift), log_scale.sum(-1)

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(x, c)
        x1, x2 = self.split(x)
        log_scale, shift = self.log_scale_and_shift(x1, c)
        log_scale = -log_scale  # of the inverse
        return self.join(x1, (x2 - shift) * torch.exp(log_scale)), log_scale.sum(-1)

    def log_scale_and_shift(self, kept: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """s and t, each (*, d₂), for the half that is kept and a context."""
        log_scale, shift = self.condition(kept, c).chunk(2, -1)
        log_scale = bounded(log_scale, self.bound)
        if log_scale.dtype != kept.dtype:  # autocast's are narrower
            log_scale = log_scale.to(kept.dtype)
        return log_scale, shift


def alternate(dim: int, k: int) -> Tensor:
    """The mask of layer k of a stack: keep the first half for even k, the second half for odd k.

    Two neighbours change every coordinate.  An odd ``dim`` has the longer half second.

    Raises:
        ValueError: a dim below 2.

    Source: Dinh et al. 2014, `arXiv:1410.8516 <https://arxiv.org/abs/1410.8516>`_, section 3.2.

    Example:
        >>> alternate(5, 0), alternate(5, 1)
        (tensor([ True,  True, False, False, False]), tensor([False, False,  True,  True,  True]))
    """
    if dim < 2:
        raise ValueError(f"a coupling expected a dim of 2 or more, one half for each; got {dim}")
    return (torch.arange(dim, device="cpu") < dim // 2) ^ bool(k % 2)
