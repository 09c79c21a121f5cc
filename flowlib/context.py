"""The vector c that a layer or a flow is conditioned on: its shape, and how it meets the points."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flowlib.tensors import kind_of


def check_context(who: str, c: Any, width: int, value: Tensor) -> Tensor:
    """c; ValueError unless it is a tensor (*, width) that goes with the points of ``value``.

    Args:
        who: the layer's name, for the sentence.
        width: 0 where the layer takes no context.

    Example:
        >>> check_context("Coupling", None, 3, torch.zeros(5, 2))
        Traceback (most recent call last):
        ValueError: Coupling expected a context of shape (..., 3), as second argument; got none
    """
    if not width:
        raise ValueError(f"{who} expected no context: none of its layers was built with context=")
    expected = f"{who} expected a context of shape (..., {width})"
    if c is None:
        raise ValueError(f"{expected}, as second argument; got none")
    if not isinstance(c, Tensor) or not c.is_floating_point():
        raise ValueError(f"{expected}, of floats; got {kind_of(c)}: one_hot(c, {width}).float()?")
    if c.ndim == 0 or c.shape[-1] != width:
        raise ValueError(f"{expected}; got {tuple(c.shape)}")
    try:
        torch.broadcast_shapes(value.shape[:-1], c.shape[:-1])
    except RuntimeError:
        raise ValueError(
            f"{expected} whose leading dimensions go with {tuple(value.shape)}; got {tuple(c.shape)}"
        ) from None
    return c


def broadcast_rows(value: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Points (*, D) and contexts (*, C) with the same leading dimensions: as many rows of each.

    Example:
        >>> value, c = broadcast_rows(torch.zeros(7, 1, 2), torch.zeros(5, 3))
        >>> value.shape, c.shape
        (torch.Size([7, 5, 2]), torch.Size([7, 5, 3]))
    """
    if value.shape[:-1] == c.shape[:-1]:
        return value, c
    rows = torch.broadcast_shapes(value.shape[:-1], c.shape[:-1])
    return value.expand(*rows, -1), c.expand(*rows, -1)
