"""A flow as a module and as a distribution: what torch's own tools expect of either."""

import pytest
import torch
from torch.distributions import (
    Independent,
    Normal,
    TransformedDistribution,
    Uniform,
    biject_to,
    constraints,
)
from torch.func import functional_call, grad, vmap
from torch.nn.parallel import DataParallel
from torch.testing import assert_close

from flowlib import (
    Affine,
    EightGaussians,
    Flow,
    FlowDistribution,
    Inverse,
    InverseCDF,
    Permutation,
    Planar,
    Sigmoid,
    standard_normal,
    to_grey,
)
from flowlib.distributions import Image
from flows import some_flow


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# -- a module


def test_calling_a_flow_scores():
    flow, x = some_flow(), torch.randn(5, 2)
    assert_close(flow(x), flow.log_prob(x), rtol=0, atol=0)
    assert_close(DataParallel(flow)(x), flow(x), rtol=0, atol=0)


def test_functional_call_takes_other_parameters_the_bases_too():
    location = torch.nn.Parameter(torch.zeros(2))
    flow = Flow(Independent(Normal(location, torch.ones(2)), 1), Affine(2))
    x = torch.randn(5, 2)
    moved = {"base_state.base_dist.loc": torch.ones(2)}
    exact = Independent(Normal(torch.ones(2), torch.ones(2)), 1).log_prob(x)
    assert_close(functional_call(flow, moved, (x,)), exact)
    assert_close(flow(x), standard_normal(2).log_prob(x))


def test_gradients_of_single_samples():
    flow, x = some_flow(), torch.randn(5, 2)
    parameters = {name: p.detach() for name, p in flow.named_parameters()}

    def loss(parameters, x):
        return functional_call(flow, parameters, (x,))

    each = vmap(grad(loss), (None, 0))(parameters, x)
    for k, point in enumerate(x):
        one_by_one = torch.autograd.grad(flow(point), list(flow.parameters()))
        for name, exact in zip(parameters, one_by_one):
            assert_close(each[name][k], exact, rtol=1e-4, atol=1e-6)


def test_samples_of_a_flow_with_parameters_have_no_gradient():
    flow = some_flow()
    assert any(parameter.requires_grad for parameter in flow.parameters())
    x = flow.sample((4,))
    assert not x.requires_grad and x.is_leaf
    assert flow.rsample_and_log_prob((4,))[0].requires_grad


# -- a distribution


def test_a_flow_is_a_torch_distribution():
    flow = some_flow()
    distribution = FlowDistribution(flow)
    x = distribution.rsample((6,))
    assert x.requires_grad
    assert distribution.sample((6, 2)).shape == (6, 2, 2)
    assert not distribution.sample((6,)).requires_grad
    assert distribution.event_shape == (2,) and distribution.batch_shape == ()
    assert_close(distribution.log_prob(x), flow.log_prob(x))


def test_it_says_whether_it_can_be_reparametrised():
    assert FlowDistribution(some_flow()).has_rsample is True
    eight = FlowDistribution(Flow(EightGaussians(), Affine(2)))
    assert eight.has_rsample is False
    x = eight.sample((5,))
    assert_close(eight.log_prob(x), EightGaussians().log_prob(x))
    with pytest.raises(NotImplementedError):
        eight.rsample()


def test_its_batch_shape_is_the_bases():
    base = Independent(Normal(torch.zeros(3, 2), torch.ones(3, 2)), 1)
    distribution = FlowDistribution(Flow(base, Affine(2)))
    assert distribution.batch_shape == (3,)
    x = distribution.sample((5,))
    assert x.shape == (5, 3, 2) and distribution.log_prob(x).shape == (5, 3)


def test_it_expands():
    flow = some_flow()
    wide = FlowDistribution(flow).expand((4, 3))
    assert wide.batch_shape == (4, 3) and wide.event_shape == (2,)
    x = wide.rsample((5,))
    assert x.shape == (5, 4, 3, 2)
    assert_close(wide.log_prob(x), flow.log_prob(x))
    x.sum().backward()
    assert all(p.grad is not None for p in flow.parameters()), "of the flow's own parameters"


def test_a_trained_base_expands_with_its_parameter():
    location = torch.nn.Parameter(torch.zeros(2))
    flow = Flow(Independent(Normal(location, torch.ones(2)), 1), Affine(2))
    FlowDistribution(flow).expand((3,)).log_prob(torch.ones(3, 2)).sum().backward()
    assert_close(location.grad, torch.full((2,), 3.0))


def unit(dim):
    return Independent(Uniform(torch.zeros(dim), torch.ones(dim)), 1)


SUPPORTS = {
    "the plane": (lambda: Flow(standard_normal(2), Planar(2), Permutation([1, 0])), "real"),
    "the unit square": (lambda: Flow(standard_normal(2), Planar(2), Sigmoid()), "unit"),
    "by inverse cdf": (lambda: Flow(unit(2), InverseCDF(Normal(0.0, 1.0))), "real"),
    "back and forth": (lambda: Flow(standard_normal(2), Sigmoid(), Inverse(Sigmoid())), "real"),
    "there from the square": (lambda: Flow(unit(2), Inverse(Sigmoid())), "real"),
}


@pytest.mark.parametrize("name", SUPPORTS)
def test_its_support_is_where_it_puts_points(name):
    make, kind = SUPPORTS[name]
    distribution = FlowDistribution(make())
    support = distribution.support
    inside, outside = torch.tensor([0.5, 0.5]), torch.tensor([0.5, 1.5])
    assert support.check(inside) and support.check(outside) == (kind == "real")
    assert support.check(distribution.sample((100,))).all()
    biject_to(support)  # torch knows a way there from the reals


@pytest.mark.parametrize(
    ("make", "inside", "outside"),
    [
        (lambda: Flow(standard_normal(2), to_grey(2)), [3.0, 16.0], [3.0, 18.0]),
        (lambda: Flow(unit(2), Affine(2)), [0.2, 0.8], [0.2, 1.2]),
    ],
)
def test_a_support_without_a_name_is_told_by_the_inverse(make, inside, outside):
    distribution = FlowDistribution(make())
    assert isinstance(distribution.support, Image)
    points = torch.tensor([inside, outside, inside])
    assert distribution.support.check(points).tolist() == [True, False, True]
    assert distribution.support.check(distribution.sample((20,))).all()


def test_a_flow_works_inside_torchs_distributions():
    inner = FlowDistribution(some_flow())
    shifted = TransformedDistribution(
        inner, torch.distributions.AffineTransform(1.0, 2.0, event_dim=1)
    )
    x = shifted.sample((7,))
    exact = inner.log_prob((x - 1) / 2) - 2 * torch.tensor(2.0).log()
    assert_close(shifted.log_prob(x), exact)
    assert str(inner.support) == str(constraints.real_vector)
