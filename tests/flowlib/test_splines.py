"""The spline itself: every piece against autograd, knots, the edges of the box, and far outside."""

import math

import pytest
import torch
from torch.testing import assert_close

from flowlib import SplineTransformer
from flowlib.splines import LEAST

BOX = 3.0
DIRECTIONS = ["forward", "inverse"]
in_both_directions = pytest.mark.parametrize("direction", DIRECTIONS)
OF_BINS = [1, 2, 8, 32]


def spline(bins, dtype=torch.float64, spread=1.0, points=400):
    """A spline on [-3, 3], random parameters for each of the points, and points in and outside."""
    generator = torch.Generator().manual_seed(0)
    parameters = spread * torch.randn(3 * bins - 1, points, generator=generator, dtype=dtype)
    return SplineTransformer(bins, BOX), parameters, torch.linspace(-4, 4, points, dtype=dtype)


def knots(transformer, parameters, side):
    """Those of each spline, from the shares as the paper has them, (K + 1, points)."""
    k = transformer.bins
    shares = LEAST + (1 - LEAST * k) * parameters[side * k : (side + 1) * k].softmax(0)
    return torch.cat([torch.zeros_like(shares[:1]), shares.cumsum(0)]) * 2 * BOX - BOX


def both(transformer, direction):
    """A direction and the one back."""
    ways = transformer.forward, transformer.inverse
    return ways if direction == "forward" else ways[::-1]


@in_both_directions
@pytest.mark.parametrize("spread", [1.0, 6.0], ids=["calm", "steep"])
@pytest.mark.parametrize("bins", OF_BINS)
def test_the_slope_of_every_piece_is_autograds(bins, spread, direction):
    transformer, parameters, z = spline(bins, spread=spread)
    z.requires_grad_()
    moved, log = getattr(transformer, direction)(z, parameters)
    (slope,) = torch.autograd.grad(moved.sum(), z)
    assert_close(log, slope.log(), rtol=0, atol=1e-10)
    assert log.abs().max() > 0.1 or bins == 1


@in_both_directions
@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("bins", OF_BINS)
def test_round_trip_in_the_box_and_outside(bins, dtype, within, direction):
    transformer, parameters, z = spline(bins, dtype, spread=0.5)
    edges = torch.tensor([3.0, -3.0, 2.9999998, -2.9999998, 1e4, -1e30], dtype=dtype)
    z, parameters = torch.cat([z, edges]), torch.cat([parameters, parameters[:, :6]], 1)
    there, back = both(transformer, direction)
    moved, log = there(z, parameters)
    again, log_back = back(moved, parameters)
    assert ((again - z).abs() / z.abs().clamp(min=1)).max() < within
    assert_close(log_back, -log, rtol=0, atol=10 * within)


@in_both_directions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bins", OF_BINS)
def test_a_round_trip_loses_what_a_flat_piece_loses_and_no_more(bins, dtype, direction):
    """Where the slope is 1/1000, an ulp on the other side is a thousand here: no formula keeps them."""
    transformer, parameters, z = spline(bins, dtype, spread=6.0)
    there, back = both(transformer, direction)
    moved, log = there(z, parameters)
    ulps = BOX * torch.finfo(dtype).eps * (1 + torch.exp(-log))
    error = (back(moved, parameters)[0] - z).abs()
    assert (error <= 16 * ulps).all()


@pytest.mark.parametrize("bins", [2, 8])
def test_a_knot_goes_to_its_knot_and_both_sides_have_one_slope(bins):
    transformer, parameters, _ = spline(bins)
    for side, direction in enumerate(DIRECTIONS):
        apply = getattr(transformer, direction)
        ends = [knots(transformer, parameters, each) for each in (side, 1 - side)]
        for z, x in zip(*ends):
            at, log = apply(z, parameters)
            assert_close(at, x, rtol=0, atol=1e-12)
            for near in (z - 1e-10, z + 1e-10):
                assert_close(apply(near, parameters)[1], log, rtol=0, atol=1e-5)


@in_both_directions
@pytest.mark.parametrize("far", [3.0, -3.0, 1e3, -1e30, math.inf, -math.inf])
def test_from_the_edge_on_nothing_moves_and_every_derivative_is_finite(far, direction):
    """Public libraries had NaN here: at the edge, from the inverse, and from its gradient."""
    transformer, parameters, _ = spline(4, torch.float32, points=3)
    value, given = torch.full((3,), far).requires_grad_(), parameters.clone().requires_grad_()
    moved, log = getattr(transformer, direction)(value, given)
    assert (moved == far).all() and (log == 0).all()
    slopes = torch.autograd.grad(moved.sum() + log.sum(), (value, given))
    for slope, expected in zip(slopes, (1.0, 0.0)):
        assert_close(slope, torch.full_like(slope, expected), rtol=0, atol=0)


@in_both_directions
@pytest.mark.parametrize("scale", [1e2, 1e6])
def test_slopes_and_bins_at_their_least_stay_in_order_in_float32(scale, direction):
    """Public libraries had bins out of order; and a slope of zero has no logarithm."""
    transformer, parameters, _ = spline(64, torch.float32, spread=scale, points=20)
    z = torch.linspace(-BOX, BOX, 2_001)[:, None].expand(-1, 20)
    moved, log = getattr(transformer, direction)(z, parameters.expand(len(z), -1, -1))
    ulp = BOX * torch.finfo(torch.float32).eps
    assert (moved.diff(dim=0) >= -2 * ulp).all()
    assert log.isfinite().all()
    assert (moved.abs() <= BOX).all()


def test_the_inverse_keeps_its_digits_where_slopes_are_steep():
    """With b < 0 the form of the root that the paper gives subtracts numbers nearly equal: 2e-4 here."""
    transformer = SplineTransformer(2, 1.0)
    parameters = torch.tensor([0.0, 0, 0, 0, 3000.0])[:, None].expand(-1, 400)
    x = torch.linspace(-0.999, 0.999, 400)
    exact, _ = transformer.inverse(x.double(), parameters.double())
    assert_close(transformer.inverse(x, parameters)[0].double(), exact, rtol=0, atol=2e-6)


@in_both_directions
@pytest.mark.parametrize("bins", [1, 5])
def test_parameters_that_are_zero_are_the_identity(bins, direction):
    z = torch.linspace(-4, 4, 50, dtype=torch.float64)
    parameters = torch.zeros(3 * bins - 1, 50, dtype=torch.float64)
    moved, log = getattr(SplineTransformer(bins, BOX), direction)(z, parameters)
    assert_close(moved, z, rtol=0, atol=1e-14)
    assert_close(log, torch.zeros_like(z), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("bins", "box", "message"),
    [
        (0, 1.0, "bins; got 0"),
        (1000, 1.0, "bins; got 1000"),
        (4, 0.0, "got 0"),
        (4, math.inf, "inf"),
    ],
)
def test_bins_and_boxes_that_cannot_be(bins, box, message):
    with pytest.raises(ValueError, match=message):
        SplineTransformer(bins, box)
