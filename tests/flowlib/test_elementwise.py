"""The closed forms of the first chapter's maps, and what they refuse."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Cauchy, Gamma, Independent, Laplace, Normal, Uniform
from torch.testing import assert_close

from flowlib import (
    Affine,
    Compose,
    Flow,
    InverseCDF,
    Linear,
    Sigmoid,
    SinhArcsinh,
    jacobian_log_det,
    round_trip_error,
    standard_normal,
    total_mass,
)

numbers = st.floats(-5, 5)


def uniform(dim):
    return Independent(Uniform(torch.zeros(dim), torch.ones(dim)), 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_affine_for_any_parameters(pairs):
    log_scale, shift = torch.tensor(pairs, dtype=torch.float64).unbind(-1)
    layer, z = Affine(len(pairs), log_scale, shift), torch.ones(len(pairs), dtype=torch.float64)
    x, log_det = layer(z)
    assert_close(x, log_scale.exp() + shift)
    assert_close(log_det, jacobian_log_det(layer, z))
    assert_close(layer.inverse(x)[0], z, rtol=0, atol=1e-11)


@settings(max_examples=50, deadline=None)
@given(st.floats(-2, 2), st.floats(-1, 1), st.floats(-4, 4))
def test_sinh_arcsinh_for_any_parameters(skew, log_tail, z):
    skew, log_tail, z = (torch.tensor([v], dtype=torch.float64) for v in (skew, log_tail, z))
    layer = SinhArcsinh(1, skew, log_tail)
    x, log_det = layer(z)
    jones_and_pewsey = torch.sinh(log_tail.exp() * torch.asinh(x) - skew)
    assert_close(jones_and_pewsey, z, rtol=1e-8, atol=1e-8)
    assert_close(log_det, jacobian_log_det(layer, z))


def test_sinh_arcsinh_skews_right_and_makes_tails_heavier():
    x = torch.linspace(-4, 4, 9)[:, None]

    def log_prob(skew, log_tail):
        layer = SinhArcsinh(1, torch.tensor([skew]), torch.tensor([log_tail]))
        return Flow(standard_normal(1), layer).log_prob(x)

    right, heavy, normal = log_prob(0.5, 0.0), log_prob(0.0, -0.5), log_prob(0.0, 0.0)
    assert right[-1] > right[0]
    assert heavy[-1] > normal[-1] and heavy[0] > normal[0]


@pytest.mark.parametrize("z", [0.0, 1e-20, 50.0, 1e18, -1e18])
def test_sinh_arcsinh_keeps_float32_finite(z):
    layer = SinhArcsinh(1, torch.tensor([0.5]), torch.tensor([0.0]))
    x, log_det = layer(torch.tensor([z]))
    assert x.isfinite().all() and log_det.isfinite()


def test_linear_is_the_matrix_and_its_determinant():
    matrix = torch.tensor([[2.0, 1.0], [0.5, -3.0]])
    x, log_det = Linear(matrix)(torch.tensor([1.0, 2.0]))
    assert_close(x, torch.tensor([4.0, -5.5]))
    assert log_det.item() == pytest.approx(math.log(6.5))


@settings(max_examples=30, deadline=None)
@given(st.lists(numbers, min_size=9, max_size=9))
def test_linear_for_any_well_conditioned_matrix(entries):
    matrix = torch.tensor(entries, dtype=torch.float64).reshape(3, 3)
    if torch.linalg.cond(matrix) < 1e4:
        layer, z = Linear(matrix), torch.ones(2, 3, dtype=torch.float64)
        assert_close(layer(z)[1], jacobian_log_det(layer, z))
        assert round_trip_error(layer, z) < 1e-10


def test_linear_learns_when_it_is_given_a_parameter():
    layer = Linear(torch.nn.Parameter(2 * torch.eye(2)))
    layer(torch.ones(2))[1].backward()
    assert_close(layer.matrix.grad, torch.eye(2) / 2)  # d log |det A| / dA = A^-T


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 4.0]], [[0.1, 0.3], [0.3, 0.9]], [[0.0]]])
def test_a_singular_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="expected an invertible matrix; got"):
        Linear(torch.tensor(matrix))


@pytest.mark.parametrize("shape", [(2, 3), (2,), (2, 2, 2)])
def test_what_is_no_square_matrix_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected a matrix \(D, D\); got \("):
        Linear(torch.randn(shape))


def test_sigmoid_and_logistic_noise():
    """Uniform noise through the inverse of the sigmoid is logistic."""
    z = torch.tensor([[-2.0], [0.0], [3.0]], dtype=torch.float64)
    _, log_det = Sigmoid()(z)
    logistic = (-z - 2 * torch.log1p(torch.exp(-z)))[:, 0]
    assert_close(log_det, logistic)


@pytest.mark.parametrize("outside", [-1e-3, 1.001, -0.1, 1.1, math.inf])
def test_values_outside_the_unit_interval_are_refused(outside):
    value = torch.tensor([0.5, outside])
    with pytest.raises(ValueError, match=r"expected values in \(0, 1\); got"):
        Sigmoid().inverse(value)
    with pytest.raises(ValueError, match=r"expected values in \(0, 1\); got"):
        InverseCDF(Normal(0.0, 1.0))(value)


@pytest.mark.parametrize("distribution", [Normal(1.0, 2.0), Laplace(0.0, 1.0), Cauchy(0.0, 1.0)])
def test_the_inverse_cdf_makes_its_distribution_out_of_uniform_noise(distribution):
    flow = Flow(uniform(2), InverseCDF(distribution))
    x = torch.tensor([[0.3, -1.0], [2.0, 0.1]])
    assert_close(flow.log_prob(x), distribution.log_prob(x).sum(-1))
    torch.manual_seed(0)
    below = (flow.sample((20_000,)) < 0.7).float().mean(0)
    assert_close(below, distribution.cdf(torch.tensor([0.7, 0.7])), rtol=0, atol=0.02)


def test_a_normal_squeezed_into_the_unit_interval_has_mass_one():
    flow = Flow(standard_normal(1), Sigmoid()).double()
    assert total_mass(flow.log_prob, 0, 1, n=2000) == pytest.approx(1, abs=1e-6)


def test_distributions_that_cannot_be_inverted_are_refused():
    with pytest.raises(NotImplementedError, match="Gamma has no icdf: use Normal"):
        InverseCDF(Gamma(1.0, 1.0))
    with pytest.raises(NotImplementedError, match="Bernoulli has no icdf"):
        InverseCDF(Bernoulli(0.5))
    with pytest.raises(ValueError, match=r"univariate.*got batch \(\) and event \(2,\)"):
        InverseCDF(standard_normal(2))


@pytest.mark.parametrize("layer", [Affine, SinhArcsinh])
def test_parameters_of_a_wrong_shape_are_refused(layer):
    name = "shift" if layer is Affine else "skew"
    with pytest.raises(ValueError, match=rf"expected {name} of shape \(2,\); got \(3,\)"):
        layer(2, **{name: torch.zeros(3)})


def test_maps_of_any_dimension_compose_with_those_of_one():
    both = Compose(Sigmoid(), InverseCDF(Normal(0.0, 1.0)))
    assert both.dim is None
    assert Compose(both, Affine(3)).dim == 3


def test_inverse_cdf_refuses_what_its_distribution_cannot_take():
    layer = InverseCDF(Uniform(0.0, 1.0))
    with pytest.raises(ValueError, match="values that Uniform can take; got 0.5 to 2"):
        layer.inverse(torch.tensor([0.5, 2.0]))
