"""What the suites of other flow libraries test of a base: any of torch's distributions, unchanged."""

import copy
import pickle

import pytest
import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    Categorical,
    Chi2,
    ContinuousBernoulli,
    Dirichlet,
    FisherSnedecor,
    Gamma,
    HalfCauchy,
    Independent,
    InverseGamma,
    Kumaraswamy,
    LogisticNormal,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Pareto,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
    StudentT,
    TanhTransform,
    TransformedDistribution,
    VonMises,
    Weibull,
)
from torch.testing import assert_close

from flowlib import Affine, Flow, FlowDistribution, standard_normal


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def each(kind, *parameters):
    return lambda: Independent(kind(*(torch.full((2,), p) for p in parameters)), 1)


# Most of torch's continuous distributions over vectors.
BASES = {
    "multivariate": lambda: MultivariateNormal(torch.ones(2), torch.eye(2) + 0.5),
    "precision": lambda: MultivariateNormal(torch.ones(2), precision_matrix=torch.eye(2) + 0.5),
    "low rank": lambda: LowRankMultivariateNormal(torch.ones(2), torch.ones(2, 1), torch.ones(2)),
    "dirichlet": lambda: Dirichlet(torch.tensor([1.0, 2.0])),
    "beta": each(Beta, 2.0, 3.0),
    "gamma": each(Gamma, 2.0, 3.0),
    "chi2": each(Chi2, 3.0),
    "student": each(StudentT, 4.0),
    "fisher": each(FisherSnedecor, 4.0, 5.0),
    "von mises": each(VonMises, 0.5, 1.0),
    "pareto": each(Pareto, 1.0, 2.0),
    "kumaraswamy": each(Kumaraswamy, 2.0, 3.0),
    "half-cauchy": each(HalfCauchy, 1.0),
    "weibull": each(Weibull, 1.0, 2.0),
    "inverse gamma": each(InverseGamma, 3.0, 1.0),
    "relaxed bernoulli": lambda: Independent(
        RelaxedBernoulli(torch.tensor(1.0), torch.full((2,), 0.4)), 1
    ),
    "relaxed one-hot": lambda: RelaxedOneHotCategorical(torch.tensor(1.0), torch.ones(2)),
    "logistic normal": lambda: LogisticNormal(torch.zeros(1), torch.ones(1)),
    "shifted": lambda: TransformedDistribution(
        standard_normal(2), [AffineTransform(1.0, 2.0, event_dim=1), TanhTransform()]
    ),
    "flows in a mixture": lambda: MixtureSameFamily(
        Categorical(probs=torch.tensor([0.3, 0.7])), FlowDistribution(batch_of_flows(2))
    ),
}


def batch_of_flows(count):
    locations = torch.arange(2.0 * count).reshape(count, 2)
    return Flow(Independent(Normal(locations, 1.0), 1), Affine(2))


@pytest.mark.parametrize("name", BASES)
def test_each_of_torchs_distributions_is_a_base_unchanged(name):
    base = BASES[name]()
    torch.manual_seed(1)
    x = base.sample((6,))
    exact = base.log_prob(x)
    flow = Flow(BASES[name]())
    twin = Flow(BASES[name]())
    twin.load_state_dict(flow.state_dict())
    for other in (flow, copy.deepcopy(flow), pickle.loads(pickle.dumps(flow)), twin, Flow(base)):
        torch.manual_seed(1)
        assert_close(other.sample((6,)), x, rtol=0, atol=0)
        assert_close(other.log_prob(x), exact, rtol=0, atol=0)


@pytest.mark.parametrize("name", BASES)
def test_each_of_torchs_distributions_goes_to_double(name):
    flow = Flow(BASES[name]())
    x = flow.sample((6,))
    exact = flow.log_prob(x)
    flow.double()
    assert flow.sample((3,)).dtype == torch.float64
    assert_close(flow.log_prob(x.double()).float(), exact, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", BASES)
def test_each_of_torchs_distributions_keeps_its_shapes_and_support(name):
    base, distribution = BASES[name](), FlowDistribution(Flow(BASES[name]()))
    assert distribution.has_rsample == base.has_rsample
    x = distribution.expand((4, 3)).sample((5,))
    assert x.shape == (5, 4, 3, 2)
    assert_close(distribution.log_prob(x), base.log_prob(x))
    assert distribution.support.check(x).all()


def test_the_tensors_of_a_list_of_transforms_are_in_the_state():
    def moved(by):
        parts = [AffineTransform(torch.full((2,), by), torch.ones(2), event_dim=1), TanhTransform()]
        return Flow(TransformedDistribution(standard_normal(2), parts))

    flow, other = moved(0.5), moved(-0.5)
    assert any(torch.equal(value, torch.full((2,), 0.5)) for value in flow.state_dict().values())
    x = flow.sample((5,))
    assert not torch.allclose(other.log_prob(x), flow.log_prob(x))
    other.load_state_dict(flow.state_dict())
    assert_close(other.log_prob(x), flow.log_prob(x), rtol=0, atol=0)
    assert flow.double().sample((3,)).dtype == torch.float64


# -- a base is the same before and after it was used

USED = {
    "categorical": lambda: MixtureSameFamily(
        Categorical(probs=torch.tensor([0.3, 0.7])),
        Independent(Normal(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), 1.0), 1),
    ),
    "von mises": lambda: Independent(VonMises(torch.zeros(2), torch.ones(2)), 1),
    "continuous bernoulli": lambda: Independent(ContinuousBernoulli(torch.full((2,), 0.3)), 1),
    "covariance": lambda: MultivariateNormal(torch.zeros(2), torch.eye(2) * 2),
    "precision": lambda: MultivariateNormal(torch.zeros(2), precision_matrix=torch.eye(2) * 2),
}


@pytest.mark.parametrize("name", USED)
def test_a_base_that_was_used_before_has_the_same_state(name):
    """torch keeps what a distribution computes once; a state must not depend on what was used."""
    fresh, used = USED[name](), USED[name]()
    x = used.sample((4,))
    exact = used.log_prob(x)
    for attribute in ("covariance_matrix", "precision_matrix", "scale_tril", "mean"):
        getattr(used, attribute, None)
    flow, other = Flow(fresh), Flow(used)
    assert list(flow.state_dict()) == list(other.state_dict())
    flow.load_state_dict(other.state_dict())
    assert_close(flow.log_prob(x), exact)
    again = Flow(flow.base)
    assert list(again.state_dict()) == list(flow.state_dict())
    assert_close(again.log_prob(x), exact)
