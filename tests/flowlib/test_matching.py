"""Flow matching: the loss and its minimum, pairs by optimal transport, and guidance."""

import math
import sys
from functools import partial
from itertools import permutations

import pytest
import torch
from torch.testing import assert_close

from bijections import moved
from flowlib import ContinuousFlow, Flow, Velocity, standard_normal
from flowlib.matching import Guided, drop_rows, flow_matching_loss, pair_by_transport


def test_the_best_velocity_of_a_normal_minimises_the_loss():
    """Of N(μ, σ²) it is known; its loss is the variance that no velocity explains."""
    mu, sigma, n = 2.0, 0.4, 200_000
    torch.manual_seed(0)
    z, noise, tau = torch.randn(n, 1).double(), torch.randn(n, 1).double(), torch.rand(n).double()
    x = mu + sigma * noise

    def nu(y, tau, factor=1.0):
        variance = (1 - tau) ** 2 + tau**2 * sigma**2
        slope = (tau * sigma**2 - (1 - tau)) / variance
        return mu + factor * (slope * (y[..., 0] - tau * mu))[..., None]

    best = flow_matching_loss(nu, x, z, tau)
    unexplained = (sigma**2 / ((1 - tau) ** 2 + tau**2 * sigma**2)).mean()
    assert best.item() == pytest.approx(unexplained.item(), rel=0.02)
    for factor in (0.9, 1.1):
        assert flow_matching_loss(partial(nu, factor=factor), x, z, tau) > best
    with pytest.raises(ValueError, match=r"tau of shape \(\*\); got"):
        flow_matching_loss(nu, x, z, tau[:5])


def test_the_loss_gives_the_velocity_its_condition():
    x, z, c = torch.ones(4, 2), torch.zeros(4, 2), torch.arange(8.0).reshape(4, 2)
    tau = torch.full((4,), 0.5)
    seen = []
    flow_matching_loss(lambda *given: seen.append(given) or given[0], x, z, tau, c)
    ((place, when, condition),) = seen
    assert_close((place, when, condition), (torch.full((4, 2), 0.5), tau, c))
    with pytest.raises(ValueError, match="Velocity expected no context"):
        flow_matching_loss(Velocity(2), x, z, tau, c)
    with pytest.raises(
        ValueError, match=r"context of shape \(..., 2\), as second argument; got none"
    ):
        flow_matching_loss(Velocity(2, context=2), x, z, tau)


def test_pairs_have_the_shortest_lines():
    torch.manual_seed(0)
    x, z = torch.randn(2, 5, 3)
    length = lambda z: (x - z).square().sum().item()
    paired = pair_by_transport(x, z)
    assert sorted(paired.tolist()) == sorted(z.tolist())
    shortest = min(length(z[list(order)]) for order in permutations(range(5)))
    assert length(paired) == pytest.approx(shortest) and shortest < length(z)
    z.requires_grad_()
    assert pair_by_transport(x, z).requires_grad


def test_pairs_are_refused_in_words(monkeypatch):
    with pytest.raises(ValueError, match=r"of one shape \(N, D\); got \(4, 2\) and \(3, 2\)"):
        pair_by_transport(torch.zeros(4, 2), torch.zeros(3, 2))
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ModuleNotFoundError, match="needs scipy: pip install scipy"):
        pair_by_transport(torch.zeros(4, 2), torch.zeros(4, 2))


def test_rows_are_dropped_whole_and_as_often_as_asked():
    torch.manual_seed(0)
    dropped = drop_rows(torch.ones(100, 200, 3), 0.1)
    assert ((dropped == 0).all(-1) | (dropped == 1).all(-1)).all()
    assert abs(1 - dropped.mean() - 0.1) < 4 * math.sqrt(0.1 * 0.9 / 20_000)
    with pytest.raises(ValueError, match="a share from 0 to 1; got 10"):
        drop_rows(torch.ones(3, 2), 10)


def test_guidance_goes_from_all_data_through_the_class_and_beyond():
    torch.manual_seed(0)
    velocity, z, tau = moved(Velocity(2, (8,), context=3)), torch.randn(5, 2), torch.rand(5)
    c = torch.eye(3)[1]
    of_all, of_c = velocity(z, tau, 0 * c), velocity(z, tau, c)
    assert (of_all - of_c).abs().max() > 0.1
    for w, expected in ((0.0, of_all), (1.0, of_c), (3.0, of_all + 3 * (of_c - of_all))):
        assert_close(Guided(velocity, w)(z, tau, c), expected)
    flow = Flow(standard_normal(2), ContinuousFlow(2, Guided(velocity, 3.0), context=3))
    assert flow.sample((4,), torch.eye(3)).shape == (4, 3, 2)
    x = flow.sample((4,), c)
    assert flow.log_prob(x, c).isfinite().all()
