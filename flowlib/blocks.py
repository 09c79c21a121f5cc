"""Sampling without derivatives: a MADE's variables, a block of them at a time, until they settle.

A step for each variable needs little arithmetic, but a call of torch for each of its layers.  Passes
over the whole network need few calls, but the arithmetic of a network each.  Here is the mixture:
Gauss-Seidel over blocks of neighbours, Jacobi inside.  What a block's units see of the blocks before
it is final and is computed once; then passes over the block alone are repeated until one of them
changes nothing.  That pass has certified the block: each of its variables is what the network gives
for those before it, in the very arithmetic that the next pass would repeat.

A block of B variables settles after B passes at most, and mostly after a handful.  Where it does
not, because the weights let it creep or a pass overflows, the block is solved by steps.  Passes
in vain are counted, so that all in all the sample never takes much longer than by steps.

Source: Song et al. 2021, `arXiv:2002.03629 <https://arxiv.org/abs/2002.03629>`_.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from flowlib.tensors import may_hold

if TYPE_CHECKING:
    from flowlib.made import MADE

# Measured for D from 48 to 784, with two hidden layers and batches of 1 to 1024.  Blocks of 2 sqrt(D)
# take within a tenth of the least time.  In larger batches arithmetic decides, and steps have less.
BLOCK = 2.0  # times sqrt(D)
BATCH = 4  # times D


def _block_of(dim: int) -> tuple[int, int]:
    """Of how many variables a block is, and how many passes it has; more would take as long as steps."""
    size = round(BLOCK * math.sqrt(dim))
    return size, 5 * size // 8


def in_blocks(dim: int, batch: int) -> bool:
    """Whether blocks are worth it, for D variables and so many points.

    Example:
        >>> in_blocks(64, 256), in_blocks(64, 1000), in_blocks(2, 1)
        (True, False, False)
    """
    return 6 * _block_of(dim)[1] <= dim and batch <= BATCH * dim


class InPlace:
    """The buffers of one call of :meth:`MADE.generate`: of each layer one, filled with its biases.

    Args:
        variable, z, c: those of :meth:`MADE.generate`.
        weights: of each layer, the first one's columns in the order of the model.

    Example:
        >>> from flowlib import MADE
        >>> made, z = MADE(64, outputs=1), torch.randn(64, 5)
        >>> weights = [layer.weight for layer in made.layers]
        >>> with torch.no_grad():
        ...     x, _ = InPlace(made, lambda z, o: (z + o[..., 0, :], 0 * z), z, weights).solve()
        >>> torch.allclose(x, z + made(x.mT)[:, 0].mT, atol=1e-5)
        True
    """

    def __init__(
        self,
        made: MADE,
        variable: Callable,
        z: Tensor,
        weights: list[Tensor],
        c: Tensor | None = None,
    ):
        self.made, self.variable, self.z, self.weights = made, variable, z, weights
        self.buffers = [z.new_empty(len(layer.bias), z.shape[1]) for layer in made.layers]
        for buffer, layer in zip(self.buffers, made.layers):
            buffer.copy_(layer.bias[:, None])
        # Of what each layer sees; of x, the part that is known grows downwards from c.
        x = torch.empty_like(z)
        self.known = [x if c is None else torch.cat([c, x]), *self.buffers[:-1]]
        self.x = self.known[0][made.context :]
        self.in_steps: tuple | None = None

    def solve(self) -> tuple[Tensor, Tensor]:
        """x and the logarithms of its derivatives, both (D, batch), in the order of the model."""
        dim, batch = self.z.shape
        size, tries = _block_of(dim)
        spare = max(tries, dim // 8)  # the passes that may be in vain, of all blocks together
        if not in_blocks(dim, batch) or may_hold(self.z != self.z):  # or none is known
            return self.x, torch.stack(self.steps(range(dim)))
        logs = []
        for start in range(0, dim, size):
            block = range(start, min(start + size, dim))
            settled = self.passes(block, tries) if tries <= spare else None
            if settled is None:
                spare -= tries
                settled = torch.stack(self.steps(block))
            logs.append(settled)
        return self.x, torch.cat(logs)

    def steps(self, block: range) -> list[Tensor]:
        """The logarithms of a block's variables, which are computed one after the other."""
        if self.in_steps is None:  # once, where there are steps at all: D views of each layer
            self.in_steps = self.made.by_degree(self.weights), self.made.by_degree(self.buffers)
        (*hidden_weights, last), (*hidden, outputs) = self.in_steps
        z, x, variable, known, logs = self.z, self.x, self.variable, self.known, []
        ends = self.made.seen  # to look it up in the module at each use would take 3 % of the time
        for k in block:
            i = self.made.order[k]
            for layer, rows in enumerate(hidden):
                units, seen = rows[k], ends[layer][k]
                if len(units):
                    weight = hidden_weights[layer][k][:, :seen]
                    units.addmm_(weight, known[layer][:seen]).relu_()
            seen = ends[-1][k]
            now = outputs[k].addmm_(last[k][:, :seen], known[-1][:seen])
            x[k], log = variable(z[i], now)
            logs.append(log)
        return logs

    def passes(self, block: range, tries: int) -> Tensor | None:
        """The logarithms of a block's variables, (B, batch); None where it does not settle."""
        made, k, end = self.made, block.start, block.stop
        variables, given = made.variables[k:end], made.context
        last = torch.cat([variables + made.dim * each for each in range(made.outputs)])
        # Of each layer, the first row of the block and the one after its last.
        low = [given + k, *(ends[k - 1] if k else 0 for ends in made.seen[1:])]
        high = [given + end, *(ends[end - 1] for ends in made.seen[1:])]
        sums, within, units = [], [], []
        for n, layer in enumerate(made.layers):
            new, known = slice(low[n], high[n]), self.known[n][: low[n]]
            weight, mask, rows = self.weights[n], layer.mask, self.buffers[n]
            if n + 1 < len(made.layers):
                weight, mask, rows = (t[low[n + 1] : high[n + 1]] for t in (weight, mask, rows))
            else:
                weight, mask, rows = (t.index_select(0, last) for t in (weight, mask, rows))
            mask = mask[:, new] if n else mask.index_select(1, given + variables)
            # What the units see of the blocks before, with their biases: no mask, and only once.
            sums.append(torch.addmm(rows, weight[:, : low[n]], known, out=torch.empty_like(rows)))
            within.append(weight[:, new] * mask)
            units.append(rows)
        outputs = units[-1].unflatten(0, (made.outputs, len(block))).transpose(0, 1)
        hidden = list(zip(sums[:-1], within[:-1], units[:-1]))
        x = z = self.z.index_select(0, variables)
        for _ in range(tries):
            seen = x
            for before, weight, rows in hidden:
                seen = torch.addmm(before, weight, seen, out=rows).relu_()
            torch.addmm(sums[-1], within[-1], seen, out=units[-1])
            before, (x, log) = x, self.variable(z, outputs)
            if torch.equal(x, before):
                self.x[k:end] = x
                return log
        for rows, layer, first, stop in zip(self.buffers, made.layers, low[1:], high[1:]):
            rows[first:stop] = layer.bias[first:stop, None]  # as they were, for the steps
        return None
