"""MADE: which output sees which variable, and the units computed one degree at a time."""

import math
import runpy
from itertools import product

import pytest
import torch
from torch.func import jacrev, vmap
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

import flowlib.made
import flowlib.masked
from bijections import moved, points
from flowlib import MADE

DIMS = [1, 2, 5, 17]
WIDE = {"no hidden layer": (), "D - 1": (-1,), "D and 40": (0, 40), "three layers": (40, 20, 30)}
NARROW = {"one unit": (1,), "three units": (3, 3), "wide, then two": (40, 2)}
ORDERS = {
    "as they are": lambda dim: None,
    "reversed": lambda dim: range(dim)[::-1],
    "shuffled": lambda dim: torch.randperm(dim),
}
each_order = pytest.mark.parametrize("order", ORDERS)
each_dim = pytest.mark.parametrize("dim", DIMS)
each_width = pytest.mark.parametrize("hidden", WIDE | NARROW)


def build(dim, hidden, order="as they are", outputs=2, **options):
    """A float64 network with random biases; widths of 0 and less are counted from D."""
    torch.manual_seed(0)
    widths = [width if width > 0 else max(dim + width, 1) for width in (WIDE | NARROW)[hidden]]
    return moved(MADE(dim, widths, outputs, ORDERS[order](dim), **options)).double()


def awake(made):
    """The network with positive weights: for a positive x no unit is off, and no sum cancels."""
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.abs_()
    return made


def dependencies(made):
    """Whether output o of variable i moves with variable j, by autograd: (outputs, D, D)."""
    return jacrev(awake(made))(points((made.dim,), False).abs()) != 0


def earlier(made):
    """Whether variable j comes before variable i in the order: (D, D), by counting."""
    place = {variable: k for k, variable in enumerate(made.order)}
    return torch.tensor([[place[j] < place[i] for j in range(made.dim)] for i in range(made.dim)])


def wiggle(z, outputs):
    """An x_i that is not linear in z_i nor in the outputs, and a number that depends on both."""
    amount = torch.sin(outputs).sum(-2)
    return torch.sinh(z) + amount * z.cos(), amount * z


# -- who sees whom


@each_dim
@each_order
@pytest.mark.parametrize("hidden", WIDE)
def test_each_output_sees_the_variables_before_its_own_and_all_of_them(dim, order, hidden):
    made = build(dim, hidden, order)
    for of_one_output in dependencies(made):
        assert torch.equal(of_one_output, earlier(made))


@pytest.mark.parametrize("dim", [5, 17])
@each_order
@pytest.mark.parametrize("hidden", NARROW)
def test_a_narrow_layer_loses_some_of_the_variables_before_and_adds_no_other(dim, order, hidden):
    made = build(dim, hidden, order)
    paths = made.layers[0].mask
    for layer in made.layers[1:]:
        paths = layer.mask @ paths
    paths = (paths > 0).unflatten(0, (2, dim))
    for seen, path in zip(dependencies(made), paths):
        assert not (seen & ~earlier(made)).any()
        assert seen.sum() < earlier(made).sum()
        assert torch.equal(seen, path)


@each_dim
@each_width
def test_the_degrees_of_hidden_units_are_sorted_and_in_equal_shares(dim, hidden):
    for degrees in build(dim, hidden).degrees[1:-1]:
        assert torch.equal(degrees, degrees.sort().values)
        assert 1 <= degrees.min() and degrees.max() <= max(dim - 1, 1)
        shares = torch.bincount(degrees, minlength=dim)[1:dim]
        assert dim == 1 or shares.max() - shares.min() <= 1


def test_a_mask_is_one_where_the_degree_of_the_row_is_no_lower():
    made = build(5, "three layers", "shuffled")
    for layer, inputs, outputs in zip(made.layers, made.degrees, made.degrees[1:]):
        for (k, d_k), (j, d_j) in product(enumerate(outputs), enumerate(inputs)):
            assert layer.mask[k, j] == (1 if d_k >= d_j else 0)


@each_width
def test_what_a_masked_weight_is_does_not_matter_and_it_gets_no_gradient(hidden):
    made = awake(build(5, hidden, "shuffled"))
    x = points((6, 5), False).abs()
    before = made(x)
    before.square().sum().backward()
    for layer in made.layers:
        gradient = layer.weight.grad
        assert (gradient[layer.mask == 0] == 0).all() and (gradient != 0).any()
        with torch.no_grad():
            layer.weight[layer.mask == 0] = 1e6
    assert torch.equal(made(x), before)


@pytest.mark.parametrize("batch", [(), (0,), (4,), (2, 0, 3), (2, 3)])
def test_outputs_have_a_dimension_of_their_own(batch):
    made = build(5, "three layers", outputs=3)
    x = points((*batch, 5), False)
    assert made(x).shape == (*batch, 3, 5)
    for index in product(*map(range, batch)):
        assert_close(made(x)[index], made(x[index]))


# -- generate: each unit once


@each_dim
@each_order
@each_width
@pytest.mark.parametrize("grad", [True, False])
def test_generate_solves_for_every_variable(dim, order, hidden, grad):
    made = build(dim, hidden, order, outputs=3)
    z = points((dim, 6), False)
    given = z.clone()
    with torch.set_grad_enabled(grad):
        x, total = made.generate(wiggle, z)
    assert torch.equal(z, given), "the input was written to"
    expected, each = wiggle(z, made(x.mT).permute(2, 1, 0))
    assert_close(x, expected, rtol=1e-12, atol=1e-12)
    assert_close(total, each.sum(0), rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_generate_without_torchs_private_name_gives_the_same(monkeypatch):
    made, z = build(5, "three layers", "shuffled"), points((5, 6), False)
    expected = made.generate(wiggle, z)
    with monkeypatch.context() as gone:
        gone.delattr(torch._C, "_are_functorch_transforms_active")
        other = runpy.run_path(flowlib.masked.__file__)
    assert other["under_torch_func"]()
    monkeypatch.setattr(flowlib.made, "under_torch_func", other["under_torch_func"])
    assert_close(made.generate(wiggle, z), expected, rtol=1e-12, atol=1e-12)


@each_order
@each_width
def test_generate_does_the_arithmetic_of_one_pass_without_its_masked_part(order, hidden):
    made = build(17, hidden, order, outputs=3)
    with FlopCounterMode(display=False) as counter:
        made.generate(wiggle, points((17, 6), False))
    unmasked = sum(layer.mask.sum() for layer in made.layers)
    assert counter.get_total_flops() == 2 * 6 * unmasked  # one to multiply, one to add


def test_generate_computes_the_variables_in_their_order():
    made = build(5, "three layers", "shuffled")
    calls = []

    def variable(z, outputs):
        calls.append(int(z))
        return z, z

    made.generate(variable, torch.arange(5.0, dtype=torch.float64)[:, None])
    assert calls == made.order


# -- large layers leave the zero half out


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch", [(), (0,), (7,), (2, 3)])
@torch.no_grad()
def test_a_large_layer_without_its_zero_half_gives_the_same(order, batch):
    torch.manual_seed(0)
    made = moved(MADE(300, (1000, 900), 2, ORDERS[order](300)), by=0.05).double()
    in_pieces = [bool(layer.pieces) for layer in made.layers]
    assert in_pieces == ([False, True, False] if order == "shuffled" else [False, True, True])
    x = points((*batch, 300), False)
    with torch.enable_grad():
        expected = made(x).detach()
    assert_close(made(x), expected, rtol=1e-12, atol=1e-12)
    assert made(x).shape == (*batch, 2, 300)
    with torch.autocast("cpu", torch.bfloat16):
        assert made.float()(x.float()).dtype == torch.bfloat16


@torch.no_grad()
def test_a_large_layer_multiplies_less_and_sees_every_change_of_its_weights():
    made, x = moved(MADE(300, (1000, 1000))), torch.randn(9, 300)
    with FlopCounterMode(display=False) as counter:
        made(x)
    whole = 2 * 9 * sum(layer.weight.numel() for layer in made.layers)
    assert 0.5 * whole < counter.get_total_flops() < 0.75 * whole
    for change in (
        lambda weight: weight.data.mul_(2),  # which changes no version
        lambda weight: weight.add_(0.1),
        lambda weight: setattr(weight, "data", weight.data.flip(0)),
    ):
        change(made.layers[1].weight)
        now = made(x)
        with torch.enable_grad():
            assert_close(now, made(x).detach(), rtol=1e-4, atol=1e-3 * float(now.abs().max()))


# -- dropout


def test_dropout_sets_units_to_zero_while_training_and_keeps_the_mean():
    made = build(5, "D - 1", dropout=0.4)  # one hidden layer: what comes after it is linear
    x = points((5,), False)
    hidden = made.layers[0](x).relu()
    first, second = (made(x) for _ in range(2))
    assert not torch.equal(first, second)
    many = made(x.expand(100_000, 5))
    assert_close(many.mean(0), made.eval()(x), rtol=0, atol=0.02)
    assert torch.equal(made(x), made(x))
    weight = made.layers[1].weight * made.layers[1].mask
    variance = (weight.square() @ hidden.square()).unflatten(0, (2, 5)) * 0.4 / 0.6
    assert variance.max() > 0.1
    assert_close(many.var(0), variance, rtol=0.05, atol=1e-12)


def test_dropout_keeps_the_masks():
    made = awake(build(5, "three layers", "shuffled", dropout=0.3))
    jacobians = vmap(jacrev(made), randomness="different")(points((50, 5), False).abs())
    assert torch.equal((jacobians != 0).any(0), earlier(made).expand(2, 5, 5))


@pytest.mark.parametrize("grad", [True, False])
def test_generate_drops_nothing(grad):
    made, z = build(5, "three layers", dropout=0.5), points((5, 6), False)
    with torch.set_grad_enabled(grad):
        training = made.generate(wiggle, z)
        assert all(map(torch.equal, training, made.eval().generate(wiggle, z)))
        assert_close(training, build(5, "three layers").generate(wiggle, z))


# -- bad input


@pytest.mark.parametrize(
    ("dim", "hidden", "outputs"), [(0, (4,), 2), (-1, (), 1), (3, (4, 0), 2), (3, (4,), 0)]
)
def test_sizes_below_one_are_refused(dim, hidden, outputs):
    with pytest.raises(
        ValueError, match="MADE expected a dim, widths and outputs of 1 or more; got"
    ):
        MADE(dim, hidden, outputs)


@pytest.mark.parametrize("order", [[0, 0, 1], [1, 2, 3], [0, 1], [-1, 0, 1], []])
def test_an_order_that_is_no_permutation_is_refused(order):
    with pytest.raises(ValueError, match="MADE expected an order of 0 to 2; got"):
        MADE(3, order=order)


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, math.nan])
def test_a_dropout_that_is_no_share_is_refused(dropout):
    with pytest.raises(ValueError, match=rf"MADE expected a dropout in \[0, 1\); got {dropout}"):
        MADE(3, dropout=dropout)


@pytest.mark.parametrize("shape", [(), (2,), (3, 4), (3, 1)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"MADE expected shape \(..., 3\); got \("):
        MADE(3)(torch.zeros(shape))
