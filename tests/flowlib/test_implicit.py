"""Gradients of a sample from one pass: they are those that autograd finds through the D steps."""

import pytest
import torch
from test_blocks import DIM, build, chain
from torch.autograd.forward_ad import dual_level, make_dual, unpack_dual
from torch.func import functional_call
from torch.testing import assert_close

from bijections import moved, points
from flowlib import Inverse, MaskedAutoregressive
from flowlib.implicit import ImplicitSample

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture
def used(monkeypatch):
    """How often a sample was differentiated by one pass."""
    found, apply = [], ImplicitSample.apply
    monkeypatch.setattr(ImplicitSample, "apply", lambda *args: found.append(1) or apply(*args))
    return found


def gradients(sampler, layer, *inputs, **options):
    x, log_det = sampler(*inputs)
    weigh = points(x.shape, False, x.dtype, seed=3)
    loss = (weigh * x.sin()).sum() + log_det.square().sum()
    leaves = [*inputs, *layer.parameters()]
    return torch.autograd.grad(loss, leaves, materialize_grads=True, **options)


@pytest.mark.parametrize("order", ["as they are", "shuffled"])
@pytest.mark.parametrize("hidden", [(), (80, 70)], ids=str)
@pytest.mark.parametrize("context", [0, 3])
def test_they_are_those_through_the_steps(order, hidden, context, used):
    layer = build(order, hidden, context=context)
    inputs = [points((2, 5, DIM), False).requires_grad_()]
    if context:
        inputs.append(points((2, 5, context), False, seed=1).requires_grad_())
    found = gradients(layer, layer, *inputs)
    assert used
    assert_close(found, gradients(layer.generate, layer, *inputs), **CLOSE)


def test_a_context_for_all_points_gets_the_sum_of_theirs(used):
    layer, z = build(context=3), points((5, DIM), False)
    c = points((3,), False, seed=1).requires_grad_()
    x, _ = layer(z, c)
    y, _ = layer.generate(z, c.expand(5, -1))
    (found,), (expected,) = (torch.autograd.grad(each.square().sum(), c) for each in (x, y))
    assert used
    assert_close(found, expected, **CLOSE)


def test_where_they_do_not_settle_they_come_from_the_steps(used):
    """x_i = z_i + x_{i-1}: what comes back moves by one variable a pass."""
    layer, z = chain(), points((3, DIM), False).requires_grad_()
    found = gradients(layer, layer, z)
    assert used
    assert_close(found, gradients(layer.generate, layer, z), **CLOSE)


def test_they_have_derivatives_of_their_own():
    layer, z = build(hidden=(70,)), points((2, DIM), False).requires_grad_()

    def second(sampler):
        (first,) = torch.autograd.grad(sampler(z)[0].sin().sum(), z, create_graph=True)
        return torch.autograd.grad(first.square().sum(), [z, *layer.parameters()])

    assert_close(second(layer), second(layer.generate), **CLOSE)


def test_they_reach_parameters_that_were_given_from_outside(used):
    layer, z = build(), points((4, DIM), False)
    given = {name: (1.1 * p.detach()).requires_grad_() for name, p in layer.named_parameters()}
    x, _ = functional_call(layer, given, (z,))
    found = torch.autograd.grad(x.square().sum(), list(given.values()))
    assert used
    with torch.no_grad():
        for p, other in zip(layer.parameters(), given.values()):
            p.copy_(other)
    expected = torch.autograd.grad(layer.generate(z)[0].square().sum(), list(layer.parameters()))
    assert_close(found, expected, **CLOSE)


def test_training_iaf_by_its_density_takes_them(used):
    layer = build(dtype=torch.float32)
    x = points((6, DIM), False, torch.float32).requires_grad_()
    found = gradients(Inverse(layer).inverse, layer, x)
    assert used
    assert_close(found, gradients(layer.generate, layer, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", ["small", "dropout", "forward mode", "nothing to differentiate"])
def test_elsewhere_the_steps_are_taken(case, used):
    layer = build(dropout=0.5) if case == "dropout" else build()
    z = points((4, DIM), False)
    if case == "small":
        layer, z = moved(MaskedAutoregressive(16)).double(), z[:, :16]
    if case == "forward mode":
        with dual_level():
            x, _ = layer(make_dual(z, torch.ones_like(z)))
            assert unpack_dual(x).tangent.isfinite().all()
    elif case == "nothing to differentiate":
        layer.requires_grad_(False)(z)
    else:
        layer(z)
    assert not used
