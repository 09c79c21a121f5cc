"""Targets: their mass, their entropy, their samples, and the paper's formulas."""

import math

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
    with pytest.raises(ValueError, match=r"centres of shape \(M, 2\); got \(3,\)"):
        GaussianMixture(torch.zeros(3), 1.0)


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
    """A normal too wide for the box has a positive KL, which -U2 alone would make negative."""
    wide = torch.distributions.Normal(torch.zeros(2), torch.tensor([40.0, 0.4]))
    x = wide.sample((20_000,))
    log_q = wide.log_prob(x).sum(-1)
    x[:, 1] += torch.sin(math.pi / 2 * x[:, 0])
    improper = (log_q + U2(x)).mean() + math.log(total_mass(lambda z: -U2(z), *BOX))
    assert improper < -1
    assert (log_q - Boxed(U2).log_prob(x)).mean() > 0
