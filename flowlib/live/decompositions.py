"""torch operations as torch code in operations that the page has.

Anything that picks or places numbers becomes ``take`` or ``put`` with flat indices: where those
depend on no input, ``trace`` computes them once.  An index outside its dimension becomes one outside
the whole tensor, which both refuse.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce

import torch
from torch import Tensor

from flowlib.live.builder import TraceError
from flowlib.live.ops import decompose


def _positions(x: Tensor) -> Tensor:
    """The flat index of every number of ``x``, in its shape."""
    return torch.arange(x.numel(), device=x.device).reshape(x.shape)


def _flat(x: Tensor, indices: Iterable[Tensor | None]) -> Tensor:
    """The flat indices that ``x[indices]`` reads."""
    full: list[Tensor | None] = []
    for index in indices:
        if index is not None and index.dtype in (torch.bool, torch.uint8):
            full += index.nonzero().unbind(1)
        else:
            full.append(index)
    full += [None] * (x.ndim - len(full))
    wrapped = [
        None if index is None else torch.where(index < 0, index + length, index)
        for index, length in zip(full, x.shape)
    ]
    return _positions_along(x, wrapped)


def _positions_along(x: Tensor, indices: list[Tensor | None]) -> Tensor:
    strides = [math.prod(x.shape[d + 1 :]) for d in range(x.ndim)]
    parts = {d: _steps(x, d, index) for d, index in enumerate(indices) if index is not None}
    given, flat = list(parts), reduce(torch.add, parts.values())  # broadcast together
    free = [d for d in range(x.ndim) if d not in given]
    # where the given dimensions are adjacent, theirs come in the place of the first; else in front
    together = given == list(range(given[0], given[0] + len(given)))
    before = [d for d in free if d < given[0]] if together else []
    after = [d for d in free if d not in before]
    for d in after:
        flat = flat.unsqueeze(-1) + torch.arange(x.shape[d]) * strides[d]
    for d in reversed(before):
        steps = torch.arange(x.shape[d]) * strides[d]
        flat = flat.unsqueeze(0) + steps.reshape(-1, *[1] * flat.ndim)
    return flat


def _steps(x: Tensor, d: int, index: Tensor) -> Tensor:
    """How far ``index`` along dimension ``d`` leads in the flat ``x``: out of it, if not inside."""
    inside = (index >= 0) & (index < x.shape[d])
    return torch.where(inside, index * math.prod(x.shape[d + 1 :]), x.numel())


def _only(x: Tensor, dim: int, index: Tensor) -> list[Tensor | None]:
    return [index if d == dim % x.ndim else None for d in range(x.ndim)]


@decompose("index", "_unsafe_index")
def index(x, indices):
    return torch.take(x, _flat(x, indices))


@decompose("index_put", "_unsafe_index_put", "_index_put_impl")
def index_put(x, indices, values, accumulate=False, unsafe=False):
    flat = _flat(x, indices)
    return torch.ops.aten.put(x, flat, values.expand(flat.shape), accumulate)


@decompose("index_select")
def index_select(x, dim, index):
    if x.ndim == 0:
        return x.expand(index.shape)
    return torch.take(x, _positions_along(x, _only(x, dim, index)))


@decompose("embedding")
def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    return torch.take(weight, _positions_along(weight, [indices, None]))


@decompose("index_add")
def index_add(x, dim, index, source, alpha=1):
    where = _positions_along(x, _only(x, dim, index)) if x.ndim else torch.zeros_like(index)
    return torch.ops.aten.put(x, where, (source * alpha).expand(where.shape), True)


@decompose("index_copy")
def index_copy(x, dim, index, source):
    where = _positions_along(x, _only(x, dim, index)) if x.ndim else torch.zeros_like(index)
    return torch.ops.aten.put(x, where, source.expand(where.shape), False)


def _along(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """The flat indices that ``gather`` reads and ``scatter`` writes."""
    if x.ndim == 0:
        return torch.zeros_like(index)
    flat = torch.zeros((), dtype=torch.long)
    for d, length in enumerate(index.shape):
        beside = torch.arange(length).reshape(-1, *[1] * (x.ndim - 1 - d))
        flat = flat + _steps(x, d, index if d == dim % x.ndim else beside)
    return flat


@decompose("gather")
def gather(x, dim, index, sparse_grad=False):
    return torch.take(x, _along(x, dim, index))


@decompose("scatter")
def scatter(x, dim, index, source):
    if not isinstance(source, Tensor):
        source = torch.full(index.shape, source, dtype=x.dtype)
    source = source[tuple(slice(length) for length in index.shape)]
    return torch.ops.aten.put(x, _along(x, dim, index), source, False)


@decompose("scatter_add")
def scatter_add(x, dim, index, source):
    source = source[tuple(slice(length) for length in index.shape)]
    return torch.ops.aten.put(x, _along(x, dim, index), source, True)


@decompose("slice_scatter")
def slice_scatter(x, source, dim=0, start=None, end=None, step=1):
    where = torch.ops.aten.slice(_positions(x), dim, start, end, step)
    return torch.ops.aten.put(x, where, source, False)


@decompose("select_scatter")
def select_scatter(x, source, dim, index):
    return torch.ops.aten.put(x, _positions(x).select(dim, index), source, False)


@decompose("diagonal_scatter")
def diagonal_scatter(x, source, offset=0, dim1=0, dim2=1):
    return torch.ops.aten.put(x, _positions(x).diagonal(offset, dim1, dim2), source, False)


@decompose("constant_pad_nd")
def constant_pad_nd(x, pad, value=0):
    for i, (before, after) in enumerate(zip(pad[::2], pad[1::2])):
        d = x.ndim - 1 - i
        x = x.narrow(d, max(-before, 0), x.shape[d] - max(-before, 0) - max(-after, 0))
        sides = [[*x.shape[:d], max(n, 0), *x.shape[d + 1 :]] for n in (before, after)]
        first, last = (torch.full(shape, value, dtype=x.dtype) for shape in sides)
        x = torch.cat([first, x, last], d)
    return x


@decompose("convolution")
def convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """A product of matrices: of the weights, and of what each of them sees on its way along ``x``."""
    if x.ndim != 3 or transposed or groups != 1:
        raise TraceError(
            "the page convolves along one dimension, with groups=1; got another convolution"
        )
    (stride,), (padding,), (dilation,) = stride, padding, dilation
    outputs, inputs, taps = weight.shape
    x = torch.nn.functional.pad(x, (padding, padding)) if padding else x
    window = x.shape[2] - dilation * (taps - 1)  # what each tap sees on its way
    columns = x.unfold(2, window, dilation)[..., ::stride].flatten(1, 2)  # (n, inputs * taps, *)
    matrix = weight.reshape(outputs, inputs * taps)
    if bias is not None:  # the weights of a row of ones
        columns = torch.cat([columns, torch.ones_like(columns[:, :1])], 1)
        matrix = torch.cat([matrix, bias[:, None]], 1)
    return torch.bmm(matrix.expand(len(x), -1, -1), columns)


@decompose("roll")
def roll(x, shifts, dims=()):
    if not dims:
        return torch.roll(x.reshape(-1), shifts, (0,)).reshape(x.shape)
    for shift, dim in zip(shifts, dims):
        split = -shift % max(x.shape[dim], 1)
        x = torch.cat([x.narrow(dim, split, x.shape[dim] - split), x.narrow(dim, 0, split)], dim)
    return x


@decompose("var_mean")
def var_mean(x, dim=None, *, correction=1, keepdim=False):
    dim = list(range(x.ndim)) if dim in (None, []) else dim
    mean = x.mean(dim, keepdim=True)
    total = ((x - mean) * (x - mean)).sum(dim, keepdim)
    count = x.numel() // max(total.numel(), 1)
    return total / max(count - (1 if correction is None else correction), 0), mean.reshape(
        total.shape
    )


@decompose("var")
def var(x, dim=None, *, correction=1, keepdim=False):
    return var_mean(x, dim, correction=correction, keepdim=keepdim)[0]


@decompose("native_layer_norm")
def native_layer_norm(x, normalized_shape, weight, bias, eps):
    variance, mean = var_mean(x, list(range(-len(normalized_shape), 0)), correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps)
    out = (x - mean) * scale
    out = out if weight is None else out * weight
    return out if bias is None else out + bias, mean, scale


@decompose("topk")
def topk(x, k, dim=-1, largest=True, sorted=True):
    values, order = torch.sort(x, dim=dim, descending=largest)
    return values.narrow(dim, 0, k), order.narrow(dim, 0, k)


@decompose("linalg_inv_ex")
def linalg_inv_ex(a, check_errors=False):
    identity = torch.eye(a.shape[-1], dtype=a.dtype).expand(a.shape)
    return torch.linalg.solve(a, identity), torch.zeros(a.shape[:-2], dtype=torch.int32)


@decompose("linalg_solve_triangular")
def linalg_solve_triangular(a, b, *, upper, left=True, unitriangular=False):
    a = a.triu() if upper else a.tril()
    if unitriangular:
        eye = torch.eye(a.shape[-1], dtype=a.dtype)
        a = a * (1 - eye) + eye
    return torch.linalg.solve(a, b) if left else torch.linalg.solve(a.mT, b.mT).mT
