"""The flow lab: each kind of flow trains on each density, and the mixture's steps are EM's."""

import itertools
import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from cells import run


@pytest.fixture(scope="module")
def lab():
    """What the cells before the figure define."""
    cells = (
        "imports",
        "imports-live",
        "build",
        "build-flows",
        "densities",
        "em",
        "step",
        "step-adam",
    )
    return run("lab", *cells).names


def noise(seed):
    generator = torch.Generator().manual_seed(seed)
    which, other = torch.rand(2, 256, generator=generator)
    eps, other_eps = torch.randn(2, 256, 2, generator=generator)
    return {"which": which, "eps": eps, "other_which": other, "other_eps": other_eps}


def test_each_flow_trains_on_each_density(lab):
    for kind, density in itertools.product(lab["layer_of"], lab["densities"]):
        state = lab["start"](kind, 8, density)
        losses = []
        for k in range(12):
            loss, state = lab["step"](state, kind, 8, torch.tensor(-2.3), **noise(k))
            losses.append(loss.item())
        assert all(value.isfinite().all() for value in state.values())
        assert losses[-1] < losses[0], (kind, density)


def test_the_mixtures_density_is_that_of_ten_gaussians(lab):
    torch.manual_seed(0)
    weight, mean = torch.rand(10).softmax(0), torch.randn(10, 2)
    root = torch.eye(2) + 0.3 * torch.randn(10, 2, 2)
    second = root @ root.mT + mean[:, :, None] * mean[:, None]
    sums = torch.cat(
        [weight[:, None], weight[:, None] * mean]
        + [weight[:, None, None].mul(second)[:, i, j, None] for i, j in ((0, 0), (0, 1), (1, 1))],
        -1,
    )
    gaussians = MultivariateNormal(mean, root @ root.mT + 1e-3 * torch.eye(2))
    x = torch.randn(50, 2)
    want = (weight.log() + gaussians.log_prob(x[:, None])).logsumexp(-1)
    torch.testing.assert_close(lab["log_density"](sums, x)[0], want, rtol=1e-3, atol=1e-3)


def test_em_finds_eight_gaussians(lab):
    """To 0.35 nat of the entropy: two of its ten may lie idle, and one may cover two."""
    data = lab["densities"]["eight Gaussians"]
    torch.manual_seed(1)
    sums = torch.ones(10, 6)
    for k in range(200):
        sums = lab["em_step"](sums, torch.tensor(float(k)), data.sample((256,)))
    score = -lab["log_density"](sums, data.sample((4000,)))[0].mean()
    assert data.entropy() - 0.05 < score < data.entropy() + 0.35 < math.log(32)
