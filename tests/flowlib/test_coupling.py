"""The coupling layers: what passes unchanged, what moves, and by how much."""

import math
from itertools import pairwise

import pytest
import torch
from torch.func import functional_call, jacrev, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close

from bijections import every_other, moved, points
from flowlib import (
    AdditiveCoupling,
    Affine,
    AffineCoupling,
    Compose,
    Flow,
    Permutation,
    alternate,
    jacobian_log_det,
    mlp,
    round_trip_error,
    standard_normal,
)
from flowlib.live.trace import ConstantPool, trace

DIMS = [2, 3, 4, 5, 6, 7]
LAYERS = {"additive": AdditiveCoupling, "affine": AffineCoupling}
MASKS = {
    "first half": lambda dim: alternate(dim, 0),
    "second half": lambda dim: alternate(dim, 1),
    "every other": every_other,
    "all but the last": lambda dim: torch.arange(dim) < dim - 1,
    "the middle one": lambda dim: torch.arange(dim) == dim // 2,
}
each_layer = pytest.mark.parametrize("layer", LAYERS)
each_mask = pytest.mark.parametrize("mask", MASKS)
each_dim = pytest.mark.parametrize("dim", DIMS)


def build(layer, dim, mask="first half", seed=0, **options):
    """A float64 layer that is not the identity, and its mask."""
    torch.manual_seed(seed)
    keep = MASKS[mask](dim)
    return moved(LAYERS[layer](dim, keep, hidden=(8, 8), **options)).double(), keep


def jacobian(bijection, z):
    """∂x/∂z at each row of z, shape (N, D, D)."""
    return vmap(jacrev(lambda z: bijection(z)[0]))(z)


def stack(layer, dim, count, seed=0):
    """Layers whose halves alternate, as the book composes them."""
    torch.manual_seed(seed)
    couplings = [LAYERS[layer](dim, alternate(dim, k), hidden=(8, 8)) for k in range(count)]
    return moved(Compose(*couplings)).double()


# -- one layer


@each_dim
@each_mask
@each_layer
def test_the_jacobian_is_block_triangular_with_the_scale_on_its_diagonal(layer, mask, dim):
    coupling, keep = build(layer, dim, mask)
    z = points((6, dim), False)
    blocks = jacobian(coupling, z)
    eye = torch.eye(dim, dtype=torch.float64)
    assert (blocks[:, keep] == eye[keep]).all(), "the kept half is the identity"
    scale = torch.ones(6, int((~keep).sum()), dtype=torch.float64)
    if layer == "affine":
        scale = coupling.log_scale_and_shift(z[:, keep])[0].exp()
        assert (scale - 1).abs().min() > 1e-6
    assert_close(blocks[:, ~keep][:, :, ~keep], torch.diag_embed(scale))
    below = blocks[:, ~keep][:, :, keep]  # what the network adds, (6, d₂, d₁)
    assert (below != 0).any(0).all(), "every changed coordinate depends on every kept one"


@each_dim
@each_mask
@each_layer
def test_the_kept_coordinates_are_the_same_to_the_last_bit(layer, mask, dim):
    coupling, keep = build(layer, dim, mask)
    z = points((20, dim), False) * 10.0 ** points((20, dim), False, seed=3)
    for apply in (coupling, coupling.inverse):
        output, _ = apply(z)
        assert torch.equal(output[:, keep], z[:, keep])
        assert (output[:, ~keep] != z[:, ~keep]).all()


@each_dim
@each_mask
def test_the_additive_layer_adds_and_takes_away_the_networks_shift(mask, dim):
    coupling, keep = build("additive", dim, mask)
    z = points((5, dim), False)
    shift = coupling.network(z[:, keep])
    x, log_det = coupling(z)
    assert_close(x[:, ~keep], z[:, ~keep] + shift, rtol=0, atol=1e-14)
    assert (log_det == 0).all()
    back, log_det = coupling.inverse(z)
    assert_close(back[:, ~keep], z[:, ~keep] - shift, rtol=0, atol=1e-14)
    assert (log_det == 0).all()


@each_dim
@each_mask
@pytest.mark.parametrize("bound", [0.5, 2.0, math.inf])
def test_the_affine_layer_scales_by_the_first_outputs_and_shifts_by_the_last(mask, dim, bound):
    coupling, keep = build("affine", dim, mask, bound=bound)
    z = points((5, dim), False)
    changed = int((~keep).sum())
    out = coupling.network(z[:, keep])
    log_scale, shift = out[:, :changed], out[:, changed:]
    if bound < math.inf:
        log_scale = bound * torch.tanh(log_scale / bound)
    x, log_det = coupling(z)
    assert_close(x[:, ~keep], log_scale.exp() * z[:, ~keep] + shift)
    assert_close(log_det, log_scale.sum(-1))
    back, log_det = coupling.inverse(z)
    assert_close(back[:, ~keep], (z[:, ~keep] - shift) / log_scale.exp())
    assert_close(log_det, -log_scale.sum(-1))


@each_dim
@each_mask
@each_layer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_new_layer_is_exactly_the_identity(layer, mask, dim, dtype):
    torch.manual_seed(0)
    coupling = LAYERS[layer](dim, MASKS[mask](dim)).to(dtype)
    z = points((20, dim), False, dtype)
    for apply in (coupling, coupling.inverse):
        output, log_det = apply(z)
        assert torch.equal(output, z)
        assert (log_det == 0).all()


def test_the_bound_may_be_an_input_of_a_trace():
    layer = AffineCoupling(2, network=lambda z1: torch.cat([5 * z1, z1], -1))
    x = torch.randn(20, 2)

    def scaled(bound):
        layer.bound = bound
        return layer.inverse(x)[0]

    traced = make_fx(scaled)(torch.tensor(2.0))
    assert_close(traced(torch.tensor(0.5)), scaled(0.5))
    assert_close(traced(torch.tensor(1e6)), scaled(math.inf), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bound", [0.3, 2.0])
def test_a_bounded_log_scale_stays_in_its_bounds_and_keeps_its_slope_at_zero(bound):
    log_scales = torch.tensor([-1e6, -3.0, -1e-4, 0.0, 1e-4, 3.0, 1e6], dtype=torch.float64)

    def network(z1):
        return torch.stack([log_scales, torch.zeros_like(log_scales)], -1)

    bounded, _ = AffineCoupling(2, network=network, bound=bound).log_scale_and_shift(
        torch.zeros(7, 1, dtype=torch.float64)
    )
    assert (bounded.abs() <= bound).all()
    assert (bounded.diff(dim=0) > 0).all()
    assert_close(bounded[[0, -1], 0].abs(), torch.full((2,), bound, dtype=torch.float64))
    assert_close(bounded[2:5, 0], log_scales[2:5], rtol=1e-6, atol=0)


def test_without_a_bound_the_log_scale_is_the_networks_output():
    layer = AffineCoupling(2, network=lambda z1: torch.cat([50 * z1, z1], -1), bound=math.inf)
    x, log_det = layer(torch.ones(2, dtype=torch.float64))
    assert log_det == 50
    assert_close(x[1].item(), math.exp(50) + 1)


# -- masks and stacks


@each_dim
def test_two_neighbours_keep_and_change_every_coordinate_once(dim):
    for k in range(4):
        keep, following = alternate(dim, k), alternate(dim, k + 1)
        assert keep.dtype == torch.bool and keep.shape == (dim,)
        assert torch.equal(keep, ~following)
        assert torch.equal(keep, alternate(dim, k + 2))
    first = alternate(dim, 0)
    assert first[0] and first.sum() == dim // 2
    assert not any(b and not a for a, b in pairwise(first)), "the first half, in one piece"


def test_left_out_the_mask_keeps_the_first_half():
    torch.manual_seed(0)
    layer = moved(AffineCoupling(5, hidden=(8,)))
    z = points((4, 5), False, torch.float32)
    assert_close((layer(z)[0] == z).all(0), alternate(5, 0))


@each_dim
def test_additive_layers_preserve_volume_however_many(dim):
    couplings = stack("additive", dim, 5)
    z = points((10, dim), False)
    assert (couplings(z)[1] == 0).all()
    assert_close(jacobian_log_det(couplings, z), torch.zeros(10, dtype=torch.float64))
    scale = Affine(dim, log_scale=torch.arange(dim).double(), shift=torch.zeros(dim).double())
    assert_close(jacobian_log_det(Compose(couplings, scale), z), scale(z)[1])


@each_dim
@each_layer
def test_three_layers_are_needed_for_every_output_to_depend_on_every_input(layer, dim):
    """The Jacobian's zeros, over many points: none is left after three layers, some before."""
    z = points((50, dim), False)
    depends = [(jacobian(stack(layer, dim, n), z) != 0).any(0) for n in range(1, 5)]
    first, second = alternate(dim, 0), alternate(dim, 1)
    eye = torch.eye(dim, dtype=torch.bool)
    one = eye | second[:, None] & first
    two = one | first[:, None]  # the first half changes, and reads the second: so it reads all
    two = two & ~(second[:, None] & second & ~eye)  # the second half has not read itself yet
    assert torch.equal(depends[0], one)
    assert torch.equal(depends[1], two)
    assert depends[2].all() and depends[3].all()


@each_dim
@each_layer
def test_a_deep_stack_goes_there_and_back_in_float64(layer, dim):
    torch.manual_seed(0)
    couplings = [LAYERS[layer](dim, alternate(dim, k), hidden=(8,)) for k in range(8)]
    assert round_trip_error(moved(Compose(*couplings)).double(), points((50, dim), False)) < 1e-9


def test_a_deep_stack_loses_the_round_trip_unless_the_scale_is_bounded():
    """Sixteen layers: without a bound, the far points leave the range of the numbers."""

    def error(bound, dtype=torch.float32):
        torch.manual_seed(0)
        layers = [AffineCoupling(2, alternate(2, k), (16,), bound=bound) for k in range(16)]
        z = points((200, 2), False, dtype)
        return round_trip_error(moved(Compose(*layers), by=0.2).to(dtype), z)

    assert math.isnan(error(math.inf)) and math.isnan(error(math.inf, torch.float64))
    assert error(0.5) < error(2.0) < 1e-3
    assert error(2.0, torch.float64) < 1e-11


# -- permutation


def test_a_permutation_takes_output_i_from_input_order_i():
    order = torch.tensor([2, 0, 3, 1])
    z = points((5, 4), False)
    for given in (order, order.tolist()):
        x, log_det = Permutation(given)(z)
        assert torch.equal(x, z[:, order])
        assert torch.equal(Permutation(given).inverse(x)[0], z)
        assert torch.equal(log_det, torch.zeros(5, dtype=torch.float64))


@pytest.mark.parametrize("order", [[0, 0], [1, 2], [-1, 0], [[0, 1], [1, 0]], [0.5, 1.0]])
def test_an_order_that_is_no_permutation_is_refused(order):
    with pytest.raises(ValueError, match="Permutation expected .* got"):
        Permutation(order)


# -- bad input


@each_layer
@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_a_coupling_needs_two_coordinates(layer, dim):
    with pytest.raises(ValueError, match=f"a coupling expected a dim of 2 or more.*; got {dim}"):
        LAYERS[layer](dim)
    with pytest.raises(ValueError, match=f"a coupling expected a dim of 2 or more.*; got {dim}"):
        alternate(dim, 1)


@each_layer
@pytest.mark.parametrize(
    ("keep", "says"),
    [
        (torch.tensor([True, False]), r"shape \(3,\); got torch.bool and \(2,\)"),
        (torch.tensor([[True, False, True]]), r"shape \(3,\); got torch.bool and \(1, 3\)"),
        (torch.tensor([1, 0, 1]), r"dtype torch.bool .* got torch.int64 and \(3,\)"),
        (torch.tensor([1.0, 0.0, 1.0]), r"dtype torch.bool .* got torch.float32 and \(3,\)"),
        (torch.ones(3).bool(), r"one to change; got keep=\[True, True, True\]"),
        (torch.zeros(3).bool(), r"a coordinate to keep .*; got keep=\[False, False, False\]"),
    ],
)
def test_a_bad_mask_is_refused(layer, keep, says):
    with pytest.raises(ValueError, match=says):
        LAYERS[layer](3, keep)


@each_layer
@pytest.mark.parametrize(
    "wrong",
    [
        lambda z1: z1[..., :1],  # too few numbers
        lambda z1: torch.cat([z1] * 5, -1),  # too many
        lambda z1: torch.zeros(6),  # no batch: it would broadcast
        lambda z1: torch.zeros(1, 6),
        lambda z1: z1.sum(),
    ],
)
def test_a_network_of_another_shape_is_refused_in_both_directions(layer, wrong):
    coupling = LAYERS[layer](5, network=wrong)
    numbers = {"additive": 3, "affine": 6}[layer]
    z = torch.ones(4, 5)
    got = ", ".join(map(str, wrong(z[:, :2]).shape))
    for apply in (coupling, coupling.inverse):
        with pytest.raises(ValueError, match=rf"\(4, 2\) to \(4, {numbers}\); got \({got}"):
            apply(z)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, math.nan])
def test_a_dropout_that_is_no_share_is_refused(dropout):
    with pytest.raises(ValueError, match=f"expected a dropout from 0 to below 1; got {dropout}"):
        mlp(2, (4,), 2, dropout=dropout)


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan])
def test_a_bound_that_is_not_positive_is_refused(bound):
    with pytest.raises(ValueError, match=f"expected a bound > 0; got {bound}"):
        AffineCoupling(2, bound=bound)


# -- the network


def test_dropout_drops_while_training_and_never_after():
    torch.manual_seed(0)
    network = moved(mlp(3, (64, 64), 2, dropout=0.5))
    x = torch.randn(3).expand(2, 3)
    first, second = network(x)
    assert (first != second).all(), "each row drops other units"
    first, second = network.eval()(x)
    assert_close(first, second, rtol=0, atol=0)


# -- any network, traced and trained


@each_mask
@each_layer
def test_a_coupling_traces_to_a_graph_of_the_page(layer, mask):
    """Also with a network that is no module: a closure over a slider's value."""
    _, keep = build(layer, 4, mask)
    kept, changed = int(keep.sum()), int((~keep).sum())
    numbers = changed * {"additive": 1, "affine": 2}[layer]
    weights = points((kept, numbers), False, torch.float32)
    z = points((6, 4), False, torch.float32)

    def picture(strength):
        coupling = LAYERS[layer](4, keep, network=lambda z1: strength * torch.tanh(z1 @ weights))
        x, log_det = coupling(z)
        return {"x": x, "log_det": log_det, "z": coupling.inverse(x)[0]}

    graph = trace(picture, {"strength": torch.tensor(0.5)}, ConstantPool())
    assert graph["shapes"] == {"x": [6, 4], "log_det": [6], "z": [6, 4]}
    traced = make_fx(picture)(torch.tensor(0.5))
    for strength in (torch.tensor(-1.0), torch.tensor(2.0)):
        assert_close(traced(strength), picture(strength))


def test_weights_given_from_outside_trace_with_their_gradient():
    """What training in the page needs: the loss of given weights, and its gradient, as one graph."""
    flow = Flow(standard_normal(3), stack("affine", 3, 2).float())
    weights = dict(flow.named_parameters())
    x = points((5, 3), False, torch.float32)

    def loss(weights):
        z, log_det = functional_call(flow.bijection, weights, (x,))
        return (z.square().sum(-1) / 2 - log_det).mean()

    weights = {name.removeprefix("bijection."): value for name, value in weights.items()}
    gradients = make_fx(torch.func.grad(loss))(weights)(weights)
    values = list(weights.values())
    expected = torch.autograd.grad(loss(weights), values)
    assert_close(list(gradients.values()), list(expected))
    assert all(gradient.abs().sum() > 0 for gradient in expected)


@each_mask
@each_layer
def test_every_parameter_gets_a_gradient_from_the_density(layer, mask):
    coupling, _ = build(layer, 5, mask)
    loss = -Flow(standard_normal(5), coupling).double().log_prob(points((64, 5), False)).mean()
    loss.backward()
    for name, parameter in coupling.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_a_mask_moves_with_its_layer():
    layer = AffineCoupling(5, every_other(5)).to("meta")
    assert {tensor.device.type for tensor in layer.state_dict().values()} == {"meta"}
    assert layer(torch.zeros(2, 5, device="meta"))[0].shape == (2, 5)
