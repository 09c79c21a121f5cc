"""The logistic and its mixtures: mass, formula, extremes, and what their samples are like."""

import math

import pytest
import torch
from torch.distributions import (
    AffineTransform,
    Distribution,
    SigmoidTransform,
    TransformedDistribution,
    Uniform,
)
from torch.testing import assert_close

from flowlib import Flow, Planar, total_mass
from flowlib.live.trace import ConstantPool, trace
from flowlib.voice.logistic import (
    Logistic,
    logistic_log_prob,
    logit,
    mixture_log_prob,
    mixture_sample,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def mixture(*batch, components=3, samples=7, dtype=torch.float64):
    """Logits, means and log-scales of shape (*batch, components, samples)."""
    shape = (*batch, components, samples)
    logits, means, log_scales = torch.randn(3, *shape, dtype=dtype).unbind()
    return 2 * logits, 3 * means, log_scales


def naive(x, logits, means, log_scales):
    """The density as it is written, in plain Python, of one sample."""
    weights = [math.exp(each) for each in logits]
    total = 0.0
    for weight, mean, log_scale in zip(weights, means, log_scales, strict=True):
        s = math.exp(log_scale)
        e = math.exp(-(x - mean) / s)
        total += weight / sum(weights) * e / (s * (1 + e) ** 2)
    return total


# -- one logistic


def test_it_is_what_torch_makes_of_a_uniform():
    loc, scale = torch.randn(2, 5, dtype=torch.float64).unbind()
    scale = scale.exp()
    edges = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
    theirs = TransformedDistribution(
        Uniform(*edges), [SigmoidTransform().inv, AffineTransform(loc, scale)]
    )
    x = 4 * torch.randn(100, 5, dtype=torch.float64)
    assert_close(Logistic(loc, scale).log_prob(x), theirs.log_prob(x))


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_its_mass_is_one_and_its_entropy_is_the_mean_of_minus_log_p(scale):
    logistic = Logistic(torch.tensor(0.3, dtype=torch.float64), scale)
    low, high = 0.3 - 40 * scale, 0.3 + 40 * scale

    def log_prob(x):  # (*, 1), as total_mass asks
        return logistic.log_prob(x[..., 0])

    assert total_mass(log_prob, low, high, n=4000) == pytest.approx(1, abs=1e-9)
    x = torch.linspace(low, high, 40_001, dtype=torch.float64)
    p = logistic.log_prob(x).exp()
    entropy = -torch.trapezoid(p * p.log(), x)
    assert_close(logistic.entropy(), entropy, rtol=0, atol=1e-9)
    assert_close(logistic.mean, torch.trapezoid(p * x, x), rtol=0, atol=1e-9 * scale)
    spread = torch.trapezoid(p * (x - 0.3) ** 2, x)
    assert_close(logistic.variance, spread, rtol=1e-9, atol=0)


def test_its_samples_have_its_mean_its_variance_and_its_gradients():
    loc = torch.tensor([-1.0, 4.0], requires_grad=True)
    scale = torch.tensor([0.5, 2.0], requires_grad=True)
    logistic = Logistic(loc, scale)
    x = logistic.rsample((200_000,))
    assert x.shape == (200_000, 2)
    error = (logistic.variance / 200_000).sqrt()
    assert ((x.mean(0) - loc).abs() < 5 * error).all()
    assert_close(x.var(0), logistic.variance, rtol=0.03, atol=0)
    surprise = -logistic.log_prob(x).mean(0)
    assert_close(surprise, logistic.entropy(), rtol=0, atol=0.02)
    x.sum(0).sum().backward()
    assert_close(loc.grad, torch.full((2,), 200_000.0))
    assert_close(scale.grad, (((x - loc) / scale).sum(0)).detach(), rtol=1e-3, atol=1)


def test_it_is_a_base_for_a_flow():
    base = torch.distributions.Independent(Logistic(torch.zeros(2), torch.ones(2)), 1)
    flow = Flow(base, Planar(2)).double()
    assert flow.sample((5,)).dtype == torch.float64
    assert flow.log_prob(flow.sample((5,))).isfinite().all()


def test_a_scale_that_is_not_positive_is_refused_by_torchs_own_check(monkeypatch):
    monkeypatch.setattr(Distribution, "_validate_args", True)  # torch.compile turns it off
    with pytest.raises(ValueError, match="scale"):
        Logistic(0.0, torch.tensor([1.0, 0.0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("far", [0.0, 1.0, 50.0, 1e4, 1e30])
def test_far_out_it_falls_in_a_straight_line_without_overflow(far, dtype):
    x = torch.tensor([-far, far], dtype=dtype, requires_grad=True)
    log_prob = logistic_log_prob(x, torch.zeros((), dtype=dtype), torch.zeros((), dtype=dtype))
    expected = -far - 2 * math.log1p(math.exp(-far))
    assert_close(log_prob, torch.full((2,), expected, dtype=dtype))
    log_prob.sum().backward()
    slope = math.tanh(far / 2)
    assert_close(x.grad, torch.tensor([slope, -slope], dtype=dtype))


# -- mixtures


def test_a_mixture_is_the_formula_written_out():
    logits, means, log_scales = mixture(2)
    x = 3 * torch.randn(2, 7, dtype=torch.float64)
    got = mixture_log_prob(x, logits, means, log_scales)
    for b in range(2):
        for t in range(7):
            parts = (each[b, :, t].tolist() for each in (logits, means, log_scales))
            assert got[b, t].item() == pytest.approx(math.log(naive(x[b, t].item(), *parts)))


@pytest.mark.parametrize("components", [1, 2, 10])
def test_a_mixture_has_mass_one(components):
    parts = mixture(components=components, samples=1)
    mass = total_mass(lambda x: mixture_log_prob(x, *parts).squeeze(-1), -200, 200, n=200_000)
    assert mass == pytest.approx(1, abs=1e-6)


def test_one_component_or_many_alike_are_one_logistic():
    _, means, log_scales = mixture(2, components=1)
    x = torch.randn(2, 7, dtype=torch.float64)
    alone = logistic_log_prob(x, means[:, 0], log_scales[:, 0])
    for count in (1, 4):
        logits = torch.full((2, count, 7), 5.0, dtype=torch.float64)
        parts = (each.expand(2, count, 7) for each in (means, log_scales))
        assert_close(mixture_log_prob(x, logits, *parts), alone)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mixture_is_finite_where_every_density_rounds_to_nothing(dtype):
    zeros = torch.zeros(2, 1, dtype=dtype)
    narrow = zeros - 7
    logits = torch.tensor([[0.0], [-200.0]], dtype=dtype)
    x = torch.tensor([100.0], dtype=dtype, requires_grad=True)
    log_prob = mixture_log_prob(x, logits, zeros, narrow)
    assert_close(log_prob, torch.tensor([7 - 100 * math.exp(7)], dtype=dtype))
    log_prob.sum().backward()
    assert_close(x.grad, torch.tensor([-math.exp(7)], dtype=dtype))


def test_draws_broadcast_against_one_pass():
    parts = mixture(2)
    x = torch.randn(5, 2, 7, dtype=torch.float64)
    each = torch.stack([mixture_log_prob(draw, *parts) for draw in x])
    assert_close(mixture_log_prob(x, *parts), each)


def test_samples_of_a_mixture_have_its_distribution():
    """The share of samples below a point against the mass there, by each component's sigmoid."""
    logits, means, log_scales = mixture(samples=1)
    noise = torch.rand(200_000, 2, 1, dtype=torch.float64)
    parts = (each.expand(200_000, 3, 1) for each in (logits, means, log_scales))
    x = mixture_sample(noise, *parts)
    assert x.shape == (200_000, 1)
    for point in (-4.0, -1.0, 0.0, 2.0, 5.0):
        below = torch.sigmoid((point - means) / log_scales.exp())
        mass = (torch.softmax(logits, 0) * below).sum()
        share = (x < point).double().mean()
        assert abs(share - mass) < 5 * (mass * (1 - mass) / 200_000).sqrt() + 1e-6


@pytest.mark.parametrize("pick, component", [(0.0, 0), (0.49, 0), (0.51, 1), (1 - 2**-24, 1)])
def test_the_first_uniform_picks_and_the_second_places(pick, component):
    means = torch.tensor([[-10.0], [10.0]])
    log_scales = torch.tensor([[0.0], [1.0]])
    noise = torch.tensor([[pick], [0.75]])
    x = mixture_sample(noise, torch.zeros(2, 1), means, log_scales)
    expected = means[component] + log_scales[component].exp() * math.log(3)
    assert_close(x, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_ends_of_the_unit_interval_give_finite_samples(dtype):
    q = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=dtype)
    u = logit(q)
    assert u.isfinite().all() and u[0] < -15 and u[3] > 15
    assert_close(u[1:3], torch.tensor([-math.log(3), 0.0], dtype=dtype))


def test_the_page_can_draw_a_mixture_and_a_logistic():
    x = torch.linspace(-4, 4, 50)
    logits, means, log_scales = mixture(samples=1, dtype=torch.float32)
    noise = torch.rand(2, 50)

    def picture(shift):
        return {
            "mixture": mixture_log_prob(x, logits, means + shift, log_scales),
            "logistic": logistic_log_prob(x, shift, shift),
            "samples": mixture_sample(
                noise, *(each.expand(3, 50) for each in (logits, means + shift, log_scales))
            ),
        }

    graph = trace(picture, {"shift": torch.tensor(0.5)}, ConstantPool())
    assert graph["shapes"] == {"mixture": [50], "logistic": [50], "samples": [50]}
