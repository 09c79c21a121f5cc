"""A base distribution pushed through bijections: the density, and the same as torch has densities."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from flowlib.base import Bijection, Compose
from flowlib.context import check_context
from flowlib.distributions import DistributionModule, Expanded, Image, same_set
from flowlib.tensors import bad_numbers, check_vectors, may_hold, sum_is_finite


class Flow(nn.Module):
    r"""A base distribution pushed through bijections: a density that samples and scores.

    .. math:: \log p_X(x) = \log p_Z(f^{-1}(x)) + \log\lvert\det J_{f^{-1}}(x)\rvert

    A flow is a module whose ``forward`` is ``log_prob``.  Its state holds the whole density, the base
    included (:class:`~flowlib.distributions.DistributionModule`): to save a flow, save its
    ``state_dict()``; to load it, build it by the same code and call ``load_state_dict``.

    Where its layers are conditioned on a vector c (:class:`~flowlib.base.Bijection`), a flow is a
    density p(x | c) for each c, and takes c, of shape (*, C), as the second argument of each method.
    Its leading dimensions broadcast with those of x, and come after those of ``shape``:
    ``flow.sample((10,), c)`` has ten samples for each row of c, (10, \*, D).

    Args:
        base: a ``torch.distributions.Distribution`` over vectors of length D, whose parameters train
            with the flow; or a module whose ``forward()`` makes one at each call.
        bijections: f_1, ..., f_K in the order in which sampling applies them.

    Raises:
        ValueError: a base over anything but vectors, or of another D than the bijections.

    Source: Rezende and Mohamed 2015, `arXiv:1505.05770 <https://arxiv.org/abs/1505.05770>`_,
        equations 5 to 7.

    Example:
        >>> from flowlib import Affine, Flow, standard_normal
        >>> flow = Flow(standard_normal(2), Affine(2))
        >>> flow.log_prob(flow.sample((7,))).shape
        torch.Size([7])
    """

    def __init__(self, base: Distribution | nn.Module, *bijections: Bijection):
        super().__init__()
        self.base_state = base if isinstance(base, nn.Module) else DistributionModule(base)
        self.bijection = Compose(*bijections)
        event_shape = self.base.event_shape
        if len(event_shape) != 1:
            raise ValueError(
                "Flow expected a base over vectors (event_shape of one dimension); "
                f"got event_shape {tuple(event_shape)}"
            )
        self.dim, self.context = event_shape[0], self.bijection.context
        if self.bijection.dim not in (None, self.dim):
            raise ValueError(
                f"Flow expected bijections of R^{self.dim}, the base's dimension; "
                f"got R^{self.bijection.dim}"
            )

    @property
    def base(self) -> Distribution:
        """The base distribution, of the tensors that the flow holds now."""
        return self.base_state()

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """``log_prob``, for what calls a module: ``functional_call``, data parallel training."""
        return self.log_prob(x, c)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Log-density in nats of ``x``, shape (*, D) -> (*).

        Raises:
            ValueError: a wrong shape or dtype; a number that is not finite; a context that is
                missing or does not fit.
            FloatingPointError: NaN that arises on the way; it names the layer.
        """
        check_vectors("Flow", x, self.dim)
        if not (sum_is_finite(x) or may_hold(x.isfinite())):  # a sum may overflow
            raise ValueError(
                f"Flow expected finite numbers; got {bad_numbers(x)} in a tensor of shape "
                f"{tuple(x.shape)}"
            )
        if c is not None or self.context:
            c = self._checked(c, x)
        z, log_det = self.bijection.inverse(x, c)
        log_prob = _score(self.base, z) + log_det
        self._refuse_nan(log_prob, x, c, scoring=True)
        return log_prob

    @torch.no_grad()
    def sample(self, shape: tuple[int, ...] = (), c: Tensor | None = None) -> Tensor:
        """Samples without gradients, shape (*shape, D)."""
        base = self.base
        z = base.sample(self._with_rows_of(c, shape, base))
        x = self.bijection.push(z, c)
        self._refuse_nan(x, z, c, scoring=False)
        return x

    def rsample_and_log_prob(
        self, shape: tuple[int, ...] = (), c: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Reparametrised samples (*shape, D) and their log-densities (*shape), with no inverse."""
        base = self.base
        z = base.rsample(self._with_rows_of(c, shape, base))
        x, log_det = self.bijection(z, c)
        log_prob = _score(base, z) - log_det
        self._refuse_nan(log_prob, z, c, scoring=False)
        return x, log_prob

    def _checked(self, c: Any, x: Tensor) -> Tensor:
        check_context("Flow", c, self.context, x)
        if not (sum_is_finite(c) or may_hold(c.isfinite())):
            raise ValueError(
                f"Flow expected finite numbers in the context; got {bad_numbers(c)} in a tensor of "
                f"shape {tuple(c.shape)}"
            )
        return c

    def _with_rows_of(self, c: Tensor | None, shape: Any, base: Distribution) -> tuple[int, ...]:
        """The shape to draw from the base: a base that has a batch has its rows for c already."""
        if not hasattr(shape, "__len__"):  # torch's own error would be that it is not iterable
            raise ValueError(f"Flow expected a shape, such as (3,); got {shape}")
        if c is None and not self.context:
            return shape
        c = self._checked(c, c if isinstance(c, Tensor) else torch.empty(0))
        return shape if base.batch_shape else (*shape, *c.shape[:-1])

    def _refuse_nan(self, result: Tensor, value: Tensor, c: Tensor | None, scoring: bool) -> None:
        """Raise where NaN came from finite numbers, and name the place: computed again, layer by layer."""
        if sum_is_finite(result) or not result.isnan().any():
            return
        layers = list(enumerate(self.bijection.bijections, 1))
        with torch.no_grad():
            for k, layer in reversed(layers) if scoring else layers:
                given = (value, c) if layer.context else (value,)
                value, log_det = (layer.inverse if scoring else layer)(*given)
                if value.isnan().any() or log_det.isnan().any():
                    where = f"bijection {k} of {len(layers)}, {type(layer).__name__}"
                    break
            else:
                where = "the base"
        raise FloatingPointError(
            f"NaN arose in {where}: a parameter that is not finite, or numbers too large for "
            f"{result.dtype}"
        )


def _score(base: Distribution, z: Tensor) -> Tensor:
    """The base's log-density; torch's ``Independent`` takes no empty batch."""
    return base.log_prob(z) if z.numel() else z.sum(-1)


class FlowDistribution(Distribution):
    """A :class:`Flow` as a ``torch.distributions.Distribution``, for code that expects one.

    Its batch shape and whether it has ``rsample`` are the base's; its support is where the flow can
    put a point.

    Args:
        flow: the density.
        c: the context that it is given, (*, C); its leading dimensions are the batch shape.

    Example:
        >>> from flowlib import Affine, Flow, FlowDistribution, standard_normal
        >>> FlowDistribution(Flow(standard_normal(2), Affine(2))).sample((3,)).shape
        torch.Size([3, 2])
    """

    arg_constraints: ClassVar[dict] = {}

    def __init__(self, flow: Flow, c: Tensor | None = None):
        self.flow, self.c = flow, c
        base, rows = flow.base, () if c is None else c.shape[:-1]
        batch_shape = torch.broadcast_shapes(base.batch_shape, rows)
        super().__init__(batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self):
        base, bijection = self.flow.base, self.flow.bijection
        if same_set(base.support, bijection.domain):
            codomain = bijection.codomain
            return Image(bijection, c=self.c) if isinstance(codomain, Image) else codomain
        return Image(bijection, base, self.c)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]  # torch has it as a class's
        return self.flow.base.has_rsample

    def expand(self, batch_shape, _instance=None) -> FlowDistribution:
        base = Expanded(self.flow.base_state, batch_shape)
        return FlowDistribution(Flow(base, *self.flow.bijection.bijections), self.c)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.flow.log_prob(value, self.c)

    def sample(self, sample_shape=()) -> Tensor:
        return self.flow.sample(sample_shape, self.c)

    def rsample(self, sample_shape=()) -> Tensor:
        return self.flow.rsample_and_log_prob(sample_shape, self.c)[0]
