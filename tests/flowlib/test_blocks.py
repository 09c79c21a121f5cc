"""Sampling a block of variables at a time: it is the sample that one step a variable gives."""

import copy
import math

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close

from bijections import moved, points
from flowlib import Flow, Inverse, MaskedAutoregressive, standard_normal
from flowlib.blocks import InPlace

DIM = 64  # blocks of 16, each of which has 10 passes; one may fail
ORDERS = {"as they are": range(DIM), "reversed": range(DIM)[::-1], "shuffled": None}
WIDTHS = {"none": (), "narrow": (3, 40), "three": (90, 70, 80), "wide": (256, 256)}
each_order = pytest.mark.parametrize("order", ORDERS)


def build(order="shuffled", hidden=(80, 70), dtype=torch.float64, **options):
    torch.manual_seed(0)
    layer = MaskedAutoregressive(DIM, hidden, ORDERS[order] or torch.randperm(DIM), **options)
    moved(layer.network.layers[-1], by=0.03 if hidden else 0.003)
    return layer.to(dtype)


def chain(dtype=torch.float64, gain=1.0, **options):
    """x_i = z_i + gain x_{i-1}: each pass makes one more variable right, and no more."""
    layer = MaskedAutoregressive(DIM, (), **options).to(dtype)
    weight = layer.network.layers[0].weight.unflatten(0, (2, DIM))
    with torch.no_grad():
        weight[1].copy_(gain * torch.eye(DIM, dtype=dtype).roll(1, 0).tril())
    return layer


@pytest.fixture
def count(monkeypatch):
    """How many variables were solved for by steps, and how many passes there were in blocks."""
    found = {"steps": 0, "tried": 0, "settled": 0}
    steps, passes = InPlace.steps, InPlace.passes

    def counted_steps(self, block):
        found["steps"] += len(block)
        return steps(self, block)

    def counted_passes(self, block, tries):
        log = passes(self, block, tries)
        found["tried"] += 1
        found["settled"] += log is not None
        return log

    monkeypatch.setattr(InPlace, "steps", counted_steps)
    monkeypatch.setattr(InPlace, "passes", counted_passes)
    return found


def by_steps(layer, z):
    """What a step a variable gives, in a graph of steps."""
    with torch.enable_grad():
        return [each.detach() for each in layer.generate(z)]


# -- the same sample


@each_order
@pytest.mark.parametrize("hidden", WIDTHS)
@pytest.mark.parametrize("dtype, most", [(torch.float64, 1e-10), (torch.float32, 2e-5)], ids=str)
@torch.no_grad()
def test_blocks_give_what_steps_give(order, hidden, dtype, most, count):
    layer, z = build(order, WIDTHS[hidden], dtype), points((9, DIM), False, dtype)
    x, log_det = layer(z)
    assert count == {"steps": 0, "tried": 4, "settled": 4}
    expected = by_steps(layer, z)
    assert_close([x, log_det], expected, rtol=most, atol=most)
    s, t = layer.log_scale_and_shift(layer.network(x))
    assert_close(z * s.exp() + t, x, rtol=most, atol=most)  # one more pass gives it again
    assert (x - z).abs().max() > 0.01


@pytest.mark.parametrize("dim", [64, 65, 100])
@torch.no_grad()
def test_a_last_block_may_be_shorter(dim, count):
    torch.manual_seed(0)
    layer = moved(MaskedAutoregressive(dim, (dim,)), by=0.03).double()
    z = points((5, dim), False)
    assert_close(list(layer(z)), by_steps(layer, z), rtol=1e-10, atol=1e-10)
    assert count["settled"] == math.ceil(dim / round(2 * math.sqrt(dim)))


@torch.no_grad()
def test_inverse_autoregressive_layers_score_by_blocks(count):
    flow, layer = Flow(standard_normal(DIM), Inverse(build())).double(), build()
    z = points((7, DIM), False)
    x, log_det = layer.inverse(z)
    assert_close(flow.log_prob(x), standard_normal(DIM).log_prob(z) - log_det)
    assert count["settled"] == 4 and count["steps"] == 0


@torch.no_grad()
def test_a_seed_gives_the_same_bits_again(count):
    flow = Flow(standard_normal(DIM), *(build(order, dtype=torch.float32) for order in ORDERS))
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(flow.sample((11,)))
    assert torch.equal(*draws)
    assert count["settled"] == 24


# -- where blocks do not settle


@torch.no_grad()
@pytest.mark.parametrize("dtype, most", [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=str)
def test_where_passes_creep_steps_take_over_and_few_passes_are_in_vain(dtype, most, count):
    layer, z = chain(dtype), points((5, DIM), False, dtype)
    assert_close(layer(z)[0], z.cumsum(-1), rtol=most, atol=10 * most)
    assert count == {"steps": DIM, "tried": 1, "settled": 0}


@torch.no_grad()
def test_one_row_that_needs_more_is_right_and_so_are_the_others(count):
    layer, z = chain(), torch.zeros(6, DIM, dtype=torch.float64)
    z[:, -1] = 1.0  # nothing depends on the last variable
    assert_close(layer(z)[0], z)
    assert count["settled"] == 4
    z[4] = points((DIM,), False)
    assert_close(layer(z)[0], z.cumsum(-1))
    assert count["steps"] > 0


@torch.no_grad()
def test_passes_that_overflow_on_the_way_to_a_finite_sample(count):
    """A pass from z gives e^1000, infinite, which spoils all variables of the block for good."""
    layer, z = chain(gain=0.01, bound=math.inf), torch.full((3, DIM), 0.1, dtype=torch.float64)
    network = layer.network.layers[0]
    network.bias[DIM] = -z[0, 0]  # the shift of the first variable, so that it is zero
    network.weight[1, 0] = 1e4  # the log-scale of the second one depends on it
    x, log_det = layer(z)
    assert x.isfinite().all() and log_det.isfinite().all()
    assert_close([x, log_det], by_steps(layer, z))
    assert count == {"steps": DIM, "tried": 1, "settled": 0}


@torch.no_grad()
def test_a_nan_spoils_its_own_row_from_its_own_variable_on(count):
    layer, z = build("as they are"), points((4, DIM), False)
    clean = layer(z)
    z[2, 20] = math.nan
    x, log_det = layer(z)
    others = [0, 1, 3]
    assert_close([x[others], log_det[others]], [each[others] for each in clean])
    assert_close(x[2, :20], clean[0][2, :20])
    assert x[2, 20:].isnan().all() and log_det[2].isnan()


@torch.no_grad()
def test_weights_that_are_not_finite_give_nan_as_by_steps():
    layer, z = build("reversed"), points((4, DIM), False)
    layer.network.layers[1].bias[40] = math.inf
    for mine, theirs in zip(layer(z), by_steps(layer, z)):
        assert torch.equal(mine.isnan(), theirs.isnan()) and mine.isnan().any()


# -- where steps are taken at once


@torch.no_grad()
@pytest.mark.parametrize("dim, batch", [(5, 3), (40, 3), (64, 257), (64, 0)])
def test_few_variables_and_large_batches_take_steps(dim, batch, count):
    layer, z = moved(MaskedAutoregressive(dim, (70,)), by=0.03), torch.randn(batch, dim)
    assert_close(list(layer(z)), by_steps(layer, z), rtol=1e-5, atol=1e-5)
    assert count == {"steps": dim, "tried": 0, "settled": 0}


@torch.no_grad()
def test_where_no_value_is_known_there_are_steps(count):
    dim = 48  # the least that has blocks: a trace has all steps
    layer, z = MaskedAutoregressive(dim, (30,)).double(), points((3, dim), False)
    moved(layer.network.layers[-1], by=0.03)
    expected = list(layer(z))
    traced = make_fx(lambda z: layer(z))(z)
    assert count["tried"] == 4  # by the call above, and none in the trace
    assert_close(list(traced(z)), expected, rtol=1e-10, atol=1e-10)
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    assert_close(list(compiled(z)), expected, rtol=1e-10, atol=1e-10)
    x, log_det = copy.deepcopy(layer).to("meta")(z.to("meta"))
    assert x.shape == (3, dim) and log_det.shape == (3,)
    exported = torch.export.export(layer, (z,)).module()
    assert_close(list(exported(z)), expected, rtol=1e-10, atol=1e-10)


@torch.no_grad()
def test_under_autocast_the_sample_keeps_its_dtype(count):
    layer, z = build(dtype=torch.float32), points((3, DIM), False, torch.float32)
    expected = list(layer(z))
    with torch.autocast("cpu", torch.bfloat16):
        got = list(layer(z))
    assert_close(got, expected)
    assert count["tried"] == 8
