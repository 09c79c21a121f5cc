"""What a layer does with the tensors that it holds: take them as given, ask of them, map them."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Transform


def hold(
    module: nn.Module,
    name: str,
    given: Tensor | None,
    shape: tuple[int, ...],
    start: Callable[[tuple[int, ...]], Tensor],
) -> None:
    """Set ``module.name`` to the tensor given, used as it is, or else to a parameter, start(shape).

    A given ``nn.Parameter`` trains too.  Gradients reach any other given tensor through the layer,
    so that a layer can be made of tensors computed elsewhere, such as a slider's.

    Raises:
        ValueError: a tensor of another shape.

    Example:
        >>> layer = nn.Module()
        >>> hold(layer, "shift", None, (2,), torch.zeros)
        >>> layer.shift
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """
    value = nn.Parameter(start(shape)) if given is None else given
    if value.shape != shape:
        raise ValueError(
            f"{type(module).__name__} expected {name} of shape {shape}; got {tuple(value.shape)}"
        )
    if isinstance(value, nn.Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def may_hold(condition: Tensor) -> bool:
    """Whether a condition holds everywhere; inside vmap or a trace, where no value is known, True.

    Example:
        >>> may_hold(torch.tensor([True, False]))
        False
    """
    try:
        return bool(condition.all())
    except RuntimeError:
        return True


def refuse_nan(value: Tensor) -> None:
    """Raise ValueError where ``value`` is known to have a NaN.

    Example:
        >>> refuse_nan(torch.tensor([0.0, torch.nan]))
        Traceback (most recent call last):
        ValueError: expected numbers; got 1 NaN in a tensor of shape (2,)
    """
    if not may_hold(~value.isnan()):
        raise ValueError(
            f"expected numbers; got {int(value.isnan().sum())} NaN in a tensor of shape "
            f"{tuple(value.shape)}"
        )


def map_tensors(value, fn):
    """A copy of a distribution, or of a part of one, with ``fn`` applied to each tensor in it.

    Example:
        >>> from flowlib import standard_normal
        >>> map_tensors(standard_normal(2), torch.Tensor.double).mean
        tensor([0., 0.], dtype=torch.float64)
    """
    if isinstance(value, Tensor):
        return fn(value)
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(map_tensors(v, fn) for v in value)
    if isinstance(value, (Distribution, Transform)):
        value = copy.copy(value)
        vars(value).update({k: map_tensors(v, fn) for k, v in vars(value).items()})
    return value
