"""Targets: their mass, their entropy, their samples, and the paper's formulas."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from flowlib import (
    BOX,
    POTENTIALS,
    U1,
    U2,
    U3,
    U4,
    Banana,
    Boxed,
    Checkerboard,
    EightGaussians,
    GaussianMixture,
    TwoMoons,
    cell_centres,
    total_mass,
)
from flowlib.data.datasets import PlaneDensity

TOYS = [Banana, Checkerboard, EightGaussians, TwoMoons]
DENSITIES = {toy.__name__: toy for toy in TOYS} | {
    name: lambda U=U: Boxed(U) for name, U in POTENTIALS.items()
}
every_density = pytest.mark.parametrize("name", DENSITIES)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@every_density
def test_the_mass_is_one(name):
    density = DENSITIES[name]()
    mass = total_mass(density.log_prob, density.low, density.high, n=400)
    assert mass == pytest.approx(1, abs=1e-5)


@every_density
def test_the_entropy_is_the_mean_of_minus_log_p_over_samples(name):
    density = DENSITIES[name]()
    surprise = -density.log_prob(density.sample((20_000,)))
    error = surprise.std() / math.sqrt(20_000)
    assert abs(surprise.mean() - density.entropy()) < 5 * error + 1e-5


@pytest.mark.parametrize("toy", [Banana, Checkerboard])
def test_closed_entropies_agree_with_quadrature(toy):
    assert_close(toy().entropy(), PlaneDensity.entropy(toy()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("toy, nats", [(TwoMoons, 2.3934), (EightGaussians, 2.5090)])
def test_the_entropies_that_the_docstrings_state(toy, nats):
    assert toy().entropy().item() == pytest.approx(nats, abs=5e-5)


@every_density
def test_samples_fill_the_density_evenly(name):
    """Counts in a coarse grid against the mass of its cells."""
    density, count, n = DENSITIES[name](), 20_000, 12
    low, high = torch.tensor(density.low), torch.tensor(density.high)
    fine = density.log_prob(cell_centres(density.low, density.high, 20 * n)).exp()
    mass = fine.reshape(n, 20, n, 20).mean((1, 3)) * (high - low).prod() / n**2  # (n, n), rows: x2
    cell = ((density.sample((count,)) - low) / (high - low) * n).long()
    counts = torch.bincount(cell[:, 1] * n + cell[:, 0], minlength=n * n).reshape(n, n)
    excess = (counts - count * mass).abs() / (count * mass + 1).sqrt()
    assert excess.max() < 5


@every_density
def test_shapes_and_dtypes(name):
    density = DENSITIES[name]()
    for shape in ((), (4,), (2, 3), (0,)):
        x = density.sample(shape)
        assert x.shape == (*shape, 2)
        assert density.log_prob(x).shape == shape
        assert density.log_prob(x.double()).dtype == torch.float64
        assert density.log_prob(x).dtype == torch.float32
    assert density.event_shape == (2,) and density.batch_shape == ()


def test_the_moons_are_as_smooth_as_the_arcs():
    """The density along the middle of an arc is level, away from its ends."""
    angle = torch.linspace(0.8, 2.3, 500, dtype=torch.float64)
    middle = 2 * torch.stack([angle.cos(), angle.sin()], -1) - torch.tensor([1.0, -0.5])
    p = TwoMoons().log_prob(middle).exp()
    assert (p.max() - p.min()) / p.mean() < 1e-5


def test_centres_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected shape \(..., 2\); got \(3,\)"):
        GaussianMixture(torch.zeros(3), 1.0)


# -- one dtype rule, devices, edges


EXACT = {
    "Banana": lambda x: (
        -(x[0] ** 2) / 4.5 - 2 * (x[1] - x[0] ** 2 / 2 + 1.5) ** 2 - math.log(2 * math.pi * 0.75)
    ),
    "Checkerboard": lambda x: -math.log(32),
    "U2": lambda x: -((x[1] - math.sin(math.pi * x[0] / 2)) ** 2) / 0.32 - Boxed(U2).log_normalizer,
}


@pytest.mark.parametrize("name", EXACT)
def test_in_float64_the_density_is_right_to_float64(name):
    x = [1.3, 0.7]
    log_p = DENSITIES[name]().log_prob(torch.tensor(x, dtype=torch.float64))
    assert log_p.item() == pytest.approx(EXACT[name](x), rel=1e-14)


@every_density
def test_the_density_follows_its_inputs_dtype_and_device(name):
    density, x = DENSITIES[name](), DENSITIES[name]().sample((50,))
    exact = density.log_prob(x.double())
    assert_close(density.log_prob(x).double(), exact, rtol=1e-5, atol=1e-4)
    for dtype in (torch.float32, torch.float64):
        log_p = density.log_prob(x.to("meta", dtype))  # a tensor left on the CPU would raise
        assert (log_p.dtype, log_p.device.type, log_p.shape) == (dtype, "meta", (50,))


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (torch.zeros(3, 2, dtype=torch.long), "a tensor of floats; got torch.int64"),
        (torch.zeros(3, 3), r"shape \(..., 2\); got \(3, 3\)"),
        (torch.zeros(3, 1), r"shape \(..., 2\); got \(3, 1\)"),
        (torch.tensor(0.0), r"shape \(..., 2\); got \(\)"),
        ([0.0, 0.0], "a tensor of floats; got list"),
        (np.zeros(2), "a tensor of floats; got ndarray"),
    ],
)
def test_what_are_no_points_is_refused_by_every_density_and_potential(value, got):
    scores = {name: build().log_prob for name, build in DENSITIES.items() if name not in POTENTIALS}
    for name, score in {**scores, **POTENTIALS, "Boxed": Boxed(U1).log_prob}.items():
        with pytest.raises(ValueError, match=rf"^{name} expected {got}$"):
            score(value)


@every_density
def test_nan_in_nan_out_and_nowhere_else(name):
    x = torch.tensor([[1.0, 1.0], [math.nan, 1.0], [1.0, math.nan], [-1.0, -1.0]])
    assert DENSITIES[name]().log_prob(x).isnan().tolist() == [False, True, True, False]


@every_density
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 2, 3), [2], torch.Size([2])])
def test_samples_of_any_shape(name, shape):
    assert DENSITIES[name]().sample(shape).shape == (*shape, 2)


@every_density
def test_a_negative_number_of_samples_is_refused(name):
    with pytest.raises(RuntimeError, match="negative"):
        DENSITIES[name]().sample((-1,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mixtures_samples_have_the_dtype_of_its_centres_and_no_gradient(dtype):
    centres = torch.zeros(2, 2, dtype=dtype, requires_grad=True)
    mixture = GaussianMixture(centres, width=0.5)
    x = mixture.sample((4,))
    assert x.dtype == dtype and not x.requires_grad
    assert mixture.log_prob(x).requires_grad, "the density can be fitted"


@pytest.mark.parametrize(
    ("centres", "width", "message"),
    [
        (torch.zeros(0, 2), 1.0, r"got \(0, 2\)"),
        (torch.zeros(2, 2, dtype=torch.long), 1.0, "got torch.int64"),
        ([[0.0, 0.0]], 1.0, "got list"),
        (torch.tensor([[0.0, math.inf]]), 1.0, "got width 1.0 and centres up to inf"),
        (torch.tensor([[0.0, math.nan]]), 1.0, "got width 1.0 and centres up to nan"),
        (torch.zeros(1, 2), 0.0, "got width 0.0 and centres up to 0"),
        (torch.zeros(1, 2), -1.0, "got width -1.0 and centres up to 0"),
        (torch.zeros(1, 2), math.nan, "got width nan and centres up to 0"),
        (torch.zeros(1, 2), math.inf, "got width inf and centres up to 0"),
    ],
)
def test_a_mixture_that_is_no_density_is_refused(centres, width, message):
    with pytest.raises(ValueError, match=f"GaussianMixture expected .*{message}"):
        GaussianMixture(centres, width)


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        (lambda z: z, r"\(3, 2\) -> \(3,\); got \(3, 2\)"),
        (lambda z: z.sum(), r"got \(\)"),
        (lambda z: z[..., :1], r"got \(3, 1\)"),
        (lambda z: z[..., 0] * math.nan, "finite mass; got nan"),
        (lambda z: z[..., 0] * 0 + 1e4, "finite mass; got 0.0"),
        (lambda z: z[..., 0] * 0 - 1e4, "finite mass; got inf"),
    ],
)
def test_a_potential_that_gives_no_density_is_refused(potential, message):
    with pytest.raises(ValueError, match=f"Boxed expected a potential .*{message}"):
        Boxed(potential)


def test_a_potential_too_low_for_the_sampler_is_refused_and_not_cut_off():
    """Its peak would be cut off at 2: other samples than those of the density."""
    low = Boxed(lambda z: U1(z) - 3)
    assert_close(low.log_prob(torch.ones(2)), Boxed(U1).log_prob(torch.ones(2)), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match=r"potentials of at least -ln 2; got one that falls to -3"):
        low.sample((5,))


# -- potentials


def table_1(name, z1, z2):
    """Rezende and Mohamed's table 1 in plain Python."""
    w1 = math.sin(2 * math.pi * z1 / 4)
    w2 = 3 * math.exp(-0.5 * ((z1 - 1) / 0.6) ** 2)
    w3 = 3 / (1 + math.exp(-(z1 - 1) / 0.3))

    def bump(distance, width):
        return math.exp(-0.5 * (distance / width) ** 2)

    return {
        "U1": 0.5 * ((math.hypot(z1, z2) - 2) / 0.4) ** 2
        - math.log(bump(z1 - 2, 0.6) + bump(z1 + 2, 0.6)),
        "U2": 0.5 * ((z2 - w1) / 0.4) ** 2,
        "U3": -math.log(bump(z2 - w1, 0.35) + bump(z2 - w1 + w2, 0.35)),
        "U4": -math.log(bump(z2 - w1, 0.4) + bump(z2 - w1 + w3, 0.35)),
    }[name]


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_potentials_are_table_1(name):
    points = 2 * torch.randn(200, 2, dtype=torch.float64)
    values = POTENTIALS[name](points.reshape(20, 10, 2)).flatten()
    assert_close(values, torch.tensor([table_1(name, *p) for p in points.tolist()]).double())
    assert (values > -math.log(2) - 1e-9).all()


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_potentials_have_gradients_everywhere(name):
    z = torch.tensor([[0.0, 0.0], [40.0, -40.0]], requires_grad=True)
    POTENTIALS[name](z).sum().backward()
    assert z.grad.isfinite().all()


def test_u2_is_improper_its_mass_grows_with_the_box():
    masses = [total_mass(lambda z: -U2(z), (-L, -4), (L, 4), n=800) for L in (4, 8, 16, 32)]
    assert masses == pytest.approx([8.0, 16.0, 32.1, 64.2], abs=0.05)


@pytest.mark.parametrize("U, nats", [(U1, 1.8775), (U2, 2.1429), (U3, 2.7025), (U4, 2.7715)])
def test_the_normalisers(U, nats):
    assert Boxed(U).log_normalizer == pytest.approx(nats, abs=5e-5)


def test_the_wall_adds_what_it_should_and_nothing_within_the_box():
    """U2 is level along z₁: the wall adds 0.2 √(2π) to the box's width of 8, and U1 ends within."""
    widened = math.exp(Boxed(U2).log_normalizer) / total_mass(lambda z: -U2(z), *BOX)
    assert widened == pytest.approx((8 + 0.2 * math.sqrt(2 * math.pi)) / 8, rel=1e-3)
    in_box = math.log(total_mass(lambda z: -U1(z), *BOX))
    assert Boxed(U1).log_normalizer == pytest.approx(in_box, abs=1e-6)
    inside = torch.rand(100, 2) * 8 - 4
    target = Boxed(U3)
    assert_close(target.log_prob(inside), -U3(inside) - target.log_normalizer)


def test_the_reverse_kl_cannot_be_fooled_by_a_flow_that_leaves_the_box():
    """A normal too wide for the box has a positive KL, which -U2 by itself would make negative."""
    wide = torch.distributions.Normal(torch.zeros(2), torch.tensor([40.0, 0.4]))
    x = wide.sample((20_000,))
    log_q = wide.log_prob(x).sum(-1)
    x[:, 1] += torch.sin(math.pi / 2 * x[:, 0])
    improper = (log_q + U2(x)).mean() + math.log(total_mass(lambda z: -U2(z), *BOX))
    assert improper < -1
    assert (log_q - Boxed(U2).log_prob(x)).mean() > 0
