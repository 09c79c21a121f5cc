"""Transformers: the maps of one number whose parameters a conditioner outputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flowlib.network import bounded


class Transformer:
    r"""An increasing map of R with parameters, and the logarithm of its derivative.

    .. math:: x = g(z; \theta), \qquad \text{log} = \log g'(z; \theta)

    A layer moves each coordinate by one: :class:`~flowlib.coupling.Coupling` and
    :class:`~flowlib.autoregressive.Autoregressive` differ in what their *conditioner*, the network
    that outputs θ, depends on.  Parameters that are all zero give the identity.

    Attributes:
        numbers: how many parameters it has for each coordinate.
        constants: what it is built on and no training changes, by name; a layer has them in its
            state, and refuses others on loading.

    Shapes: values (*, D) and parameters (*, numbers, D) -> (*, D) and (*, D), in the dtype of the
        values.  The logarithm belongs to the direction just applied.

    Example:
        >>> class Shift(Transformer):
        ...     numbers = 1
        ...
        ...     def forward(self, z, parameters):
        ...         return z + parameters[..., 0, :], torch.zeros_like(z)
        >>> Shift().forward(torch.ones(2), torch.full((1, 2), 3.0))[0]
        tensor([4., 4.])
    """

    numbers: int
    constants: dict[str, Any]

    def __init__(self, **constants: Any):
        self.constants = constants

    def forward(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def inverse(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define inverse")


class AdditiveTransformer(Transformer):
    """x = z + t, with one parameter, the shift t.

    Example:
        >>> AdditiveTransformer().forward(torch.ones(2), torch.full((1, 2), 3.0))
        (tensor([4., 4.]), tensor([0., 0.]))
    """

    numbers = 1

    def forward(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        x = z + parameters[..., 0, :]
        return x, torch.zeros_like(x)

    def inverse(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        z = x - parameters[..., 0, :]
        return z, torch.zeros_like(z)


class AffineTransformer(Transformer):
    r"""x = e^s z + t, with two parameters: the log-scale, which is bounded, and the shift.

    .. math:: s = c \tanh(\tilde s / c), \qquad \theta = (\tilde s, t)

    Args:
        bound: c > 0, in nats; ``math.inf`` leaves the log-scale as it is.

    Raises:
        ValueError: a bound that is not positive.

    Example:
        >>> affine, theta = AffineTransformer(torch.inf), torch.tensor([[1.0], [5.0]])
        >>> affine.forward(torch.ones(1), theta)
        (tensor([7.7183]), tensor([1.]))
    """

    numbers = 2

    def __init__(self, bound: float = 2.0):
        if not bound > 0:
            raise ValueError(f"an affine transformer expected a bound > 0; got {bound}")
        super().__init__(log_scale_bound=float(bound))
        self.bound = bound

    def forward(self, z: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.log_scale_and_shift(parameters)
        return torch.addcmul(shift, torch.exp(log_scale), z), log_scale

    def inverse(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.log_scale_and_shift(parameters)
        return (x - shift) * torch.exp(-log_scale), -log_scale

    def log_scale_and_shift(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """s and t, each (*, D), of the parameters, (*, 2, D)."""
        log_scale, shift = parameters.unbind(-2)
        return bounded(log_scale, self.bound), shift
