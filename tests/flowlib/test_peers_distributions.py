"""What the suites of other flow libraries test of a density: shapes, supports, and torch's own parts."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.distributions import (
    AffineTransform,
    Categorical,
    Distribution,
    ExpTransform,
    Independent,
    MixtureSameFamily,
    Normal,
    SigmoidTransform,
    TransformedDistribution,
    Uniform,
    biject_to,
    kl_divergence,
    transform_to,
)
from torch.testing import assert_close

from flowlib import Affine, Flow, FlowDistribution, Planar, Sigmoid, standard_normal
from flows import some_flow


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def batch_of_flows(count):
    locations = torch.arange(2.0 * count).reshape(count, 2)
    return Flow(Independent(Normal(locations, 1.0), 1), Affine(2))


# -- in torch's own distributions


def test_a_flow_is_transformed_by_torch():
    flow = some_flow()
    for transform in (ExpTransform(), SigmoidTransform(), [ExpTransform(), AffineTransform(1, 2)]):
        distribution = TransformedDistribution(FlowDistribution(flow), transform)
        x = distribution.rsample((5,))
        assert x.requires_grad and distribution.log_prob(x).shape == (5,)
    x = TransformedDistribution(FlowDistribution(flow), ExpTransform()).sample((5,))
    exact = flow.log_prob(x.log()) - x.log().sum(-1)
    assert_close(TransformedDistribution(FlowDistribution(flow), ExpTransform()).log_prob(x), exact)


def test_a_mixture_of_flows_is_the_sum_of_its_parts():
    probs = torch.tensor([0.2, 0.3, 0.5])
    flow = batch_of_flows(3)
    mixture = MixtureSameFamily(Categorical(probs=probs), FlowDistribution(flow))
    x = mixture.sample((7,))
    assert x.shape == (7, 2) and mixture.batch_shape == () and mixture.event_shape == (2,)
    exact = torch.logsumexp(flow.log_prob(x[:, None]) + probs.log(), -1)
    assert_close(mixture.log_prob(x), exact)
    assert mixture.support.check(x).all()


def test_a_batch_of_flows_is_made_one_event():
    flow = batch_of_flows(3)
    distribution = Independent(FlowDistribution(flow), 1)
    x = distribution.sample((4,))
    assert distribution.event_shape == (3, 2) and distribution.batch_shape == ()
    assert_close(distribution.log_prob(x), flow.log_prob(x).sum(-1))
    assert distribution.expand((5,)).sample((2,)).shape == (2, 5, 3, 2)


def test_a_flow_of_a_flow_of_a_flow():
    inner = some_flow()
    flow = Flow(FlowDistribution(Flow(FlowDistribution(inner), Affine(2))), Affine(2))
    x = flow.sample((5,))
    assert_close(flow.log_prob(x), inner.log_prob(x))
    assert len(list(flow.parameters())) == len(list(inner.parameters())) + 4


@pytest.mark.parametrize("shapes", [((3,), (2, 3)), ((), (4,)), ((1,), (5, 1)), ((2, 1), (2, 6))])
def test_an_expanded_flow_expands_again(shapes):
    first, second = shapes
    flow = some_flow()
    distribution = FlowDistribution(flow).expand(first).expand(second)
    assert distribution.batch_shape == second
    x = distribution.rsample((3,))
    assert x.shape == (3, *second, 2)
    assert_close(distribution.log_prob(x), flow.log_prob(x))


def test_a_flow_on_a_base_made_by_a_module_expands_and_trains_it():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = nn.Parameter(torch.zeros(3))

        def forward(self):
            parts = Independent(Normal(torch.arange(6.0).reshape(3, 2), 1.0), 1)
            return MixtureSameFamily(Categorical(logits=self.logits), parts)

    flow = Flow(Mixture(), Affine(2))
    wide = FlowDistribution(flow).expand((4,))
    x = wide.sample((5,))
    assert x.shape == (5, 4, 2)
    assert_close(wide.log_prob(x), flow.log_prob(x))
    wide.log_prob(x).sum().backward()
    assert flow.base_state.logits.grad.abs().sum() > 0


def test_copies_of_a_distribution_score_the_same():
    distribution = FlowDistribution(some_flow())
    x = distribution.sample((5,))
    for twin in (copy.deepcopy(distribution), pickle.loads(pickle.dumps(distribution))):
        assert_close(twin.log_prob(x), distribution.log_prob(x), rtol=0, atol=0)


# -- what a flow has no formula for is refused in words


@pytest.mark.parametrize("name", ["mean", "variance", "stddev", "mode"])
def test_a_flow_has_no_moments(name):
    with pytest.raises(NotImplementedError):
        getattr(FlowDistribution(some_flow()), name)


@pytest.mark.parametrize("name", ["entropy", "perplexity", "enumerate_support"])
def test_a_flow_has_no_closed_forms(name):
    with pytest.raises(NotImplementedError):
        getattr(FlowDistribution(some_flow()), name)()


def test_a_flow_has_no_divergence_in_closed_form():
    distribution = FlowDistribution(some_flow())
    for pair in ((distribution, standard_normal(2)), (standard_normal(2), distribution)):
        with pytest.raises(NotImplementedError, match=r"No KL.*FlowDistribution"):
            kl_divergence(*pair)


# -- supports


def box(*batch):
    return Independent(Uniform(torch.zeros(*batch, 2), torch.ones(*batch, 2)), 1)


def test_the_support_of_a_batch_is_told_for_each():
    moved = Affine(2, log_scale=torch.zeros(2), shift=torch.tensor([3.0, 0.0]))
    distribution = FlowDistribution(Flow(box(3), moved))
    x = distribution.sample((5,))
    assert distribution.support.check(x).shape == (5, 3)
    assert distribution.support.check(x).all()
    x[2, 1, 0] = 2.9
    assert distribution.support.check(x).sum() == 14
    base = Independent(Uniform(torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [9.0, 9.0]])), 1)
    support = FlowDistribution(Flow(base, moved)).support
    assert support.check(torch.tensor([5.0, 0.5])).tolist() == [False, True]


def test_a_support_refuses_points_that_it_cannot_judge():
    support = FlowDistribution(Flow(box(), Affine(2))).support
    with pytest.raises(ValueError, match="holds torch.float32; got torch.float64"):
        support.check(torch.rand(3, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 2\); got \(3,\)"):
        support.check(torch.rand(3))
    assert support.check(torch.rand(3, 0, 2)).shape == (3, 0)
    bad = torch.tensor([[torch.nan, 0.5], [torch.inf, 0.5], [0.5, 0.5]])
    assert support.check(bad).tolist() == [False, False, True]


def test_torchs_registries_know_the_support():
    plane, square = some_flow(), Flow(standard_normal(2), Sigmoid())
    x = torch.randn(5, 2)
    for registry in (biject_to, transform_to):
        assert_close(registry(FlowDistribution(plane).support)(x), x)
        y = registry(FlowDistribution(square).support)(x)
        assert FlowDistribution(square).support.check(y).all()


@pytest.mark.parametrize("validate", [True, False])
def test_a_flow_says_the_same_with_and_without_torchs_validation(validate):
    before = Distribution._validate_args
    Distribution.set_default_validate_args(validate)
    try:
        flow = Flow(Independent(Normal(torch.zeros(2), torch.ones(2)), 1), Planar(2), Sigmoid())
        x = FlowDistribution(flow).sample((5,))
        assert FlowDistribution(flow).log_prob(x).isfinite().all()
        assert TransformedDistribution(FlowDistribution(flow), []).log_prob(x).shape == (5,)
    finally:
        Distribution.set_default_validate_args(before)
