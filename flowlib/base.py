"""The contract that every bijection keeps, written once.

A bijection maps the base variable ``z`` to the data variable ``x`` and back, and says by how much
it stretches volume on the way.  **Forward is base -> data** throughout: ``forward`` is the
direction that samples, ``inverse`` the direction that scores.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.distributions import constraints
from torch.distributions.constraints import Constraint

from flowlib.context import broadcast_rows, check_context
from flowlib.distributions import Image, same_set
from flowlib.tensors import Held, check_vectors, dtype_of, kind_of


class Bijection(Held):
    r"""An invertible, differentiable map x = f(z) of R^D with the log-determinant of its Jacobian.

    .. math:: x = f(z), \qquad
        \text{log\_det} = \log \lvert \det \partial\,\text{output} / \partial\,\text{input} \rvert

    The contract, for every subclass:

    * ``forward(z)`` returns ``(x, log_det)``; ``inverse(x)`` returns ``(z, log_det)``.
    * Inputs have shape ``(*, D)`` with any leading batch dimensions; ``log_det`` has shape ``(*)``.
    * ``log_det`` belongs to the map *just applied*, in nats: the two directions have opposite signs.
    * An inverse without a closed form is computed numerically, and its docstring says to what
      precision; where there is none, ``inverse`` raises ``NotImplementedError`` and says what to use.
    * An input has the dtype of the layer's own floating tensors, and any floating dtype where there
      are none; the outputs have it too.
    * NaN in, NaN out: a single bijection computes, :class:`Flow` refuses.
    * A layer may be *conditioned* on a vector c: built with ``context=C``, the width of c, it takes
      c, of shape ``(*, C)``, as the second argument of ``forward`` and of ``inverse``, and so do a
      :class:`Compose`, an :class:`Inverse` and a :class:`~flowlib.flow.Flow` of such layers.  The
      leading dimensions of c and of the other input broadcast.  A class label is a c too: as
      ``one_hot(label, classes).float()``, or through an ``nn.Embedding`` of your own, which trains
      with the flow, as any network does whose output is c.
    * The state has all that the map depends on.  What no training changes, such as a mask or a bound
      (:func:`~flowlib.tensors.fix`), is refused on loading where it differs.

    Attributes:
        dim: the D that the map is defined for, or None where it works for any D.
        context: the width C of the vector that the map is conditioned on; 0 where there is none.
        domain, codomain: the ``torch.distributions.constraints`` of z and of x.

    Raises:
        ValueError: an input that is no floating tensor, is of another dtype, or whose last
            dimension is not ``dim``; a context that is missing, or of another width or dtype, or
            whose leading dimensions do not broadcast.
    """

    dim: int | None = None
    context: int = 0

    @property
    def domain(self) -> Constraint:
        return constraints.real_vector

    @property
    def codomain(self) -> Constraint:
        return constraints.real_vector

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define inverse")

    def push(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """x = f(z) without the log-determinant, (*, D) -> (*, D): less work in a continuous flow."""
        return (self(z) if c is None else self(z, c))[0]

    def check(self, value: Tensor, c: Tensor | None = None) -> None:
        """Raise ValueError unless ``value`` is a tensor (*, D), and c one (*, C), of the layer's dtype."""
        name = type(self).__name__
        check_vectors(name, value, self.dim)
        dtype = dtype_of(self)
        if dtype not in (None, value.dtype):
            raise ValueError(
                f"{name} holds {dtype}; got {value.dtype}: move one of them, as .to() does"
            )
        if c is not None or self.context:
            c = check_context(name, c, self.context, value)
            if c.dtype != value.dtype:
                raise ValueError(f"{name} expected a context of {value.dtype}; got {c.dtype}")


class Compose(Bijection):
    r"""Several bijections, one after the other; their log-determinants add.

    .. math:: f = f_K \circ \dots \circ f_1, \qquad
        \log\lvert\det J_f(z)\rvert = \sum_k \log\lvert\det J_{f_k}(z_{k-1})\rvert

    Args:
        bijections: f_1, ..., f_K in the order in which ``forward`` applies them.

    Raises:
        ValueError: what is no bijection; two that are defined for different D.

    Example:
        >>> from flowlib import Affine, Compose
        >>> x, log_det = Compose(Affine(2), Affine(2))(torch.zeros(5, 2))
        >>> x.shape, log_det.shape
        (torch.Size([5, 2]), torch.Size([5]))
    """

    bijections: Any  # a ModuleList, whose type cannot name its members' type

    def __init__(self, *bijections: Bijection):
        super().__init__()
        others = [kind_of(b) for b in bijections if not isinstance(b, Bijection)]
        if others:
            raise ValueError(f"expected bijections, an argument each; got {others[0]}")
        self.bijections = nn.ModuleList(bijections)
        dims = {b.dim for b in bijections if b.dim is not None}
        if len(dims) > 1:
            raise ValueError(f"Compose expected bijections of one dimension; got {sorted(dims)}")
        self.dim = dims.pop() if dims else None
        widths = {b.context for b in bijections if b.context}
        if len(widths) > 1:
            raise ValueError(f"Compose expected contexts of one width; got {sorted(widths)}")
        self.context = widths.pop() if widths else 0

    @property
    def domain(self) -> Constraint:
        return self.bijections[0].domain if self.bijections else super().domain

    @property
    def codomain(self) -> Constraint:
        onto = all(same_set(a.codomain, b.domain) for a, b in pairwise(self.bijections))
        if not onto:
            return Image(self)
        return self.bijections[-1].codomain if self.bijections else super().codomain

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        z = self._check(z, c)
        total = None
        for bijection in self.bijections:
            z, log_det = bijection(z, c) if bijection.context else bijection(z)
            total = log_det if total is None else total + log_det
        return z, z.new_zeros(z.shape[:-1]) if total is None else total

    def push(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        z = self._check(z, c)
        for bijection in self.bijections:
            z = bijection.push(z, c) if bijection.context else bijection.push(z)
        return z

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self._check(x, c)
        total = None
        for bijection in reversed(self.bijections):
            x, log_det = bijection.inverse(x, c) if bijection.context else bijection.inverse(x)
            total = log_det if total is None else total + log_det
        return x, x.new_zeros(x.shape[:-1]) if total is None else total

    def _check(self, value: Tensor, c: Tensor | None) -> Tensor:
        """The value, with a row for each of several contexts; the dtype is each part's own matter."""
        check_vectors("Compose", value, self.dim)
        if c is None and not self.context:
            return value
        return broadcast_rows(value, check_context("Compose", c, self.context, value))[0]


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
        self.bijection: Any = bijection  # whether it takes a context is its own matter
        self.dim, self.context = bijection.dim, bijection.context

    @property
    def domain(self) -> Constraint:
        return self.bijection.codomain

    @property
    def codomain(self) -> Constraint:
        return self.bijection.domain

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.bijection.inverse(z) if c is None else self.bijection.inverse(z, c)

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.bijection(x) if c is None else self.bijection(x, c)
