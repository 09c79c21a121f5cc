"""What conditioners are made of: layers with ReLU, and the bound on a log-scale."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def mlp(inputs: int, hidden: tuple[int, ...], outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with ReLU between them; the last starts at zero.

    Args:
        dropout: the share of hidden units that are set to zero while training, from 0 to below 1.

    Raises:
        ValueError: a dropout outside [0, 1).

    Source: dropout is Srivastava et al. 2014,
        `JMLR 15 <https://jmlr.org/papers/v15/srivastava14a.html>`_.

    Example:
        >>> mlp(1, (8, 8), 2)(torch.ones(5, 1)).abs().sum().item()
        0.0
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"mlp expected a dropout from 0 to below 1; got {dropout}")
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        inputs = width
    last = nn.Linear(inputs, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


def bounded(log_scale: Tensor, bound: float | Tensor) -> Tensor:
    """c tanh(s̃ / c) of a log-scale s̃, with c the bound; s̃ itself where the bound is infinite.

    Example:
        >>> bounded(torch.tensor([0.0, 100.0]), 2.0)
        tensor([0., 2.])
    """
    if isinstance(bound, Tensor):  # an input of a trace
        return bound * torch.tanh(log_scale / bound)
    if bound == math.inf:
        return log_scale
    c = log_scale.new_full((), bound)  # torch would make one of each number below
    return c * torch.tanh(log_scale / c)
