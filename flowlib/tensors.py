"""What a layer does with the tensors that it holds: take them as given, fix them, check values."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Held(nn.Module):
    """A module that is made of given tensors, and whose state holds what it was built on.

    Two things that an ``nn.Module`` does not do:

    * what :func:`fix` holds is refused on loading where it differs, and comes back from the meta
      device, which has no values;
    * a deep copy takes the values of tensors that were computed elsewhere.

    Example:
        >>> import copy
        >>> module, weight = Held(), nn.Parameter(torch.ones(1))
        >>> module.register_buffer("doubled", 2 * weight)
        >>> copy.deepcopy(module).doubled
        tensor([2.])
    """

    _fixed: dict[str, Any]  # there once fix was called

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing, extra, errors):
        fixed = vars(self).get("_fixed", {})
        for name, value in fixed.items():
            given = state_dict.get(prefix + name)
            if given is None:
                continue
            if given.is_meta or not torch.equal(given.cpu(), _encoded(value).to(given.dtype)):
                got = "one without values, on meta" if given.is_meta else _decoded(given, value)
                errors.append(
                    f"{type(self).__name__} expected a state with {name} = {value}; got {got}"
                )
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, extra, errors)
        # What follows from the state, such as an index, follows it from the meta device too.
        devices = {getattr(self, name).device for name in fixed}
        for device in devices - {torch.device("meta")}:
            for name in fixed:
                if getattr(self, name).is_meta:
                    setattr(self, name, _encoded(fixed[name], device))

    def _apply(self, fn, recurse=True):
        module = super()._apply(fn, recurse)
        for name, value in vars(self).get("_fixed", {}).items():
            buffer = getattr(self, name)
            if not buffer.is_meta:  # made anew: .type() casts whole numbers too
                setattr(self, name, _encoded(value, buffer.device))
        return module

    def __deepcopy__(self, memo):
        for tensor in self.buffers():
            if not tensor.is_leaf:  # torch refuses to copy it
                memo.setdefault(id(tensor), tensor.detach().clone())
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin


def fix(module: Held, name: str, value: Any, persistent: bool = True) -> None:
    """Set ``module.name`` to a buffer of what the module is built on and no training changes.

    A mask, an order, a bound, a name: it travels in the state, and loading another one is refused.
    What follows from such a value, such as an index, need not be in the state: ``persistent=False``.

    Args:
        value: a number, a list of numbers, or words, which become bytes.

    Example:
        >>> module = Held()
        >>> fix(module, "order", [1, 0])
        >>> try:
        ...     module.load_state_dict({"order": torch.tensor([0, 1])})
        ... except RuntimeError as error:
        ...     print(str(error).splitlines()[1].strip())
        Held expected a state with order = [1, 0]; got [0, 1]
    """
    module.__dict__.setdefault("_fixed", {})[name] = value
    module.register_buffer(name, _encoded(value, torch.get_default_device()), persistent)


def _encoded(value: Any, device: Any = "cpu") -> Tensor:
    """A fixed value as the tensor that a state has of it."""
    tensor = torch.tensor(list(value.encode()) if isinstance(value, str) else value, device=device)
    # Of bytes, because torch subtracts no bools, where it averages models with their buffers.
    return tensor.byte() if tensor.dtype == torch.bool else tensor


def _decoded(given: Tensor, like: Any) -> Any:
    """The fixed value that a state's tensor stands for."""
    if isinstance(like, str):
        return bytes(given.tolist()).decode(errors="replace")
    return (given.bool() if _encoded(like).dtype == torch.uint8 else given).tolist()


def hold(module: nn.Module, shapes: Mapping, starts: Mapping, **given: Tensor | None) -> None:
    """Hold the tensors given, used as they are, and parameters in the place of those left out.

    A given ``nn.Parameter`` trains too.  Gradients reach any other given tensor through the layer,
    so that a layer can be made of tensors computed elsewhere, such as a slider's.

    Args:
        shapes: of each tensor.
        starts: what makes each parameter, of its shape; called in order, for those left out.
        given: name -> tensor, or None.

    Raises:
        ValueError: a tensor of another shape, of whole numbers, of another dtype than the others,
            or with a number that is not finite.

    Example:
        >>> layer = nn.Module()
        >>> hold(layer, {"shift": (2,)}, {"shift": torch.zeros}, shift=None)
        >>> layer.shift
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """
    who = type(module).__name__
    dtypes: set[torch.dtype] = set()
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise ValueError(f"{who} expected {name} as a tensor of floats; got {kind_of(value)}")
        if value.shape != shapes[name]:
            got = tuple(value.shape)
            raise ValueError(f"{who} expected {name} of shape {shapes[name]}; got {got}")
        if not may_hold(value.isfinite()):
            raise ValueError(
                f"{who} expected finite numbers in {name}; got {bad_numbers(value)} "
                f"of {value.numel()} that are not"
            )
        dtypes.add(value.dtype)
    if len(dtypes) > 1:
        first, second = sorted(map(str, dtypes))
        raise ValueError(f"{who} expected tensors of one dtype; got {first} and {second}")
    for name, value in given.items():
        if value is not None:
            _register(module, name, value)
    for name, start in starts.items():
        if given[name] is None:
            value = start(shapes[name])
            _register(module, name, nn.Parameter(value.to(*dtypes) if dtypes else value))


def _register(module: nn.Module, name: str, value: Tensor) -> None:
    if isinstance(value, nn.Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def dtype_of(module: nn.Module) -> torch.dtype | None:
    """The dtype of a module's floating tensors, by the first of them; None where it has none.

    Example:
        >>> dtype_of(nn.Linear(2, 2).double())
        torch.float64
    """
    tensor: Tensor | None
    for tensor in module._parameters.values():  # plain loops: every layer runs this at every call
        if tensor is not None and tensor.is_floating_point():
            return tensor.dtype
    for child in module._modules.values():
        if child is not None and (dtype := dtype_of(child)) is not None:
            return dtype
    for name, tensor in module._buffers.items():
        fixed = name in module.__dict__.get("_fixed", ())
        if tensor is not None and not fixed and tensor.is_floating_point():
            return tensor.dtype
    return None


def check_vectors(who: str, value: Tensor, dim: int | None) -> None:
    """Raise ValueError unless ``value`` is a tensor of floats of shape (*, dim), or (*, D).

    Example:
        >>> check_vectors("Flow", torch.zeros(5, 3), dim=2)
        Traceback (most recent call last):
        ValueError: Flow expected shape (..., 2); got (5, 3)
    """
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise ValueError(f"{who} expected a tensor of floats; got {kind_of(value)}")
    # No `in` here: for a size that torch.compile leaves open it is wrong.
    if value.ndim == 0 or (dim is not None and dim != value.shape[-1]):
        expected = "D" if dim is None else dim
        raise ValueError(f"{who} expected shape (..., {expected}); got {tuple(value.shape)}")


def kind_of(value: Any) -> str:
    """What a value is, for a sentence: the dtype of a tensor, else the name of its class.

    Example:
        >>> kind_of(torch.tensor(1)), kind_of([1.0])
        ('torch.int64', 'list')
    """
    return str(value.dtype) if isinstance(value, Tensor) else type(value).__name__


def may_hold(condition: Tensor) -> bool:
    """Whether a condition holds everywhere; where no value is known, True.

    No value is known inside vmap or a trace, on the meta device, and while torch compiles.

    Example:
        >>> may_hold(torch.tensor([True, False]))
        False
    """
    if torch.compiler.is_compiling():
        return True
    try:
        return bool(condition.all())
    except RuntimeError:
        return True


def sum_is_finite(value: Tensor) -> bool:
    """Whether a sum is finite, and so all of its numbers: one pass.  Where no value is known, True.

    Example:
        >>> sum_is_finite(torch.tensor([0.0, -torch.inf]))
        False
    """
    if torch.compiler.is_compiling():
        return True
    try:
        return math.isfinite(value.detach().sum().item())
    except RuntimeError:
        return True


def bad_numbers(value: Tensor) -> str:
    """How many NaN, or else infinite numbers, a tensor has, for a sentence.

    Example:
        >>> bad_numbers(torch.tensor([0.0, torch.nan, torch.inf]))
        '1 NaN'
    """
    nan = int(value.isnan().sum())
    return f"{nan} NaN" if nan else f"{int(value.isinf().sum())} infinite"
