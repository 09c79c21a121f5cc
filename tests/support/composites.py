"""Functions of many operations, as chapters write them: distributions, layers, gradients.

Each comes with the shapes of its inputs.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from flowlib import (
    AdditiveCoupling,
    AffineCoupling,
    Coupling,
    MaskedAutoregressive,
    Planar,
    SplineTransformer,
    alternate,
    standard_normal,
)


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


def coupling_layers(z, a, b):
    """Layers that are made inside, with networks that read the inputs, of any partition."""
    apart = torch.tensor([True, False, True, False])

    def numbers(kept):
        return torch.cat([a * torch.tanh(kept), b * torch.sin(kept)], -1)

    affine = AffineCoupling(4, apart, network=numbers)
    halves = AffineCoupling(4, alternate(4, 1), network=numbers)
    additive = AdditiveCoupling(4, network=lambda kept: numbers(kept)[..., :2])
    x, log_det = affine(z)
    return x, log_det, *affine.inverse(z), *halves(x), *halves.inverse(z), additive(z)[0]


with torch.random.fork_rng():
    torch.manual_seed(2)
    MAF = MaskedAutoregressive(3, (8, 8))
    for parameter in MAF.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def autoregressive(z):
    return *MAF(z), *MAF.inverse(z)


def splines(z, theta, c):
    """Both directions, inside the box and out, and a coupling that is given a context."""
    spline, theta = SplineTransformer(bins=5, box=1.5), theta / 4
    x, log = spline.forward(z, theta)
    layer = Coupling(3, spline, network=lambda kept: kept @ theta.flatten(1)[:3, :28], context=2)
    return x, log, *spline.inverse(z, theta), *layer(z, c), *layer.inverse(z, c)


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
    "coupling layers": (coupling_layers, [(40, 4), (), ()]),
    "autoregressive": (autoregressive, [(40, 3)]),
    "splines": (splines, [(40, 3), (40, 14, 3), (2,)]),
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
