"""The flow lab: each kind of flow trains on all data, on drawings past the mixture, whose steps are EM's."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from cells import run
from flowlib.live.drawing import Drawn, Paper, encode, part_of
from flowlib.live.noise import noise

PAPER = Paper((-4.0, 4.0), (-4.0, 4.0), "two moons")


@pytest.fixture(scope="module")
def lab():
    """What the cells before the figure define."""
    cells = ["imports", "imports-live", "build", "build-flows", "densities", "entropies", "em"]
    return run("lab", *cells, "step", "step-adam", "paths", "scores", "code", "code-data").names


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
    """240 points as a reader draws them: their spread along one axis changes along the other."""
    eps = torch.from_numpy(noise("normal", (240, 2), 11))
    x = torch.linspace(-3, 3, 240)
    u, v = eps.unbind(-1)
    xy = {
        "fan": (x, (0.16 + 0.28 * (x + 3)) * v),
        "bow tie": (x, 0.1 + 0.45 * x * v),
        "eye": (x, 1.2 * (1 - x**2 / 9) * v),
        "horn": (x, 0.4 * x**2 - 1.5 + 0.15 * (x + 3) * v),
        "tree": ((0.08 + 0.24 * (3 - x)) * u, x),
    }[name]
    return PAPER.check((torch.stack(xy, -1) + 0.1 * eps).clamp(-4, 4).numpy())


def test_a_flow_beats_ten_gaussians_on_held_out_points_of_five_drawings(lab, monkeypatch):
    """All at once, in 300 steps, where the page takes 1000."""
    monkeypatch.setitem(lab, "STEPS", 300)
    drawings = [drawing(name) for name in ("fan", "bow tie", "eye", "horn", "tree")]
    held_out = [
        torch.tensor(each)[torch.from_numpy(part_of(len(each), "held out"))] for each in drawings
    ]
    state = lab["start"]("RealNVP", 4, "yours")
    states = {name: value.expand(5, *value.shape) for name, value in state.items()}
    batches, given = Drawn(256, "train", seed=1, jitter=0.015), random(0)
    unseen = torch.zeros(512, 2)

    def step(state, mine):
        return lab["step"](state, "RealNVP", 4, torch.tensor(-2.3), mine, unseen, **given)

    for k in range(300):
        rows = torch.stack([PAPER.rows(batches, each, k) for each in drawings])
        _, states = torch.func.vmap(step)(states, rows)
    ahead = []
    for i, x in enumerate(held_out):
        flow = lab["with_parameters"](lab["flows"]["RealNVP", 4], states["parameters"][i])
        rival = lab["log_density"](states["sums"][i], x)[0]
        ahead.append((flow.log_prob(x) - rival).mean().item())
    assert min(ahead) > 0, ahead


def test_the_code_that_a_reader_copies_runs(lab, capsys):
    """A few steps of it, on fresh data and on a drawing."""
    for density in ("a word", "yours"):
        words = {"kind": lab["line_of"]("NICE", 2), "density": lab["DRAWN"]}
        if density != "yours":
            words["density"] = lab["FRESH"].replace("<<density>>", lab["DATA"][density])
        words |= {"drawing": encode(PAPER.shape("ring"), PAPER), "log_lr": "-2.3", "seed": "3"}
        text = lab["CODE"].replace(" 1000, lr", " 20, lr")
        for name, word in words.items():
            text = text.replace(f"<<{name}>>", word)
        exec(text, {})  # noqa: S102, what the page gives away
        points = "60" if density == "yours" else "4000"
        assert capsys.readouterr().out.endswith(f" nats on {points} unseen points\n")


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
