"""The contract: composing, inverting, scoring and sampling."""

import subprocess
import sys

import pytest
import torch
from torch.distributions import Independent, Laplace, MultivariateNormal, Normal, StudentT
from torch.testing import assert_close

from bijections import affine, planar
from flowlib import (
    Affine,
    Bijection,
    Compose,
    Flow,
    FlowDistribution,
    Inverse,
    InverseCDF,
    Linear,
    Planar,
    standard_normal,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_compose_applies_the_first_bijection_first():
    double = Affine(1, log_scale=torch.full((1,), 2.0).log(), shift=torch.zeros(1))
    plus_one = Affine(1, log_scale=torch.zeros(1), shift=torch.ones(1))
    x, _ = Compose(double, plus_one)(torch.tensor([3.0]))
    assert x.item() == pytest.approx(7.0)
    z, _ = Compose(double, plus_one).inverse(torch.tensor([7.0]))
    assert z.item() == pytest.approx(3.0)


def test_inverse_swaps_the_directions_and_twice_is_nothing():
    layer, z = planar(3), torch.randn(4, 3)
    assert_close(Inverse(layer)(z), layer.inverse(z))
    assert_close(Inverse(layer).inverse(z), layer(z))
    assert_close(Inverse(Inverse(layer))(z), layer(z))


def test_log_prob_agrees_with_a_gaussian_known_in_closed_form():
    matrix, shift = torch.randn(3, 3), torch.randn(3)
    move = Affine(3, log_scale=torch.zeros(3), shift=shift)
    flow = Flow(standard_normal(3), Linear(matrix), move)
    exact = MultivariateNormal(shift, matrix @ matrix.T)
    x = torch.randn(50, 3)
    assert_close(flow.log_prob(x), exact.log_prob(x), rtol=1e-4, atol=1e-4)


def test_sampling_scores_its_samples_as_log_prob_does():
    flow = Flow(standard_normal(2), affine(2), planar(2), planar(2)).double()
    x, log_q = flow.rsample_and_log_prob((4, 5))
    assert x.shape == (4, 5, 2)
    assert_close(log_q, flow.log_prob(x))


def test_samples_have_the_moments_of_the_density():
    shift, scale = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])
    flow = Flow(standard_normal(2), Affine(2, log_scale=scale.log(), shift=shift))
    x = flow.sample((20_000,))
    assert_close(x.mean(0), shift, rtol=0, atol=0.1)
    assert_close(x.std(0), scale, rtol=0.05, atol=0)


def test_sample_shapes_are_in_torchs_order():
    flow = Flow(standard_normal(2), Affine(2))
    for shape in ((), (3,), (3, 4)):
        assert flow.sample(shape).shape == (*shape, 2)
        assert flow.rsample_and_log_prob(shape)[1].shape == shape


def test_gradients_reach_the_parameters_through_samples_and_scores():
    flow = Flow(standard_normal(2), Planar(2), Affine(2))
    x, log_q = flow.rsample_and_log_prob((5,))
    for value in (x.sum() + log_q.sum(), flow.log_prob(torch.randn(5, 2)).sum()):
        flow.zero_grad()
        value.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in flow.parameters())


BASES = {
    "normal": lambda: standard_normal(2),
    "correlated": lambda: MultivariateNormal(
        torch.zeros(2), torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    ),
    "student": lambda: Independent(StudentT(torch.full((2,), 3.0)), 1),
    "a flow": lambda: FlowDistribution(Flow(standard_normal(2), Affine(2))),
}


@pytest.mark.parametrize("base", ["normal", "correlated", "student"])
def test_moving_a_flow_moves_a_copy_of_its_base(base):
    original = BASES[base]()
    flow = Flow(original, Affine(2)).double()
    assert flow.sample((3,)).dtype == torch.float64
    assert flow.log_prob(flow.sample((3,))).dtype == torch.float64
    assert original.sample().dtype == torch.float32
    moved = flow.to("meta").base  # older torch cannot draw from each of them there
    assert getattr(moved, "base_dist", moved).loc.device.type == "meta"


def test_moving_a_flow_moves_a_distribution_inside_a_bijection():
    flow = Flow(standard_normal(2), Inverse(InverseCDF(Laplace(torch.zeros(2), torch.ones(2)))))
    assert flow.double().sample((3,)).dtype == torch.float64


@pytest.mark.parametrize("base", BASES)
def test_any_distribution_over_vectors_is_a_base(base):
    flow = Flow(BASES[base](), Affine(2))
    x, log_q = flow.rsample_and_log_prob((7,))
    assert_close(flow.log_prob(x), log_q, rtol=1e-4, atol=1e-5)


def test_the_state_dict_has_the_base_and_the_parameters():
    assert set(Flow(standard_normal(2), Affine(2)).state_dict()) == {
        "base_state.kind",
        "base_state.base_dist.kind",
        "base_state.base_dist.loc",
        "base_state.base_dist.scale",
        "bijection.bijections.0.log_scale",
        "bijection.bijections.0.shift",
    }


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: Compose(Affine(2), Affine(3)), r"one dimension; got \[2, 3\]"),
        (lambda: Flow(Normal(0.0, 1.0), Affine(1)), r"over vectors .*; got event_shape \(\)"),
        (lambda: Flow(standard_normal(3), Affine(2)), r"bijections of R\^3.*; got R\^2"),
        (
            lambda: Flow(standard_normal(3)).log_prob(torch.zeros(5, 2)),
            r"\(\.\.\., 3\); got \(5, 2\)",
        ),
        (lambda: Flow(standard_normal(3)).log_prob(torch.tensor(0.0)), r"\(\.\.\., 3\); got \(\)"),
    ],
)
def test_what_does_not_fit_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_a_direction_that_is_not_defined_says_so(direction):
    class OneWay(Bijection):
        pass

    with pytest.raises(NotImplementedError, match=f"OneWay does not define {direction}"):
        getattr(OneWay(), direction)(torch.zeros(2))


def test_nan_is_refused_by_a_flow_but_does_not_stop_vmap():
    flow = Flow(standard_normal(2), Planar(2))
    x = torch.randn(4, 2)
    assert_close(torch.func.vmap(flow.log_prob)(x), flow.log_prob(x))
    x[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"got 1 NaN in a tensor of shape \(4, 2\)"):
        flow.log_prob(x)


def test_importing_and_using_flowlib_sets_nothing_global():
    """In a process of its own: torch.compile, in another test, turns validation off."""
    program = """
import torch
from torch.distributions import Distribution
from flowlib import standard_normal
standard_normal(2).log_prob(torch.zeros(2))
assert Distribution._validate_args is __debug__
assert torch.get_default_dtype() == torch.float32
"""
    subprocess.run([sys.executable, "-c", program], check=True)
