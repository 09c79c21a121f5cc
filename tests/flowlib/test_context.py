"""Layers and flows that are conditioned on a vector: what depends on it, its shapes, and its errors."""

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, StudentT
from torch.func import functional_call, jacrev, vmap
from torch.nn.functional import one_hot
from torch.testing import assert_close

from bijections import moved, points
from flowlib import (
    AdditiveCoupling,
    Affine,
    AffineCoupling,
    Autoregressive,
    Compose,
    ContinuousFlow,
    Coupling,
    Flow,
    FlowDistribution,
    Inverse,
    MaskedAutoregressive,
    Permutation,
    Sigmoid,
    SplineTransformer,
    fit,
    standard_normal,
)


class Cascade(nn.Module):
    """A velocity whose equation is a polynomial of τ: one step of fourth order solves it exactly."""

    def __init__(self, context):
        super().__init__()
        self.of_z = nn.Parameter(torch.zeros(3, 3))
        self.of_c = nn.Parameter(torch.zeros(context, 3))

    def forward(self, z, tau, c):
        return z @ self.of_z.tril(-1) + c @ self.of_c


SPLINE = SplineTransformer(bins=3, box=3.0)
LAYERS = {
    "additive coupling": lambda **o: AdditiveCoupling(3, hidden=(6,), **o),
    "affine coupling": lambda **o: AffineCoupling(3, hidden=(6,), **o),
    "spline coupling": lambda **o: Coupling(3, SPLINE, hidden=(6,), **o),
    "masked autoregressive": lambda **o: MaskedAutoregressive(3, (6,), [2, 0, 1], **o),
    "spline autoregressive": lambda **o: Autoregressive(3, SPLINE, (6,), **o),
    "continuous": lambda **o: ContinuousFlow(3, Cascade(**o), steps=1, **o),
    "no hidden layer": lambda **o: MaskedAutoregressive(3, (), **o),
    "inverse": lambda **o: Inverse(MaskedAutoregressive(3, (6,), **o)),
    "several": lambda **o: Compose(Affine(3), Coupling(3, SPLINE, hidden=(6,), **o), Affine(3)),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


def build(name, context=2):
    torch.manual_seed(0)
    return moved(LAYERS[name](context=context)).double()


def two_layers(dim=2, context=1, **options):
    """A small spline flow of couplings whose halves alternate."""
    torch.manual_seed(0)
    keeps = [torch.arange(dim) % 2 == k for k in range(2)]
    layers = [Coupling(dim, SPLINE, keep, hidden=(16,), context=context) for keep in keeps]
    return Flow(standard_normal(dim), *layers)


# -- what depends on it


@each_layer
def test_every_variable_that_moves_depends_on_every_number_of_the_context(name):
    """The first variable of a masked layer too: in public libraries it does not see the context."""
    layer, z = build(name), points((50, 3), False)
    c = points((50, 2), False, seed=3)
    slopes = vmap(jacrev(lambda z, c: layer(z, c)[0], argnums=1))(z, c).abs().amax(0)  # (3, 2)
    still = ["coupling" in name or name == "several", False, False]
    assert torch.equal((slopes == 0).all(-1), torch.tensor(still))
    assert (slopes[~torch.tensor(still)] > 0).all()


@each_layer
def test_there_and_back_with_the_context_and_not_with_another(name):
    layer, z, c = build(name), points((50, 3), False), torch.tensor([0.5, -2.0]).double()
    x, log_det = layer(z, c)
    back, log_det_back = layer.inverse(x, c)
    assert_close(back, z, rtol=0, atol=1e-10)
    assert_close(log_det_back, -log_det, rtol=0, atol=1e-9)
    assert (layer.inverse(x, c + 1)[0] - z).abs().max() > 1e-2


# -- shapes


@each_layer
@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(
    ("rows", "contexts"),
    [((), ()), ((5,), ()), ((), (5,)), ((4, 1), (5,)), ((5,), (5,)), ((0,), ())],
)
def test_rows_and_contexts_broadcast(name, grad, rows, contexts):
    layer, z = build(name), points((*rows, 3), False)
    c = points((*contexts, 2), False, seed=3)
    both = torch.broadcast_shapes(rows, contexts)
    with torch.set_grad_enabled(grad):
        for apply in (layer, layer.inverse):
            x, log_det = apply(z, c)
            assert x.shape == (*both, 3) and log_det.shape == both
            each = zip(z.expand(*both, 3).reshape(-1, 3), c.expand(*both, 2).reshape(-1, 2))
            alone = [apply(*pair) for pair in each]
            for row, (one, one_log_det) in enumerate(alone):
                assert_close(x.reshape(-1, 3)[row], one)
                assert_close(log_det.reshape(-1)[row], one_log_det)


def test_a_flow_has_samples_for_each_context_after_the_shape():
    flow, c = moved(two_layers()).double(), points((4, 1), False)
    x, log_prob = flow.rsample_and_log_prob((10,), c)
    assert x.shape == (10, 4, 2) and log_prob.shape == (10, 4)
    assert flow.sample((10,), c).shape == (10, 4, 2) and flow.sample((10,), c[0]).shape == (10, 2)
    assert_close(flow.log_prob(x, c), log_prob)
    assert_close(flow.log_prob(x[0, 0], c)[0], log_prob[0, 0])
    assert flow.sample((0,), c).shape == (0, 4, 2)


def test_a_base_with_a_batch_has_its_rows_for_the_contexts():
    base = Independent(Normal(torch.zeros(4, 2), torch.ones(4, 2)), 1)
    flow = Flow(base, *two_layers().bijection.bijections)
    assert flow.sample((10,), torch.randn(4, 1)).shape == (10, 4, 2)


def test_as_a_distribution_a_flow_is_given_its_context():
    flow, c = moved(two_layers()), torch.randn(4, 1)
    distribution = FlowDistribution(flow, c)
    assert distribution.batch_shape == (4,)
    x = distribution.rsample((6,))
    assert x.shape == (6, 4, 2)
    assert_close(distribution.log_prob(x), flow.log_prob(x, c))
    assert distribution.expand((3, 4)).sample().shape == (3, 4, 2)
    boxed = Compose(Sigmoid(), Affine(2, torch.ones(2), torch.ones(2)))  # no name for its image
    boxed = Flow(standard_normal(2), *flow.bijection.bijections, boxed)
    inside = torch.tensor([[2.0, 2.0], [0.5, 2.0]])[:, None]
    found = FlowDistribution(boxed, c).support.check(inside)
    assert torch.equal(found, torch.tensor([[True] * 4, [False] * 4]))


# -- labels, embeddings, and torch's own tools


def test_class_labels_and_an_embedding_of_them_train_with_the_flow():
    """Two classes, at -2 and at 2: one flow learns both, told by a label."""
    labels = torch.arange(200) % 2
    x = torch.randn(200, 2) / 2 + (4.0 * labels - 2)[:, None]
    flow, embed = two_layers(context=3), nn.Embedding(2, 3)
    before = embed.weight.detach().clone()
    parameters = [*flow.parameters(), *embed.parameters()]
    fit(lambda: -flow.log_prob(x, embed(labels)).mean(), parameters, steps=60, lr=2e-2)
    assert (embed.weight - before).abs().max() > 0.01
    means = flow.sample((500,), embed(torch.arange(2)))[..., 0].mean(0)
    assert means[0] < -1 and means[1] > 1

    told = moved(two_layers(context=2))
    assert told.log_prob(x, one_hot(labels, 2).float()).shape == (200,)


def test_functional_calls_and_gradients_for_each_sample():
    flow = moved(two_layers())
    parameters = dict(flow.named_parameters())
    x, c = torch.randn(5, 2), torch.randn(5, 1)

    def loss(parameters, x, c):
        return -functional_call(flow, parameters, (x, c))

    each = vmap(torch.func.grad(loss), (None, 0, 0))(parameters, x, c)
    whole = torch.autograd.grad(-flow.log_prob(x, c).sum(), list(parameters.values()))
    for gradients, gradient in zip(each.values(), whole):
        assert_close(gradients.sum(0), gradient, rtol=1e-4, atol=1e-5)


# -- errors


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "inverse"])
def test_a_context_that_is_missing_or_does_not_fit_is_one_sentence(name):
    layer, z = build(name), points((4, 3), False)
    wrong = {
        r"a context of shape \(..., 2\), as second argument; got none": (),
        r"shape \(..., 2\); got \(4, 3\)": (z,),
        r"shape \(..., 2\); got \(\)": (z[0, 0],),
        r"got \(5, 2\)": (points((5, 2), False),),
        r"of floats; got torch.int64: one_hot": (torch.zeros(4, 2).long(),),
        r"context of torch.float64; got torch.float32": (torch.zeros(2),),
    }
    flow = Flow(standard_normal(3), layer).double()
    for says, c in wrong.items():
        for apply in (layer, layer.inverse, flow.log_prob):
            with pytest.raises(ValueError, match=says) as error:
                apply(z, *c)
            assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="as second argument; got none"):
        flow.sample((3,))
    with pytest.raises(ValueError, match="finite numbers in the context; got 1 NaN"):
        flow.log_prob(z, torch.tensor([0.0, torch.nan]).double())


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "inverse"])
def test_a_context_that_nothing_takes_is_refused(name):
    layer, z = build(name, context=0), points((4, 3), False)
    for apply in (layer, layer.inverse, Flow(standard_normal(3), layer).double().log_prob):
        with pytest.raises(ValueError, match=r"no context: none of its layers was built with"):
            apply(z, torch.zeros(2).double())


def test_contexts_of_two_widths_are_refused():
    one, two = AffineCoupling(2, context=1), AffineCoupling(2, context=2)
    with pytest.raises(ValueError, match=r"contexts of one width; got \[1, 2\]"):
        Flow(standard_normal(2), one, Permutation([1, 0]), two)


@pytest.mark.parametrize("kind", ["student-t", "mixture"])
def test_a_base_with_trained_parameters_under_conditioned_splines(kind):
    if kind == "mixture":
        parts = Independent(Normal(nn.Parameter(torch.randn(3, 2)), torch.ones(3, 2)), 1)
        base = MixtureSameFamily(Categorical(torch.ones(3)), parts)
    else:
        base = Independent(StudentT(torch.tensor(3.0), nn.Parameter(torch.zeros(2)), 1.0), 1)
    flow = Flow(base, *two_layers().bijection.bijections)
    x, c = 5 + torch.randn(50, 2), torch.randn(1)
    before = flow.log_prob(x, c).mean()
    fit(lambda: -flow.log_prob(x, c).mean(), flow.parameters(), steps=5, lr=0.05)
    assert flow.log_prob(x, c).mean() > before
    assert all(p.grad.abs().sum() > 0 for p in flow.base_state.parameters())
    assert flow.sample((7,), c).shape == (7, 2)
