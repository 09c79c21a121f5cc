"""What the suites of other flow libraries test with torch.func, torch.compile and tracing."""

import io

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import (
    functional_call,
    functionalize,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    stack_module_state,
    vjp,
    vmap,
)
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from bijections import BIJECTIONS, build, inputs
from flowlib import (
    AdditiveCoupling,
    Affine,
    AffineCoupling,
    Flow,
    Inverse,
    Linear,
    MaskedAutoregressive,
    Permutation,
    Planar,
    SinhArcsinh,
    standard_normal,
)

EXACT = {"rtol": 1e-9, "atol": 1e-9}
FLOWS = {
    "planar": lambda: [Planar(3)],
    "coupling": lambda: [AdditiveCoupling(3, hidden=(5,)), AffineCoupling(3, hidden=(5,))],
    "every other": lambda: [AffineCoupling(3, torch.tensor([True, False, True]), (5,))],
    "autoregressive": lambda: [MaskedAutoregressive(3, (5,), [2, 0, 1])],
    "inverse autoregressive": lambda: [Inverse(MaskedAutoregressive(3, (5,)))],
    "linear": lambda: [Linear(torch.eye(3) + 0.2), Permutation([2, 0, 1]), Affine(3)],
    "tails": lambda: [SinhArcsinh(3), Inverse(Planar(3))],
}
every_flow = pytest.mark.parametrize("name", FLOWS)


def make(name, seed=0):
    torch.manual_seed(seed)
    flow = Flow(standard_normal(3), *FLOWS[name]())
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return flow.double()


@pytest.fixture
def x():
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_flow
def test_mapped_over_any_axis_and_in_chunks(name, x):
    flow = make(name)
    assert_close(vmap(flow)(x), flow(x), **EXACT)
    assert_close(vmap(flow, in_dims=1)(x.mT.contiguous()), flow(x), **EXACT)
    assert_close(vmap(flow, chunk_size=2)(x), flow(x), **EXACT)
    assert_close(vmap(vmap(flow))(x.reshape(2, 2, 3)), flow(x).reshape(2, 2), **EXACT)


@every_flow
def test_derivatives_agree_with_each_other(name, x):
    flow = make(name)
    score = torch.stack([torch.autograd.functional.jacobian(flow, point) for point in x])
    for way in (grad, jacrev, jacfwd):
        assert_close(vmap(way(flow))(x), score, **EXACT)
    value, directional = jvp(flow, (x,), (torch.ones_like(x),))
    assert_close(value, flow(x), **EXACT)
    assert_close(directional, score.sum(-1), **EXACT)
    _, back = vjp(flow, x)
    assert_close(back(torch.ones(4, dtype=x.dtype))[0], score, **EXACT)


@every_flow
def test_second_derivatives_agree_with_each_other(name, x):
    flow = make(name)
    exact = torch.stack([torch.autograd.functional.hessian(flow, point) for point in x])
    for way in (hessian(flow), jacfwd(jacfwd(flow)), jacrev(jacrev(flow)), jacrev(jacfwd(flow))):
        assert_close(vmap(way)(x), exact, **EXACT)


@every_flow
def test_jacobians_of_a_layer_forward_and_reverse(name, x):
    bijection = make(name).bijection
    for apply in (bijection, bijection.inverse):
        for way in (jacrev, jacfwd):
            jacobian, _ = vmap(way(apply))(x)
            assert_close(torch.linalg.slogdet(jacobian).logabsdet, apply(x)[1], **EXACT)


@every_flow
def test_an_ensemble_is_each_of_its_flows(name, x):
    flows = [make(name, seed) for seed in range(3)]
    parameters, buffers = stack_module_state(flows)
    empty = make(name).to("meta")

    def one(parameters, buffers):
        return functional_call(empty, (parameters, buffers), (x,))

    each = vmap(one)(parameters, buffers)
    for k, flow in enumerate(flows):
        assert_close(each[k], flow(x), **EXACT)


@every_flow
def test_derivatives_by_the_parameters(name, x):
    flow = make(name)
    parameters = {key: value.detach() for key, value in flow.named_parameters()}

    def loss(parameters):
        return functional_call(flow, parameters, (x,)).sum()

    rows = jacrev(loss)(parameters)
    assert rows.keys() == parameters.keys()
    if parameters:
        exact = torch.autograd.grad(flow(x).sum(), list(flow.parameters()))
        for row, expected in zip(rows.values(), exact):
            assert_close(row, expected, **EXACT)


@every_flow
@pytest.mark.parametrize("mode", ["real", "symbolic"])
def test_a_trace_scores_other_points(name, mode, x):
    flow = make(name)
    parameters = dict(flow.named_parameters()) | dict(flow.named_buffers())

    def score(parameters, x):
        return functional_call(flow, parameters, (x,))

    x = torch.cat([x, x[:3]])  # 7 is the size of nothing else
    traced = make_fx(score, tracing_mode=mode)(parameters, x)
    other = -2 * x if mode != "symbolic" else torch.cat([x, -2 * x])
    assert_close(traced(parameters, other), flow(other), **EXACT)


@every_flow
def test_functionalised(name, x):
    flow = make(name)
    assert_close(functionalize(flow.log_prob)(x), flow(x), **EXACT)
    assert_close(functionalize(flow.bijection)(x), flow.bijection(x), **EXACT)


@every_flow
def test_shapes_without_numbers(name):
    flow = make(name)
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert flow(torch.randn(7, 2, 3, dtype=torch.float64)).shape == (7, 2)
    flow = flow.to("meta")
    assert flow(torch.randn(7, 2, 3, dtype=torch.float64, device="meta")).shape == (7, 2)


@every_flow
def test_checkpointed_and_anomalies_watched(name, x):
    flow = make(name)
    leaf = x.clone().requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        flow(leaf).sum().backward()
    exact = leaf.grad.clone()
    leaf.grad = None
    checkpoint(flow, leaf, use_reentrant=False).sum().backward()
    assert_close(leaf.grad, exact, **EXACT)


@every_flow
def test_gradients_of_gradients_reach_the_parameters(name, x):
    """Score matching: the loss has the gradient of the density by the points."""
    flow = make(name)
    leaf = x.clone().requires_grad_()
    (score,) = torch.autograd.grad(flow(leaf).sum(), leaf, create_graph=True)
    score.square().sum().backward()
    grads = [p.grad for p in flow.parameters() if p.grad is not None]
    assert grads or not list(flow.parameters())
    assert all(each.isfinite().all() for each in grads)


def test_draws_in_a_map_differ_or_agree_as_asked():
    flow = make("coupling")
    draw = vmap(lambda _: flow.sample(), randomness="different")(torch.zeros(4))
    assert len({tuple(row.tolist()) for row in draw}) == 4
    draw = vmap(lambda _: flow.sample(), randomness="same")(torch.zeros(4))
    assert len({tuple(row.tolist()) for row in draw}) == 1


def dynamic(flow):
    torch._dynamo.reset()
    return torch.compile(flow, fullgraph=True, backend="eager", dynamic=True)


@pytest.mark.parametrize("name", ["coupling", "autoregressive", "linear"])
def test_compiled_once_for_batches_of_any_size(name, x):
    flow = make(name)
    compiled = dynamic(flow)
    for size in (3, 7, 4):
        points = x.repeat(2, 1)[:size]
        assert_close(compiled(points), flow(points), **EXACT)


def test_a_compiled_flow_still_refuses_a_wrong_shape(x):
    compiled = torch.compile(make("planar"), backend="eager")
    with pytest.raises(ValueError, match=r"expected shape \(\.\.\., 3\); got \(4, 2\)"):
        compiled(x[:, :2])


def test_exported_with_an_open_batch_saved_and_loaded(x):
    flow = make("coupling")
    batch = torch.export.Dim("batch", max=64)
    exported = torch.export.export(flow, (x,), dynamic_shapes=({0: batch},))
    file = io.BytesIO()
    torch.export.save(exported, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    other = torch.cat([x, x + 1])
    assert_close(loaded(other), flow(other), **EXACT)


@pytest.mark.parametrize("name", [n for n in BIJECTIONS if not n.startswith("inverse of")])
def test_every_layers_traced_graph_keeps_the_layer_as_it_was(name):
    """A trace must leave no tensor without numbers behind in the module."""
    bijection = build(name, 3)
    z, _ = inputs(name, (4, 3))
    expected = bijection(z)
    traced = make_fx(lambda z: bijection(z))(z)
    assert_close(traced(z), expected)
    assert_close(bijection(z), expected)
    assert all(type(value) in (torch.Tensor, torch.nn.Parameter) for value in bijection.buffers())
