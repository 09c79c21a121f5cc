"""Autoregressive flows: each variable is scaled and shifted by what the variables before it say."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from flowlib.base import Bijection
from flowlib.made import MADE
from flowlib.network import bounded
from flowlib.tensors import fix


class MaskedAutoregressive(Bijection):
    r"""MAF's layer: scale and shift each variable by any two functions of the variables before it.

    .. math:: x_i = e^{s_i} z_i + t_i, \qquad z_i = (x_i - t_i)\, e^{-s_i}, \qquad
        \log\lvert\det J\rvert = \sum_i s_i, \qquad
        s_i, t_i = \text{functions of } x_1, \dots, x_{i-1}

    ``inverse``, the direction that scores, is one pass of a network: all of x is known.  ``forward``
    is sequential, for s_i and t_i need x_1 to x_{i-1} first.  Its D steps together take the
    arithmetic of one pass, because each hidden unit is computed once, as soon as its inputs are
    known (:meth:`MADE.generate`).

    IAF is ``Inverse(MaskedAutoregressive(dim))``: it samples in one pass and scores in D steps.

    The log-scale is bounded smoothly, as in :class:`AffineCoupling`:

    .. math:: s = c \tanh(\tilde s / c), \qquad (\tilde s, t) = \text{MADE}(x)

    Args:
        dim: D.
        hidden: widths of the hidden layers of the network.
        order: the variables 0 to D - 1, the first one first.  None: as they are.  In a stack, let
            the layers take turns with ``range(dim)[::-1]``.
        bound: c > 0, in nats; ``math.inf`` leaves the log-scale as the network says it.
        dropout: the share of the network's hidden units that ``inverse`` sets to zero, at random,
            while training.  ``forward`` drops none: the two directions agree after ``eval()``.

    The last layer of the network starts at zero: a new layer is the identity.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim or a width below 1; an order that is no permutation; a bound that is not
            positive; a dropout outside [0, 1); a wrong shape.

    Source: Papamakarios et al. 2017, equations 2 to 5; IAF: Kingma et al. 2016, section 4.

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
        log_scales = []

        def variable(z: Tensor, outputs: Tensor) -> Tensor:
            log_scale, shift = self.log_scale_and_shift(outputs)
            log_scales.append(log_scale)
            return torch.addcmul(shift, torch.exp(log_scale), z)

        x = self.network.generate(variable, z.reshape(-1, self.dim).mT.contiguous())  # (D, batch)
        log_det = torch.stack(log_scales).to(z.dtype).sum(0)  # autocast's may be narrower
        return x.mT.reshape(z.shape), log_det.reshape(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        log_scale, shift = self.log_scale_and_shift(self.network(x))
        return (x - shift) * torch.exp(-log_scale), -log_scale.to(x.dtype).sum(-1)

    def forward_by_passes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """What ``forward`` computes, as the papers do it: D passes of the whole network.

        Each pass makes one more variable right, since its s and t see those before it alone.

        Example:
            >>> layer, z = MaskedAutoregressive(3), torch.randn(5, 3)
            >>> torch.allclose(layer.forward_by_passes(z)[0], layer(z)[0])
            True
        """
        self.check(z)
        x = torch.zeros_like(z)
        for _ in range(self.dim):
            log_scale, shift = self.log_scale_and_shift(self.network(x))
            x = z * torch.exp(log_scale) + shift
        return x, log_scale.to(z.dtype).sum(-1)

    def log_scale_and_shift(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """s and t from what the network says, each (*, D) of (*, 2, D)."""
        log_scale, shift = outputs.unbind(-2)
        return bounded(log_scale, self.bound), shift
