"""The contract that every flow in the book keeps, written once.

A bijection maps the base variable ``z`` to the data variable ``x`` and back, and says by how much
it stretches volume on the way.  **Forward is base -> data** throughout: ``forward`` is the
direction that samples, ``inverse`` the direction that scores.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, constraints

from flowlib.tensors import map_tensors, refuse_nan


class Bijection(nn.Module):
    r"""An invertible, differentiable map x = f(z) of R^D with the log-determinant of its Jacobian.

    .. math:: x = f(z), \qquad
        \text{log\_det} = \log \lvert \det \partial\,\text{output} / \partial\,\text{input} \rvert

    The contract, for every subclass:

    * ``forward(z)`` returns ``(x, log_det)``; ``inverse(x)`` returns ``(z, log_det)``.
    * Inputs have shape ``(*, D)`` with any leading batch dimensions; ``log_det`` has shape ``(*)``.
    * ``log_det`` belongs to the map *just applied*, in nats: the two directions have opposite signs.
    * An inverse without a closed form is computed numerically, and its docstring says to what
      precision; where there is none, ``inverse`` raises ``NotImplementedError`` and says what to use.
    * NaN in, NaN out: a single bijection computes, :class:`Flow` refuses.

    Attributes:
        dim: the D that the map is defined for, or None where it works for any D.

    Raises:
        ValueError: an input whose last dimension is not ``dim``.
    """

    dim: int | None = None

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define inverse")

    def check_shape(self, value: Tensor) -> None:
        """Raise ValueError unless ``value`` has shape (*, D)."""
        expected = "D" if self.dim is None else self.dim
        if value.ndim == 0 or self.dim not in (None, value.shape[-1]):
            raise ValueError(
                f"{type(self).__name__} expected shape (..., {expected}); got {tuple(value.shape)}"
            )


class Compose(Bijection):
    r"""Several bijections, one after the other; their log-determinants add.

    .. math:: f = f_K \circ \dots \circ f_1, \qquad
        \log\lvert\det J_f(z)\rvert = \sum_k \log\lvert\det J_{f_k}(z_{k-1})\rvert

    Args:
        bijections: f_1, ..., f_K in the order in which ``forward`` applies them.

    Raises:
        ValueError: two bijections that are defined for different D.

    Example:
        >>> from flowlib import Affine, Compose
        >>> x, log_det = Compose(Affine(2), Affine(2))(torch.zeros(5, 2))
        >>> x.shape, log_det.shape
        (torch.Size([5, 2]), torch.Size([5]))
    """

    bijections: Any  # a ModuleList, which cannot say of what

    def __init__(self, *bijections: Bijection):
        super().__init__()
        self.bijections = nn.ModuleList(bijections)
        dims = {b.dim for b in bijections if b.dim is not None}
        if len(dims) > 1:
            raise ValueError(f"Compose expected bijections of one dimension; got {sorted(dims)}")
        self.dim = dims.pop() if dims else None

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        total = z.new_zeros(z.shape[:-1])
        for bijection in self.bijections:
            z, log_det = bijection(z)
            total = total + log_det
        return z, total

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        total = x.new_zeros(x.shape[:-1])
        for bijection in reversed(self.bijections):
            x, log_det = bijection.inverse(x)
            total = total + log_det
        return x, total


class Inverse(Bijection):
    r"""The same map with its two directions swapped.

    .. math:: \text{Inverse}(f) = f^{-1}

    Example:
        >>> from flowlib import Affine, Inverse
        >>> z = torch.randn(4, 2)
        >>> layer = Affine(2)
        >>> bool((Inverse(layer)(z)[0] == layer.inverse(z)[0]).all())
        True
    """

    def __init__(self, bijection: Bijection):
        super().__init__()
        self.bijection = bijection
        self.dim = bijection.dim

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.bijection.inverse(z)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.bijection(x)


def standard_normal(dim: int) -> Distribution:
    """The standard normal on R^dim, the book's usual base distribution.

    Example:
        >>> standard_normal(2).log_prob(torch.zeros(2))
        tensor(-1.8379)
    """
    normal = Normal(torch.zeros(dim), torch.ones(dim), validate_args=False)
    return Independent(normal, 1, validate_args=False)


class Flow(nn.Module):
    r"""A base distribution pushed through bijections: a density that samples and scores.

    .. math:: \log p_X(x) = \log p_Z(f^{-1}(x)) + \log\lvert\det J_{f^{-1}}(x)\rvert

    Args:
        base: a ``torch.distributions.Distribution`` over vectors of length D.
        bijections: f_1, ..., f_K in the order in which sampling applies them.

    ``.to()``, ``.double()`` and the like move a copy of the base with the parameters.  The base is
    not part of ``state_dict``.

    Raises:
        ValueError: a base over anything but vectors, or of another D than the bijections.

    Source: Rezende and Mohamed 2015, equations 5 to 7.

    Example:
        >>> from flowlib import Affine, Flow, standard_normal
        >>> flow = Flow(standard_normal(2), Affine(2))
        >>> flow.log_prob(flow.sample((7,))).shape
        torch.Size([7])
    """

    def __init__(self, base: Distribution, *bijections: Bijection):
        super().__init__()
        self.base = base
        self.bijection = Compose(*bijections)
        if len(base.event_shape) != 1:
            raise ValueError(
                "Flow expected a base over vectors (event_shape of one dimension); "
                f"got event_shape {tuple(base.event_shape)}"
            )
        self.dim = base.event_shape[0]
        if self.bijection.dim not in (None, self.dim):
            raise ValueError(
                f"Flow expected bijections of R^{self.dim}, the base's dimension; "
                f"got R^{self.bijection.dim}"
            )

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats of ``x``, shape (*, D) -> (*).  Raises ValueError on NaN."""
        if x.ndim == 0 or x.shape[-1] != self.dim:
            raise ValueError(f"Flow expected shape (..., {self.dim}); got {tuple(x.shape)}")
        refuse_nan(x)
        z, log_det = self.bijection.inverse(x)
        return self.base.log_prob(z) + log_det

    @torch.no_grad()
    def sample(self, shape: tuple[int, ...] = ()) -> Tensor:
        """Samples without gradients, shape (*shape, D)."""
        return self.bijection(self.base.sample(shape))[0]

    def rsample_and_log_prob(self, shape: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
        """Reparametrised samples (*shape, D) and their log-densities (*shape), with no inverse."""
        z = self.base.rsample(shape)
        x, log_det = self.bijection(z)
        return x, self.base.log_prob(z) - log_det

    def _apply(self, fn, recurse=True):
        self.base = map_tensors(self.base, fn)
        return super()._apply(fn, recurse)


class FlowDistribution(Distribution):
    """A :class:`Flow` as a ``torch.distributions.Distribution``, for code that expects one.

    Example:
        >>> from flowlib import Affine, Flow, FlowDistribution, standard_normal
        >>> FlowDistribution(Flow(standard_normal(2), Affine(2))).sample((3,)).shape
        torch.Size([3, 2])
    """

    arg_constraints: ClassVar[dict] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, flow: Flow):
        self.flow = flow
        super().__init__(event_shape=flow.base.event_shape, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.flow.log_prob(value)

    def sample(self, sample_shape=()) -> Tensor:
        return self.flow.sample(sample_shape)

    def rsample(self, sample_shape=()) -> Tensor:
        return self.flow.rsample_and_log_prob(sample_shape)[0]
