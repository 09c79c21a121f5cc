"""The planar layer: its constraint, its determinant, and an inverse right to the last digits."""

import math

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functionalize, jacfwd, jacrev, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.functional import softplus
from torch.testing import assert_close

from bijections import planar_with, points
from flowlib import (
    Flow,
    Inverse,
    Planar,
    cell_centres,
    jacobian_log_det,
    round_trip_error,
    standard_normal,
    total_mass,
)
from flowlib.planar import brackets, det

ROUND_TRIP = {torch.float32: 1e-5, torch.float64: 1e-10}
INVERSE = {torch.float32: 1e-6, torch.float64: 1e-12}
numbers = st.floats(-30, 30, width=32)
vectors = st.integers(1, 7).flatmap(
    lambda n: st.tuples(*[st.lists(numbers, min_size=n, max_size=n)] * 2)
)


def layer_of(u, w, b=0.0, dtype=torch.float64, constrain=True):
    u, w, b = (torch.tensor(value, dtype=dtype) for value in (u, w, b))
    return Planar(len(u), constrain, u=u, w=w, b=b)


# -- the constraint


@settings(max_examples=100, deadline=None)
@given(vectors)
def test_u_hat_is_the_papers_formula(vector_pair):
    u, w = torch.tensor(vector_pair, dtype=torch.float64)
    wu, ww = w @ u, w @ w
    if ww > 1e-6:
        expected = u + (-1 + softplus(wu) - wu) * w / ww
        scale = 1 + expected.abs().max().item()
        assert_close(layer_of(*vector_pair).u_hat(), expected, rtol=0, atol=1e-12 * scale)


@settings(max_examples=200, deadline=None)
@given(vectors, st.sampled_from([torch.float32, torch.float64]))
def test_w_u_hat_stays_above_minus_one_in_the_dtype_itself(vector_pair, dtype):
    u, w = torch.tensor(vector_pair, dtype=dtype)
    u_hat = Planar(len(u), u=u, w=w).u_hat()
    assert u_hat.isfinite().all()
    assert (w * u_hat).sum() > -1


@pytest.mark.parametrize("wu", [-5.0, -17.0, -100.0, -10_000.0])
def test_w_u_hat_stays_above_minus_one_where_softplus_rounds_away(wu):
    layer = layer_of([wu, 3.0], [1.0, 0.0], dtype=torch.float32)
    assert layer.w @ layer.u_hat() > -1
    x, log_det = layer(torch.zeros(2))
    assert log_det.isfinite()
    assert layer.inverse(x)[0].isfinite().all()


def test_w_zero_leaves_u_as_it_is_and_moves_every_point_alike():
    layer = layer_of([2.0, -1.0], [0.0, 0.0], b=0.5)
    z = points((5, 2), False)
    x, log_det = layer(z)
    assert_close(x, z + layer.u * math.tanh(0.5))
    assert_close(log_det, torch.zeros(5, dtype=torch.float64))
    assert_close(layer.inverse(x)[0], z)


@pytest.mark.parametrize("constrain", [True, False])
@pytest.mark.parametrize("size", [0.0, 1e-25, 1e-3])
def test_a_new_layer_is_the_identity_whatever_its_plane(size, constrain):
    layer = Planar(2, constrain, w=torch.full((2,), size))
    assert layer.u.isfinite().all()
    z = torch.randn(5, 2)
    assert_close(layer(z)[0], z)
    assert_close(layer.inverse(z)[0], z)


def test_u_zero_is_not_the_identity_but_a_new_layer_is():
    at_zero = layer_of([0.0, 0.0], [1.0, 2.0])
    assert_close((at_zero.w @ at_zero.u_hat()).item(), math.log(2) - 1)
    torch.manual_seed(0)
    for constrain in (True, False):
        layer, z = Planar(3, constrain), torch.randn(5, 3)
        assert_close(layer(z), (z, torch.zeros(5)))


def test_dividing_by_the_norm_instead_of_its_square_is_caught():
    """The best-known mistake in public code: w·û < -1 for one layer in seventeen."""
    torch.manual_seed(0)
    u, w = 2 * torch.randn(2, 20_000, 2)
    wu = (w * u).sum(-1)
    wrong = u + ((-1 + softplus(wu) - wu) / w.norm(dim=-1))[:, None] * w
    right = vmap(lambda u, w: Planar(2, u=u, w=w, b=torch.zeros(())).u_hat())(u, w)
    assert ((w * wrong).sum(-1) < -1).float().mean().item() == pytest.approx(0.058, abs=0.006)
    assert ((w * right).sum(-1) > -1).all()


# -- forward


@settings(max_examples=100, deadline=None)
@given(vectors, st.floats(-5, 5))
def test_forward_and_log_det_are_the_papers_formulas(vector_pair, b):
    layer = layer_of(*vector_pair, b=b)
    z = points((20, layer.dim), False)
    a, u_hat = z @ layer.w + b, layer.u_hat()
    x, log_det = layer(z)
    assert_close(x, z + u_hat * torch.tanh(a)[:, None])
    naive = 1 + (layer.w @ u_hat) * (1 - torch.tanh(a) ** 2)
    sure = naive > 1e-3  # below, the naive formula cancels
    assert_close(log_det[sure], naive[sure].log(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("distance", [0.0, 1e-4, 0.3, 5.0, 9.0, 40.0, 1e4])
@pytest.mark.parametrize("det_at_plane", [1e-6, 0.01, 1.0, 1000.0])
def test_det_keeps_its_digits_in_float32(distance, det_at_plane):
    """Close to a fold and far from the plane, where 1 + w·û (1 - tanh²) loses them."""
    a, d = torch.tensor(distance), torch.tensor(det_at_plane)
    with mpmath.workdps(50):
        sech2 = mpmath.sech(a.item()) ** 2
        exact = float(mpmath.tanh(a.item()) ** 2 + mpmath.mpf(d.item()) * sech2)
    assert det(a, d).item() == pytest.approx(exact, rel=1e-6)


def test_float32_log_det_is_that_of_float64_near_the_fold():
    layer = layer_of([-4.6, 0.3], [1.0, 0.0], dtype=torch.float32)  # w·û = -0.990
    z = torch.linspace(-3, 3, 1001)[:, None] * torch.ones(2)
    exact = Planar(2, u=layer.u.double(), w=layer.w.double(), b=layer.b.double())(z.double())[1]
    assert (layer(z)[1].double() - exact).abs().max() < 2e-6


# -- inverse


@pytest.mark.parametrize("dtype", ROUND_TRIP)
@pytest.mark.parametrize("dim", [1, 2, 3, 10])
def test_round_trip_over_random_layers(dtype, dim):
    """Layers with w·u from -0.99 up, constrained; and x -> z -> x over unconstrained ones."""
    torch.manual_seed(dim)
    for wu in torch.linspace(-0.99, 5, 25).tolist():
        raw = planar_with(wu)(dim).to(dtype)
        layer = Planar(dim, u=raw.u, w=raw.w, b=raw.b)
        points = torch.randn(200, dim, dtype=dtype)
        assert round_trip_error(layer, points) < ROUND_TRIP[dtype]
        assert round_trip_error(Inverse(raw), points) < ROUND_TRIP[dtype]


@pytest.mark.parametrize("wu", [-0.99, -0.9, 0.0, 3.0, 50.0, 1e5])
def test_the_float64_inverse_against_forty_digits(wu):
    torch.manual_seed(0)
    layer = planar_with(wu)(2).double()
    for x in 3 * torch.randn(10, 2, dtype=torch.float64):
        z, log_det = layer.inverse(x)
        exact_z, exact_log_det = inverse_by_mpmath(layer, x)
        size = max(abs(v) for v in exact_z)
        for got, exact in zip(z.tolist(), exact_z):
            assert abs(got - exact) < INVERSE[torch.float64] * size
        assert log_det.item() == pytest.approx(exact_log_det, abs=1e-12)


def inverse_by_mpmath(layer, x):
    """Bisection in forty digits, from the float64 parameters as they are."""
    with mpmath.workdps(40):
        u, w, x = (mpmath.matrix(value.tolist()) for value in (layer.u, layer.w, x))
        wu, y = (w.T * u)[0], (w.T * x)[0] + mpmath.mpf(layer.b.item())
        low, high = y - abs(wu), y + abs(wu)
        for _ in range(140):
            middle = (low + high) / 2
            low, high = (low, middle) if middle + wu * mpmath.tanh(middle) > y else (middle, high)
        z = x - u * mpmath.tanh(low)
        return [float(v) for v in z], float(-mpmath.log(abs(1 + wu * mpmath.sech(low) ** 2)))


@pytest.mark.parametrize("wu", [-0.99, -0.9, 0.0, 3.0, 50.0, 1e5])
def test_the_float32_inverse_is_the_float64_one_rounded(wu):
    torch.manual_seed(0)
    for dim in (2, 5):
        layer = planar_with(wu)(dim)
        x = 3 * torch.randn(1000, dim)
        z, log_det = layer.inverse(x)
        exact, exact_log_det = Inverse(layer.double())(x.double())
        error = (z - exact).norm(dim=-1) / exact.norm(dim=-1)
        assert error.max() < INVERSE[torch.float32]
        assert_close(log_det.double(), exact_log_det, rtol=1e-6, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(vectors, st.floats(-5, 5))
def test_every_inverse_solves_its_equation(vector_pair, b):
    layer = layer_of(*vector_pair, b=b)
    x = 3 * points((20, layer.dim), False)
    z, log_det = layer.inverse(x)
    back, forward_log_det = layer(z)
    assert_close(back, x, rtol=0, atol=1e-11 * (1 + layer.u_hat().abs().max().item()))
    assert log_det.isfinite().all()
    assert (log_det + forward_log_det).abs().max() < 1e-6


def test_the_brackets_halve_and_hold_the_root():
    y, wu = torch.linspace(-3, 3, 7, dtype=torch.float64), torch.tensor(-0.99, dtype=torch.float64)
    steps = list(brackets(y, wu, steps=30))
    assert len(steps) == 31
    for k, (low, high) in enumerate(steps):
        assert (low + wu * low.tanh() <= y).all()
        assert (high + wu * high.tanh() >= y).all()
        assert_close(high - low, torch.full_like(y, 1.98 / 2**k))


def test_at_equality_bisection_holds_where_newton_does_not():
    """w·u = -1: det = 0 on the plane.  Newton from a = 0 is 0/0; the bracket still closes."""
    layer = layer_of([-1.0, 0.5], [1.0, 0.0], constrain=False)
    x = torch.tensor([[0.0, 0.0], [1e-3, 1.0], [0.5, 1.0]], dtype=torch.float64)
    z, log_det = layer.inverse(x)
    assert_close(layer(z)[0], x, rtol=0, atol=1e-12)
    assert log_det[0] > 30  # diverges
    newton = torch.zeros(()) - (0.0 + -1.0 * torch.zeros(()).tanh()) / (1 + -1.0)
    assert newton.isnan()


def test_a_fold_is_refused_and_shown_by_two_points_with_one_image():
    layer = layer_of([-3.0], [1.0], constrain=False)
    z = torch.tensor([[1.0], [0.0], [-1.0]], dtype=torch.float64)
    assert (layer(z)[0].diff(dim=0) > 0).all()  # f decreases from 1 to 0 to -1: it turned over
    with pytest.raises(ValueError, match=r"expected w·u >= -1; got -3.*several z have the same x"):
        layer.inverse(z)


def test_the_folded_layer_reports_an_entropy_that_is_wrong():
    """w·u = -3 in 1-D: H(z) + E log |det| is 1.144 nats; the density of x has 0.632."""
    layer = layer_of([-3.0], [1.0], constrain=False)
    normal = standard_normal(1)
    z = cell_centres(-9, 9, 20_000)
    weight = normal.log_prob(z).exp() * (18 / 20_000)
    x, log_det = layer(z)
    naive = 0.5 * math.log(2 * math.pi * math.e) + (weight * log_det).sum()
    assert naive.item() == pytest.approx(1.144, abs=1e-3)

    turn = math.atanh(math.sqrt(2 / 3))  # f' = 0: between the turns f decreases
    density = torch.zeros(20_000, dtype=torch.float64)
    for low, high in ((-12, -turn), (turn, -turn), (turn, 12)):
        branch = torch.linspace(low, high, 200_001, dtype=torch.float64)[:, None]
        image = layer(branch)[0]
        reached = (x[:, 0] > image[0]) & (x[:, 0] < image[-1])
        place = torch.searchsorted(image[:, 0], x[reached, 0])
        density[reached] += (normal.log_prob(branch) - layer(branch)[1]).exp()[place]
    true = -(weight * density.log()).sum()
    assert true.item() == pytest.approx(0.632, abs=2e-3)


# -- derivatives


@pytest.mark.parametrize("wu", [-0.99, 0.0, 3.0])
def test_first_and_second_derivatives_of_the_inverse(wu):
    torch.manual_seed(1)
    start = planar_with(wu)(2).double()
    x = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)

    def inverse(x, u, w, b):
        return Planar(2, constrain=False, u=u, w=w, b=b).inverse(x)

    leaves = [x, *(t.clone().requires_grad_() for t in (start.u, start.w, start.b))]
    assert gradcheck(inverse, leaves)
    if wu > -0.9:  # close to the fold the second differences themselves are not accurate enough
        assert gradgradcheck(inverse, leaves)


def test_the_jacobian_of_the_inverse_is_the_inverse_of_the_jacobian():
    torch.manual_seed(0)
    layer = planar_with(-0.99)(3).double()
    z = torch.randn(20, 3, dtype=torch.float64)
    x, _ = layer(z)
    there = vmap(jacrev(lambda p: layer(p)[0]))(z)
    eye = torch.eye(3, dtype=torch.float64).expand(20, 3, 3)
    for jacobian in (jacrev, jacfwd):
        back = vmap(jacobian(lambda p: layer.inverse(p)[0]))(x)
        assert_close(back @ there, eye, rtol=0, atol=1e-9)


def test_vmap_over_the_parameters_of_many_layers():
    torch.manual_seed(0)
    u, w = torch.randn(2, 7, 3)
    z = torch.randn(3)
    many, _ = vmap(lambda u, w: Planar(3, u=u, w=w, b=torch.zeros(())).inverse(z))(u, w)
    one_by_one = [Planar(3, u=u_, w=w_).inverse(z)[0] for u_, w_ in zip(u, w)]
    assert_close(many, torch.stack(one_by_one))


@pytest.mark.parametrize("constrain", [True, False])
def test_one_trace_serves_every_parameter(constrain):
    """What live figures need: no branch on a value, no randomness."""
    z = points((5, 2), False, torch.float32)

    def both_ways(u, b):
        layer = Planar(2, constrain, u=u, w=torch.tensor([1.0, 0.5]), b=b)
        return (*layer(z), *layer.inverse(z), layer.u_hat())

    traced = make_fx(functionalize(both_ways))(torch.zeros(2), torch.zeros(()))
    u, b = torch.tensor([0.7, -0.3]), torch.tensor(0.2)
    assert_close(traced(u, b), both_ways(u, b))
    assert not [n for n in traced.graph.nodes if "rand" in str(n.target)]


# -- stacks, and what a tensor given to a layer is


def test_a_stack_keeps_its_mass_and_its_round_trip():
    torch.manual_seed(0)
    layers = [
        Planar(2, u=torch.randn(2) / 2, w=torch.randn(2), b=torch.randn(())) for _ in range(4)
    ]
    flow = Flow(standard_normal(2), *layers).double()
    assert total_mass(flow.log_prob, (-8, -8), (8, 8), n=320) == pytest.approx(1, abs=2e-3)
    assert round_trip_error(flow.bijection, torch.randn(200, 2, dtype=torch.float64)) < 1e-10
    z = torch.randn(5, 2, dtype=torch.float64)
    assert_close(flow.bijection(z)[1], jacobian_log_det(flow.bijection, z))


def test_a_given_tensor_is_used_as_it_is_and_only_parameters_train():
    u = torch.ones(2, requires_grad=True)
    layer = Planar(2, u=u)
    assert set(dict(layer.named_parameters())) == {"w", "b"}
    layer(torch.ones(2))[1].backward()
    assert u.grad is not None
    trained = Planar(2, u=torch.nn.Parameter(torch.ones(2)))
    assert set(dict(trained.named_parameters())) == {"u", "w", "b"}


@pytest.mark.parametrize(
    "name, value", [("u", torch.ones(3)), ("w", torch.ones(())), ("b", torch.ones(1))]
)
def test_wrong_parameters_are_refused(name, value):
    expected = r"\(\)" if name == "b" else r"\(2,\)"
    with pytest.raises(ValueError, match=rf"expected {name} of shape {expected}; got \("):
        Planar(2, **{name: value})
