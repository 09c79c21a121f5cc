"""The flow lab: each kind of flow trains on all data, on drawings past the mixture, whose steps are EM's."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal
from torch.nn.utils import parameters_to_vector

from cells import run
from flow_lab import CELLS
from flowlib.live.drawing import Drawn, Paper, encode, part_of
from flowlib.live.noise import noise

PAPER = Paper((-4.0, 4.0), (-4.0, 4.0), "two moons")


@pytest.fixture(scope="module")
def lab():
    """What the cells before the figure define."""
    more = "paths", "scores", "overfits", "code", "code-data", "code-choices"
    return run("lab", *CELLS, *more).names


CHOICES = {
    "log_lr": torch.tensor(-2.3),
    "swap": torch.tensor(1.0),
    "bound": torch.tensor(1.0),
    "islands": torch.tensor(0.0),
    "batch": torch.tensor(256.0),
}


def random(k):
    """Realisation k of the noise, by name."""
    torch.manual_seed(k)
    rows = {"which": torch.rand(256), "eps": torch.randn(256, 2), "cell": torch.rand(256, 2)}
    return rows | {f"{name}2": torch.cat([value, value]) for name, value in rows.items()}


@pytest.mark.parametrize("kind", ["RealNVP", "NICE", "MAF", "spline"])
def test_a_flow_trains_on_each_density(lab, kind):
    nobody = torch.full((256, 2), math.nan)
    for density in lab["densities"]:
        state, losses = lab["start"](kind, "2 × 32", density), []
        state["count"] = torch.tensor(200.0)  # the rate is at its highest
        for k in range(8):
            given = {"mine": nobody, "held_out": nobody.repeat(2, 1), **random(k), **CHOICES}
            loss, state = lab["step"](state, kind, "2 × 32", **given)
            losses.append(loss.item())
        assert all(value.isfinite().all() for value in state.values())
        assert losses[-1] < losses[0], density


@pytest.mark.parametrize("name", ["two moons", "checkerboard", "banana", "a word"])
def test_the_pages_formula_draws_from_the_density(lab, name):
    state = lab["start"]("NICE", "1 × 32", name)
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


def log_q(lab, kind, row, x, size="4 × 32", swap=1.0, bound=1.0, islands=0.0):
    """The log-density of the page's flow."""
    given = (torch.tensor(each) for each in (swap, bound))
    flow = lab["chosen"](kind, size, row, *given)
    return lab["undone"](flow, x, torch.tensor(islands))[1]


def test_a_flow_beats_ten_gaussians_on_held_out_points_of_five_drawings(lab, monkeypatch):
    """All at once, in 300 steps, where the page takes 1000."""
    monkeypatch.setitem(lab, "STEPS", 300)
    monkeypatch.setitem(lab, "RISE", 30)
    drawings = [drawing(name) for name in ("fan", "bow tie", "eye", "horn", "tree")]
    held_out = [
        torch.tensor(each)[torch.from_numpy(part_of(len(each), "held out"))] for each in drawings
    ]
    state = lab["start"]("RealNVP", "4 × 32", "yours")
    states = {name: value.expand(5, *value.shape) for name, value in state.items()}
    batches, given = Drawn(256, "train", seed=1, jitter=0.015), random(0)

    def step(state, mine):
        held_out = torch.zeros(512, 2)
        return lab["step"](
            state, "RealNVP", "4 × 32", mine=mine, held_out=held_out, **given, **CHOICES
        )

    for k in range(300):
        rows = torch.stack([PAPER.rows(batches, each, k) for each in drawings])
        _, states = torch.func.vmap(step)(states, rows)
    ahead = []
    for i, x in enumerate(held_out):
        rival = lab["log_density"](states["sums"][i], x)[0]
        ahead.append((log_q(lab, "RealNVP", states["parameters"][i], x) - rival).mean().item())
    assert min(ahead) > 0, ahead


def code(lab, kind, size, density, swap=True, bound=True, islands=False):
    """The code for these choices, as `code_of` fills it."""
    chosen = {"kind": kind, "size": size, "swap": swap, "bound": bound, "islands": islands}
    text = lab["CODE"]
    for name, words in lab["WORDS"].items():
        text = text.replace(f"<<{name}>>", words[(chosen | {"density": density})[name]])
    others = {"drawing": encode(PAPER.shape("ring"), PAPER), "log_lr": -2.3, "seed": 3, "batch": 64}
    for name, value in others.items():
        text = text.replace(f"<<{name}>>", str(value))
    return text


@pytest.mark.parametrize("kind", ["RealNVP", "NICE", "MAF", "spline", "planar, turned around"])
@pytest.mark.parametrize("on", [False, True])
def test_the_code_builds_the_flow_that_the_page_trains(lab, kind, on):
    names, choices = {}, {"swap": on, "bound": on, "islands": not on}
    text = code(lab, kind, "2 × 32", "banana", **choices)
    exec(text[: text.index("fit(")], names)  # noqa: S102, what the page gives away
    torch.manual_seed(1)
    row, x = parameters_to_vector(names["flow"].parameters()).detach(), torch.randn(50, 2)
    row = row + 0.3 * torch.randn_like(row)
    wanted = lab["with_parameters"](names["flow"], row).log_prob(x)
    own = log_q(
        lab, kind, row, x, "2 × 32", **{name: float(each) for name, each in choices.items()}
    )
    torch.testing.assert_close(own, wanted, rtol=1e-4, atol=1e-4)


def test_a_batch_of_sixteen_ignores_the_other_points(lab):
    given = random(0) | CHOICES | {"batch": torch.tensor(16.0)}
    given |= {"mine": torch.zeros(256, 2), "held_out": torch.zeros(512, 2)}
    state = lab["start"]("RealNVP", "1 × 32", "yours")
    results = []
    for spread in (1, 9):
        mine = spread * torch.randn(256, 2)
        mine[:16] = torch.linspace(-2, 2, 32).reshape(16, 2)
        loss, after = lab["step"](state, "RealNVP", "1 × 32", **given | {"mine": mine})
        own = log_q(lab, "RealNVP", state["parameters"], mine[:16], "1 × 32")
        torch.testing.assert_close(loss, -own.mean())
        results.append(torch.cat([after["parameters"], after["sums"].flatten()]))
    torch.testing.assert_close(*results)


def test_the_code_that_a_reader_copies_runs(lab, capsys):
    """A few steps of it, on fresh data and on a drawing."""
    for density in ("a word", "yours"):
        text = code(lab, "NICE", "2 × 32", density).replace(" 1000, lr", " 20, lr")
        exec(text, {})  # noqa: S102, what the page gives away
        points = "60" if density == "yours" else "4000"
        assert capsys.readouterr().out.endswith(f" nats on {points} unseen points\n")


def test_the_figure_says_when_the_flow_overfits(lab):
    """Unseen points score worse again while batches score better; not on what is like the batches."""
    k = torch.arange(1000.0)
    batches, turned = 3 - k / 1000, 2.6 + (k - 400).abs() / 1000
    said = lab["overfits"]

    def at(step, unseen):
        now = k < step
        return said(torch.where(now, batches, torch.inf), torch.where(now, unseen, 0.0)).item()

    assert [at(step, turned) for step in (0, 49, 400, 450, 600, 1000)] == [0, 0, 0, 0, 1, 1]
    assert at(1000, batches) == 0
    assert said(turned, turned) == 0  # the rate was too high: this flow has not memorised


def test_a_flow_trained_in_a_notebook_is_where_the_page_begins(lab, monkeypatch):
    trained = lab["build"]("RealNVP", "4 × 32")
    torch.nn.utils.vector_to_parameters(torch.full((8000,), 0.5), trained.parameters())
    monkeypatch.setitem(lab["flows"], ("RealNVP", "4 × 32"), trained)
    assert (lab["start"]("RealNVP", "4 × 32", "banana")["parameters"] == 0.5).all()


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
        even = torch.full((256,), 1 / 256)
        sums = lab["em_step"](sums, torch.tensor(float(k)), data.sample((256,)), even)
    score = -lab["log_density"](sums, data.sample((4000,)))[0].mean()
    assert data.entropy() - 0.05 < score < data.entropy() + 0.35 < math.log(32)
