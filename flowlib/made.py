"""MADE: a network whose outputs for a variable see the variables before it, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from flowlib.blocks import InPlace
from flowlib.context import broadcast_rows, check_context
from flowlib.masked import MaskedLinear, under_torch_func
from flowlib.tensors import Held, fix


class MADE(Held):
    r"""A network of D variables whose outputs for the i-th see only the variables before it.

    .. math:: \text{output}_i = f_i(x_1, \dots, x_{i-1})

    A unit's degree is how many variables, the first ones, it may depend on.  The i-th variable has
    degree i and its outputs i - 1; hidden units have the degrees 1 to D - 1, sorted, in equal
    shares.  Each layer is a :class:`MaskedLinear`; between them is ReLU.

    An output sees *every* variable before its own if no hidden layer is narrower than D - 1.

    Args:
        dim: the dimension D.
        hidden: widths of the hidden layers; () for outputs that are linear in x.
        outputs: how many outputs each variable has.
        order: the variables 0 to D - 1, the first one first.  None: as they are.
        dropout: the share of hidden units that is set to zero, at random, while training.
            :meth:`generate` drops none.
        context: the width C of a vector c that all outputs see, those of the first variable too.
            Its numbers are inputs of degree 0, and hidden units then have the degrees 0 to D - 1.

    Attributes:
        degrees: those of the variables, of each hidden layer, and of the outputs.

    Shapes: (*, D), and (*, C) where there is a context -> (*, outputs, D).

    Raises:
        ValueError: a dim or a width below 1; an order that is no permutation; a dropout outside
            [0, 1); a wrong shape.

    Source: Germain et al. 2015, `arXiv:1502.03509 <https://arxiv.org/abs/1502.03509>`_, section 4,
        where the outputs have degree i and a mask of their own.

    Example:
        >>> made = MADE(3, outputs=1, order=[2, 0, 1])
        >>> torch.autograd.functional.jacobian(made, torch.randn(3))[0] != 0
        tensor([[False, False,  True],
                [ True, False,  True],
                [False, False, False]])
    """

    layers: Any  # a ModuleList, whose type cannot name its members' type
    variables: Tensor
    places: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int] = (64, 64),
        outputs: int = 2,
        order: Sequence[int] | None = None,
        dropout: float = 0.0,
        context: int = 0,
    ):
        super().__init__()
        if min(dim, outputs, *hidden) < 1:
            raise ValueError(
                "MADE expected a dim, widths and outputs of 1 or more; "
                f"got {dim}, {tuple(hidden)} and {outputs}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"MADE expected a dropout in [0, 1); got {dropout}")
        self.dim, self.outputs, self.dropout, self.context = dim, outputs, dropout, context
        self.order = list(range(dim) if order is None else map(int, order))
        if sorted(self.order) != list(range(dim)):
            raise ValueError(f"MADE expected an order of 0 to {dim - 1}; got {self.order}")

        fix(self, "variables", self.order)

        # These are known on the CPU, also when the layer is built on the meta device.
        place = torch.tensor(self.order, device="cpu").argsort()  # of each variable, from 0
        fix(self, "places", place.tolist(), persistent=False)
        lowest = 0 if context else 1  # else the first variable would not see the context
        counts = [torch.arange(width, device="cpu") * (dim - lowest) // width for width in hidden]
        shares = [lowest + count for count in counts]
        inputs = torch.cat([place.new_zeros(context), 1 + place])
        self.degrees = [inputs, *shares, place.repeat(outputs)]
        self.layers = nn.ModuleList(map(MaskedLinear, self.degrees, self.degrees[1:]))
        # For generate: how many rows a layer sees once k variables are known, for k from 0 to D - 1.
        upto = torch.arange(1, dim + 1, device="cpu")
        ends = (torch.searchsorted(each, upto).tolist() for each in shares)
        self.seen = [list(range(context, context + dim)), *ends]

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        if x.shape[-1:] != (self.dim,):
            raise ValueError(f"MADE expected shape (..., {self.dim}); got {tuple(x.shape)}")
        if c is not None or self.context:
            x, c = broadcast_rows(x, check_context("MADE", c, self.context, x))
            x = torch.cat([c, x], -1)
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x).relu_()
            if self.dropout:
                x = F.dropout(x, self.dropout, self.training)
        return last(x).unflatten(-1, (self.outputs, self.dim))

    def generate(
        self, variable: Callable, z: Tensor, c: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The x with x_i = variable(z_i, outputs_i(x)) for every i, each unit computed once.

        With k variables known, everything that the units of degree k see is known.  Units are sorted
        by degree, so those of degree k are consecutive rows of W, and what they see are its first
        columns: that block has no masked entry.  D steps together take the arithmetic of one pass.

        With no derivative to compute, each layer's units are written into one buffer, which is
        fastest, and several variables are solved for at once (:mod:`flowlib.blocks`).  Autograd and
        torch.func need every step's tensors as they were: then each step appends its units to a new
        tensor.

        Args:
            variable: from z_i, (*, batch), and the outputs for the i-th variable,
                (*, outputs, batch), to x_i and the logarithm of its derivative, both (*, batch).
            z: shape (D, batch).
            c: the context, shape (C, batch).

        Returns:
            x, shape (D, batch), and the sum of the logarithms, shape (batch,).

        Example:
            >>> made, z = MADE(3, outputs=1), torch.randn(3, 1)
            >>> x, _ = made.generate(lambda z, outputs: (z + outputs[..., 0, :], 0 * z), z)
            >>> torch.allclose(x[:, 0], z[:, 0] + made(x[:, 0])[0])
            True
        """
        weights = [layer.weight for layer in self.layers]
        if self.order != list(range(self.dim)):
            of_c, of_x = weights[0].split_with_sizes([self.context, self.dim], 1)
            of_x = of_x.index_select(1, self.variables)  # the first one, first column
            weights[0] = torch.cat([of_c, of_x], 1) if self.context else of_x
        if torch.is_grad_enabled() or under_torch_func():
            x, logs = self._steps_in_new_tensors(variable, z, self.by_degree(weights), c)
        else:
            x, logs = InPlace(self, variable, z, weights, c).solve()
        return x.index_select(0, self.places), logs.to(z.dtype).sum(0)

    def _steps_in_new_tensors(self, variable: Callable, z: Tensor, weights: list, c: Tensor | None):
        """A step a variable: gradients and torch.func need what earlier steps saw as it was."""
        logs = []
        known = [z[:0] for _ in self.layers]
        if c is not None:
            known[0] = c
        *hidden, outputs = self.by_degree([layer.bias[:, None] for layer in self.layers])
        for k, i in enumerate(self.order):
            for layer, biases in enumerate(hidden):
                if len(biases[k]):
                    weight = weights[layer][k][:, : len(known[layer])]
                    units = torch.addmm(biases[k], weight, known[layer]).relu_()
                    known[layer + 1] = torch.cat([known[layer + 1], units])
            weight = weights[-1][k][:, : len(known[-1])]
            x, log = variable(z[i], torch.addmm(outputs[k], weight, known[-1]))
            known[0] = torch.cat([known[0], x[None]])
            logs.append(log)
        return known[0][self.context :], torch.stack(logs)

    def by_degree(self, rows: list[Tensor]) -> list[Sequence[Tensor]]:
        """[layer][k]: the rows that step k computes, as views.

        Hidden units of one degree are neighbours; a variable's outputs are D rows apart.
        """
        *hidden, last = rows
        in_steps = [units.tensor_split(ends) for units, ends in zip(hidden, self.seen[1:])]
        last = last.unflatten(0, (self.outputs, self.dim))
        return [*in_steps, [last[:, i] for i in self.order]]
