"""Conditioner and transformer apart: any transformer in couplings and in masked layers."""

import pytest
import torch
from torch.autograd.functional import jacobian
from torch.testing import assert_close

from bijections import moved, points
from flowlib import (
    MADE,
    AdditiveCoupling,
    AffineCoupling,
    AffineTransformer,
    Autoregressive,
    Coupling,
    MaskedAutoregressive,
    SplineTransformer,
    Transformer,
)
from flowlib.blocks import InPlace
from flowlib.transformers import AdditiveTransformer

SPECIAL = {
    "additive coupling": (AdditiveCoupling, Coupling, AdditiveTransformer()),
    "affine coupling": (AffineCoupling, Coupling, AffineTransformer()),
    "masked autoregressive": (MaskedAutoregressive, Autoregressive, AffineTransformer()),
}
KINDS = {"coupling": Coupling, "autoregressive": Autoregressive}
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.parametrize("name", SPECIAL)
def test_the_special_case_is_the_general_layer_with_its_transformer(name):
    special, general, transformer = SPECIAL[name]
    torch.manual_seed(0)
    one = moved(special(3, hidden=(8,))).double()
    other = general(3, transformer, hidden=(8,)).double()
    other.load_state_dict(one.state_dict())
    assert list(one.state_dict()) == list(other.state_dict())
    z = points((20, 3), False)
    for mine, theirs in ((one, other), (one.inverse, other.inverse)):
        assert_close(mine(z), theirs(z), rtol=1e-12, atol=1e-12)


@each_kind
@pytest.mark.parametrize("other", [{"bins": 5}, {"box": 2.0}])
def test_a_state_of_another_spline_is_refused(kind, other):
    usual = {"bins": 4, "box": 3.0}

    def build(**options):
        transformer = SplineTransformer(**options)
        network = torch.nn.Identity()  # no weights whose shapes would differ
        return KINDS[kind](2, transformer, network=network)

    with pytest.raises(RuntimeError, match=f"spline_{next(iter(other))}"):
        build(**usual | other).load_state_dict(build(**usual).state_dict())


class Cubic(Transformer):
    """A reader's own: x = z + θ² z³, inverted by bisection."""

    numbers = 1

    def forward(self, z, parameters):
        square = parameters[..., 0, :] ** 2
        return z + square * z**3, torch.log1p(3 * square * z * z)

    def inverse(self, x, parameters):
        low, high = -x.abs(), x.abs()
        for _ in range(60):
            middle = (low + high) / 2
            above = self.forward(middle, parameters)[0] > x
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        return low, -self.forward(low, parameters)[1]


@each_kind
def test_a_transformer_of_your_own(kind):
    torch.manual_seed(0)
    layer = moved(KINDS[kind](3, Cubic(), hidden=(8,))).double()
    z = points((9, 3), False)
    x, log_det = layer(z)
    back, log_det_back = layer.inverse(x)
    assert_close(back, z)
    assert_close(log_det, -log_det_back)
    assert (x - z).abs().max() > 0.1


@pytest.mark.parametrize("context", [0, 2])
@torch.no_grad()
def test_the_sampler_gives_splines_in_blocks_as_in_steps_and_by_passes(context, monkeypatch):
    settled, passes = [], InPlace.passes
    monkeypatch.setattr(
        InPlace, "passes", lambda *given: settled.append(passes(*given)) or settled[-1]
    )
    torch.manual_seed(0)
    spline = SplineTransformer(4, 3.0)
    layer = Autoregressive(64, spline, (96,), range(64)[::-1], context=context).double()
    layer.network.layers[-1].reset_parameters()
    z = points((5, 64), False)
    c = (points((5, 2), False, seed=3),) if context else ()
    fast = layer(z, *c)
    assert len(settled) == 4 and all(log is not None for log in settled)
    with torch.enable_grad():
        steps = layer(z, *c)
    for found in (steps, layer.forward_by_passes(z, *c)):
        assert_close(fast, found, rtol=0, atol=1e-10)
    back, log_det = layer.inverse(fast[0], *c)
    assert_close(back, z, rtol=0, atol=1e-10)
    assert_close(log_det, -fast[1], rtol=0, atol=1e-10)
    assert (fast[0] - z).abs().max() > 0.01


def test_no_variable_depends_on_a_later_one():
    torch.manual_seed(0)
    layer = Autoregressive(4, SplineTransformer(3, 3.0), (16,)).double()
    torch.nn.init.normal_(layer.network.layers[-1].weight)
    full = jacobian(lambda z: layer(z)[0], torch.randn(4, dtype=torch.float64))
    assert (full.triu(1) == 0).all() and (full.diagonal() > 0).all()


def test_a_masked_layer_takes_a_network_of_your_own():
    torch.manual_seed(0)
    made = moved(MADE(4, (8,), outputs=8, order=[2, 0, 3, 1])).double()
    spline, z = SplineTransformer(3, 3.0), points((7, 4), False)
    whole = Autoregressive(4, spline, network=made)
    called = Autoregressive(4, spline, network=lambda x: made(x))  # by passes
    assert_close(called(z), whole(z))
    assert_close(called.inverse(z), whole.inverse(z))
    with pytest.raises(ValueError, match=r"a network that returns \(..., 8, 4\); got \(7, 4\)"):
        Autoregressive(4, spline, network=lambda x: x).inverse(z)


@each_kind
def test_one_graph_for_each_direction(kind):
    layer = moved(KINDS[kind](2, SplineTransformer(3, 3.0), hidden=(4,), context=1))
    z, c = torch.randn(5, 2), torch.randn(1)
    for apply in (layer.forward, layer.inverse):
        compiled = torch.compile(apply, fullgraph=True, backend="eager")
        assert_close(compiled(z, c), apply(z, c))
