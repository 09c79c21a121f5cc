"""A torch function, traced once to a small graph that a page evaluates.

``make_fx`` captures what torch computes for example inputs, in aten operations.  Here that is made
small: what depends on no input is computed now and kept as a constant, what no output needs is
dropped, and ``lowerings.py`` expresses the rest in the operations of ``js/operations.js``.

>>> pool = ConstantPool()
>>> graph = trace(lambda a: {"y": (a * torch.arange(3.0)).tanh()}, {"a": torch.tensor(1.0)}, pool)
>>> graph["nodes"]
[['mul', [{'v': 0}, {'v': 1}], [3]], ['tanh', [{'v': 2}], [3]]]

A graph is plain JSON: ``inputs`` are names, and ``input_shapes`` their shapes; ``consts`` are
[shape, offset, width] in the pool; ``nodes`` are [op, arguments, shape]; ``outputs`` are ids by name, and
``shapes`` their shapes.  Ids count inputs, then constants, then nodes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, fx

from flowlib.live.builder import Builder, ConstantPool, TraceError, Value, unexpanded
from flowlib.live.capture import RANDOM, capture, line_of
from flowlib.live.compat import OpOverload, schema
from flowlib.live.dtypes import HIGHEST, WHOLE, check_conversion, check_result, whole
from flowlib.live.ops import LOWERINGS, VIEWS, aten, name_of
from flowlib.live.room import check_room

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
            depends on the value of an input, randomness, an in-place write to an input, more
            numbers at a time than a page has room for; or it returns something else than a dict
            of tensors.
    """
    graph, names = capture(fn, inputs)
    fixed = _fixed(graph)
    values = _evaluate(graph, inputs, fixed)
    needed, kept = _needed(graph, values, fixed)

    builder = Builder(inputs, pool)
    lowered: dict[fx.Node, Value] = {}
    several: dict[fx.Node, Sequence[Value]] = {}  # of operations that return more than one
    placeholders = 0
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            lowered[node] = builder.input(placeholders)
            placeholders += 1
        elif node in needed and node in fixed and node not in kept:
            if isinstance(values[node], Tensor):  # else a generator, whose use is refused below
                lowered[node] = Value.constant(values[node])
        elif node in needed and node.target is operator.getitem:
            lowered[node] = several[node.all_input_nodes[0]][cast(int, node.args[1])]
        elif node in needed:
            try:
                moving = [values[each] for each in node.all_input_nodes if each not in fixed]
                result = _lower(builder, node, lowered, values[node], moving)
            except TraceError as error:
                raise TraceError(f"{error}{line_of(fn, inputs, node.target)}") from None
            if isinstance(result, Value):
                lowered[node] = result
            else:
                several[node] = result
    outputs = cast("list[fx.Node]", graph.graph.output_node().args[0])
    for name, node in zip(names, outputs):
        if not values[node].is_floating_point():
            check_result(f"output {name!r}", values[node])
    made = builder.finish({name: lowered[node] for name, node in zip(names, outputs)})
    check_room(made)
    return made


def _evaluate(
    graph: fx.GraphModule, inputs: dict[str, Tensor], fixed: set[fx.Node]
) -> dict[fx.Node, Tensor]:
    """The value of every node on the example inputs.

    Of floats that change, no more than shape and dtype are kept once all has read them: a long
    computation would otherwise hold everything that it ever made.
    """
    values: dict[fx.Node, Tensor] = {}
    last = {read: node for node in graph.graph.nodes for read in node.all_input_nodes}
    given = iter(inputs.values())
    with torch.no_grad():
        for node in graph.graph.nodes:
            if node.op == "placeholder":
                values[node] = next(given)
            elif node.op == "get_attr":
                values[node] = operator.attrgetter(node.target)(graph)
            elif node.op == "call_function":
                args, kwargs = _arguments(node, values)
                values[node] = node.target(*args, **kwargs)
            for read in set(node.all_input_nodes) - fixed:
                value = values[read]
                if last[read] is node and isinstance(value, Tensor) and value.is_floating_point():
                    values[read] = value.to("meta")
    return values


def _arguments(node: fx.Node, values: Mapping[fx.Node, Any]) -> tuple[tuple, dict]:
    """A node's arguments, with a value in place of each node among them."""
    args = fx.node.map_arg(node.args, values.__getitem__)
    return args, fx.node.map_arg(dict(node.kwargs), values.__getitem__)


def _fixed(graph: fx.GraphModule) -> set[fx.Node]:
    """The nodes that are the same for all inputs."""
    fixed: set[fx.Node] = set()
    for node in graph.graph.nodes:
        if node.op == "get_attr":
            fixed.add(node)
        elif node.op == "call_function":
            tags = getattr(node.target, "tags", ())
            constant = _name(node) in SHAPE_ONLY or fixed.issuperset(node.all_input_nodes)
            if constant and torch.Tag.nondeterministic_seeded not in tags:
                fixed.add(node)
    return fixed


def _needed(graph, values, fixed) -> tuple[set[fx.Node], set[fx.Node]]:
    """The nodes that the outputs need, and those among the fixed that the page computes itself,
    because what they are made of takes less room: a grid, of its two edges."""
    weights: dict[fx.Node, int] = {}
    kept: set[fx.Node] = set()
    for node in graph.graph.nodes:
        if node in fixed and isinstance(values[node], Tensor):
            weights[node] = unexpanded(values[node]).numel()
            parts = node.all_input_nodes
            small = NODE_WEIGHT + sum(weights.get(part, weights[node]) for part in parts)
            exact = all(_is_exact(values[each]) for each in (node, *parts))
            known = _name(node) in LOWERINGS or _name(node) in VIEWS
            if node.op == "call_function" and known and exact and small < weights[node]:
                kept.add(node)
                weights[node] = small
    needed = set(graph.graph.output_node().all_input_nodes)
    for node in reversed(graph.graph.nodes):
        if node in needed and (node not in fixed or node in kept):
            needed.update(node.all_input_nodes)
    return needed, kept


def _is_exact(value) -> bool:
    """Does float32 hold the tensor ``value`` as it is?"""
    if not isinstance(value, Tensor):
        return False
    small = value.dtype == torch.bool or value.dtype in WHOLE and not (value.abs() > HIGHEST).any()
    return small or value.dtype == torch.float32


def _name(node: fx.Node) -> str:
    return name_of(node.target) if isinstance(node.target, OpOverload) else ""


def _lower(
    builder: Builder, node: fx.Node, lowered: dict[fx.Node, Value], result, moving: list[Tensor]
) -> Value | Sequence[Value]:
    """Say one node in the operations of the page; ``moving`` are its operands that inputs change."""
    target, name = node.target, _name(node)
    builder.name, builder.result = name, result
    if name not in (*LOWERINGS, *VIEWS) or not isinstance(target, OpOverload):
        raise _refusal(target)
    args, kwargs = _arguments(node, lowered)
    if name in VIEWS:
        overload = aten.view.default if name == "_unsafe_view" else target
        if overload is aten.view.dtype:
            raise _refusal(target)
        return builder.view(overload, *args, **kwargs)
    where = f"torch.ops.aten.{name}"
    for each in [result] if isinstance(result, Tensor) else result:
        check_result(where, each)
    if name != "_to_copy":
        check_conversion(where, moving, kwargs.get("dtype"))
    ignored = ("dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking")
    full = []
    for i, argument in enumerate(schema(target).arguments):
        if argument.name not in ignored:
            given = args[i] if i < len(args) else kwargs.get(argument.name, argument.default_value)
            full.append(given)
    try:
        made = LOWERINGS[name](builder, *full)
    except TypeError as error:  # arguments that our function for it does not take
        raise _refusal(target) from error
    if isinstance(made, Value) and result.dtype in WHOLE:
        return whole(builder, made, result.dtype)
    return made


def _refusal(target) -> TraceError:
    tags = getattr(target, "tags", ())
    if torch.Tag.nondeterministic_seeded in tags:
        return TraceError(f"{target} {RANDOM}")
    if torch.Tag.dynamic_output_shape in tags:
        return TraceError(
            f"the shape of what {target} returns depends on the value of an input (a boolean mask as "
            "an index does so too); use torch.where, or weights of 0 and 1"
        )
    return TraceError(
        f"{target} is an operation that the page does not have; flowlib/live/ops.py says how to add it"
    )
