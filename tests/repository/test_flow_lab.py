"""The flow lab: each kind of flow trains on all data, on drawings past the mixture, whose steps are EM's."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from cells import run
from flowlib.live.drawing import Drawn, Paper, part_of
from flowlib.live.noise import noise

PAPER = Paper((-4.0, 4.0), (-4.0, 4.0), "two moons")


@pytest.fixture(scope="module")
def lab():
    """What the cells before the figure define."""
    cells = ["imports", "imports-live", "build", "build-flows", "densities", "entropies", "em"]
    return run("lab", *cells, "step", "step-adam", "paths", "scores", "code").names


def random(k):
    """Realisation k of the noise, by name."""
    torch.manual_seed(k)
    rows = {"which": torch.rand(256), "eps": torch.randn(256, 2), "cell": torch.rand(256, 2)}
    return rows | {f"{name}2": torch.cat([value, value]) for name, value in rows.items()}


@pytest.mark.parametrize("kind", ["RealNVP", "RealNVP, no swap", "NICE", "MAF"])
def test_a_flow_trains_on_each_density(lab, kind):
    nobody = torch.full((256, 2), math.nan)
    for density in lab["densities"]:
        state, losses = lab["start"](kind, 2, density), []
        for k in range(8):
            given = {"mine": nobody, "held_out": nobody.repeat(2, 1), **random(k)}
            loss, state = lab["step"](state, kind, 2, torch.tensor(-2.3), **given)
            losses.append(loss.item())
        assert all(value.isfinite().all() for value in state.values())
        assert losses[-1] < losses[0], density


@pytest.mark.parametrize("name", ["two moons", "checkerboard", "banana", "a word"])
def test_the_pages_formula_draws_from_the_density(lab, name):
    state = lab["start"]("NICE", 1, name)
    given = [torch.cat([random(k)[each] for k in range(20)]) for each in ("which", "eps", "cell")]
    x = lab["points_of"](state, torch.zeros(5120, 2), *given)
    surprise = -lab["densities"][name].log_prob(x)
    error = surprise.std() / math.sqrt(len(x))
    assert abs(surprise.mean() - state["entropy"]) < 4 * error + 0.005  # centres in half precision


def drawing(name):
    """240 points along a curve, as a reader draws them."""
    t, eps = torch.linspace(0, 1, 240), torch.from_numpy(noise("normal", (240, 2), 11))
    x = 6 * t - 3
    angle = math.pi * (1.15 + 0.7 * t)
    xy = {
        "arch": (x, 2 - 0.55 * x**2),
        "trumpet": (x, 1.25 * torch.exp(0.5 * x) * eps[:, 1]),
        "S": (1.6 * torch.sin(1.3 * x), x),
        "smile": (3 * angle.cos(), 1.5 + 3 * angle.sin()),
    }
    if name == "banana":
        return PAPER.shape("banana")
    points = torch.stack(xy[name], -1) + 0.2 * eps * (name != "trumpet")
    return PAPER.check(points.clamp(-4, 4).numpy())


@pytest.mark.parametrize("name", ["arch", "trumpet", "S", "smile", "banana"])
def test_a_flow_beats_ten_gaussians_on_held_out_points_of_a_drawing(lab, name, monkeypatch):
    monkeypatch.setitem(lab, "STEPS", 400)
    points = drawing(name)
    batches = Drawn(256, "train", seed=1, jitter=0.015)
    held_out = torch.tensor(points)[torch.from_numpy(part_of(len(points), "held out"))]
    state = lab["start"]("RealNVP", 4, "yours")
    given = {"held_out": held_out.repeat(9, 1)[:512], **random(0)}
    for k in range(400):
        mine = PAPER.rows(batches, points, k)
        _, state = lab["step"](state, "RealNVP", 4, torch.tensor(-2.3), mine, **given)
    flow = lab["with_parameters"](lab["flows"]["RealNVP", 4], state["parameters"])
    rival = lab["log_density"](state["sums"], held_out)[0]
    assert (flow.log_prob(held_out) - rival).mean() > 0


def test_the_score_counts_each_held_out_point_once(lab):
    values = torch.tensor([1.0, 2.0, 4.0])
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    again = torch.tensor([0, 1, 1, 2, 2, 2])
    mean, error = lab["mean_and_error"](values[again], points[again])
    torch.testing.assert_close((mean, error), (values.mean(), values.std() / math.sqrt(3)))


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
