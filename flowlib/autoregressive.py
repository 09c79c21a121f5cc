"""Autoregressive flows: the variables before each one set its transformer, such as scale and shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.forward_ad import unpack_dual

from flowlib.base import Bijection
from flowlib.context import broadcast_rows
from flowlib.implicit import ImplicitSample, is_implicit
from flowlib.made import MADE
from flowlib.masked import under_torch_func
from flowlib.network import bounded
from flowlib.tensors import fix, may_hold
from flowlib.transformers import AffineTransformer, Transformer


class Autoregressive(Bijection):
    r"""Move each variable by a transformer g, whose parameters are any function of those before it.

    .. math:: x_i = g(z_i; \theta_i), \qquad \theta_i = \text{function of } x_1, \dots, x_{i-1},
        \qquad \log\lvert\det J\rvert = \sum_i \log g'(z_i; \theta_i)

    ``inverse`` is one pass of a network; ``forward`` is sequential, as in
    :class:`MaskedAutoregressive`, which is the one with an affine transformer.

    Args:
        dim: the dimension D.
        transformer: g, such as a :class:`~flowlib.splines.SplineTransformer`.
        hidden, order, dropout: of the network, a :class:`~flowlib.made.MADE` whose last layer starts
            at zero: a new layer is the identity.
        network: a network of your own in its place, used as it is: any callable from x, (*, D), and
            from c, (*, C), where there is a context, to (*, numbers, D), whose outputs for each
            variable depend on the variables before it only, in an order of its own.  ``forward``
            then takes D passes of it at most (:meth:`forward_by_passes`).
        context: the width C of the vector c that the parameters also depend on.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a dim or a width below 1; an order that is no permutation; a dropout outside
            [0, 1); a network whose output has another shape; a wrong shape.

    Source: Papamakarios et al. 2017, `arXiv:1705.07057 <https://arxiv.org/abs/1705.07057>`_; with
        splines: Durkan et al. 2019, `arXiv:1906.04032 <https://arxiv.org/abs/1906.04032>`_.

    Example:
        >>> from flowlib import SplineTransformer
        >>> layer = Autoregressive(3, SplineTransformer(bins=4, box=3.0), context=2)
        >>> x, log_det = layer(torch.ones(5, 3), torch.ones(2))
        >>> x.shape, log_det.shape
        (torch.Size([5, 3]), torch.Size([5]))
    """

    dim: int
    network: Any  # a MADE, or any callable

    def __init__(
        self,
        dim: int,
        transformer: Transformer,
        hidden: Sequence[int] = (64, 64),
        order: Sequence[int] | None = None,
        dropout: float = 0.0,
        network: Callable[..., Tensor] | None = None,
        context: int = 0,
    ):
        super().__init__()
        self.dim, self.context, self.transformer = dim, context, transformer
        for name, value in transformer.constants.items():
            fix(self, name, value)
        if network is None:
            network = MADE(dim, hidden, transformer.numbers, order, dropout, context)
            nn.init.zeros_(network.layers[-1].weight)
            nn.init.zeros_(network.layers[-1].bias)
        self.network = network

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if not isinstance(self.network, MADE):
            return self.forward_by_passes(z, c)
        self.check(z, c)
        if c is not None:
            z, c = broadcast_rows(z, c)
        if is_implicit(self, z, c):
            return ImplicitSample.apply(self, c, z, *self.parameters())
        return self.generate(z, c)

    def generate(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What ``forward`` computes, by :meth:`MADE.generate`; z and c have the same leading shape."""
        if c is not None:
            c = c.reshape(-1, self.context).mT
        columns = z.reshape(-1, self.dim).mT.contiguous()
        x, log_det = self.network.generate(self.variable, columns, c)
        return x.mT.reshape(z.shape), log_det.reshape(z.shape[:-1])

    def variable(self, z: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """x_i and log g' from z_i, (*, batch), and the network's outputs for it, (*, numbers, batch)."""
        return self.transformer.forward(z, outputs)

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(x, c)
        z, logs = self.transformer.inverse(x, self.condition(x, c))
        return z, logs.to(x.dtype).sum(-1)

    def condition(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The network's outputs, (*, numbers, D); ValueError if their shape is another."""
        outputs = self.network(x) if c is None else self.network(x, c)
        if outputs.shape[-2:] != (self.transformer.numbers, self.dim):
            raise ValueError(
                f"{type(self).__name__} expected a network that returns "
                f"(..., {self.transformer.numbers}, {self.dim}); got {tuple(outputs.shape)}"
            )
        return outputs

    def forward_by_passes(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r"""What ``forward`` computes, by Jacobi's iteration: passes of the whole network.

        .. math:: x \leftarrow g\bigl(z;\, \theta(x)\bigr)

        Each pass makes at least one more variable right, because its θ depends only on those
        before it: D passes are always enough.  After a pass that changes nothing, no other would
        change anything, and the iteration ends.  Where derivatives are wanted it makes all D
        passes: a derivative may still change when x no longer does.

        Source: Song et al. 2021, `arXiv:2002.03629 <https://arxiv.org/abs/2002.03629>`_.

        Example:
            >>> layer, z = MaskedAutoregressive(3), torch.randn(5, 3)
            >>> torch.allclose(layer.forward_by_passes(z)[0], layer(z)[0])
            True
        """
        self.check(z, c)
        if c is not None:
            z, c = broadcast_rows(z, c)
        x = torch.zeros_like(z)
        for _ in range(self.dim):
            before = x
            x, logs = self.transformer.forward(z, self.condition(x, c))
            if not (may_hold((x != before).any()) or has_derivatives(x)):
                break
        return x, logs.to(z.dtype).sum(-1)


class MaskedAutoregressive(Autoregressive):
    r"""MAF's layer: scale and shift each variable by any two functions of the variables before it.

    .. math:: x_i = e^{s_i} z_i + t_i, \qquad z_i = (x_i - t_i)\, e^{-s_i}, \qquad
        \log\lvert\det J\rvert = \sum_i s_i, \qquad
        s_i, t_i = \text{functions of } x_1, \dots, x_{i-1}

    ``inverse``, the direction that scores, is one pass of a network: all of x is known.  ``forward``
    is sequential, because s_i and t_i need x_1 to x_{i-1} first.  Its D steps together take the
    arithmetic of one pass, because each hidden unit is computed once, as soon as its inputs are
    known (:meth:`MADE.generate`).  With many variables it solves for blocks of them, by passes that
    end when nothing changes (:mod:`flowlib.blocks`), and in steps where that would take longer; its
    gradients then come from one more pass (:mod:`flowlib.implicit`).

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
        network, context: as in :class:`Autoregressive`.

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

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int] = (64, 64),
        order: Sequence[int] | None = None,
        bound: float = 2.0,
        dropout: float = 0.0,
        network: Callable[..., Tensor] | None = None,
        context: int = 0,
    ):
        super().__init__(dim, AffineTransformer(bound), hidden, order, dropout, network, context)
        self.bound = bound

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.check(x, c)
        log_scale, shift = self.log_scale_and_shift(self.condition(x, c))
        return (x - shift) * torch.exp(-log_scale), -log_scale.to(x.dtype).sum(-1)

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
