"""A linear layer of which some weights are left out: those from units of a higher degree."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# No public name shows whether torch.func is at work; torch's own autograd.Function uses this one.
# A torch without it gets new tensors always, which are slower and right.
under_torch_func = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


# Measured: a layer of fewer weights takes no longer whole, and four pieces are as good as eight.
LARGE = 2**19
PIECES = 4


class MaskedLinear(nn.Linear):
    r"""A linear layer between units that have degrees: a unit sees those of its degree or lower.

    .. math:: y = (W \odot M)\, x + b, \qquad M_{kj} = 1 \text{ where } d_k \ge d_j, \text{ else } 0

    Where degrees are sorted, half of M is zero, in blocks.  A large layer leaves them out where there
    is no derivative to compute.

    Args:
        inputs, outputs: the degrees d_j and d_k, whole numbers of shapes (in,) and (out,).

    Shapes: (*, in) -> (*, out).

    Source: Germain et al. 2015, `arXiv:1502.03509 <https://arxiv.org/abs/1502.03509>`_, section 4.

    Example:
        >>> MaskedLinear(torch.tensor([1, 2, 3]), torch.tensor([0, 1, 2])).mask
        tensor([[0., 0., 0.],
                [1., 0., 0.],
                [1., 1., 0.]])
    """

    mask: Tensor

    def __init__(self, inputs: Tensor, outputs: Tensor):
        super().__init__(len(inputs), len(outputs))
        self.inputs, self.outputs = inputs.tolist(), outputs.tolist()
        # Of floats, because multiplying by bools takes four times as long.
        self.register_buffer("mask", torch.empty_like(self.weight), persistent=False)
        self.fill_mask()
        self.pieces = self.cut() if self.weight.numel() >= LARGE else []

    def cut(self) -> list[tuple[slice, list[slice], slice]]:
        """Of a few neighbouring rows each: the rows, the columns of ones only, and those of both.

        There are none where degrees are not sorted, so that little could be left out.
        """
        seen, pieces, both = torch.tensor(self.inputs, device="cpu"), [], 0
        rows = len(self.outputs)
        for start in range(0, rows, math.ceil(rows / PIECES)):
            degrees = self.outputs[start : start + math.ceil(rows / PIECES)]
            some, all_ = seen <= max(degrees), seen <= min(degrees)
            whole, mixed = _range(some), _range(some & ~all_)
            ones = [slice(whole.start, mixed.start), slice(mixed.stop, whole.stop)]
            ones = [each for each in ones if each.start < each.stop]
            pieces.append((slice(start, start + len(degrees)), ones, mixed))
            both += len(degrees) * (mixed.stop - mixed.start)
        return pieces if both <= self.weight.numel() / 2 else []

    @torch.no_grad()
    def fill_mask(self) -> None:
        if self.mask.is_meta and not self.weight.is_meta:  # a state was assigned
            self.mask = torch.empty_like(self.weight)
        if not self.mask.is_meta:
            inputs, outputs = (torch.tensor(d, device="cpu") for d in (self.inputs, self.outputs))
            self.mask.copy_(outputs[:, None] >= inputs)  # (out, in)

    def _apply(self, fn, recurse=True):
        module = super()._apply(fn, recurse)
        self.fill_mask()  # it may come from the meta device, which has no values
        return module

    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.fill_mask()

    def forward(self, x: Tensor) -> Tensor:
        if not self.pieces or torch.is_grad_enabled() or under_torch_func():
            return F.linear(x, self.weight * self.mask, self.bias)
        points, parts = x.reshape(x.shape[:-1].numel(), x.shape[-1]), []
        for rows, ones, mixed in self.pieces:
            weight = self.weight[rows]
            masked = weight[:, mixed] * self.mask[rows, mixed]
            part = torch.addmm(self.bias[rows], points[:, mixed], masked.mT)
            for columns in ones:
                part = torch.addmm(part, points[:, columns], weight[:, columns].mT)
            parts.append(part)
        return torch.cat(parts, -1).reshape(*x.shape[:-1], len(self.bias))


def _range(chosen: Tensor) -> slice:
    """The least range with all that is chosen."""
    places = chosen.nonzero().flatten().tolist()
    return slice(places[0], places[-1] + 1) if places else slice(0, 0)
