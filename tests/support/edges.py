"""Where page and torch could part: signed zeros, infinities, NaN, ties, nothing at all, whole numbers.

``SAME`` is computed in the page as by torch, ``STOPS`` is an error in the page where torch raises or
would count on beyond float32, ``REFUSED`` is an error of the trace.  Each function takes one tensor
of the numbers beside it; it is traced at ``0.5``, at other numbers than it is compared.
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F

INF, NAN = math.inf, math.nan
MODERATE = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0, 0.1, -0.1, 0.25]
MODERATE += [2.0, -2.0, 7.0, -7.0, 1e-10, -1e-10, 10.0, -10.0, 88.0, -88.0, 127.5, 1000.5]
LARGE = [2.0**24, -(2.0**31), 2.0**40, 1e20, -1e20, 1e30, -1e30, INF, -INF, NAN]
SPECIAL = MODERATE + LARGE
TINY_AND_HUGE = [1e-40, -1e-40, 3e38, -3e38]  # torch's own fmod by 1e-40 is NaN

ZERO_OPEN = {
    "relu",
    "gelu",
    "minimum",
    "maximum",
    "clamp by tensors",
}  # -0 or 0, torch takes either
ROUNDED = {
    "gelu",
    "add alpha",
    "sub alpha",
    "lerp",
}  # float32 cancels in torch, or a product is fused
COUNTS = {"long", "whole numbers"}  # of numbers that are not small: STOPS

WHOLE = [-7.0, -6.0, -5.5, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 100.0, 127.0]
ROWS = [[INF, 1, 0.5], [NAN, 2, 2], [-INF, -3, -3], [0, 0, 0]]
BLOCK = torch.arange(24.0).reshape(2, 3, 4).tolist()


def _both(x, *names, **options):
    """Along each dimension of ``x`` (N, M), several of torch's functions."""
    return tuple(getattr(torch, name)(x, dim=d, **options) for name in names for d in (0, 1))


def _reduced(x):
    return _both(x, "sum", "prod", "mean", "logsumexp", "cumsum", "cumprod", "var", "softmax")


def _sorted(x, descending):
    pairs = [torch.sort(x, dim=d, stable=True, descending=descending) for d in (0, 1)]
    return tuple(each for pair in pairs for each in pair)


def _empty(x):
    """Sums over nothing, and operations on nothing."""
    x = x.reshape(-1, 1)[:, :0]  # (N, 0)
    sums = x.T.sum(1), x.sum(1), x.prod(1), x.mean(1), x.logsumexp(1), x.var(1), x.norm(dim=1)
    kept = x.cumsum(1), x.cumprod(1), x.softmax(1), x.sort(1)[0], x.flip(0), x.flip(1), x.roll(1, 1)
    placed = (
        torch.cat([x, x]),
        torch.cat([x, x], 1),
        torch.stack([x, x]),
        F.pad(x, (1, 1)),
        x.tril(),
    )
    products = x @ x.T, x.T @ x, torch.linalg.det(x.T @ x), torch.dot(x[0], x[0])
    return (*sums, *kept, *placed, *products, x.amax(0), x.amin(0), x.long().sum(1), x.argmax(0))


def _any_and_all(x):
    none = (x > 0)[:0]
    return none.any(), none.all(), none.any(0), none.all(0), x.any(), x.all(), x.any(0), x.all(0)


def _picks(x):
    """Of x (2, 3, 4), by indices that count from the end where torch does."""
    back = torch.tensor([-1, 0, -3])
    rows = x[0, 0, :3].long()
    put = x.put(torch.tensor([-1, 0]), torch.ones(2))
    added = x.put(torch.tensor([-1, -1, 23]), torch.ones(3), accumulate=True)
    replaced = x.index_put((torch.tensor([-1]), back[:1]), torch.ones(1, 4))
    taken = torch.take(x, torch.tensor([-1, -24, 5])), torch.take(x, rows - 3)
    kept = x[:, back], x[:, rows - 3], x[..., rows[1] - 2], x[torch.tensor([-1]), back]
    nothing = torch.zeros(0, dtype=torch.long)
    return *taken, *kept, put, added, replaced, x[:, nothing], x.put(nothing, torch.zeros(0))


def _divided(n):
    n = n.long()
    trunc, floor = (partial(torch.div, n, rounding_mode=mode) for mode in ("trunc", "floor"))
    remainders = n % 3, n % -3, torch.fmod(n, 3), torch.remainder(n, -7)
    return n // 2, n // -2, trunc(3), floor(-3), n / 2, n / 0, *remainders, n // 0.3


def _zeros(x):
    """A whole number has no -0, which a division would tell."""
    n = x.long()
    zeros = -n, n * -1, n * 0, n.abs(), n % -3, torch.fmod(n, 3), n // 5, x.int(), n.clamp(max=0)
    return tuple(1 / zero for zero in zeros)


def _mixed(x):
    n, yes, no = x.long(), x > 0, x > 1
    floats = (
        n + x,
        n * x,
        n * 0.5,
        n < 0.5,
        n**0.5,
        yes + x,
        yes * 2.5,
        yes / no,
        torch.maximum(n, x),
    )
    joined = (
        torch.where(yes, n, x),
        torch.stack([n, x]),
        torch.cat([n, no]),
        torch.where(yes, 1, 0.5),
    )
    wholes = (
        yes + n,
        yes + 1,
        yes.sum(),
        yes.cumsum(0),
        n.sum(),
        yes[:3].prod(),
        n + True,
        n - no.int(),
    )
    bools = yes + no, yes * no, yes & no, yes | no, yes ^ no, ~yes, yes < no, yes == no, yes.amax()
    more = torch.add(yes, no, alpha=True), torch.where(yes, True, False), torch.maximum(yes, no)
    return *floats, *joined, *wholes, *bools, *more, x.count_nonzero(), x.sum(dtype=torch.float64)


def _counted(x):
    n = x.long()
    sums = n.cumsum(0), n[:4].prod(), n[:4].cumprod(0), n.diff(), torch.dot(n, n), n.max(0)[1]
    ordered = (
        n.sort()[0],
        n.sort(descending=True)[0],
        n.argsort(stable=True),
        n.topk(3)[0],
        n.argmin(),
    )
    parts = n[:6].reshape(2, 3), n[:6].reshape(3, 2)
    products = parts[0] @ parts[1], torch.addmm(n[:4].reshape(2, 2), *parts), torch.addcmul(n, n, n)
    small = (
        x.to(torch.int8),
        x.short(),
        x.clamp(min=0).to(torch.uint8) + 1,
        n**2,
        2 ** n.clamp(0, 20),
    )
    place = torch.zeros(5, dtype=torch.long).scatter_add(0, n[6:11].clamp(0, 4), n[6:11])
    return (
        *sums,
        *ordered,
        *products,
        *small,
        place,
        torch.rsub(n, 3, alpha=2),
        n == 2**24 + 1,
        5 - n,
    )


def _placed(n):
    both = (torch.zeros(2, dtype=torch.long),)
    return torch.zeros(1, dtype=torch.long).index_put(both, n, accumulate=True)


SAME = {
    "reductions": (_reduced, ROWS),
    "extremes": (lambda x: _both(x, "amax", "amin", "argmax", "argmin"), ROWS),
    "sorted": (lambda x: _sorted(x, False), ROWS),
    "sorted down": (lambda x: (*_sorted(x, True), x.topk(2, 0)[0]), ROWS),
    "ties": (lambda x: _both(x, "argmax", "argmin", "amax"), [[2, 2, 2], [2, 1, 2], [1, 2, 2]]),
    "one number": (lambda x: (x.var(0), x.sum(0), x.argmax(0), x.cumsum(0), x.sort(0)[0]), 3.0),
    "nothing": (_empty, [1.0, 2.0, 3.0]),
    "any and all": (_any_and_all, ROWS),
    "variances of too few": (lambda x: (x.var(0, correction=3), x.var(0, correction=4)), [1, 2, 4]),
    "clamps": (lambda x: (x.clamp(2, 1), x.clamp(min=NAN), x.nan_to_num(1, 2, 3)), SPECIAL),
    "powers": (lambda x: tuple(x**p for p in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 1 / 3)), SPECIAL),
    "bases": (lambda x: tuple(b**x for b in (0, -0.0, -2, 2.5, INF, -INF, NAN)), SPECIAL),
    "logaddexp": (lambda x: (torch.logaddexp(x, x.flip(0)), torch.xlogy(x, x.flip(0))), SPECIAL),
    "far out": (lambda x: (F.softplus(x * 100), F.logsigmoid(x * 100), F.silu(x * 100)), ROWS),
    "waves": (lambda x: (x.sin(), x.cos()), [1e5, 1e10, 1e30, -3e38, 2.0**24, 1e-38]),
    "truncated quotients": (lambda x: torch.div(x, 0.1, rounding_mode="trunc"), MODERATE),
    "determinants": (lambda x: (torch.linalg.det(x), *torch.linalg.slogdet(x)), [[NAN, 1], [1, 1]]),
    "singular": (lambda x: (torch.linalg.det(x), *torch.linalg.slogdet(x)), [[1, 2], [2, 4]]),
    "products": (lambda x: x @ x, [[INF, 0, 1], [1, NAN, 1], [1e38, 1, 1e38]]),
    "picks": (_picks, BLOCK),
    "quotients of whole numbers": (_divided, WHOLE),
    "zeros of whole numbers": (_zeros, WHOLE),
    "mixed dtypes": (_mixed, WHOLE),
    "whole numbers": (_counted, WHOLE),
    "the largest": (lambda x: (x.long(), x.long() - 1, x.long() == 2**24), [2.0**24 - 1, 1.0]),
    "constants": (lambda x: x * torch.tensor([2**24 + 1, 2**40]), [1.0, -0.5]),
}

OUTSIDE = {
    "take": lambda x, i: torch.take(x[0, 0], i),
    "put": lambda x, i: x[0, 0].put(i, x[0, 0, :1]),
    "index": lambda x, i: x[:, :, i],
    "two indices": lambda x, i: x[i.clamp(0, 1), :, i],
    "index_put": lambda x, i: x.index_put((i.clamp(0, 1), i), x[0, :1]),
    "a number": lambda x, i: x[:, :, i[0]],
}
NOT_FROM_THE_END = {
    "index_select": lambda x, i: x.index_select(2, i),
    "gather": lambda x, i: x.gather(2, i.expand(2, 3, 1)),
    "scatter": lambda x, i: x.scatter(2, i.expand(2, 3, 1), 9.0),
    "scatter_add": lambda x, i: x.scatter_add(2, i.expand(2, 3, 1), x),
    "index_add": lambda x, i: x.index_add(2, i, x[:, :, :1]),
    "index_copy": lambda x, i: x.index_copy(2, i, x[:, :, :1]),
    "embedding": lambda x, i: F.embedding(i, x[0].T),
}
INDEX, COUNT = r"an index is -?\d+, of \d+ numbers", "a whole number is {}; the page has them from"
STOPS = {
    "long": (lambda x: x.long(), 2.0**24, COUNT.format(2**24)),
    "long of infinity": (lambda x: x.long(), INF, COUNT.format("Infinity")),
    "long of NaN": (lambda x: x.long(), NAN, COUNT.format("NaN")),
    "int8": (lambda x: x.to(torch.int8), 128.0, COUNT.format(128)),
    "uint8": (lambda x: x.to(torch.uint8) - 1, 0.0, COUNT.format(-1)),
    "int8 sum": (lambda x: x.to(torch.int8) * 2, 100.0, COUNT.format(200)),
    "square": (lambda x: x.long() ** 2, 5000.0, COUNT.format(25000000)),
    "sum": (lambda x: x.long().expand(3).sum(), 6e6, COUNT.format(18000000)),
    "one more": (lambda x: x.long() + 1, 2.0**24 - 1, COUNT.format(2**24)),
    "matrices": (
        lambda x: x.long().expand(2, 2) @ x.long().expand(2, 2),
        3e3,
        COUNT.format(18000000),
    ),
    "added up": (lambda x: _placed(x.long().expand(2)), 9e6, COUNT.format(18000000)),
    "division by zero": (lambda x: 5 // (x - 0.5).long().add(1), -0.5, COUNT.format("Infinity")),
    "remainder by zero": (lambda x: 5 % (x - 0.5).long().add(1), -0.5, COUNT.format("NaN")),
    "solve": (lambda x: torch.linalg.solve(x * torch.eye(2), torch.ones(2)), 0.0, "is singular"),
}

REFUSED = {
    "whole numbers": (lambda x: x.long() + 2**24, r"to 16777215; got 16777216 from .*\.add"),
    "negative ones": (lambda x: (x.long() - 1) * 2**25, r"got -33554432 from .*\.mul"),
    "a constant": (lambda x: torch.tensor([3, 2**24 + 1]), "got 16777217 from output 'output 0'"),
    "not a number": (lambda x: (x * NAN).long(), r"got -9223372036854775808 from .*_to_copy"),
    "float16": (lambda x: x.half(), "in float32; got torch.float16 from .*_to_copy"),
    "bfloat16": (lambda x: x.bfloat16() + 1, "in float32; got torch.bfloat16 from"),
    "complex": (lambda x: (x + 1j).real, "in float32; got torch.complex64 from"),
    "sum of a dtype": (
        lambda x: x.sum(dtype=torch.long),
        r"not convert within .*\.sum; got dtype=torch.int64.*before it, as in x\.long\(\)\.sum",
    ),
    "bits": (lambda x: x.view(torch.int32), r"view\.dtype is an operation that the page does not"),
}
