"""The graph that a page evaluates, as it is built: nodes in a few operations, and their constants.

While a graph is built, a value is a *base* (a constant, or the id of contiguous numbers that some
node makes) and a *layout*, a tensor without data whose strides are how the base is read.  So views
cost nothing until an operation needs their numbers in order, and a broadcast constant is stored
once, unexpanded.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from flowlib.live.ops import aten

LARGEST = 2**24  # numbers in one value; MAX_FLOATS in js/reader.js


class TraceError(ValueError):
    """A function that a page cannot compute, and why."""


class ConstantPool:
    """The constants of all graphs of a figure in one row of bytes; equal ones are stored once.

    A number takes the fewest bytes that hold it exactly: a float32 takes two where it is a float16
    (``weight.half().float()`` makes it one), and one where it is a whole number from 0 to 255.
    """

    def __init__(self):
        self._chunks: list[bytes] = []
        self._offsets: dict[bytes, int] = {}
        self._length = 0

    def add(self, value: Tensor) -> list:
        """[shape, offset, width]: where ``value`` is, in fours of bytes; the bytes to a number."""
        width, chunk = _pack(value.detach().to("cpu", torch.float32).contiguous())
        if chunk not in self._offsets:
            self._offsets[chunk] = self._length
            self._chunks.append(chunk)
            self._length += len(chunk) // 4
        return [list(value.shape), self._offsets[chunk], width]

    def tobytes(self) -> bytes:
        return b"".join(self._chunks)


def _pack(value: Tensor) -> tuple[int, bytes]:
    """The fewest bytes to a number that lose nothing of a float32 ``value``, and those bytes."""
    for dtype in (torch.uint8, torch.float16, torch.float32):
        packed = value.to(dtype)
        back = packed.float()
        same = back.view(torch.int32) == value.view(torch.int32)  # −0 is not 0, unlike ==
        if (same | back.isnan() & value.isnan()).all():
            break
    array = packed.numpy()
    chunk = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return array.itemsize, chunk + bytes(-len(chunk) % 4)


@dataclass(frozen=True)
class Value:
    base: int | Tensor
    layout: Tensor

    @property
    def shape(self) -> list[int]:
        return list(self.layout.shape)

    @classmethod
    def constant(cls, value: Tensor) -> Value:
        """``value``, stored without its repetitions."""
        base = unexpanded(value.detach())
        return cls(base, _layout(base.shape).expand(value.shape))


def unexpanded(value: Tensor) -> Tensor:
    """``value`` with length 1 in each dimension along which it repeats itself."""
    for d, length in enumerate(value.shape):
        first = value.narrow(d, 0, min(length, 1))
        if length > 1 and torch.equal(first.expand(value.shape), value):
            value = first
    return value.contiguous()


def _layout(shape) -> Tensor:
    return torch.empty(list(shape), device="meta")


class Builder:
    """A graph under construction; what ``lowerings.py`` calls.

    Attributes:
        name: the aten operation that is being lowered.
        result: what torch computed for it on the example inputs, for its shape and dtype.
    """

    def __init__(self, inputs: dict[str, Tensor], pool: ConstantPool):
        self.inputs, self.pool = inputs, pool
        self.consts: list = []
        self.nodes: list = []
        self._sizes = {i: value.numel() for i, value in enumerate(inputs.values())}
        self._known: dict[str, int] = {}
        self.name, self.result = "", None

    def input(self, i: int) -> Value:
        return Value(i, _layout(list(self.inputs.values())[i].shape))

    def require(self, condition: bool, what: str):
        if not condition:
            raise TraceError(f"the page {what}; got torch.ops.aten.{self.name}")

    # -- nodes

    def emit(self, op: str, args: list, shape) -> Value:
        """A node, or an existing one that computes the same."""
        key = json.dumps([op, args, list(shape)])
        if math.prod(shape) > LARGEST:
            raise TraceError(
                f"a tensor of shape {tuple(shape)} is more than a page takes: {LARGEST} numbers"
            )
        if key not in self._known:
            self._known[key] = len(self.inputs) + len(self.nodes)
            self._sizes[self._known[key]] = math.prod(shape)
            self.nodes.append([op, args, list(shape)])
        return Value(self._known[key], _layout(shape))

    def pointwise(self, op: str, *operands) -> Value:
        """An elementwise operation on values and numbers that broadcast together."""
        shape = torch.broadcast_shapes(*(o.shape for o in operands if isinstance(o, Value)))
        if math.prod(shape) > 1 and all(self._is_single(o) for o in operands):
            single = self.emit(op, [self.operand(o, []) for o in operands], [])
            return self.view(aten.expand.default, single, list(shape))
        return self.emit(op, [self.operand(o, shape) for o in operands], shape)

    def reduce(self, op: str, x: Value, dim, keepdim: bool) -> Value:
        rank = len(x.shape)
        dims = range(rank) if dim in (None, [], ()) else [dim] if isinstance(dim, int) else dim
        dims = sorted({d % max(rank, 1) for d in dims}) if rank else []
        shape = [1 if d in dims else n for d, n in enumerate(x.shape)]
        kept = shape if keepdim else [n for d, n in enumerate(x.shape) if d not in dims]
        if dims and dims != list(range(dims[0], dims[-1] + 1)):
            order = [d for d in range(rank) if d not in dims] + dims
            x, dims = self.view(aten.permute.default, x, order), list(range(rank - len(dims), rank))
        return self.emit(op, [self.ref(x), *_split(x.shape, dims)], kept)

    def scan(self, op: str, x: Value, dim: int) -> Value:
        dims = [dim % len(x.shape)] if x.shape else []
        return self.emit(op, [self.ref(x), *_split(x.shape, dims)], x.shape)

    # -- layouts

    def view(self, overload, x: Value, *args, **kwargs):
        """What a torch view makes of ``x``: another way of reading the same base."""
        try:
            layout = overload(x.layout, *args, **kwargs)
        except (
            RuntimeError
        ):  # the numbers' order in memory is not what this view needs: copy them in order
            x = Value(self.ref(x)["v"], _layout(x.shape))
            layout = overload(x.layout, *args, **kwargs)
        if isinstance(layout, Tensor):
            return Value(x.base, layout)
        return [Value(x.base, each) for each in layout]

    def flip(self, x: Value, dims: set[int]) -> Value:
        offset, strides = x.layout.storage_offset(), list(x.layout.stride())
        for d in dims if x.shape else ():
            offset += strides[d] * (x.shape[d] - 1)
            strides[d] = -strides[d]
        offset = offset if math.prod(x.shape) else 0
        return self.emit("view", [{"v": self._id(x.base)}, offset, strides], x.shape)

    def ref(self, x: Value) -> dict:
        """A reference to the numbers of ``x``, in order."""
        layout, base = x.layout, self._id(x.base)
        if layout.is_contiguous() and layout.numel() == self._sizes[base]:
            return {"v": base}
        args = [{"v": base}, layout.storage_offset(), list(layout.stride())]
        return {"v": self.emit("view", args, x.shape).base}

    def operand(self, x, shape):
        """An argument of an elementwise operation over ``shape``: a number, or a reference to as
        many numbers as ``shape`` has, or to a single one."""
        if not isinstance(x, Value):
            x = Value.constant(torch.tensor(float(x)))
        if not self._is_single(x):
            return self.ref(self.view(aten.expand.default, x, list(shape)))
        if isinstance(x.base, Tensor) and math.isfinite(number := float(x.base)):
            return int(number) if number.is_integer() and str(number) != "-0.0" else number
        return {"v": self._id(x.base)}

    def _is_single(self, x) -> bool:
        """Is ``x`` one number, however often it is repeated?"""
        if not isinstance(x, Value):
            return True
        return (x.base.numel() if isinstance(x.base, Tensor) else self._sizes[x.base]) == 1

    def _id(self, base: int | Tensor) -> int:
        """The id of a base; those of constants are negative until the graph is finished."""
        if isinstance(base, int):
            return base
        entry = self.pool.add(base)
        if entry not in self.consts:
            self.consts.append(entry)
        base_id = -1 - self.consts.index(entry)
        self._sizes[base_id] = base.numel()
        return base_id

    # -- the end

    def finish(self, outputs: dict[str, Value]) -> dict:
        """The graph as plain JSON: ids count inputs, then constants, then nodes."""
        ids = {name: self.ref(value)["v"] for name, value in outputs.items()}
        inputs, consts = len(self.inputs), len(self.consts)

        def final(arg):
            if isinstance(arg, list):
                return [final(each) for each in arg]
            return {"v": number(arg["v"])} if isinstance(arg, dict) else arg

        def number(i: int) -> int:
            return inputs - 1 - i if i < 0 else i if i < inputs else i + consts

        return {
            "inputs": list(self.inputs),
            "input_shapes": [list(value.shape) for value in self.inputs.values()],
            "consts": self.consts,
            "nodes": [[op, final(args), shape] for op, args, shape in self.nodes],
            "outputs": {name: number(i) for name, i in ids.items()},
            "shapes": {name: value.shape for name, value in outputs.items()},
        }


def _split(shape: list[int], dims: list[int]) -> tuple[int, int, int]:
    """(outer, n, inner): the lengths before, along and after neighbouring dimensions."""
    if not dims:
        return math.prod(shape), 1, 1
    first, last = dims[0], dims[-1] + 1
    return math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:])
