"""Masked autoregressive layers: the map, its two samplers, and IAF."""

import math

import pytest
import torch
from torch.autograd.forward_ad import dual_level, make_dual, unpack_dual
from torch.func import functional_call, jacfwd, jacrev, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close

from bijections import moved, points
from flowlib import (
    AffineCoupling,
    Compose,
    Flow,
    Inverse,
    MaskedAutoregressive,
    alternate,
    jacobian_log_det,
    round_trip_error,
    standard_normal,
    total_mass,
)
from flowlib.live.trace import ConstantPool, trace

DIMS = [1, 2, 5, 17]
HIDDEN = [(), (1,), (3, 40), (30, 20, 30)]
ORDERS = {
    "as they are": lambda dim: None,
    "reversed": lambda dim: range(dim)[::-1],
    "shuffled": lambda dim: torch.randperm(dim),
}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
each_order = pytest.mark.parametrize("order", ORDERS)
each_dim = pytest.mark.parametrize("dim", DIMS)
each_width = pytest.mark.parametrize("hidden", HIDDEN)
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
with_and_without_gradients = pytest.mark.parametrize("grad", [True, False])


def build(dim, hidden=(30, 20), order="shuffled", dtype=torch.float64, **options):
    """A layer whose s and t are about one: the last layer's weights do not start at zero."""
    torch.manual_seed(0)
    layer = MaskedAutoregressive(dim, hidden, ORDERS[order](dim), **options)
    moved(layer.network.layers[-1], by=1.5 / math.sqrt((hidden or (dim,))[-1]))
    return layer.to(dtype)


def stack(dim, count=3, dtype=torch.float64):
    """Layers of alternating orders, as the book composes them."""
    return Compose(*(build(dim, order=list(ORDERS)[k % 2], dtype=dtype) for k in range(count)))


# -- one layer


@each_dim
@each_order
@each_width
def test_x_is_z_scaled_and_shifted_by_the_networks_outputs_at_x(dim, order, hidden):
    layer, z = build(dim, hidden, order, bound=1.5), points((6, dim), False)
    x, log_det = layer(z)
    out = layer.network(x)
    s, t = 1.5 * torch.tanh(out[:, 0] / 1.5), out[:, 1]
    assert_close(x, s.exp() * z + t, rtol=1e-12, atol=1e-12)
    assert_close(log_det, s.sum(-1), rtol=1e-12, atol=1e-12)
    back, log_det_back = layer.inverse(x)
    assert_close(back, (x - t) / s.exp())
    assert_close(log_det_back, -s.sum(-1))


@each_dim
@each_order
def test_the_jacobian_is_triangular_in_the_order_with_the_scales_on_its_diagonal(dim, order):
    layer, z = build(dim, order=order), points((6, dim), False)
    x, log_det = layer(z)
    s, _ = layer.log_scale_and_shift(layer.network(x))
    jacobian = vmap(jacrev(lambda z: layer(z)[0]))(z)
    in_order = jacobian[:, layer.network.order][:, :, layer.network.order]
    assert (in_order.triu(1) == 0).all()
    assert_close(in_order.diagonal(dim1=1, dim2=2), s.exp()[:, layer.network.order])
    assert_close(log_det, jacobian_log_det(layer, z), rtol=1e-9, atol=1e-10)
    assert_close(layer.inverse(x)[1], jacobian_log_det(Inverse(layer), x), rtol=1e-9, atol=1e-10)
    assert dim == 1 or (in_order.tril(-1) != 0).any(), "no variable moves with another"


@pytest.mark.parametrize("dim", [1, 2])
@each_order
@each_width
def test_the_density_has_mass_one(dim, order, hidden):
    layers = [build(dim, hidden, each, bound=0.7) for each in (order, "reversed")]
    edge, n = (40.0, 20_000) if dim == 1 else (30.0, 600)
    for flow in (Flow(standard_normal(dim), *layers[:count]).double() for count in (1, 2)):
        mass = total_mass(flow.log_prob, [-edge] * dim, [edge] * dim, n=n)
        assert mass == pytest.approx(1, abs=1e-4)


@each_dim
@each_order
@each_dtype
def test_a_new_layer_is_exactly_the_identity(dim, order, dtype):
    torch.manual_seed(0)
    layer = MaskedAutoregressive(dim, order=ORDERS[order](dim)).to(dtype)
    z = points((20, dim), False, dtype)
    for apply in (layer, layer.inverse, layer.forward_by_passes):
        output, log_det = apply(z)
        assert torch.equal(output, z)
        assert (log_det == 0).all()


@pytest.mark.parametrize("bound", [0.3, 2.0])
def test_a_bounded_log_scale_stays_in_its_bounds(bound):
    layer = moved(MaskedAutoregressive(5, bound=bound), by=100.0).double()
    log_scale, _ = layer.log_scale_and_shift(layer.network(points((50, 5), False)))
    assert log_scale.abs().max() <= bound
    assert (log_scale.abs() > 0.99 * bound).any()


def test_without_a_bound_the_log_scale_is_the_networks_output():
    layer, x = build(5, bound=math.inf), points((6, 5), False)
    assert torch.equal(layer.log_scale_and_shift(layer.network(x))[0], layer.network(x)[:, 0])


# -- the two samplers


@pytest.mark.parametrize("dim", [*DIMS, 64])
@each_order
@each_width
@each_dtype
@with_and_without_gradients
def test_the_cached_sampler_gives_what_the_passes_give(dim, order, hidden, dtype, grad):
    layer, z = build(dim, hidden, order, dtype), points((50, dim), False, dtype)
    with torch.set_grad_enabled(grad):
        x, log_det = layer(z)
        plain_x, plain_log_det = layer.forward_by_passes(z)
    close = {
        "rtol": TOLERANCE[dtype],
        "atol": TOLERANCE[dtype] * float(plain_x.detach().abs().max()),
    }
    assert_close(x, plain_x, **close)
    assert_close(log_det, plain_log_det, **close)


@each_dim
@each_width
def test_gradients_flow_the_same_way_through_both_samplers(dim, hidden):
    layer, z = build(dim, hidden), points((6, dim), False).requires_grad_()
    leaves = [z, *layer.parameters()]
    weigh = points((6, dim), False, seed=3)

    def gradients(sampler):
        x, log_det = sampler(z)
        loss = (weigh * x.sin()).sum() + log_det.square().sum()
        return torch.autograd.grad(loss, leaves, materialize_grads=True)  # D = 1 needs no units

    cached, plain = gradients(layer.forward), gradients(layer.forward_by_passes)
    for mine, theirs in zip(cached, plain):
        assert_close(mine, theirs, rtol=1e-9, atol=1e-9)
    assert all(gradient.isfinite().all() for gradient in cached)
    assert cached[0].abs().min() > 0 and cached[-1].abs().max() > 0


@pytest.mark.parametrize("batch", [(), (0,), (1,), (5,), (2, 3), (1, 0, 2)])
@each_dim
def test_without_gradients_every_batch_shape_gives_the_same(dim, batch):
    """Without gradients the sampler writes to its buffers: never to what it was given."""
    layer, z = build(dim), points((*batch, dim), False)
    given = z.clone()
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    expected = layer(z)
    with torch.no_grad():
        output = layer(z)
        every_other = layer(z.repeat_interleave(2, -1)[..., ::2])  # not contiguous
    for got in (output, every_other):
        assert got[0].shape == (*batch, dim) and got[1].shape == batch
        assert_close(got, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(z, given)
    assert all(torch.equal(value, state[name]) for name, value in layer.state_dict().items())


@with_and_without_gradients
def test_a_nan_spoils_its_own_row_from_its_own_variable_on(grad):
    layer, z = build(5, (40, 40), "reversed"), points((4, 5), False)
    with torch.set_grad_enabled(grad):
        clean, clean_log_det = layer(z)
        z[2, 3] = math.nan  # variable 3 is the second in the order
        for sampler in (layer, layer.forward_by_passes):
            x, log_det = sampler(z)
            assert_close(x[[0, 1, 3]], clean[[0, 1, 3]])
            assert_close(log_det[[0, 1, 3]], clean_log_det[[0, 1, 3]])
            assert x[2, :4].isnan().all() and log_det[2].isnan()
        assert_close(layer(z)[0][2, 4], clean[2, 4])  # in a whole pass, 0 times NaN is NaN


@with_and_without_gradients
def test_torch_func_maps_over_points_and_over_weights(grad):
    layers = [build(5), moved(build(5))]
    z = points((6, 5), False)
    expected = [layer(z) for layer in layers]
    weights, _ = stack_module_state(layers)
    with torch.set_grad_enabled(grad):
        assert_close(vmap(layers[0])(z), expected[0])
        mapped = vmap(lambda weights: functional_call(layers[0], weights, (z,)))(weights)
        for k, each in enumerate(expected):
            assert_close((mapped[0][k], mapped[1][k]), each)
        jacobian = vmap(jacrev(lambda z: layers[0](z)[0]))(z)
    assert_close(torch.linalg.slogdet(jacobian).logabsdet, expected[0][1])


@pytest.mark.parametrize("dtype, most", [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_a_stack_goes_there_and_back(dtype, most):
    bijection, z = stack(17, dtype=dtype), points((50, 17), False, dtype)
    assert round_trip_error(bijection, z) < most
    assert round_trip_error(Inverse(bijection), z) < most
    with torch.no_grad():
        assert round_trip_error(bijection, z) < most


def test_dropout_is_for_training_and_for_the_direction_that_scores():
    layer, z = build(5, dropout=0.5), points((50, 5), False)
    x, _ = layer(z)
    assert torch.equal(layer(z)[0], x)
    assert (layer.inverse(x)[0] - z).abs().max() > 0.1
    layer.eval()
    assert torch.equal(layer(z)[0], x)
    assert_close(layer.inverse(x)[0], z)


# -- what costs how many passes


def test_iaf_samples_in_one_pass_and_maf_by_passes_in_as_many_as_variables():
    layer, z, passes = build(5), points((6, 5), False), []
    layer.network.register_forward_hook(lambda *_: passes.append(1))

    def count(apply):
        passes.clear()
        apply(z)
        return len(passes)

    iaf = Inverse(layer)
    assert count(iaf) == count(layer.inverse) == 1
    assert count(layer.forward_by_passes) == 5
    assert count(layer) == count(iaf.inverse) == 0  # unit by unit


def test_passes_end_when_nothing_changes_with_what_all_passes_give():
    layer, passes = build(64, order="as they are").requires_grad_(False), []
    moved(layer.network.layers[-1], by=0.02)
    layer.network.register_forward_hook(lambda *_: passes.append(1))
    z = points((6, 64), False)
    early = layer.forward_by_passes(z)
    assert 2 < len(passes) < 32
    passes.clear()
    all_passes = layer.forward_by_passes(z.requires_grad_())
    assert len(passes) == 64
    assert all(map(torch.equal, early, all_passes))


def all_at_rest():
    """A layer that takes 0 to 0 in one pass, where a derivative takes all D of them."""
    layer = build(5, ())
    torch.nn.init.zeros_(layer.network.layers[-1].bias)
    return layer, points((5,), False)


@with_and_without_gradients
@pytest.mark.parametrize("derivative", [jacrev, jacfwd], ids=lambda each: each.__name__)
def test_derivatives_by_passes_are_right_where_x_is_right_at_once(derivative, grad):
    layer, z = all_at_rest()[0], torch.zeros(5, dtype=torch.float64)
    expected = torch.linalg.inv(jacrev(lambda x: layer.inverse(x)[0])(z))
    assert torch.count_nonzero(expected) == 15
    with torch.set_grad_enabled(grad):
        assert_close(derivative(lambda z: layer.forward_by_passes(z)[0])(z), expected)


@torch.no_grad()
@pytest.mark.parametrize("sampler", ["forward", "forward_by_passes"])
def test_forward_mode_is_right_without_gradients(sampler):
    layer, direction = all_at_rest()
    z = torch.zeros(5, dtype=torch.float64)
    expected = torch.linalg.inv(jacrev(lambda x: layer.inverse(x)[0])(z)) @ direction
    with dual_level():
        x, _ = getattr(layer, sampler)(make_dual(z, direction))
        assert_close(unpack_dual(x).tangent, expected)


def test_iaf_computes_scale_and_shift_from_the_noise():
    layer, z = build(5, bound=math.inf), points((6, 5), False)
    x, log_det = Inverse(layer)(z)
    s, t = layer.network(z).unbind(1)
    assert_close(x, (z - t) / s.exp())
    assert_close(log_det, -s.sum(-1))
    sample, log_prob = Flow(standard_normal(5), Inverse(layer)).double().rsample_and_log_prob((6,))
    assert_close(Flow(standard_normal(5), Inverse(layer)).double().log_prob(sample), log_prob)


def test_a_coupling_is_an_autoregressive_layer_with_fewer_connections():
    """Two degrees instead of D: the second half sees the first, and nothing sees the second."""
    layer, z = build(6, (20,), "as they are", bound=2.0), points((6, 6), False)
    made = layer.network
    made.layers[0].mask[:, 3:] = 0  # no hidden unit sees the second half
    made.layers[0].mask[:, :3] = 1
    made.layers[1].mask.unflatten(0, (2, 6))[:, :3] = 0  # the first half sees no hidden unit
    made.layers[1].mask.unflatten(0, (2, 6))[:, 3:] = 1
    with torch.no_grad():
        made.layers[1].bias.unflatten(0, (2, 6))[:, :3] = 0

    def network(z1):
        padded = torch.cat([z1, torch.zeros_like(z1)], -1)
        return made(padded)[..., 3:].flatten(-2)

    coupling = AffineCoupling(6, alternate(6, 0), network=network, bound=2.0)
    assert_close(layer.forward_by_passes(z), coupling(z))
    assert_close(layer.inverse(z), coupling.inverse(z))


# -- traced and trained


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("direction", ["forward", "inverse", "forward_by_passes"])
@with_and_without_gradients
def test_both_directions_trace_to_a_graph_of_the_page(dim, direction, grad):
    layer, z = build(dim, dtype=torch.float32), points((6, dim), False, torch.float32)

    def picture(strength):
        with torch.set_grad_enabled(grad):
            x, log_det = getattr(layer, direction)(strength * z)
        return {"x": x, "log_det": log_det}

    graph = trace(picture, {"strength": torch.tensor(0.5)}, ConstantPool())
    assert graph["shapes"] == {"x": [6, dim], "log_det": [6]}
    traced = make_fx(picture)(torch.tensor(0.5))
    for strength in (torch.tensor(-1.0), torch.tensor(2.0)):
        assert_close(traced(strength), picture(strength))


def test_every_parameter_gets_a_gradient_from_the_density():
    bijection = stack(5)
    loss = -Flow(standard_normal(5), bijection).double().log_prob(points((64, 5), False)).mean()
    loss.backward()
    for name, parameter in bijection.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_weights_given_from_outside_trace_with_their_gradient():
    """What training in the page needs: the loss of given weights, and its gradient, as one graph."""
    layer, x = build(3, dtype=torch.float32), points((5, 3), False, torch.float32)
    weights = {name: value.detach() for name, value in layer.named_parameters()}

    def loss(weights):
        z, log_det = functional_call(Inverse(layer), weights, (x,))
        return (z.square().sum(-1) / 2 - log_det).mean()

    weights = {f"bijection.{name}": value for name, value in weights.items()}
    gradients = make_fx(torch.func.grad(loss))(weights)(weights)
    (-Flow(standard_normal(3), layer).log_prob(x).mean()).backward()
    for name, parameter in layer.named_parameters():
        assert_close(gradients[f"bijection.{name}"], parameter.grad)


# -- bad input


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan])
def test_a_bound_that_is_not_positive_is_refused(bound):
    with pytest.raises(ValueError, match=f"expected a bound > 0; got {bound}"):
        MaskedAutoregressive(2, bound=bound)


@pytest.mark.parametrize(
    "options", [{"hidden": (0,)}, {"order": [0, 0, 1]}, {"dropout": 1.0}], ids=str
)
def test_what_the_network_refuses_is_refused(options):
    with pytest.raises(ValueError, match="MADE expected .*; got"):
        MaskedAutoregressive(3, **options)


@pytest.mark.parametrize("shape", [(), (2,), (3, 4), (3, 1)])
def test_a_wrong_shape_is_refused_by_both_samplers(shape):
    layer = MaskedAutoregressive(3)
    for apply in (layer, layer.inverse, layer.forward_by_passes):
        with pytest.raises(ValueError, match=r"MaskedAutoregressive expected shape \(\.\.\., 3\)"):
            apply(torch.zeros(shape))
