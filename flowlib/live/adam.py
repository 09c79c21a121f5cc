"""Adam as a function, for the step that a page repeats; and a module that takes its parameters."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn


def adam_start(parameters: Tensor) -> dict[str, Tensor]:
    """What :func:`adam_step` keeps, before the first step: parameters, both moments, a count.

    All of it has the dtype and the device of the parameters.

    Args:
        parameters: one row of numbers, such as ``parameters_to_vector(flow.parameters())``, (P,).

    Example:
        >>> sorted(adam_start(torch.zeros(3)))
        ['count', 'mean', 'parameters', 'square']
    """
    parameters = parameters.detach().clone()
    zeros, count = torch.zeros_like(parameters), parameters.new_zeros(())
    return {"parameters": parameters, "mean": zeros, "square": zeros, "count": count}


def adam_step(state: dict[str, Tensor], gradient: Tensor, lr: Tensor | float) -> dict[str, Tensor]:
    r"""One step of Adam as a function, so that it can be traced: from a state to the next.

    .. math:: m' = 0.9\, m + 0.1\, g, \quad v' = 0.999\, v + 0.001\, g^2, \quad
        \theta' = \theta - \text{lr}\, \frac{m' / (1 - 0.9^k)}{\sqrt{v' / (1 - 0.999^k)} + 10^{-8}}

    Args:
        state: of :func:`adam_start`, or of the step before; the k of this step is its count + 1.
        gradient: of the loss at ``state["parameters"]``, shape (P,).
        lr: the learning rate.

    Source: Kingma and Ba 2015, `arXiv:1412.6980 <https://arxiv.org/abs/1412.6980>`_, algorithm 1.

    Example:
        >>> state = adam_start(torch.tensor([3.0]))
        >>> for _ in range(200):
        ...     state = adam_step(state, 2 * (state["parameters"] - 1), lr=0.1)
        >>> state["parameters"].round(decimals=2), state["count"]
        (tensor([1.]), tensor(200.))
    """
    count = state["count"] + 1
    mean = 0.9 * state["mean"] + 0.1 * gradient
    square = 0.999 * state["square"] + 0.001 * gradient * gradient
    # expm1, because 1 - 0.999**k loses four of the seven digits of a float32 at the first steps
    mean_share = -torch.expm1(count * math.log(0.9))
    square_share = -torch.expm1(count * math.log(0.999))
    root = (square / square_share).sqrt()
    parameters = state["parameters"] - lr / mean_share * mean / (root + 1e-8)
    return {"parameters": parameters, "mean": mean, "square": square, "count": count}


def with_parameters(module: nn.Module, row: Tensor) -> nn.Module:
    """The same module with other parameters, taken from one row of numbers (P,), in order.

    Gradients reach the row; the module given stays as it is.

    Raises:
        ValueError: a row of another length.

    Example:
        >>> doubled = with_parameters(nn.Linear(1, 1), torch.tensor([2.0, 0.0]))
        >>> doubled(torch.tensor([3.0]))
        tensor([6.])
    """
    parameters = list(module.parameters())
    sizes = [parameter.numel() for parameter in parameters]
    if row.shape != (sum(sizes),):
        raise ValueError(f"expected a row of {sum(sizes)} parameters; got {tuple(row.shape)}")
    parts = zip(parameters, row.split(sizes), strict=True)
    given: dict[Any, Tensor] = {parameter: part.view(parameter.shape) for parameter, part in parts}

    def twin(of: Any) -> Any:
        made = copy.copy(of)
        made._parameters = {name: given.get(old) for name, old in of._parameters.items()}
        made._modules = {name: twin(child) for name, child in of._modules.items()}
        return made

    return twin(module)
