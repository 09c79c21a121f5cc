"""What torch computes in a function, captured in aten operations, and the lines they come from."""

from __future__ import annotations

import operator
import traceback
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, fx
from torch.overrides import TorchFunctionMode

from flowlib.live import decompositions, lowerings  # noqa: F401  (register their operations)
from flowlib.live.builder import TraceError
from flowlib.live.compat import OpOverload, TorchDispatchMode, bare_nodes, make_fx, schema
from flowlib.live.ops import all_decompositions

RANDOM = (
    "is random, and a trace would freeze its numbers; declare an input, as in eps=Noise(256, 2)"
)


def capture(fn, inputs: dict[str, Tensor]) -> tuple[fx.GraphModule, list[str]]:
    """What torch computes in ``fn``, without in-place writes, and the names of the outputs."""
    names: list[str] = []

    def flat(*values):
        with _Select():
            outputs = fn(**dict(zip(inputs, values)))
        if not isinstance(outputs, dict):
            raise TraceError(f"expected a dict of tensors; got {type(outputs).__name__}")
        for name, value in outputs.items():
            if not isinstance(value, Tensor):
                kind = type(value).__name__
                raise TraceError(f"expected a tensor as output {name!r}; got {kind}")
        names[:] = outputs
        return list(outputs.values())

    try:
        graph = _make_fx(flat, inputs)
    except RuntimeError as error:
        if "Generator" in str(error):  # torch 2.6's words
            raise TraceError(f"a generator {RANDOM}{_line(error.__traceback__)}") from None
        if "tracing tensor" not in str(error):
            raise
        raise TraceError(
            "the function needs the value of a tensor that depends on an input (.item(), float(), "
            "`if` on a tensor, or a check that does so: give torch.distributions "
            f"validate_args=False). Use torch.where instead{_line(error.__traceback__)}"
        ) from None
    for _ in range(3):  # replacing in-place writes can bring operations that write in place
        writes = [node for node in graph.graph.nodes if _writes(node)]
        if not writes:
            return graph, names
        for node in writes:
            _check_write(node, fn, inputs)
        graph = _make_fx(torch.func.functionalize(graph), inputs)
    raise TraceError("the function writes in place in a way that cannot be undone; use new tensors")


def _make_fx(fn, inputs: dict[str, Tensor]) -> fx.GraphModule:
    examples = [value.detach().clone() for value in inputs.values()]
    with bare_nodes():
        return make_fx(fn, decomposition_table=all_decompositions())(*examples)


class _Select(TorchFunctionMode):
    """Traces ``x[k]`` for a whole number k in a tensor, whose value torch would need."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not Tensor.__getitem__:
            return func(*args, **(kwargs or {}))
        x, parts = args
        parts = parts if isinstance(parts, tuple) else (parts,)
        tensors = [isinstance(part, Tensor) for part in parts]
        picks = [i for i, part in enumerate(parts) if tensors[i] and part.ndim == 0]
        if len(picks) < sum(tensors) or any(isinstance(part, list) for part in parts):
            return func(*args)
        x = func(x, tuple(slice(None) if i in picks else part for i, part in enumerate(parts)))
        for i in reversed(picks):  # count the dimensions before it, or after it
            behind = any(part is Ellipsis for part in parts[:i])
            beside = parts[i + 1 :] if behind else parts[:i]
            count = sum(
                type(part) is not int and not (behind and isinstance(part, Tensor))
                for part in beside
            )
            dim = -1 - count if behind else count
            index = torch.where(parts[i] < 0, parts[i] + x.shape[dim], parts[i])
            x = x.index_select(dim, index.reshape(1)).squeeze(dim)
        return x


def _writes(node: fx.Node) -> bool:
    return isinstance(node.target, OpOverload) and schema(node.target).is_mutable


def _is_view(target) -> bool:
    returns = schema(target).returns if isinstance(target, OpOverload) else []
    return bool(returns) and returns[0].alias_info is not None


def _check_write(write: fx.Node, fn, inputs: dict[str, Tensor]):
    """Refuse an in-place write to what lives outside the function."""
    root = write
    while root.op == "call_function":
        if root.target is not operator.getitem and not _is_view(root.target):
            return
        root = root.all_input_nodes[0]
    placeholders = [node for node in write.graph.nodes if node.op == "placeholder"]
    if root in placeholders:
        what = f"input {list(inputs)[placeholders.index(root)]!r}"
    else:
        what = "a tensor that was made outside the function"
    raise TraceError(
        f"the function writes in place to {what}; write to a clone{line_of(fn, inputs, write.target)}"
    )


class _Find(TorchDispatchMode):
    """Runs a function until it reaches an operation, and remembers the line that called it."""

    def __init__(self, target):
        self.target, self.table, self.line = target, all_decompositions(), ""
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not self.line and func is self.target:
            self.line = _line(None)
        if func in self.table:
            with self:
                return self.table[func](*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def line_of(fn, inputs: dict[str, Tensor], target) -> str:
    """The line of the reader's code that calls ``target``, as the end of a sentence."""
    finder = _Find(target)
    with suppress(Exception), finder, torch.no_grad():  # the error already raised matters more
        fn(**{name: value.detach().clone() for name, value in inputs.items()})
    return finder.line


def _line(trace_back) -> str:
    """Of a traceback, or of the stack, the last line that is neither torch's nor ours."""
    frames = traceback.extract_tb(trace_back) if trace_back else traceback.extract_stack()
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    for frame in reversed(frames):
        if not frame.filename.startswith(ours):
            place = f"; at {Path(frame.filename).name}:{frame.lineno}"
            return f"{place}: {frame.line}" if frame.line else place
    return ""
