"""The short functions that express torch's operations in those of ``js/operations.js``.

Each takes the graph under construction (``builder.py``) and the arguments of the aten operation, in
the order of its schema, and returns the value or values that it makes.
"""

from __future__ import annotations

import math

import torch

from flowlib.live.ops import LOWERINGS, aten, lower, names_in

SAME = names_in("alias detach clone lift_fresh lift_fresh_copy lift contiguous")
UNARY = names_in("""
    neg abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan
    sinh cosh tanh asinh acosh atanh sigmoid erf erfc erfinv floor ceil trunc isnan
""")
BINARY = names_in("atan2 hypot fmod remainder minimum maximum eq ne lt le gt ge")
RENAMED = {
    "logical_not": "not",
    "logical_and": "and",
    "logical_or": "or",
    "logical_xor": "xor",
    "sgn": "sign",
    "special_erfcx": "erfcx",
    "special_ndtri": "ndtri",
}


# -- elementwise


def pointwise(op: str):
    def emit(graph, *operands):
        return graph.pointwise(op, *operands)

    return emit


for _name in UNARY + BINARY:
    LOWERINGS[_name] = pointwise(_name)
for _name, _op in RENAMED.items():
    LOWERINGS[_name] = pointwise(_op)
lower("where")(pointwise("where"))


@lower(*SAME)
def same(graph, x, *_):
    return x


@lower("copy")
def copy(graph, x, source, *_):
    return graph.view(aten.expand.default, source, list(x.shape))


@lower("add")
def add(graph, a, b, alpha=1):
    if graph.result.dtype == torch.bool:
        return graph.pointwise("or", a, b)
    return graph.pointwise("add", a, b if alpha == 1 else graph.pointwise("mul", b, alpha))


@lower("sub")
def sub(graph, a, b, alpha=1):
    return graph.pointwise("sub", a, b if alpha == 1 else graph.pointwise("mul", b, alpha))


@lower("mul")
def mul(graph, a, b):
    return graph.pointwise("mul", a, b)


@lower("div")
def div(graph, a, b, rounding_mode=None):
    if rounding_mode == "floor":
        return graph.pointwise("floor_divide", a, b)
    ratio = graph.pointwise("div", a, b)
    return graph.pointwise("trunc", ratio) if rounding_mode else ratio


@lower("pow")
def power(graph, a, b):
    if b in (1, 2):
        return graph.pointwise("mul", a, a if b == 2 else 1)
    roots = {0.5: "sqrt", -0.5: "rsqrt"}  # unlike a power, of -0 and of -inf
    return graph.pointwise("pow", a, b) if b not in roots else graph.pointwise(roots[b], a)


@lower("clamp")
def clamp(graph, x, low=None, high=None):
    x = x if low is None else graph.pointwise("maximum", x, low)
    return x if high is None else graph.pointwise("minimum", x, high)


@lower("relu")
def relu(graph, x):
    return graph.pointwise("maximum", x, 0)


@lower("round")
def round_(graph, x, decimals=0):
    graph.require(decimals == 0, "rounds to whole numbers only")
    return graph.pointwise("round", x)


@lower("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not")
def logical(graph, *operands):
    graph.require(graph.result.dtype == torch.bool, "has & | ^ ~ for booleans only")
    return graph.pointwise(graph.name.removeprefix("bitwise_"), *operands)


@lower("_to_copy")
def convert(graph, x, *_):
    return graph.pointwise("ne", x, 0) if graph.result.dtype == torch.bool else x


# -- reductions and scans


@lower("sum", "prod", "amax", "amin", "argmax", "argmin")
def reduce(graph, x, dim=None, keepdim=False):
    return graph.reduce(graph.name, x, dim, keepdim)


@lower("max", "min")
def extremum(graph, x, dim=None, keepdim=False):
    best = graph.reduce(f"a{graph.name}", x, dim, keepdim)
    return best if dim is None else (best, graph.reduce(f"arg{graph.name}", x, dim, keepdim))


@lower("cumsum", "cumprod")
def scan(graph, x, dim):
    return graph.scan(graph.name, x, dim)


@lower("mean")
def mean(graph, x, dim=None, keepdim=False):
    total = graph.reduce("sum", x, dim, keepdim)
    count = math.prod(x.shape) // max(math.prod(total.shape), 1)
    return graph.pointwise("div", total, count)


@lower("any", "all")
def any_or_all(graph, x, dim=None, keepdim=False):
    if graph.name == "any":
        return graph.pointwise(
            "ne", graph.reduce("sum", graph.pointwise("ne", x, 0), dim, keepdim), 0
        )
    return graph.reduce("prod", graph.pointwise("ne", x, 0), dim, keepdim)


@lower("sort")
def sort(graph, x, *options):
    *_, dim, descending = options
    if not descending:
        return graph.scan("sort", x, dim), graph.scan("argsort", x, dim)
    # upwards, read from behind: NaN is first then, and the first of equal numbers stays the first
    dims = {dim % max(len(x.shape), 1)}
    x = graph.flip(x, dims)
    values, order = (graph.flip(graph.scan(op, x, dim), dims) for op in ("sort", "argsort"))
    last = x.shape[dim] - 1 if x.shape else 0
    return values, graph.pointwise("sub", last, order)


# -- moving numbers about


@lower("flip")
def flip(graph, x, dims):
    return graph.flip(x, {dim % max(len(x.shape), 1) for dim in dims})


@lower("cat")
def cat(graph, values, dim=0):
    shape = list(graph.result.shape)
    outer = math.prod(shape[: dim % len(shape)]) if math.prod(shape) else 1
    return graph.emit("cat", [[graph.ref(value) for value in values], outer], shape)


@lower("take")
def take(graph, x, index):
    return graph.emit("take", [graph.ref(x), graph.ref(index)], index.shape)


@lower("put")
def put(graph, x, index, source, accumulate=False):
    source = graph.operand(source, index.shape)
    return graph.emit("put", [graph.ref(x), graph.ref(index), source, accumulate], x.shape)


@lower("arange")
def arange(graph, start, end=None, step=1):
    start = 0 if end is None else start
    return graph.emit("arange", [start, step], graph.result.shape)


# -- linear algebra


@lower("mm", "bmm", "mv", "dot")
def matmul(graph, a, b, bias=None):
    """Products of (..., m, k) and (..., k, n), of which a vector lacks the m or the n."""
    k = a.shape[-1]
    m = a.shape[-2] if len(a.shape) > 1 else 1
    n = b.shape[-1] if len(b.shape) > 1 else 1
    batch = a.shape[0] if len(a.shape) > 2 else 1
    bias = None if bias is None else graph.ref(bias)
    args = [graph.ref(a), graph.ref(b), bias, batch, m, k, n]
    return graph.emit("mm", args, graph.result.shape)


@lower("addmm", "baddbmm", "addmv")
def addmm(graph, bias, a, b, beta=1, alpha=1):
    n = graph.result.shape[-1]
    if (
        beta == alpha == 1
        and graph.name == "addmm"
        and math.prod(bias.shape) == bias.shape[-1] == n
    ):
        return matmul(graph, a, b, bias=graph.view(aten.view.default, bias, [n]))
    product = graph.pointwise("mul", matmul(graph, a, b), alpha)
    return graph.pointwise("add", graph.pointwise("mul", bias, beta), product)


def _determinant(graph, op: str, a):
    batch = math.prod(a.shape[:-2])
    return graph.emit(op, [graph.ref(a), batch, a.shape[-1]], a.shape[:-2])


@lower("_linalg_det")
def det(graph, a):
    return _determinant(graph, "det", a), None, None


@lower("_linalg_slogdet")
def slogdet(graph, a):
    return _determinant(graph, "signdet", a), _determinant(graph, "logabsdet", a), None, None


@lower("_linalg_solve_ex")
def solve(graph, a, b, left=True, check_errors=False):
    graph.require(left, "solves A X = B only")
    n = a.shape[-1]
    vector = len(b.shape) == 1 or list(b.shape) == list(a.shape[:-1])
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-1] if vector else b.shape[:-2])
    a = graph.view(aten.expand.default, a, [*batch, n, n])
    b = graph.view(aten.expand.default, b, [*batch, n, *([] if vector else b.shape[-1:])])
    columns = 1 if vector else b.shape[-1]
    args = [graph.ref(a), graph.ref(b), math.prod(batch), n, columns]
    return graph.emit("solve", args, b.shape), None, None, None
