"""Autoregressive flows: the variables before each one set its scale and its shift."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.forward_ad import unpack_dual

from flowlib.base import Bijection
from flowlib.made import MADE, under_torch_func
from flowlib.network import bounded
from flowlib.tensors import fix, may_hold


class MaskedAutoregressive(Bijection):
    r"""MAF's layer: scale and shift each variable by any two functions of the variables before it.

    .. math:: x_i = e^{s_i} z_i + t_i, \qquad z_i = (x_i - t_i)\, e^{-s_i}, \qquad
        \log\lvert\det J\rvert = \sum_i s_i, \qquad
        s_i, t_i = \text{functions of } x_1, \dots, x_{i-1}

    ``inverse``, the direction that scores, is one pass of a network: all of x is known.  ``forward``
    is sequential, because s_i and t_i need x_1 to x_{i-1} first.  Its D steps together take the
    arithmetic of one pass, because each hidden unit is computed once, as soon as its inputs are
    known (:meth:`MADE.generate`).  Without gradients it solves for blocks of variables, by passes
    that end when nothing changes (:mod:`flowlib.blocks`), and in steps where that would take longer.

    IAF is ``Inverse(MaskedAutoregressive(dim))``: it samples in one pass and scores in D steps.

    The log-scale is bounded smoothly, as in :class:`AffineCoupling`:

    .. math:: s = c \tanh(\tilde s / c), \qquad (\tilde s, t) = \text{MADE}(x)

    Args:
        dim: the dimension D.
        hidden: widths of the hidden layers of the network.
        order: the variables 0 to D - 1, the first one first.  None: as they are.  In a stack, let
            every other layer have ``range(dim)[::-1]``.
        bound: c > 0, in nats; ``math.inf`` leaves the log-scale as the network outputs it.
        dropout: the share of the network's hidden units that ``inverse`` sets to zero, at random,
            while training.  ``forward`` drops none: the two directions agree after ``eval()``.

    The last layer of the network starts at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim or a width below 1; an order that is no permutation; a bound that is not
            positive; a dropout outside [0, 1); a wrong shape.

    Source: Papamakarios et al. 2017, `arXiv:1705.07057 <https://arxiv.org/abs/1705.07057>`_,
        equations 2 to 5; IAF: Kingma et al. 2016,
        `arXiv:1606.04934 <https://arxiv.org/abs/1606.04934>`_, section 4.

    Example:
        >>> layer = MaskedAutoregressive(3)
        >>> x, log_det = layer(torch.ones(5, 3))
        >>> x.shape, log_det.shape
        (torch.Size([5, 3]), torch.Size([5]))
    """

    dim: int

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int] = (64, 64),
        order: Sequence[int] | None = None,
        bound: float = 2.0,
        dropout: float = 0.0,
    ):
        super().__init__()
        if not bound > 0:
            raise ValueError(f"MaskedAutoregressive expected a bound > 0; got {bound}")
        self.dim, self.bound = dim, bound
        fix(self, "log_scale_bound", float(bound))
        self.network = MADE(dim, hidden, 2, order, dropout)
        nn.init.zeros_(self.network.layers[-1].weight)
        nn.init.zeros_(self.network.layers[-1].bias)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        x, log_det = self.network.generate(self.variable, z.reshape(-1, self.dim).mT.contiguous())
        return x.mT.reshape(z.shape), log_det.reshape(z.shape[:-1])

    def variable(self, z: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """x_i and s_i from z_i, (*, batch), and the network's outputs for it, (*, 2, batch)."""
        log_scale, shift = self.log_scale_and_shift(outputs)
        return torch.addcmul(shift, torch.exp(log_scale), z), log_scale

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        log_scale, shift = self.log_scale_and_shift(self.network(x))
        return (x - shift) * torch.exp(-log_scale), -log_scale.to(x.dtype).sum(-1)

    def forward_by_passes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        r"""What ``forward`` computes, by Jacobi's iteration: passes of the whole network.

        .. math:: x \leftarrow e^{s(x)} \odot z + t(x)

        Each pass makes at least one more variable right, because its s and t depend only on those
        before it: D passes are always enough.  After a pass that changes nothing, no other would
        change anything, and the iteration ends.  Where derivatives are wanted it makes all D
        passes: a derivative may still change when x no longer does.

        Source: Song et al. 2021, `arXiv:2002.03629 <https://arxiv.org/abs/2002.03629>`_.

        Example:
            >>> layer, z = MaskedAutoregressive(3), torch.randn(5, 3)
            >>> torch.allclose(layer.forward_by_passes(z)[0], layer(z)[0])
            True
        """
        self.check(z)
        x = torch.zeros_like(z)
        for _ in range(self.dim):
            before = x
            log_scale, shift = self.log_scale_and_shift(self.network(x))
            x = z * torch.exp(log_scale) + shift
            if not (may_hold((x != before).any()) or has_derivatives(x)):
                break
        return x, log_scale.to(z.dtype).sum(-1)

    def log_scale_and_shift(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """s and t from the network's output, each (*, D) of (*, 2, D)."""
        log_scale, shift = outputs.unbind(-2)
        return bounded(log_scale, self.bound), shift


def has_derivatives(x: Tensor) -> bool:
    """Whether torch carries derivatives along with x, in either mode.

    Example:
        >>> has_derivatives(torch.ones(1)), has_derivatives(torch.ones(1, requires_grad=True))
        (False, True)
    """
    return x.requires_grad or under_torch_func() or unpack_dual(x).tangent is not None
