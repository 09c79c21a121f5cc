"""torch's distributions as modules: a base whose tensors move, train and are saved with its flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, Transform, constraints
from torch.distributions.utils import lazy_property

from flowlib.context import broadcast_rows
from flowlib.tensors import Held, fix, may_hold

if TYPE_CHECKING:
    from flowlib.base import Bijection


def standard_normal(dim: int) -> Distribution:
    """The standard normal on R^dim, the book's usual base distribution.

    Example:
        >>> standard_normal(2).log_prob(torch.zeros(2))
        tensor(-1.8379)
    """
    normal = Normal(torch.zeros(dim), torch.ones(dim), validate_args=False)
    return Independent(normal, 1, validate_args=False)


class DistributionModule(Held):
    r"""A distribution as a module: its tensors are buffers, its parameters are parameters.

    Called, it returns the distribution of the tensors that it holds now.  The distribution given
    stays as it is: the module has copies of its tensors, and trains its parameters themselves.  The
    state also has each part's kind, by its class and its plain numbers; another kind is refused.

    A parameter counts where the distribution keeps it, as it is or repeated.  Where it keeps only
    what it computed from one, as ``Categorical(logits=...)`` does, write a module of your own whose
    ``forward()`` makes the distribution, and give that in place of the distribution.

    Args:
        distribution: any ``torch.distributions.Distribution``; inside, a transform or a list of
            parts.  A module in it, such as that of a :class:`FlowDistribution`, is a submodule.

    Raises:
        ValueError: a distribution that keeps a tensor computed from a parameter.

    Example:
        >>> module = DistributionModule(Normal(nn.Parameter(torch.zeros(2)), torch.ones(2)))
        >>> [name for name, _ in module.named_parameters()], sorted(module.state_dict())
        (['loc'], ['kind', 'loc', 'scale'])
        >>> module().log_prob(torch.zeros(2)).requires_grad
        True
    """

    def __init__(self, distribution: Distribution | Transform | Sequence):
        super().__init__()
        whole: Any = distribution
        self._class: Any = type(whole)
        self._rest: dict[str, Any] = {}
        self._views: dict[str, tuple] = {}
        for name, value in _parts(whole).items():
            self._rest[name] = None  # holds its place
            if name == "_inv" and "Inverse" not in self._class.__name__:
                continue  # a transform's own inverse, once it was used
            elif name == "_cached_x_y":
                self._rest[name] = None, None
            elif isinstance(value, Tensor):
                self._hold_tensor(name, value)
            elif isinstance(value, nn.Module):
                self.add_module(name, value)
            elif isinstance(value, (Distribution, Transform)) or _has_parts(value):
                self.add_module(name, DistributionModule(value))
            else:
                self._rest[name] = value
        numbers = [
            f"{name}={value}"
            for name, value in self._rest.items()
            if isinstance(value, (int, float)) and not name.startswith("_")
        ]
        fix(self, "kind", f"{self._class.__name__}({', '.join(numbers)})")

    def _hold_tensor(self, name: str, value: Tensor) -> None:
        if isinstance(value._base, nn.Parameter):  # torch repeats what is broadcast
            self._views[name] = (value.shape, value.stride(), value.storage_offset())
            value = value._base
        if isinstance(value, nn.Parameter):
            self.register_parameter(name, value)
        elif any(isinstance(leaf, nn.Parameter) for leaf in _leaves(value)):
            raise ValueError(
                f"expected a distribution that keeps its parameters; got a {self._class.__name__} "
                f"whose {name} was computed from one, and would not train: give a module whose "
                "forward() makes the distribution"
            )
        else:
            self.register_buffer(name, value.clone(memory_format=torch.contiguous_format))

    def forward(self) -> Distribution:
        values = dict(self._rest)  # names in the distribution's own order, with its plain values
        values.update(self._parameters)
        values.update(self._buffers)
        del values["kind"]
        for name, view in self._views.items():
            values[name] = values[name].as_strided(*view)
        for name, part in self._modules.items():
            values[name] = part.forward() if isinstance(part, DistributionModule) else part
        if issubclass(self._class, (list, tuple)):
            return self._class(values.values())
        made = object.__new__(self._class)
        made.__dict__.update(values)
        return made


class Expanded(nn.Module):
    """What makes a distribution of another batch shape, of the same parameters.

    Args:
        base: a module whose ``forward()`` makes a distribution.

    Example:
        >>> Expanded(DistributionModule(standard_normal(2)), (3,))().batch_shape
        torch.Size([3])
    """

    def __init__(self, base: nn.Module, batch_shape: tuple[int, ...]):
        super().__init__()
        self.base, self.batch_shape = base, batch_shape

    def forward(self) -> Distribution:
        return self.base().expand(self.batch_shape)


class Image(constraints.Constraint):
    """The vectors to which a bijection takes those of a base, or any vectors: its inverse decides.

    Example:
        >>> from flowlib import Affine, Compose, Sigmoid
        >>> box = Compose(Sigmoid(), Affine(1, torch.zeros(1), torch.ones(1))).codomain
        >>> box.check(torch.tensor([[1.5], [0.5]]))
        tensor([ True, False])
    """

    event_dim = 1

    def __init__(
        self, bijection: Bijection, base: Distribution | None = None, c: Tensor | None = None
    ):
        self.bijection, self.base, self.c = bijection, base, c

    @torch.no_grad()
    def check(self, value: Tensor) -> Tensor:
        self.bijection.check(value, self.c)
        if not value.numel():  # torch's ``independent`` takes no empty batch
            return torch.ones(value.shape[:-1], dtype=torch.bool, device=value.device)

        def back(*given: Tensor) -> Tensor:
            try:
                return self.bijection.inverse(*given)[0]
            except ValueError:  # off the image of a layer
                return torch.full_like(given[0], torch.nan)

        each = (value,) if self.c is None else broadcast_rows(value, self.c)
        value = each[0]
        rows = [back(*row) for row in zip(*(t.reshape(-1, t.shape[-1]) for t in each))]
        z = torch.stack(rows).reshape(value.shape)
        finite = z.isfinite().all(-1)
        support: Any = constraints.real_vector if self.base is None else self.base.support
        return finite & support.check(z)


def same_set(a: Any, b: Any) -> bool:
    """Whether two constraints are the same; torch makes new ones of the same kind at each call.

    Example:
        >>> same_set(standard_normal(2).support, constraints.real_vector)
        True
    """
    if isinstance(a, constraints.independent) and isinstance(b, constraints.independent):
        return a.event_dim == b.event_dim and same_set(a.base_constraint, b.base_constraint)
    if isinstance(a, constraints.interval) and isinstance(b, constraints.interval):
        pairs = (a.lower_bound, b.lower_bound), (a.upper_bound, b.upper_bound)
        return all(may_hold(torch.as_tensor(p) == torch.as_tensor(q)) for p, q in pairs)
    return str(a) == str(b)


def _parts(whole: Any) -> dict[str, Any]:
    """What a distribution, a transform or a list was made of, by name.

    Not what a distribution has computed from that since, such as the logits of given probabilities:
    the state would depend on what was computed before.  A distribution is given its own before
    it has a shape.
    """
    if isinstance(whole, (list, tuple)):
        return {str(k): value for k, value in enumerate(whole)}
    names = list(vars(whole))
    since = names[names.index("_event_shape") :] if "_event_shape" in names else []
    computed = {name for name in since if isinstance(getattr(type(whole), name, 0), lazy_property)}
    return {name: value for name, value in vars(whole).items() if name not in computed}


def _has_parts(value: Any) -> bool:
    """Whether a value is a list of distributions, transforms or tensors."""
    kinds = (Distribution, Transform, Tensor)
    return isinstance(value, (list, tuple)) and any(isinstance(each, kinds) for each in value)


def _leaves(value: Tensor) -> Iterator[Tensor]:
    """The tensors that autograd would give a gradient to, from this one."""
    waiting, seen = [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if hasattr(node, "variable"):
                yield node.variable
            waiting += [following for following, _ in node.next_functions]
