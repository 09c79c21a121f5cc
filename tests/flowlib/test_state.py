"""The state holds the whole density: what moves, trains, is saved, copied or loaded is the same one."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.distributions import (
    Categorical,
    Gumbel,
    Independent,
    Laplace,
    LogNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    StudentT,
    Uniform,
)
from torch.testing import assert_close

from bijections import BIJECTIONS, build, inputs
from flowlib import (
    MADE,
    AdditiveCoupling,
    Affine,
    AffineCoupling,
    EightGaussians,
    Flow,
    FlowDistribution,
    InverseCDF,
    MaskedAutoregressive,
    Permutation,
    Planar,
    jacobian_log_det,
    standard_normal,
)
from flowlib.distributions import DistributionModule

BASES = {
    "normal": lambda: standard_normal(2),
    "gumbel": lambda: Independent(Gumbel(torch.tensor([0.0, 1.0]), torch.ones(2)), 1),
    "log-normal": lambda: Independent(LogNormal(torch.zeros(2), torch.ones(2)), 1),
    "student": lambda: Independent(StudentT(torch.full((2,), 3.0)), 1),
    "correlated": lambda: MultivariateNormal(
        torch.zeros(2), torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    ),
    "mixture": lambda: MixtureSameFamily(
        Categorical(probs=torch.tensor([0.3, 0.7])),
        Independent(Normal(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), 1.0), 1),
    ),
    "eight gaussians": EightGaussians,
    "a flow": lambda: FlowDistribution(Flow(standard_normal(2), Planar(2))),
}
every_base = pytest.mark.parametrize("base", BASES)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def through_a_file(module):
    """A module's state, saved and loaded without executing code."""
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", BIJECTIONS)
def test_a_layer_built_on_the_meta_device_takes_a_state(name):
    whole = build(name, 3)
    with torch.device("meta"):
        empty = BIJECTIONS[name](3)
    empty = empty.double().to_empty(device="cpu")
    for value in (*empty.parameters(), *empty.buffers()):
        with torch.no_grad():
            value.fill_(1)  # as the memory might be
    empty.to("cpu").load_state_dict(through_a_file(whole))
    for value, apply, exact in zip(
        inputs(name, (5, 3)), (empty, empty.inverse), (whole, whole.inverse)
    ):
        assert_close(apply(value), exact(value), rtol=0, atol=0)


@pytest.mark.parametrize("name", BIJECTIONS)
def test_a_pickled_layer_is_the_same_layer(name):
    layer = build(name, 3)
    if any("lambda" in repr(value) for value in vars(layer).values()):
        pytest.skip("a function of the test itself")
    z, _ = inputs(name, (5, 3))
    assert_close(pickle.loads(pickle.dumps(layer))(z), layer(z), rtol=0, atol=0)


OTHERS = {
    "keep": (
        lambda: AffineCoupling(4, torch.tensor([True, False, True, False])),
        lambda: AffineCoupling(4, torch.tensor([False, True, False, True])),
        r"AffineCoupling .* keep = \[False, True, False, True\]; got \[True, False, True, False\]",
    ),
    "half": (
        lambda: AdditiveCoupling(2, torch.tensor([True, False])),
        lambda: AdditiveCoupling(2, torch.tensor([False, True])),
        r"keep = \[False, True\]; got \[True, False\]",
    ),
    "bound": (
        lambda: AffineCoupling(2, bound=3.0),
        lambda: AffineCoupling(2),
        r"log_scale_bound = 2.0; got 3.0",
    ),
    "bound of a masked layer": (
        lambda: MaskedAutoregressive(2, bound=torch.inf),
        lambda: MaskedAutoregressive(2),
        r"MaskedAutoregressive .* log_scale_bound = 2.0; got inf",
    ),
    "order": (
        lambda: MaskedAutoregressive(3, order=[2, 0, 1]),
        lambda: MaskedAutoregressive(3, order=[1, 2, 0]),
        r"MADE expected a state with variables = \[1, 2, 0\]; got \[2, 0, 1\]",
    ),
    "order of a network": (
        lambda: MADE(3, order=[2, 1, 0]),
        lambda: MADE(3),
        r"variables = \[0, 1, 2\]; got \[2, 1, 0\]",
    ),
    "permutation": (
        lambda: Permutation([1, 2, 0]),
        lambda: Permutation([2, 0, 1]),
        r"Permutation expected a state with order = \[2, 0, 1\]; got \[1, 2, 0\]",
    ),
    "constraint": (
        lambda: Planar(2, constrain=False),
        lambda: Planar(2),
        r"Planar expected a state with constrained = True; got False",
    ),
    "kind of distribution": (
        lambda: InverseCDF(Normal(0.0, 1.0)),
        lambda: InverseCDF(Laplace(0.0, 1.0)),
        r"expected a state with kind = Laplace\(\); got Normal\(\)",
    ),
    "kind of base": (
        lambda: Flow(Independent(Laplace(torch.zeros(2), torch.ones(2)), 1)),
        lambda: Flow(standard_normal(2)),
        r"expected a state with kind = Normal\(\); got Laplace\(\)",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("strict", [True, False])
def test_the_state_of_another_density_is_refused_with_both_values(name, strict):
    theirs, ours, words = OTHERS[name]
    with pytest.raises(RuntimeError, match=words):
        ours().load_state_dict(theirs().state_dict(), strict=strict)


def test_a_state_without_values_is_refused_in_words():
    state = AffineCoupling(2).to("meta").state_dict()
    with pytest.raises(RuntimeError, match=r"keep = \[True, False\]; got one without values"):
        AffineCoupling(2).load_state_dict(state)


@pytest.mark.parametrize("name", OTHERS)
def test_a_state_in_half_precision_is_not_refused_for_its_rounding(name):
    theirs, *_ = OTHERS[name]
    halved = {
        key: value.half() if value.is_floating_point() else value
        for key, value in theirs().state_dict().items()
    }
    theirs().load_state_dict(halved)


@every_base
def test_moving_a_flow_changes_nothing_else(base):
    flow = Flow(BASES[base](), Affine(2))
    torch.manual_seed(1)
    x = flow.sample((5,))
    log_prob = flow.log_prob(x)
    for move in (lambda: flow.to("cpu"), lambda: flow.double().float()):
        move()
        torch.manual_seed(1)
        assert_close(flow.sample((5,)), x, rtol=0, atol=0)
        assert_close(flow.log_prob(x), log_prob, rtol=0, atol=0)


@every_base
@pytest.mark.parametrize("way", ["deepcopy", "pickle", "file"])
def test_a_copied_base_is_the_same_base(base, way):
    flow = Flow(BASES[base](), Affine(2))
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.3)
    if way == "deepcopy":
        twin = copy.deepcopy(flow)
    elif way == "pickle":
        twin = pickle.loads(pickle.dumps(flow))
    else:
        twin = Flow(BASES[base](), Affine(2))
        twin.load_state_dict(through_a_file(flow))
    x = flow.sample((5,))
    assert_close(twin.log_prob(x), flow.log_prob(x), rtol=0, atol=0)


@every_base
def test_a_base_of_other_numbers_is_restored(base):
    def numbers(flow):
        return [v for k, v in flow.state_dict().items() if v.is_floating_point()]

    flow, other = (Flow(BASES[base](), Affine(2)) for _ in range(2))
    with torch.no_grad():
        for value in numbers(other):
            value.add_(0.1)
    assert any((a != b).any() for a, b in zip(numbers(flow), numbers(other)))
    other.load_state_dict(flow.state_dict())
    x = flow.sample((5,))
    assert_close(other.log_prob(x), flow.log_prob(x), rtol=0, atol=0)


TRAINED = {
    "location": lambda p: Independent(Normal(p, torch.ones(2)), 1),
    "repeated location": lambda p: Independent(Normal(p[None], torch.ones(3, 2)).expand((2,)), 1),
    "correlated": lambda p: MultivariateNormal(p, torch.eye(2)),
    "student": lambda p: Independent(StudentT(torch.full((2,), 4.0), p), 1),
}


@pytest.mark.parametrize("name", ["location", "correlated", "student"])
def test_a_parameter_of_a_base_trains_and_is_saved(name):
    location = nn.Parameter(torch.zeros(2))
    flow = Flow(TRAINED[name](location), Affine(2))
    assert any(parameter is location for parameter in flow.parameters())
    optimizer = torch.optim.SGD(flow.parameters(), 0.1)
    x = torch.randn(50, 2) + 3
    before = flow.log_prob(x).mean()
    (-before).backward()
    optimizer.step()
    assert (location > 0).all() and flow.log_prob(x).mean() > before
    twin = Flow(TRAINED[name](nn.Parameter(torch.zeros(2))), Affine(2))
    twin.load_state_dict(through_a_file(flow))
    assert_close(twin.log_prob(x), flow.log_prob(x), rtol=0, atol=0)


def test_a_parameter_that_is_repeated_trains():
    location = nn.Parameter(torch.zeros(()))
    flow = Flow(Independent(Normal(location, torch.ones(2)), 1))
    flow.log_prob(torch.ones(2)).backward()
    assert location.grad.item() == pytest.approx(2.0)
    with torch.no_grad():
        location.fill_(5.0)
    assert_close(flow.base.mean, torch.full((2,), 5.0))


def test_a_base_that_hides_its_parameter_is_refused_with_what_to_do():
    logits = nn.Parameter(torch.zeros(2))
    parts = Independent(Normal(torch.zeros(2, 2), 1.0), 1)
    with pytest.raises(
        ValueError, match="a Categorical whose logits was computed from one.*module"
    ):
        Flow(MixtureSameFamily(Categorical(logits=logits), parts))


def test_a_module_that_makes_the_base_trains_it():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = nn.Parameter(torch.zeros(3))
            self.means = nn.Parameter(torch.randn(3, 2))

        def forward(self):
            parts = Independent(Normal(self.means, 1.0), 1)
            return MixtureSameFamily(Categorical(logits=self.logits), parts)

    flow = Flow(Mixture(), Affine(2))
    flow.log_prob(torch.randn(5, 2)).sum().backward()
    assert all(parameter.grad is not None for parameter in flow.parameters())
    assert {"base_state.logits", "base_state.means"} <= set(flow.state_dict())
    assert flow.double().sample((3,)).dtype == torch.float64


def test_a_module_inside_a_base_is_a_submodule():
    inner = Flow(standard_normal(2), Planar(2))
    flow = Flow(FlowDistribution(inner), Affine(2))
    assert any(module is inner for module in flow.modules())
    assert sum(p.numel() for p in flow.parameters()) == 5 + 4


def test_the_distribution_that_was_given_stays_as_it_is():
    given = standard_normal(2)
    flow = Flow(given, Affine(2)).double()
    with torch.no_grad():
        for buffer in flow.buffers():
            buffer.fill_(7)
    assert_close(given.mean, torch.zeros(2))


def test_a_uniform_base_keeps_its_ends():
    module = DistributionModule(Uniform(torch.zeros(2), torch.ones(2)))
    assert set(module.state_dict()) == {"kind", "low", "high"}
    assert_close(module().log_prob(torch.full((2,), 0.5)), torch.zeros(2))


# -- layers made of computed tensors, as a slider's are


def test_a_layer_of_computed_tensors_is_copied_by_value():
    u = nn.Parameter(torch.ones(2))
    layer = Planar(2, u=2 * u, w=torch.ones(2), b=torch.zeros(()))
    twin = copy.deepcopy(layer)
    z = torch.randn(5, 2)
    assert_close(twin(z), layer(z))
    assert not twin(z)[0].requires_grad and layer(z)[0].requires_grad


def test_the_oracle_works_on_a_layer_of_computed_tensors():
    u = nn.Parameter(torch.ones(2))
    layer = Planar(2, u=2 * u, w=torch.ones(2), b=torch.zeros(()))
    z = torch.randn(5, 2)
    assert_close(jacobian_log_det(layer, z).float(), layer(z)[1], rtol=1e-5, atol=1e-6)


def test_fit_trains_through_a_layer_of_computed_tensors():
    from flowlib import fit

    scale, x = nn.Parameter(torch.zeros(2)), 3 * torch.randn(500, 2)

    def loss():
        layer = Affine(2, log_scale=2 * scale, shift=torch.zeros(2))
        return -Flow(standard_normal(2), layer).log_prob(x).mean()

    losses = fit(loss, [scale], steps=100, lr=0.1)
    assert losses[-1] < losses[0] - 1
    assert_close((2 * scale).exp(), x.std(0), rtol=0.02, atol=0)


def test_fit_trains_the_rest_of_a_flow_with_a_layer_computed_once():
    from flowlib import fit

    slider = torch.tensor([0.3, -0.2], requires_grad=True)
    layer = Affine(2, log_scale=slider.exp().log1p(), shift=torch.zeros(2))
    flow, x = Flow(standard_normal(2), Affine(2), layer), 3 * torch.randn(500, 2)
    losses = fit(lambda: -flow.log_prob(x).mean(), flow.parameters(), steps=20, lr=0.1)
    assert losses[-1] < losses[0] and slider.grad is None
