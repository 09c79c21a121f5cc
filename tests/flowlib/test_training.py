"""fit: it learns, it repeats itself, and it stops where the loss breaks."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from flowlib import POTENTIALS, Affine, Boxed, EightGaussians, Flow, Planar, fit, standard_normal


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("CI", "1")


def reverse_kl(flow, target, count=64):
    def loss():
        x, log_q = flow.rsample_and_log_prob((count,))
        return (log_q - target.log_prob(x)).mean()

    return loss


def a_flow(layers=4):
    torch.manual_seed(0)
    return Flow(standard_normal(2), *[Planar(2) for _ in range(layers)])


def test_maximum_likelihood_finds_mean_and_scale():
    torch.manual_seed(0)
    data = torch.tensor([1.0, -2.0]) + torch.tensor([0.5, 3.0]) * torch.randn(2000, 2)
    flow = Flow(standard_normal(2), Affine(2))
    losses = fit(lambda: -flow.log_prob(data).mean(), flow.parameters(), steps=300, lr=0.1)
    layer = flow.bijection.bijections[0]
    torch.testing.assert_close(layer.shift.data, data.mean(0), rtol=0, atol=1e-2)
    torch.testing.assert_close(layer.log_scale.data.exp(), data.std(0), rtol=1e-2, atol=0)
    entropy = torch.distributions.Normal(data.mean(0), data.std(0)).entropy().sum()
    assert losses[-1].item() == pytest.approx(entropy.item(), abs=1e-2)


def test_reverse_kl_to_a_potential_falls():
    flow = a_flow(8)
    target = Boxed(POTENTIALS["U1"])
    losses = fit(reverse_kl(flow, target), flow.parameters(), steps=150, lr=0.03)
    assert losses.shape == (150,)
    assert losses[:5].mean() > 3
    assert losses[-20:].mean() < 1
    assert not losses.requires_grad


def test_the_learning_rate_falls_along_half_a_cosine():
    """Adam moves by the learning rate under a constant gradient: the way is the sum of the rates."""
    x = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
    fit(lambda: -x, [x], steps=100, lr=0.1)
    rates = [0.05 * (1 + math.cos(math.pi * k / 100)) for k in range(100)]
    assert x.item() == pytest.approx(sum(rates), rel=1e-6)


def test_a_warm_up_rises_along_a_line_to_where_the_cosine_begins():
    x = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
    where = []
    fit(lambda: where.append(x.item()) or -x, [x], steps=50, lr=0.1, warm_up=0.2)
    where.append(x.item())
    rates = [b - a for a, b in pairwise(where)]
    expected = [0.1 * (k + 1) / 11 for k in range(10)]
    expected += [0.05 * (1 + math.cos(math.pi * k / 40)) for k in range(40)]
    assert rates == pytest.approx(expected, rel=1e-5)


def test_a_long_gradient_is_cut_and_a_short_one_is_not():
    def way(clip):
        """Adam's first moment, which the first gradient's length decides only beside a second."""
        x = nn.Parameter(torch.tensor([0.0, 0.0], dtype=torch.float64))
        slopes = iter([torch.tensor([30.0, 40.0]), torch.tensor([0.3, 0.4])])
        fit(lambda: (next(slopes) * x).sum(), [x], steps=2, lr=0.1, clip=clip)
        return x

    assert torch.equal(way(math.inf), way(51.0))
    assert not torch.allclose(way(math.inf), way(1.0))
    # cut to length 1, the first gradient is (0.6, 0.8): the same as if it had been that from the start
    x = nn.Parameter(torch.tensor([0.0, 0.0], dtype=torch.float64))
    slopes = iter([torch.tensor([0.6, 0.8]), torch.tensor([0.3, 0.4])])
    fit(lambda: (next(slopes) * x).sum(), [x], steps=2, lr=0.1)
    torch.testing.assert_close(way(1.0), x, rtol=1e-5, atol=0)


@pytest.mark.parametrize("options", [{"warm_up": 1.0}, {"warm_up": -0.1}, {"clip": 0.0}], ids=str)
def test_a_warm_up_or_a_clip_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match="fit expected a warm_up"):
        fit(lambda: None, [nn.Parameter(torch.zeros(()))], steps=1, **options)


def test_a_seed_repeats_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    runs = []
    for seed in (0, 0, 1):
        flow = a_flow()
        torch.manual_seed(5)
        runs.append(fit(reverse_kl(flow, EightGaussians()), flow.parameters(), 5, seed=seed))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_broken_loss_names_its_step_and_puts_the_parameters_back(broken):
    x = nn.Parameter(torch.tensor(3.0))
    seen = []

    def loss():
        seen.append(x.item())
        return x**2 if len(seen) < 7 else x * broken

    with pytest.raises(FloatingPointError, match=r"at step 6 of 20, after \["):
        fit(loss, [x], steps=20, lr=0.1)
    assert x.item() == seen[5] != seen[6]  # where the loss was last finite


def test_a_loss_broken_from_the_start_leaves_the_parameters_as_they_are():
    x = nn.Parameter(torch.tensor(3.0))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 0"):
        fit(lambda: x * float("nan"), [x], steps=5)
    assert x.item() == 3.0


def test_a_gradient_that_is_not_finite_stops_at_the_next_step():
    x = nn.Parameter(torch.tensor(0.0))
    with pytest.raises(FloatingPointError, match="at step 1"):
        fit(lambda: x.sqrt() + x, [x], steps=5)
    assert x.item() == 0.0


def test_what_cannot_be_fitted_is_refused():
    x = nn.Parameter(torch.zeros(2))
    with pytest.raises(ValueError, match="parameters to train; got none"):
        fit(
            lambda: x.sum(),
            Planar(1, u=torch.ones(1), w=torch.ones(1), b=torch.ones(())).parameters(),
            1,
        )
    with pytest.raises(ValueError, match=r"scalar loss; got shape \(2,\)"):
        fit(lambda: x, [x], steps=1)


@pytest.mark.parametrize("variable", ["CI", "FLOWLIB_BOOK", "TQDM_DISABLE"])
def test_the_bar_is_quiet_where_nobody_watches(variable, monkeypatch, capsys):
    x = nn.Parameter(torch.tensor(3.0))
    for name in ("CI", "FLOWLIB_BOOK", "TQDM_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    fit(lambda: x**2, [x], steps=3)
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setenv(variable, "1")
    fit(lambda: x**2, [x], steps=3)
    assert capsys.readouterr() == ("", "")
