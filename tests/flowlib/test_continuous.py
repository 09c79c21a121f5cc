"""Continuous flows: what they promise of their solvers."""

import math

import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap
from torch.testing import assert_close

from bijections import moved
from flowlib import Flow, jacobian_log_det, round_trip_error, standard_normal
from flowlib.continuous import ContinuousFlow, Velocity, velocity_and_trace
from flowlib.solvers import dormand_prince, runge_kutta


class Linear(nn.Module):
    """ν(z) = A z, whose flow is the matrix exponential."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, z, tau):
        return z @ self.matrix.T


def velocity(dim, seed=0, by=0.5):
    torch.manual_seed(seed)
    network = Velocity(dim, hidden=(32, 32)).double()
    for layer in network.network[::2]:
        moved(layer, by=by / math.sqrt(layer.in_features))
    return network


@pytest.mark.parametrize("how", [{"tolerance": 1e-10}, {"steps": 100}])
def test_a_linear_velocity_gives_the_matrix_exponential(how):
    torch.manual_seed(0)
    matrix, z = torch.randn(3, 3).double(), torch.randn(5, 3).double()
    x, log_det = ContinuousFlow(3, Linear(matrix), **how)(z)
    assert_close(x, z @ torch.linalg.matrix_exp(matrix).T, rtol=1e-7, atol=1e-7)
    assert_close(log_det, matrix.trace().expand(5), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("dim", [2, 8, 64])
def test_the_tolerance_is_kept(dim, seed):
    """Round trip and log-determinant within ten times the tolerance, for networks that move points far."""
    flow = ContinuousFlow(dim, velocity(dim, seed, by=1.0), tolerance=1e-6)
    z = torch.randn(3, dim).double()
    x, log_det = flow(z)
    assert (x - z).abs().max() > 0.3
    assert round_trip_error(flow, z) < 1e-5
    assert_close(log_det, jacobian_log_det(flow, z), rtol=0, atol=1e-5)
    assert_close(-flow.inverse(x)[1], log_det, rtol=0, atol=1e-5)


def test_the_error_of_fixed_steps_falls_as_the_fourth_power():
    z = torch.randn(5, 2).double()
    exact, _ = ContinuousFlow(2, velocity(2), tolerance=1e-12)(z)
    errors = [
        (ContinuousFlow(2, velocity(2), steps=steps)(z)[0] - exact).abs().max() for steps in (4, 8)
    ]
    assert 12 < errors[0] / errors[1] < 20


def test_dormand_and_prince_are_of_fifth_order():
    """By one step each of two sizes of a known solution."""

    def error(h):
        y = torch.ones(1, dtype=torch.float64)
        (end,) = dormand_prince(lambda tau, s: s, (y,), tolerance=10.0, most=100, end=h)
        return abs(end.item() - math.exp(h))

    assert 50 < error(0.1) / error(0.05) < 75  # 2 ** 6: the error of one step


@pytest.mark.parametrize("how", [{"tolerance": 1e-9}, {"steps": 40}])
@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_the_adjoint_gives_the_gradients_of_the_solver(how, direction):
    z, network = torch.randn(6, 3).double(), velocity(3, by=1.0)
    weights = torch.randn(6).double()
    gradients = []
    for adjoint in (False, True):
        point = z.clone().requires_grad_()
        flow = ContinuousFlow(3, network, adjoint=adjoint, **how)
        end, log_det = getattr(flow, direction)(point)
        loss = end.sin().sum() + (weights * log_det).sum()
        gradients.append(torch.autograd.grad(loss, [point, *network.parameters()]))
    for through, adjoint in zip(*gradients, strict=True):
        assert_close(adjoint, through, rtol=1e-6, atol=1e-7)


def test_the_adjoint_gives_the_gradient_of_the_context():
    """A network that embeds c trains through both."""
    torch.manual_seed(0)
    z, network = torch.randn(6, 3).double(), moved(Velocity(3, (8,), context=2).double())
    gradients = []
    for adjoint in (False, True):
        c = torch.ones(2, dtype=torch.float64, requires_grad=True)
        x, log_det = ContinuousFlow(3, network, steps=40, adjoint=adjoint, context=2)(z, c)
        loss = x.sin().sum() + log_det.square().sum()
        gradients.append(torch.autograd.grad(loss, [c, *network.parameters()]))
    for through, adjoint in zip(*gradients, strict=True):
        assert_close(adjoint, through, rtol=1e-6, atol=1e-7)


def test_samples_cost_no_trace(monkeypatch):
    flow = Flow(standard_normal(3), ContinuousFlow(3, velocity(3).float()))
    torch.manual_seed(0)
    expected, _ = flow.rsample_and_log_prob((5,))
    layer = ContinuousFlow(3, nn.Sequential())
    layer.velocity.forward = lambda z, tau: z[..., :1]
    with pytest.raises(ValueError, match=r"velocity of shape \(5, 3\); got \(5, 1\)"):
        layer.push(expected)
    monkeypatch.setattr("flowlib.continuous.velocity_and_trace", None)
    torch.manual_seed(0)
    assert_close(flow.sample((5,)), expected, rtol=0, atol=1e-4)
    with_nan = expected.clone()
    with_nan[1, 2] = torch.nan
    assert flow.bijection.push(with_nan).isnan().all(-1).tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]


def test_the_estimate_is_right_on_average_with_the_variance_of_signs():
    torch.manual_seed(0)
    matrix, z = torch.randn(4, 4).double(), torch.randn(20_000, 4).double()
    signs = torch.randint_like(z, 2) * 2 - 1
    _, estimates = velocity_and_trace(Linear(matrix), z, torch.tensor(0.0), signs)
    squares = ((matrix + matrix.T) / 2).square()
    variance = 2 * (squares.sum() - squares.trace())
    assert abs(estimates.mean() - matrix.trace()) < 5 * (variance / 20_000).sqrt()
    assert abs(estimates.var() / variance - 1) < 0.05
    flow = ContinuousFlow(4, Linear(matrix), steps=10, estimate=True)
    log_det = flow(z)[1]
    assert abs(log_det.mean() - matrix.trace()) < 5 * (variance / 20_000).sqrt()


def test_fixed_steps_can_be_mapped_and_compiled():
    flow, z = ContinuousFlow(3, velocity(3), steps=6), torch.randn(4, 3).double()
    x, log_det = flow(z)
    assert_close(vmap(flow)(z), (x, log_det))
    jacobian = vmap(jacrev(lambda point: flow(point)[0]))(z)
    assert_close(torch.linalg.slogdet(jacobian).logabsdet, log_det, rtol=0, atol=1e-4)
    flow.steps = 1
    compiled = torch.compile(flow, fullgraph=True, backend="eager")
    assert_close(compiled(z), flow(z))


@pytest.mark.parametrize("how", [{}, {"steps": 4}])
def test_shapes_dtypes_and_rows(how):
    flow = ContinuousFlow(3, velocity(3).float(), **how)
    for shape in ((3,), (0, 3), (2, 1, 3)):
        x, log_det = flow(torch.zeros(shape))
        assert x.shape == shape and log_det.shape == shape[:-1] and x.dtype == torch.float32
    z = torch.randn(4, 3)
    x, log_det = flow(z)
    z[1, 2] = torch.nan
    with_nan, its_log_det = flow(z)
    assert with_nan[1].isnan().all() and its_log_det[1].isnan()
    assert_close(with_nan[[0, 2, 3]], x[[0, 2, 3]])
    with pytest.raises(ValueError, match=r"expected shape \(..., 3\); got \(4, 2\)"):
        flow(torch.zeros(4, 2))


def test_a_new_flow_is_the_identity_and_its_state_comes_back():
    flow = Flow(standard_normal(2), ContinuousFlow(2, Velocity(2)))
    x = torch.randn(5, 2)
    assert_close(flow.log_prob(x), standard_normal(2).log_prob(x))
    moved(flow)
    other = Flow(standard_normal(2), ContinuousFlow(2, Velocity(2)))
    other.load_state_dict(flow.state_dict())
    assert_close(other.log_prob(x), flow.log_prob(x))


class Explosion(nn.Module):
    def forward(self, z, tau):
        return 50 * z**3


class Hole(nn.Module):
    def forward(self, z, tau):
        return z / (tau < 0.5)


@pytest.mark.parametrize(
    ("velocity", "options", "error", "sentence"),
    [
        (Explosion(), {"most": 200}, FloatingPointError, "more than 200 evaluations, at time 0.00"),
        (Hole(), {}, FloatingPointError, "a slope that is not finite, at time 0.5"),
        (
            Explosion(),
            {"tolerance": 1e-9},
            ValueError,
            "tolerance of at least 4e-06 for torch.float32",
        ),
        (Explosion(), {"steps": 0}, ValueError, "at least one step; got 0"),
        (lambda z, tau: z[..., :1], {}, ValueError, r"velocity of shape \(3, 2\); got \(3, 1\)"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_words(velocity, options, error, sentence):
    if not isinstance(velocity, nn.Module):
        module = nn.Module()
        module.forward = velocity
        velocity = module
    with pytest.raises(error, match=sentence):
        ContinuousFlow(2, velocity, **options)(torch.ones(3, 2))


def test_the_solvers_run_backwards():
    y = torch.tensor([math.e], dtype=torch.float64)
    for solve in (
        lambda f, s: runge_kutta(f, s, 50, 1.0, 0.0),
        lambda f, s: dormand_prince(f, s, 1e-9, 1000, 1.0, 0.0),
    ):
        assert_close(solve(lambda tau, s: s, (y,))[0], torch.ones_like(y), rtol=0, atol=1e-7)
