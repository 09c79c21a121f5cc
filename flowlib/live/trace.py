"""A torch function, traced once to a small graph that a page evaluates.

``make_fx`` records what torch computes for example inputs, in aten operations.  Here the record is
made small: what depends on no input is computed now and kept as a constant, what no output needs is
dropped, and ``ops.py`` says the rest in the operations of ``js/runtime.js``.

>>> pool = ConstantPool()
>>> graph = trace(lambda a: {"y": (a * torch.ones(3)).tanh()}, {"a": torch.tensor(1.0)}, pool)
>>> graph["nodes"]
[['mul', [{'v': 0}, 1], [3]], ['tanh', [{'v': 1}], [3]]]

A graph is plain JSON: ``inputs`` are names, and ``input_shapes`` their shapes; ``consts`` are
[shape, offset] in the pool; ``nodes`` are [op, arguments, shape]; ``outputs`` are ids by name, and
``shapes`` their shapes.  Ids count inputs, then constants, then nodes.
"""

from __future__ import annotations

import operator
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from flowlib.live import rewrites  # noqa: F401  (registers its operations)
from flowlib.live.builder import Builder, ConstantPool, TraceError, Value, unexpanded
from flowlib.live.ops import LOWERINGS, VIEWS, aten, decompositions, name_of

__all__ = ["ConstantPool", "TraceError", "trace"]

SHAPE_ONLY = {  # of their first argument these read the shape, not the numbers
    *("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full"),
    *("new_empty", "new_empty_strided"),
}
NODE_WEIGHT = 8  # a node takes about as much room as eight constants


def trace(
    fn: Callable[..., dict[str, Tensor]], inputs: dict[str, Tensor], pool: ConstantPool
) -> dict:
    """The graph of ``fn(**inputs)``, whose constants join ``pool``.

    Raises:
        TraceError: ``fn`` does what a page cannot: an unknown operation, a shape or a branch that
            depends on the value of an input, randomness, an in-place write to an input; or it
            returns something else than a dict of tensors.
    """
    record, names = _record(fn, inputs)
    values = _evaluate(record, inputs)
    fixed = _fixed(record)
    needed, kept = _needed(record, values, fixed)

    builder = Builder(inputs, pool)
    lowered: dict[fx.Node, Value] = {}
    placeholders = 0
    for node in record.graph.nodes:
        if node.op == "placeholder":
            lowered[node] = builder.input(placeholders)
            placeholders += 1
        elif node in needed and node in fixed and node not in kept:
            fixed_value = values[node]
            is_tensor = isinstance(fixed_value, Tensor)
            lowered[node] = Value.constant(fixed_value) if is_tensor else fixed_value
        elif node in needed and node.target is operator.getitem:
            lowered[node] = lowered[node.args[0]][node.args[1]]
        elif node in needed:
            try:
                lowered[node] = _lower(builder, node, lowered, values[node])
            except TraceError as error:
                raise TraceError(f"{error}{_where(fn, inputs, node.target)}") from None
    outputs = record.graph.output_node().args[0]
    return builder.finish({name: lowered[node] for name, node in zip(names, outputs)})


def _record(fn, inputs: dict[str, Tensor]) -> tuple[fx.GraphModule, list[str]]:
    """What torch computes in ``fn``, without in-place writes, and the names of the outputs."""
    names: list[str] = []

    def flat(*values):
        outputs = fn(**dict(zip(inputs, values)))
        if not isinstance(outputs, dict):
            raise TraceError(f"expected a dict of tensors; got {type(outputs).__name__}")
        for name, value in outputs.items():
            if not isinstance(value, Tensor):
                kind = type(value).__name__
                raise TraceError(f"expected a tensor as output {name!r}; got {kind}")
        names[:] = outputs
        return list(outputs.values())

    examples = [value.detach().clone() for value in inputs.values()]
    table = decompositions()
    try:
        record = make_fx(flat, decomposition_table=table)(*examples)
    except RuntimeError as error:
        if "tracing tensor" not in str(error):
            raise
        raise TraceError(
            "the function asks for the value of a tensor that depends on an input (.item(), float(), "
            "`if` on a tensor, or a check that does so: give torch.distributions "
            f"validate_args=False). Use torch.where instead{_line(error.__traceback__)}"
        ) from None
    for _ in range(3):  # rewriting in-place writes can bring operations that write in place
        writes = [node for node in record.graph.nodes if _writes(node)]
        if not writes:
            return record, names
        for node in writes:
            _check_write(node, list(inputs), fn, inputs)
        examples = [value.detach().clone() for value in inputs.values()]
        record = make_fx(torch.func.functionalize(record), decomposition_table=table)(*examples)
    raise TraceError("the function writes in place in a way that cannot be undone; use new tensors")


def _writes(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _check_write(write: fx.Node, names: list[str], fn, inputs):
    """Refuse an in-place write to what lives outside the function."""
    root = write
    while root.op == "call_function":
        returns = getattr(getattr(root.target, "_schema", None), "returns", None)
        if root.target is not operator.getitem and not (returns and returns[0].alias_info):
            return
        root = root.args[0]
    if root.op == "placeholder":
        what = (
            f"input {names[[n for n in root.graph.nodes if n.op == 'placeholder'].index(root)]!r}"
        )
    else:
        what = "a tensor that was made outside the function"
    raise TraceError(
        f"the function writes in place to {what}; write to a clone{_where(fn, inputs, write.target)}"
    )


def _evaluate(record: fx.GraphModule, inputs: dict[str, Tensor]) -> dict[fx.Node, Tensor]:
    """The value of every node on the example inputs."""
    values: dict[fx.Node, Tensor] = {}
    given = iter(inputs.values())
    with torch.no_grad():
        for node in record.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(given)
            elif node.op == "get_attr":
                values[node] = operator.attrgetter(node.target)(record)
            elif node.op == "call_function":
                args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = node.target(*args, **kwargs)
    return values


def _fixed(record: fx.GraphModule) -> set[fx.Node]:
    """The nodes that are the same for all inputs."""
    fixed: set[fx.Node] = set()
    for node in record.graph.nodes:
        if node.op == "get_attr":
            fixed.add(node)
        elif node.op == "call_function":
            tags = getattr(node.target, "tags", ())
            alone = _name(node) in SHAPE_ONLY or fixed.issuperset(node.all_input_nodes)
            if alone and torch.Tag.nondeterministic_seeded not in tags:
                fixed.add(node)
    return fixed


def _needed(record, values, fixed) -> tuple[set[fx.Node], set[fx.Node]]:
    """The nodes that the outputs need, and those among the fixed that the page computes itself,
    because what they are made of takes less room: a grid, of its two edges."""
    weights: dict[fx.Node, int] = {}
    kept: set[fx.Node] = set()
    for node in record.graph.nodes:
        if node in fixed and isinstance(values[node], Tensor):
            weights[node] = unexpanded(values[node]).numel()
            parts = node.all_input_nodes
            small = NODE_WEIGHT + sum(weights.get(part, weights[node]) for part in parts)
            exact = all(_is_exact(values[each]) for each in (node, *parts))
            known = _name(node) in LOWERINGS or _name(node) in VIEWS
            if node.op == "call_function" and known and exact and small < weights[node]:
                kept.add(node)
                weights[node] = small
    needed = set(record.graph.output_node().all_input_nodes)
    for node in reversed(record.graph.nodes):
        if node in needed and (node not in fixed or node in kept):
            needed.update(node.all_input_nodes)
    return needed, kept


def _is_exact(value) -> bool:
    """Does float32 hold ``value`` as it is?"""
    if not isinstance(value, Tensor) or value.dtype in (torch.float32, torch.bool):
        return isinstance(value, Tensor)
    return not value.is_floating_point() and bool((value.abs() < 2**24).all())


def _name(node: fx.Node) -> str:
    return name_of(node.target) if isinstance(node.target, torch._ops.OpOverload) else ""


def _lower(builder: Builder, node: fx.Node, lowered: dict, result):
    """Say one node in the operations of the page."""
    target, name = node.target, _name(node)
    builder.name, builder.result = name, result
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), lowered.__getitem__)
    if name in VIEWS:
        overload = aten.view.default if name == "_unsafe_view" else target
        return builder.view(overload, *args, **kwargs)
    if name not in LOWERINGS:
        raise _refusal(target)
    ignored = ("dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking")
    full = []
    for i, argument in enumerate(target._schema.arguments):
        if argument.name not in ignored:
            given = args[i] if i < len(args) else kwargs.get(argument.name, argument.default_value)
            full.append(given)
    return LOWERINGS[name](builder, *full)


def _refusal(target) -> TraceError:
    tags = getattr(target, "tags", ())
    if torch.Tag.nondeterministic_seeded in tags:
        return TraceError(
            f"{target} is random, and a trace would freeze its numbers; declare an input, as in "
            "eps=Noise(256, 2)"
        )
    if torch.Tag.dynamic_output_shape in tags:
        return TraceError(
            f"the shape of what {target} returns depends on the value of an input (a boolean mask as "
            "an index does so too); use torch.where, or weights of 0 and 1"
        )
    return TraceError(
        f"{target} is an operation that the page does not have; flowlib/live/ops.py says how to add it"
    )


class _Find(TorchDispatchMode):
    """Runs a function until it reaches an operation, and remembers the line that called it."""

    def __init__(self, target):
        self.target, self.table, self.line = target, decompositions(), ""
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not self.line and func is self.target:
            self.line = _line(None)
        if func in self.table:
            with self:
                return self.table[func](*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _where(fn, inputs: dict[str, Tensor], target) -> str:
    """The line of the reader's code that calls ``target``, as the end of a sentence."""
    finder = _Find(target)
    with suppress(Exception), finder, torch.no_grad():  # the error at hand matters more
        fn(**{name: value.detach().clone() for name, value in inputs.items()})
    return finder.line


def _line(trace_back) -> str:
    """Of a traceback, or of the stack, the last line that is neither torch's nor ours."""
    frames = traceback.extract_tb(trace_back) if trace_back else traceback.extract_stack()
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    for frame in reversed(frames):
        if not frame.filename.startswith(ours):
            return f"; at {Path(frame.filename).name}:{frame.lineno}: {frame.line or ''}".rstrip(
                ": "
            )
    return ""
