"""What the page must compute as torch does: each case is a function, and what its inputs are.

A new operation gets its line here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from flowlib import Planar, standard_normal

REAL, POSITIVE, UNIT, ABOVE_ONE = "real", "positive", "unit", "above one"

UNARY = {
    "neg": (torch.neg, REAL),
    "abs": (torch.abs, REAL),
    "sign": (torch.sign, REAL),
    "exp": (torch.exp, REAL),
    "exp2": (torch.exp2, REAL),
    "expm1": (torch.expm1, REAL),
    "log": (torch.log, POSITIVE),
    "log2": (torch.log2, POSITIVE),
    "log10": (torch.log10, POSITIVE),
    "log1p": (torch.log1p, POSITIVE),
    "sqrt": (torch.sqrt, POSITIVE),
    "rsqrt": (torch.rsqrt, POSITIVE),
    "reciprocal": (torch.reciprocal, POSITIVE),
    "sin": (torch.sin, REAL),
    "cos": (torch.cos, REAL),
    "tan": (torch.tan, UNIT),
    "asin": (torch.asin, UNIT),
    "acos": (torch.acos, UNIT),
    "atan": (torch.atan, REAL),
    "sinh": (torch.sinh, REAL),
    "cosh": (torch.cosh, REAL),
    "tanh": (torch.tanh, REAL),
    "tanh far out": (lambda x: torch.tanh(x * 10), REAL),
    "asinh": (torch.asinh, REAL),
    "acosh": (torch.acosh, ABOVE_ONE),
    "atanh": (torch.atanh, UNIT),
    "sigmoid": (torch.sigmoid, REAL),
    "erf": (torch.erf, REAL),
    "erf near zero": (lambda x: torch.erf(x / 10), REAL),
    "erfc": (torch.erfc, REAL),
    "erfcx": (torch.special.erfcx, REAL),
    "erfinv": (torch.erfinv, UNIT),
    "ndtri": (lambda x: torch.special.ndtri(x.abs()), UNIT),
    "ndtri far out": (lambda x: torch.special.ndtri(x.abs() ** 20), UNIT),
    "ndtr": (torch.special.ndtr, REAL),
    "log_ndtr": (torch.special.log_ndtr, REAL),
    "floor": (torch.floor, REAL),
    "ceil": (torch.ceil, REAL),
    "trunc": (torch.trunc, REAL),
    "round": (torch.round, REAL),
    "round halves": (lambda x: torch.round(x.round() + 0.5), REAL),
    "frac": (torch.frac, REAL),
    "isnan": (lambda x: torch.isnan(torch.log(x)), REAL),
    "isinf": (lambda x: torch.isinf(1 / torch.relu(x)), REAL),
    "isfinite": (lambda x: torch.isfinite(1 / torch.relu(x)), REAL),
    "nan_to_num": (lambda x: torch.log(x).nan_to_num(7.0), REAL),
    "square": (torch.square, REAL),
    "cube": (lambda x: x**3, REAL),
    "root": (lambda x: x**0.5 + x**-1.5, POSITIVE),
    "two to the x": (lambda x: 2**x, REAL),
    "relu": (torch.relu, REAL),
    "leaky_relu": (F.leaky_relu, REAL),
    "elu": (F.elu, REAL),
    "gelu": (F.gelu, REAL),
    "silu": (F.silu, REAL),
    "mish": (F.mish, REAL),
    "softplus": (F.softplus, REAL),
    "logsigmoid": (F.logsigmoid, REAL),
    "hardtanh": (F.hardtanh, REAL),
    "logit": (lambda x: torch.logit(x.abs(), eps=1e-3), UNIT),
    "clamp": (lambda x: x.clamp(-1, 1.5), REAL),
    "clamp from below": (lambda x: x.clamp(min=0.2), REAL),
    "clamp from above": (lambda x: x.clamp(max=0.2), REAL),
    "not": (lambda x: ~(x > 0), REAL),
    "logical_not": (lambda x: torch.logical_not(x.trunc()), REAL),
    "bool": (lambda x: x.trunc().bool(), REAL),
    "long": (lambda x: x.long(), REAL),
    "whole numbers": (lambda x: x.long() * 3 + x.long() // 2 - x.long() % 3, REAL),
    "powers of one": (lambda x: 1 ** torch.log(x) + (-1) ** (torch.inf * x), REAL),
    "infinite scalars": (lambda x: torch.where(x > 0, x, -torch.inf).clamp(max=torch.inf), REAL),
    "not a number": (lambda x: torch.stack([f(x * torch.nan) for f in NAN]), REAL),
}
NAN = (
    torch.tanh,
    torch.sign,
    torch.exp,
    torch.abs,
    torch.erf,
    torch.erfinv,
    torch.sigmoid,
    torch.isnan,
)

BINARY = {
    "add": (torch.add, REAL),
    "add alpha": (lambda a, b: torch.add(a, b, alpha=2.5), REAL),
    "sub": (torch.sub, REAL),
    "sub alpha": (lambda a, b: torch.sub(a, b, alpha=2.5), REAL),
    "rsub": (lambda a, b: 3 - a + torch.rsub(a, b), REAL),
    "mul": (torch.mul, REAL),
    "div": (lambda a, b: a / (1 + b.abs()), REAL),
    "floor_divide": (lambda a, b: a // b, POSITIVE),
    "div trunc": (lambda a, b: torch.div(-a, b, rounding_mode="trunc"), POSITIVE),
    "remainder": (torch.remainder, REAL),
    "remainder scalar": (lambda a, b: a % 1.5 + b % -1.5, REAL),
    "fmod": (torch.fmod, REAL),
    "pow": (torch.pow, POSITIVE),
    "pow of negatives": (lambda a, b: torch.pow(a, b.round()), REAL),
    "atan2": (torch.atan2, REAL),
    "hypot": (torch.hypot, REAL),
    "minimum": (torch.minimum, REAL),
    "maximum": (torch.maximum, REAL),
    "clamp by tensors": (lambda a, b: torch.clamp(a, -b.abs(), b), REAL),
    "eq": (lambda a, b: a.trunc() == b.trunc(), REAL),
    "ne": (lambda a, b: a.trunc() != b.trunc(), REAL),
    "lt": (lambda a, b: a.trunc() < b.trunc(), REAL),
    "le": (lambda a, b: a.trunc() <= b.trunc(), REAL),
    "gt": (lambda a, b: a.trunc() > b.trunc(), REAL),
    "ge": (lambda a, b: a.trunc() >= b.trunc(), REAL),
    "comparisons with a number": (lambda a, b: (a > 0.1) & (b <= 0.5) & (a != 0.2), REAL),
    "and": (lambda a, b: (a > 0) & (b > 0), REAL),
    "or": (lambda a, b: (a > 0) | (b > 0), REAL),
    "xor": (lambda a, b: (a > 0) ^ (b > 0), REAL),
    "logical": (lambda a, b: torch.logical_and(a.trunc(), b.trunc()), REAL),
    "logical or": (lambda a, b: torch.logical_or(a.trunc(), b.trunc()), REAL),
    "logical xor": (lambda a, b: torch.logical_xor(a.trunc(), b.trunc()), REAL),
    "sums of booleans": (lambda a, b: (a > 0) + (b > 0), REAL),
    "products of booleans": (lambda a, b: (a > 0) * (b > 0) * b, REAL),
    "where": (lambda a, b: torch.where(a > b, a, b * 2), REAL),
    "where scalar": (lambda a, b: torch.where(a > b, 1.0, b) + torch.where(b > 0, a, 3), REAL),
    "masked_fill": (lambda a, b: (a + b).masked_fill(a + b > 0, 7.0), REAL),
    "logaddexp": (torch.logaddexp, REAL),
    "xlogy": (torch.xlogy, POSITIVE),
    "lerp": (lambda a, b: torch.lerp(a + 0 * b, b + 0 * a, 0.3), REAL),
    "addcmul": (lambda a, b: torch.addcmul(a, a, b, value=0.7), REAL),
    "addcdiv": (lambda a, b: torch.addcdiv(a, a, b, value=0.7), POSITIVE),
    "heaviside": (torch.heaviside, REAL),
    "mse": (lambda a, b: F.mse_loss(a + 0 * b, b + 0 * a), REAL),
    "nan in comparisons": (lambda a, b: torch.minimum(torch.log(a), b) > torch.log(b), REAL),
}

# functions of one tensor of shape (4, 5, 6), of shape (5, 6), or of several
SHAPES = {
    "reshape": lambda x: x.reshape(6, 20) * 2,
    "reshape of a permutation": lambda x: x.permute(2, 0, 1).reshape(8, -1).exp(),
    "reshape alone": lambda x: x.reshape(-1),
    "the input itself": lambda x: x,
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, 2) + 1,
    "mT": lambda x: x.mT.contiguous(),
    "movedim": lambda x: x.movedim(0, -1),
    "unsqueeze": lambda x: x.unsqueeze(1) * x.unsqueeze(0),
    "squeeze": lambda x: x[:1].squeeze() * x[:, :1].squeeze(1).sum(),
    "expand": lambda x: x[:1].expand(3, 5, 6) * x[0, 0],
    "expand alone": lambda x: x[:, :1].expand(4, 3, 6),
    "expanded numbers": lambda x: x[0, 0, 0].sum().expand(3, 4).exp() + x.sum().expand(4) * 2,
    "cat of nothing": lambda x: torch.cat([x[:, :0, :2], x[:, :0]], 2).sum(),
    "broadcast_to": lambda x: torch.broadcast_to(x[0, 0], (2, 6)),
    "flatten": lambda x: x[1:].flatten(1).tanh(),
    "unflatten": lambda x: x.unflatten(2, (2, 3)).sum(2),
    "select": lambda x: x[1] * x[:, 2:3, -1:][0],
    "slice": lambda x: x[1:3, ::2, 1:-1],
    "slice of a slice": lambda x: x[1:][:, 1:][:, :, ::2][::2].exp(),
    "ellipsis and None": lambda x: x[..., 0, None] + x[None, :, 1, :1].mT,
    "narrow": lambda x: x.narrow(1, 1, 2),
    "chunk": lambda x: torch.cat(x.chunk(2, 2)[::-1], 2),
    "split": lambda x: x.split([1, 2, 3], 2)[1] * 2,
    "unbind": lambda x: x.unbind(1)[3] - x.unbind(1)[0],
    "flip": lambda x: x.flip(0, 2),
    "flip of a slice": lambda x: x[:, 1:4].permute(1, 0, 2).flip(0, -1) * 2,
    "roll": lambda x: x.roll(2, 1) + x.roll((1, -1), (0, 2)) + x.roll(7),
    "cat": lambda x: torch.cat([x, x[:, :2] * 2], 1),
    "cat of rows": lambda x: torch.cat([x[0], x[1].exp(), torch.zeros(2, 6)]),
    "stack": lambda x: torch.stack([x[0], x[1], x[2] * 3], -1),
    "hstack": lambda x: torch.hstack([x[0], x[1]]) + torch.vstack([x[0], x[1]]).sum(),
    "meshgrid": lambda x: torch.stack(torch.meshgrid(x[0, 0], x[1, :, 0], indexing="xy"), -1),
    "cartesian_prod": lambda x: torch.cartesian_prod(x[0, 0], x[1, :, 0]),
    "tile": lambda x: x[0].repeat(2, 3) + x[0].tile(2, 3),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1),
    "diagonal": lambda x: x.diagonal(1, 1, 2) + x[0].diagonal()[1:].sum(),
    "diag_embed": lambda x: torch.diag_embed(x[0]) + torch.diag(x[0, 0]),
    "tril": lambda x: torch.tril(x) + torch.triu(x, 1) * 2,
    "trace": lambda x: x[0].trace(),
    "pad": lambda x: F.pad(x, (1, 2, 0, 1), value=3.0),
    "crop": lambda x: F.pad(x, (-1, 2)),
    "unfold": lambda x: x.unfold(2, 3, 2).sum(-1),
    "constant indices": lambda x: x[[2, 0, 3]],
    "negative indices": lambda x: x[:, torch.tensor([-1, 0, -2])],
    "two indices": lambda x: x[torch.tensor([[0], [3]]), torch.tensor([1, 2, 4])],
    "indices apart": lambda x: x[torch.tensor([0, 3]), :, torch.tensor([1, 5])],
    "indices apart behind": lambda x: x.reshape(4, 5, 2, 3)[:, [0, 3], :, [1, 2]],
    "indices behind": lambda x: x[:, torch.tensor([0, 3]), torch.tensor([[1], [5]])],
    "index in the middle": lambda x: x[1:, torch.tensor([0, 3]), ::2] * 2,
    "constant mask": lambda x: x[:, torch.tensor([True, False, True, True, False])],
    "index by a computed tensor": lambda x: x[0, 0][(x[1].abs() * 2).long().clamp(0, 5)],
    "select by a computed tensor": lambda x: x.index_select(
        1, x[0, 0, :3].abs().long().clamp(max=4)
    ),
    "rows by number": lambda x: x[_k(x)] + x[:, _k(x) + 1][:, None] + x[..., _k(x)][..., None],
    "numbers by number": lambda x: (
        x[_k(x), ..., _k(x)] + x[..., _k(x), _k(x)].sum() + x[1, _k(x), :5]
    ),
    "rows by number and slice": lambda x: x[..., _k(x), 1:] + x[None, _k(x) - 3, 1:, None, 2],
    "take_along_dim": lambda x: torch.take_along_dim(x, x.argmax(1, keepdim=True), 1),
    "gather": lambda x: x.gather(2, torch.tensor([1, 0, 5]).expand(4, 5, 3)),
    "gather part": lambda x: x.gather(0, (x[:2, :3].abs()).long().clamp(max=3)),
    "scatter": lambda x: x.scatter(1, torch.tensor([[[1, 3]]]).expand(4, 1, 2), 9.0),
    "scatter source": lambda x: x.scatter(
        1, torch.tensor([2, 0]).reshape(1, 2, 1).expand(4, 2, 6), x
    ),
    "scatter_add": lambda x: x.scatter_add(0, torch.zeros(3, 5, 6, dtype=torch.long), x),
    "index_put": lambda x: x.index_put((torch.tensor([0, 2]),), x[1] * 2),
    "index_add": lambda x: x.index_add(0, torch.tensor([1, 1]), x[:2]),
    "embedding": lambda x: F.embedding(torch.tensor([[1, 0], [3, 3]]), x[0]),
    "one of two at random": lambda x: torch.where(x > x.mean(), x, x.flip(0)),
    "writes in place": lambda x: _in_place(x),
    "empty": lambda x: torch.cat([x[:0], x * 2]),
    "made of nothing": lambda x: torch.linspace(0, 1, 7) + x[0, 0, 0],
    "eye and arange": lambda x: torch.eye(6) * torch.arange(6) + x[0, 0],
    "a constant": lambda x: torch.arange(12.0).reshape(3, 4).T,
    "a broadcast constant": lambda x: torch.arange(7.0)[:, None].expand(7, 40),
    "a grid": lambda x: (
        x[0, 0, 0] + torch.cartesian_prod(torch.linspace(-1, 1, 40), torch.arange(9.0))
    ),
}


def _k(x):
    return x[0, 0, 0].abs().clamp(max=2).long()


def _in_place(x):
    y = x.clone()
    y[:, 1] = 0
    y[0, 0] *= x[1, 1]
    y.diagonal(0, 1, 2).add_(5)
    y[:, :, 2:4].copy_(x[:, :, :2])
    y += 1
    return y.clamp_(-2, 2)


REDUCTIONS = {
    "sum": lambda x: x.sum(),
    "sum last": lambda x: x.sum(-1),
    "sum first": lambda x: x.sum(0, keepdim=True),
    "sum apart": lambda x: x.sum((0, 2)),
    "sum of booleans": lambda x: (x > 0).sum(1),
    "mean": lambda x: x.mean((1, 2)) + x.mean(),
    "mean of one": lambda x: x[0, 0, 0].mean() + x[0, 0, 0].sum(),
    "prod": lambda x: x.prod(1) + x[0, 0].prod(),
    "amax": lambda x: x.amax((0, 1)) + x.amax(),
    "amin": lambda x: x.amin(2, keepdim=True) + x.amin(),
    "max": lambda x: x.max() - x.min(),
    "max along": lambda x: tuple(x.max(1)),
    "min along": lambda x: tuple(x.min(0, keepdim=True)),
    "argmax": lambda x: (x.argmax(), x.argmax(1), x.argmax(-1, keepdim=True)),
    "argmin": lambda x: (x.argmin(), x.argmin(0)),
    "any": lambda x: ((x > 2).any(), (x > 2).any(2), (x > 2).any((0, 1))),
    "all": lambda x: ((x > -9).all(), (x > -1).all(0)),
    "var": lambda x: (x.var(), x.var(1), x.var((0, 2), correction=0), x.std(0, keepdim=True)),
    "var_mean": lambda x: torch.var_mean(x, 1, keepdim=True),
    "norm": lambda x: (x.norm(), torch.linalg.vector_norm(x, dim=1), x.norm(1, 2)),
    "cumsum": lambda x: (x.cumsum(0), x.cumsum(1), x.cumsum(-1)),
    "cumprod": lambda x: x.cumprod(1),
    "logsumexp": lambda x: (x.logsumexp(0), x.logsumexp((1, 2), keepdim=True)),
    "logsumexp of large": lambda x: (x * 100).logsumexp(1),
    "softmax": lambda x: (x.softmax(1), F.log_softmax(x, 0)),
    "layer_norm": lambda x: F.layer_norm(
        x, (5, 6), torch.ones(5, 6) * 2, torch.ones(6).expand(5, 6)
    ),
    "cross_entropy": lambda x: F.cross_entropy(x[0], torch.tensor([1, 0, 5, 3, 2])),
    "sort": lambda x: tuple(torch.sort(x, 1)) + tuple(torch.sort(x, 0, descending=True)),
    "sort ties": lambda x: tuple(torch.sort(x.round(), dim=2, stable=True)),
    "sort not a number": lambda x: tuple(torch.sort(x.log(), dim=1, stable=True)),
    "argsort": lambda x: x.argsort(-1),
    "topk": lambda x: tuple(x.topk(2, 1)) + tuple(x.topk(3, 2, largest=False)),
    "trapezoid": lambda x: torch.trapezoid(x, dx=0.1),
    "nan in reductions": lambda x: (x.log().amax(0), x.log().argmax(0), x.log().sum(1)),
}

SIZES = [[(m, k), (k, n)] for m, k, n in ((1, 1, 1), (2, 3, 4), (5, 7, 9), (33, 2, 32), (4, 6, 3))]
PRODUCTS = {
    "mm": (torch.matmul, SIZES),
    "mm transposed": (lambda a, b: (b.mT @ a.mT).mT + (a.flip(0) @ b), SIZES),
    "mv": (torch.matmul, [[(5, 7), (7,)], [(1, 3), (3,)]]),
    "vm": (torch.matmul, [[(7,), (7, 5)]]),
    "dot": (torch.dot, [[(7,), (7,)]]),
    "bmm": (torch.matmul, [[(3, 4, 5), (3, 5, 6)], [(3, 4, 5), (5, 6)], [(2, 3, 4, 5), (3, 5, 2)]]),
    "outer": (torch.outer, [[(4,), (6,)]]),
    "einsum": (lambda a, b: torch.einsum("ij,kj->ik", a, b), [[(4, 5), (6, 5)]]),
    "addmm": (
        lambda a, b, c: torch.addmm(c, a, b),
        [[(4, 5), (5, 6), s] for s in ((6,), (4, 1), (4, 6))],
    ),
    "addmm scaled": (
        lambda a, b, c: torch.addmm(c, a, b, beta=2, alpha=3),
        [[(4, 5), (5, 6), (6,)]],
    ),
    "baddbmm": (torch.baddbmm, [[(2, 4, 6), (2, 4, 5), (2, 5, 6)]]),
    "addmv": (torch.addmv, [[(4,), (4, 5), (5,)]]),
    "linear": (
        lambda x, w, b: F.linear(x, w, b),
        [[(9, 5), (6, 5), (6,)], [(2, 3, 5), (6, 5), (6,)]],
    ),
    "linear of an expanded bias": (
        lambda x, w, b: F.linear(x, w, b.expand(6)),
        [[(9, 5), (6, 5), (1,)]],
    ),
    "cdist": (lambda a, b: (a[:, None] - b[None]).square().sum(-1).sqrt(), [[(4, 3), (5, 3)]]),
}

SQUARE = {
    "det": torch.linalg.det,
    "slogdet": lambda a: tuple(torch.linalg.slogdet(a)),
    "inv": lambda a: torch.linalg.inv(a),
    "solve vector": lambda a: torch.linalg.solve(a, a[..., 0] + 1),
    "solve": lambda a: torch.linalg.solve(a, torch.cat([a.mT, a + 2], -1)),
    "solve many by one matrix": lambda a: torch.linalg.solve(a, torch.ones(3, *a.shape).cumsum(0)),
    "solve triangular": lambda a: torch.linalg.solve_triangular(a.sign() + a, a.mT, upper=True),
    "solve unit triangular": lambda a: torch.linalg.solve_triangular(
        a, a.mT, upper=False, unitriangular=True
    ),
    "pivot of zero": lambda a: torch.linalg.det(a - a * torch.eye(a.shape[-1])),
    "swapped rows": lambda a: torch.linalg.det(a.flip(-2)) - torch.linalg.det(a * 0),
}


def normal_cdf_and_back(x):
    normal = torch.distributions.Normal(0.5, 2.0, validate_args=False)
    return normal.cdf(x), normal.icdf(torch.sigmoid(x)), normal.log_prob(x)


def distributions(x):
    from torch import distributions as d

    base = d.Independent(d.Normal(torch.zeros(2), torch.ones(2), validate_args=False), 1)
    mixture = d.MixtureSameFamily(
        d.Categorical(torch.tensor([0.2, 0.8]), validate_args=False),
        d.Normal(torch.tensor([-2.0, 1.0]), torch.tensor([0.5, 1.0]), validate_args=False),
        validate_args=False,
    )
    logistic = torch.distributions.transforms.SigmoidTransform().log_abs_det_jacobian(
        x, x.sigmoid()
    )
    return base.log_prob(x), mixture.log_prob(x[..., 0]), mixture.cdf(x[..., 1]), logistic


def bisection(x, wu):
    """The root of a + wu tanh(a) = x, in brackets of halving width."""
    wu = 0.9 * torch.tanh(wu)
    low, high = x - wu.abs(), x + wu.abs()
    for _ in range(30):
        middle = (low + high) / 2
        above = middle + wu * torch.tanh(middle) > x
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return low


HIDDEN = torch.randn(4, 3, 16, generator=torch.Generator().manual_seed(1))


def planar(z, u, w, b):
    layer = Planar(2, u=u / 2, w=w / 2, b=b)
    x, log_det = layer(z)
    back, log_det_back = layer.inverse(x)
    density = (standard_normal(2).log_prob(back) + log_det_back).exp()
    return x, log_det, back, log_det_back, density


def planar_unconstrained(z, u, w, b):
    return Planar(2, constrain=False, u=u, w=w, b=b)(z)


def couplings(x, shift):
    log_det = torch.zeros(x.shape[:-1])
    for first, *last in HIDDEN:
        a, b = x.flip(-1).split(1, -1)
        h = torch.tanh(a @ first[None] + shift)
        s, t = (h @ torch.stack(last, -1) / 4).unbind(-1)
        s = 2 * torch.tanh(s / 2)
        x = torch.stack([a[..., 0], b[..., 0] * s.exp() + t], -1)
        log_det = log_det + s
    return x, log_det


def gradients(w, x):
    def loss(w):
        return F.softplus(torch.tanh(x @ w)).logsumexp(0).sum() + (w[:2] ** 2).mean() + w.norm()

    gradient, value = torch.func.grad_and_value(loss)(w)
    return gradient, value


def autograd(x):
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad((x.exp() * x.sin()).sum(), x)[0]


def adam_step(w, m, v):
    """One step written as optimisers write it: in place."""
    w, m, v = w.clone(), m.clone(), v.abs() + 0.1
    gradient = torch.func.grad(lambda w: (w.sin() * w).sum())(w)
    m.mul_(0.9).add_(gradient, alpha=0.1)
    v.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    w.addcdiv_(m, v.sqrt().add_(1e-8), value=-0.01)
    return w, m, v


COMPOSITES = {
    "normal": (normal_cdf_and_back, [(50,)]),
    "distributions": (distributions, [(20, 2)]),
    "bisection": (bisection, [(30,), ()]),
    "planar": (planar, [(40, 2), (2,), (2,), ()]),
    "planar, unconstrained": (planar_unconstrained, [(40, 2), (2,), (2,), ()]),
    "couplings": (couplings, [(40, 2), ()]),
    "gradients": (gradients, [(3, 4), (7, 3)]),
    "autograd": (autograd, [(5, 4)]),
    "adam": (adam_step, [(6,), (6,), (6,)]),
    "jacobians": (
        lambda x: torch.vmap(torch.func.jacrev(lambda y: torch.tanh(y) * y.sum()))(x),
        [(4, 3)],
    ),
    "forward mode": (lambda x: torch.func.jvp(lambda y: y.tanh() * y, (x,), (x.cos(),))[1], [(9,)]),
    "vmap": (lambda x: torch.vmap(lambda row: row.softmax(0) @ row)(x), [(5, 4)]),
}
