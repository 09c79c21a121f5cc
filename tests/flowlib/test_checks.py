"""The oracle: right where the answer is known, and alarmed by the mistakes of public code."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from bijections import affine, linear, planar
from flowlib import (
    Affine,
    Bijection,
    Flow,
    Inverse,
    cell_centres,
    jacobian_log_det,
    round_trip_error,
    standard_normal,
    total_mass,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_the_jacobian_of_a_matrix_is_the_matrix():
    layer = linear(5)
    exact = torch.linalg.slogdet(layer.matrix.double()).logabsdet
    torch.testing.assert_close(jacobian_log_det(layer, torch.randn(2, 3, 5)), exact.expand(2, 3))


def test_the_oracle_leaves_the_bijection_in_its_dtype():
    layer = Affine(2)
    assert jacobian_log_det(layer, torch.zeros(2)).dtype == torch.float64
    assert layer.shift.dtype == torch.float32


# -- mistakes


class Scale(Bijection):
    """x = exp(s) z, from which the mistakes below start."""

    dim = 3

    def __init__(self):
        super().__init__()
        self.s = nn.Parameter(torch.tensor([0.3, -0.5, 0.4]))

    def forward(self, z):
        return z * self.s.exp(), self.s.sum().expand(z.shape[:-1])

    def inverse(self, x):
        return x * (-self.s).exp(), -self.s.sum().expand(x.shape[:-1])


class WrongSign(Scale):
    """Consistent in both directions: no round trip shows it."""

    def forward(self, z):
        return z * self.s.exp(), -self.s.sum().expand(z.shape[:-1])

    def inverse(self, x):
        return x * (-self.s).exp(), self.s.sum().expand(x.shape[:-1])


class WithAbs(Scale):
    def forward(self, z):
        return z * self.s.exp(), self.s.abs().sum().expand(z.shape[:-1])


class Missing(Scale):
    def forward(self, z):
        return z * self.s.exp(), z.new_zeros(z.shape[:-1])


class SummedOverTheBatch(Scale):
    def forward(self, z):
        return z * self.s.exp(), self.s.expand_as(z).sum().expand(z.shape[:-1])


class DividesByS(Scale):
    def inverse(self, x):
        return x / self.s, -self.s.sum().expand(x.shape[:-1])


def log_det_is_right(bijection, z):
    exact = jacobian_log_det(bijection, z)
    return torch.allclose(bijection(z)[1].double(), exact, atol=1e-5)


def test_the_layer_that_the_mistakes_start_from_passes():
    layer, z = Scale(), torch.randn(4, 3)
    assert log_det_is_right(layer, z)
    assert log_det_is_right(Inverse(layer), z)
    assert round_trip_error(layer, z) < 1e-6


@pytest.mark.parametrize("mistake", [WrongSign, WithAbs, Missing, SummedOverTheBatch])
def test_the_jacobian_catches_a_wrong_log_det_that_the_round_trip_misses(mistake):
    layer, z = mistake(), torch.randn(4, 3)
    assert round_trip_error(layer, z) < 1e-6
    assert not log_det_is_right(layer, z)


def test_the_round_trip_catches_a_wrong_inverse():
    assert round_trip_error(DividesByS(), torch.randn(4, 3)) > 0.1


@pytest.mark.parametrize("layer, mass", [(Scale(), 1.0), (WrongSign(), math.exp(0.4))])
def test_total_mass_catches_a_wrong_sign(layer, mass):
    log_prob = Flow(standard_normal(3), layer).double().log_prob
    assert total_mass(log_prob, (-9, -9, -9), (9, 9, 9), n=60) == pytest.approx(mass, rel=1e-4)


def test_round_trip_error_is_the_largest_and_nan_is_not_hidden():
    class Off(Affine):
        def inverse(self, x):
            z, log_det = super().inverse(x)
            return z + torch.tensor([0.0, 0.25]), log_det

    assert round_trip_error(Off(2), torch.randn(5, 2)) == pytest.approx(0.25, abs=1e-6)
    assert math.isnan(round_trip_error(Affine(2), torch.tensor([0.0, math.nan])))


# -- quadrature


@pytest.mark.parametrize("dim, n", [(1, 100), (2, 60), (3, 40)])
def test_a_normal_has_mass_one(dim, n):
    box = ([-8.0] * dim, [8.0] * dim)
    assert total_mass(standard_normal(dim).log_prob, *box, n=n) == pytest.approx(1, abs=1e-6)


def test_the_mass_of_a_box_is_that_of_its_sides():
    inside = Normal(0.0, 1.0).cdf(torch.tensor([-1.0, 2.0, 0.5])).double()
    exact = ((inside[1] - inside[0]) * (inside[2] - 0)).item()
    mass = total_mass(standard_normal(2).log_prob, (-1, -9), (2, 0.5), n=500)
    assert mass == pytest.approx(exact, abs=1e-5)


def test_a_number_is_a_box_in_one_dimension():
    assert total_mass(lambda x: 0 * x[:, 0], -1.5, 2.0, n=3) == pytest.approx(3.5)


@pytest.mark.parametrize("build", [affine, planar])
def test_the_mass_of_a_flow_in_two_dimensions(build):
    flow = Flow(standard_normal(2), build(2)).double()
    assert total_mass(flow.log_prob, (-14, -14), (14, 14), n=500) == pytest.approx(1, abs=1e-3)


def test_cells_are_laid_out_like_a_picture():
    points = cell_centres((0, 10), (4, 30), n=2)
    assert points.tolist() == [[[1, 15], [3, 15]], [[1, 25], [3, 25]]]
    assert cell_centres(0, 1, n=4)[:, 0].tolist() == [0.125, 0.375, 0.625, 0.875]
    assert cell_centres((0, 0, 0), (1, 1, 1), n=2).shape == (2, 2, 2, 3)


@pytest.mark.parametrize("low, high", [((0, 0), (1, 0)), ((0,), (1, 1)), (2, 1)])
def test_what_is_no_box_is_refused(low, high):
    with pytest.raises(ValueError, match=r"low < high; got \["):
        cell_centres(low, high, n=2)
