"""One constructor for every bijection of flowlib: the suite runs over this dictionary."""

import math

import torch
from torch.distributions import Laplace, Normal

from flowlib import (
    AdditiveCoupling,
    Affine,
    AffineCoupling,
    Autoregressive,
    Bijection,
    Compose,
    Coupling,
    Inverse,
    InverseCDF,
    Linear,
    MaskedAutoregressive,
    Permutation,
    Planar,
    Sigmoid,
    SinhArcsinh,
    SplineTransformer,
    alternate,
)
from flowlib.voice.student import InverseAutoregressiveWaveNet, Student
from flowlib.voice.wavenet import WaveNet


def affine(dim):
    return Affine(dim, log_scale=0.5 * torch.randn(dim), shift=torch.randn(dim))


def linear(dim):
    orthogonal, _ = torch.linalg.qr(torch.randn(dim, dim))
    return Linear(orthogonal * (0.5 + torch.rand(dim)))


def sinh_arcsinh(dim):
    return SinhArcsinh(dim, skew=0.5 * torch.randn(dim), log_tail=0.3 * torch.rand(dim))


def planar(dim):
    return Planar(dim, u=torch.randn(dim), w=torch.randn(dim), b=torch.randn(()))


def planar_with(wu):
    """An unconstrained planar layer whose w·u is this."""

    def build(dim):
        u, w = torch.randn(dim), torch.randn(dim)
        u = u + (wu - w @ u) * w / (w @ w)
        return Planar(dim, constrain=False, u=u, w=w, b=torch.randn(()))

    return build


def moved(bijection, by=0.3):
    """The bijection with every parameter moved away from where it starts."""
    with torch.no_grad():
        for parameter in bijection.parameters():
            parameter.add_(by * torch.randn_like(parameter))
    return bijection


def every_other(dim):
    """A mask that is no half: it keeps the first coordinate, the third and so on."""
    return torch.arange(dim, device="cpu") % 2 == 0  # known on the meta device too


def additive_coupling(dim, keep=None):
    return moved(AdditiveCoupling(dim, keep, hidden=(4,)))


def affine_coupling(dim, keep=None, **options):
    return moved(AffineCoupling(dim, keep, hidden=(4, 4), **options))


def real_nvp(dim):
    couplings = [affine_coupling(dim, alternate(dim, k)) for k in range(4)]
    return Compose(*couplings[:2], Permutation(range(dim)[::-1]), *couplings[2:])


def nice(dim):
    couplings = [additive_coupling(dim, alternate(dim, k)) for k in range(3)]
    scale = Affine(dim, log_scale=0.5 * torch.randn(dim), shift=torch.zeros(dim))
    return Compose(*couplings, scale)


def masked_autoregressive(dim, hidden=(8, 8), **options):
    return moved(MaskedAutoregressive(dim, hidden, **options))


def maf(dim):
    orders = [range(dim), range(dim)[::-1], [dim - 1, *range(dim - 1)]]
    return Compose(*(masked_autoregressive(dim, (4,), order=order) for order in orders))


def spline_coupling(dim, keep=None):
    return moved(Coupling(dim, SplineTransformer(bins=3, box=2.0), keep, hidden=(3,)))


def spline_autoregressive(dim, context=0):
    spline, order = SplineTransformer(bins=2, box=2.0), range(dim)[::-1]
    return moved(Autoregressive(dim, spline, (4,), order, context=context))


class Given(Bijection):
    """A conditional bijection with the context that it is given."""

    def __init__(self, bijection):
        super().__init__()
        self.bijection, self.dim = bijection, bijection.dim
        self.register_buffer("c", torch.linspace(-1, 1, bijection.context))

    def forward(self, z):
        return self.bijection(z, self.c)

    def inverse(self, x):
        return self.bijection.inverse(x, self.c)


def given(dim):
    """A coupling and a masked layer that are conditioned, and between them a layer that is not."""
    coupling = moved(AffineCoupling(dim, hidden=(3,), context=1))
    permutation = Permutation(range(dim)[::-1])
    return Given(Compose(coupling, permutation, spline_autoregressive(dim, context=1)))


def inverse_autoregressive_wavenet(dim):
    network = WaveNet(2, conditions=3, channels=4, layers=2)
    return moved(InverseAutoregressiveWaveNet(network, torch.randn(3, dim)), by=0.2)


def student(dim):
    return moved(Student(3, flows=2, channels=3, layers=2).given(torch.randn(3, dim)), by=0.2)


BIJECTIONS = {
    "affine": affine,
    "affine, new": Affine,
    "linear": linear,
    "sinh-arcsinh": sinh_arcsinh,
    "sinh-arcsinh, new": SinhArcsinh,
    "planar": planar,
    "planar, new": Planar,
    "planar, w·u = 2": planar_with(2.0),
    "planar, w·u = -0.9": planar_with(-0.9),
    "planar, w = 0": lambda dim: Planar(dim, u=torch.ones(dim), w=torch.zeros(dim)),
    "nothing": lambda dim: Compose(),
    "three": lambda dim: Compose(affine(dim), planar(dim), linear(dim)),
    "inverse of planar": lambda dim: Inverse(planar(dim)),
    "inverse of three": lambda dim: Inverse(Compose(planar(dim), sinh_arcsinh(dim), planar(dim))),
    "sigmoid": lambda dim: Sigmoid(),
    "inverse cdf": lambda dim: InverseCDF(
        Laplace(torch.zeros(dim), 1 + torch.rand(dim), validate_args=False)
    ),
    "sigmoid, inverse cdf": lambda dim: Compose(
        Sigmoid(), InverseCDF(Normal(0.0, 1.0, validate_args=False))
    ),
    "permutation": lambda dim: Permutation([dim - 1, *range(dim - 1)]),
    "additive coupling": additive_coupling,
    "additive coupling, new": lambda dim: AdditiveCoupling(dim, hidden=(4, 4)),
    "additive coupling, second half": lambda dim: additive_coupling(dim, alternate(dim, 1)),
    "additive coupling, every other": lambda dim: additive_coupling(dim, every_other(dim)),
    "affine coupling": affine_coupling,
    "affine coupling, new": lambda dim: AffineCoupling(dim, hidden=(4, 4)),
    "affine coupling, second half": lambda dim: affine_coupling(dim, alternate(dim, 1)),
    "affine coupling, every other": lambda dim: affine_coupling(dim, every_other(dim)),
    "affine coupling, unbounded": lambda dim: affine_coupling(dim, bound=math.inf),
    "nice": nice,
    "real nvp": real_nvp,
    "inverse of real nvp": lambda dim: Inverse(real_nvp(dim)),
    "masked autoregressive": masked_autoregressive,
    "masked autoregressive, new": lambda dim: MaskedAutoregressive(dim, hidden=(8, 8)),
    "masked autoregressive, reversed": lambda dim: masked_autoregressive(
        dim, order=range(dim)[::-1]
    ),
    "masked autoregressive, unbounded": lambda dim: masked_autoregressive(dim, (), bound=math.inf),
    "iaf": lambda dim: Inverse(masked_autoregressive(dim)),
    "maf": maf,
    "spline coupling, every other": lambda dim: spline_coupling(dim, every_other(dim)),
    "spline autoregressive": spline_autoregressive,
    "coupling and masked layer, given a context": given,
    "inverse autoregressive wavenet": inverse_autoregressive_wavenet,
    "student": student,
}
DIMS = {  # a coupling has two halves
    name: [2, 3, 6] if "coupling" in name or name.endswith(("nice", "nvp")) else [1, 2, 3, 6]
    for name in BIJECTIONS
}
UNIT_INTERVAL_IN = {"inverse cdf"}  # z must lie in (0, 1)
UNIT_INTERVAL_OUT = {"sigmoid"}  # x must lie in (0, 1)


def build(name, dim, dtype=torch.float64, seed=0, device="cpu"):
    torch.manual_seed(seed)
    return BIJECTIONS[name](dim).to(device, dtype)


def points(shape, unit_interval, dtype=torch.float64, seed=1):
    """Normal points, or uniform ones well inside (0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    if unit_interval:
        return 0.02 + 0.96 * torch.rand(shape, generator=generator, dtype=dtype)
    return torch.randn(shape, generator=generator, dtype=dtype)


def inputs(name, shape, dtype=torch.float64, device="cpu"):
    """A z for ``forward`` and, drawn on its own, an x for ``inverse``."""
    z = points(shape, name in UNIT_INTERVAL_IN, dtype)
    x = points(shape, name in UNIT_INTERVAL_OUT, dtype, seed=2)
    return z.to(device), x.to(device)
