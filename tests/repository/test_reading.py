"""What a reader gets in addition to the chapters: every quiz is well formed, and what it claims is so."""

from __future__ import annotations

import json
import math
import re
from unittest.mock import patch

import pytest
import torch
from torch.distributions import Normal

from flowlib import (
    MADE,
    POTENTIALS,
    AdditiveCoupling,
    AffineCoupling,
    Boxed,
    Compose,
    Flow,
    Inverse,
    Linear,
    MaskedAutoregressive,
    Planar,
    SplineTransformer,
    cell_centres,
    flow_matching_loss,
    round_trip_error,
    standard_normal,
)
from flowlib.planar import brackets
from flowlib.voice.distill import cross_entropy
from flowlib.voice.wavenet import Teacher, WaveNet
from spoken import running_phase, ten_times
from tools.book import ROOT

CHAPTERS = [
    *("change-of-variables", "planar", "coupling", "autoregressive", "parallel-wavenet"),
    *("real-voice", "continuous"),
    "splines",
]
ANSWER = re.compile(
    r'<details name="(quiz-[a-z-]+)"( class="right")?>\n<summary>(.+)</summary>\n\n'
    r"\*\*(Right|Not quite)\.\*\* (.+)\n\n</details>"
)
double = torch.float64


def cells(chapter: str) -> dict[str, str]:
    """The text of each cell, by its name."""
    notebook = json.loads((ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def quizzes(chapter: str) -> dict[str, str]:
    return {name: text for name, text in cells(chapter).items() if 'class="quiz"' in text}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_quiz_has_one_right_answer_and_says_why_the_others_are_not(chapter):
    assert len(quizzes(chapter)) in (2, 3)
    for name, text in quizzes(chapter).items():
        answers = ANSWER.findall(text)
        assert len(answers) == text.count("<summary>") and len(answers) in (3, 4), name
        assert {group for group, *_ in answers} == {name}  # one opens at a time
        assert [verdict for _, right, _, verdict, _ in answers if right] == ["Right"], name
        assert sum(verdict == "Right" for *_, verdict, _ in answers) == 1, name
        assert not any("$" in answer for _, _, answer, _, _ in answers), "no formulas in a summary"


def test_every_figure_asks_for_a_prediction():
    texts = [page.read_text(encoding="utf-8") for page in (ROOT / "book").glob("*.md")]
    texts += [code for chapter in CHAPTERS for code in cells(chapter).values()]
    captions = re.findall(r"caption=(.*?),\n\)", "\n".join(texts), re.DOTALL)
    assert len(captions) >= 27
    assert [each for each in captions if "redict" not in each] == []


# -- what the quizzes claim


def stretched_density(factor: float, dim: int) -> float:
    """The density of factor * z at 0, as a multiple of that of z."""
    stretched = Flow(standard_normal(dim), Linear(factor * torch.eye(dim))).double()
    at_0 = torch.zeros(dim, dtype=double)
    return (stretched.log_prob(at_0) - standard_normal(dim).log_prob(at_0)).exp().item()


def twice_as_wide():
    assert f"{Normal(0.0, 1.0).log_prob(torch.tensor(0.0)).exp():.3f}" == "0.399"
    assert stretched_density(2.0, dim=1) == pytest.approx(1 / 2)
    assert stretched_density(2.0, dim=2) == pytest.approx(1 / 4)


def negative_determinant():
    mirror = Linear(torch.tensor([[1.0, 0.5], [1.0, -1.5]], dtype=double))
    assert torch.linalg.det(mirror.matrix).item() == pytest.approx(-2)
    z = torch.randn(20, 2, dtype=double)
    flow = Flow(standard_normal(2), mirror).double()
    x, _ = mirror(z)
    assert torch.allclose(flow.log_prob(x), flow.base.log_prob(z) - math.log(2))


def fold_round_trip():
    def fold(z):
        return z - torch.tanh(2 * (z - 1))  # of strength 2

    x = torch.linspace(-3, 3, 1000, dtype=double)
    low, high = x - 1, x + 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            torch.where(fold(middle) < x, middle, low),
            torch.where(fold(middle) < x, high, middle),
        )
    assert torch.allclose(fold(low), x)  # everywhere
    z = torch.linspace(-4, 4, 4000, dtype=double)
    roots = [(torch.diff((fold(z) > level).int()) != 0).sum() for level in x]
    assert min(roots) == 1 and max(roots) == 3


def twice_w():
    u, w, z = torch.randn(3, 5, dtype=double)
    one, two = (Planar(5, False, u=u, w=k * w, b=torch.zeros((), dtype=double)) for k in (1, 2))
    step_one, step_two = one(z)[0] - z, two(z / 2)[0] - z / 2
    assert torch.allclose(step_one, step_two)  # at half the distance the same step
    far = 1000 * z
    assert torch.allclose((two(far)[0] - far).abs(), u.abs(), atol=1e-9)
    assert (two(z)[0] - z).norm() < u.norm()


def when_to_search():
    flow = Flow(standard_normal(2), *(Planar(2) for _ in range(8)))
    with patch("flowlib.planar.brackets", wraps=brackets) as search:
        x, _ = flow.rsample_and_log_prob((10,))
        assert search.call_count == 0
        flow.log_prob(x)
        assert search.call_count == 8


def one_of_two_modes():
    target = Boxed(POTENTIALS["U1"])
    x = cell_centres(target.low, target.high, 800).reshape(-1, 2)
    p = target.log_prob(x).exp()
    q = torch.where(x[:, 0] < 0, p, 0.0)
    p, q = p / p.sum(), q / q.sum()
    kl = torch.special.xlogy(q, q / p).sum()
    assert kl.item() == pytest.approx(math.log(2), abs=1e-3) and f"{math.log(2):.3f}" == "0.693"


def constant_network():
    layer = AdditiveCoupling(2, network=lambda z1: torch.full_like(z1, 7.0))
    z = torch.randn(20, 2, dtype=double)
    assert round_trip_error(layer, z) < 1e-12
    assert torch.allclose(layer(z)[0] - z, torch.tensor([0.0, 7.0], dtype=double))


def enough_additive_layers():
    smaller, noise = Normal(0.0, 0.5), Normal(0.0, 1.0)
    least = 2 * torch.distributions.kl_divergence(smaller, noise)  # two coordinates
    assert f"{least:.3f}" == "0.636"
    peaks = [each.log_prob(torch.tensor(0.0)).exp() ** 2 for each in (smaller, noise)]
    assert (peaks[0] / peaks[1]).item() == pytest.approx(4)


def affine_factor():
    answers = torch.tensor([0.7, 3.0], dtype=double)
    layer = AffineCoupling(2, network=lambda z1: answers.expand(*z1.shape[:-1], 2), bound=math.inf)
    factor = (-layer(torch.zeros(2, dtype=double))[1]).exp()
    assert f"{factor:.2f}" == "0.50"
    assert f"{math.exp(0.7):.2f}" == "2.01" and f"{math.exp(-3.7):.2f}" == "0.02"


def who_hears_whom():
    made = MADE(3, hidden=(8,), outputs=1, order=[2, 0, 1])
    sees = made.layers[1].mask @ made.layers[0].mask > 0
    assert sees.int().tolist() == [[0, 0, 1], [1, 0, 1], [0, 0, 0]]


def unlimited_cores():
    layer = MaskedAutoregressive(6, hidden=(32, 32)).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    z = torch.randn(6, dtype=double)
    x, right = layer(z)[0], []
    guess = torch.zeros(6, dtype=double)
    for _ in range(6):  # each pass makes one more coordinate right
        log_scale, shift = layer.log_scale_and_shift(layer.network(guess))
        guess = z * torch.exp(log_scale) + shift
        right.append(int(torch.isclose(guess, x).sum()))
    assert right == [1, 2, 3, 4, 5, 6]
    weak = MaskedAutoregressive(64, hidden=(32,)).double().requires_grad_(False)
    for parameter in weak.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    passes = []
    weak.network.register_forward_hook(lambda *_: passes.append(1))
    weak.forward_by_passes(torch.randn(64, dtype=double))
    assert len(passes) < 32
    large = MaskedAutoregressive(1000, hidden=(2000,)).network.layers
    kept = sum(int(layer.mask.sum()) for layer in large)
    assert 1000 * sum(layer.mask.numel() for layer in large) / kept == pytest.approx(2000, rel=0.01)


def fast_samples():
    maf = [MaskedAutoregressive(2, hidden=(8,), order=order) for order in ([0, 1], [1, 0])]
    for parameter in torch.nn.ModuleList(maf).parameters():
        torch.nn.init.normal_(parameter)
    z = torch.randn(50, 2)
    densities = [Flow(standard_normal(2), *maf).log_prob(z)]
    turned = Compose(*map(Inverse, reversed(maf)))
    densities.append(Flow(standard_normal(2), turned).log_prob(z))
    assert not torch.allclose(*densities, atol=0.1)


def ten_layers():
    fields = [WaveNet(1, 1, channels=2, layers=layers).receptive_field for layers in (5, 10)]
    assert fields == [32, 1024]
    assert 1 + 2 * sum(2**k for k in range(5)) == 63  # "64, or nearly": begun again at 1


def teacher_passes():
    teacher = Teacher(conditions=1, channels=2, layers=3)
    calls = []
    teacher.net.register_forward_hook(lambda *_: calls.append(1))
    x, noise = torch.randn(1, 2048), torch.rand(8, 1, 2048)
    cross_entropy(teacher, x, torch.zeros(1, 1, 2048), x, torch.zeros(1, 2048), noise)
    assert len(calls) == 1


def which_divergence():
    table = cells("parallel-wavenet")["whisper-table"]  # it runs, and insists on both
    assert 'assert ears["whisper"]["KL"] < ears["student"]["KL"]' in table
    assert 'ears["whisper"]["dB"] < -8' in table


def crossing_paths():
    """All points turn along one circle: the second is where the first was, half a turn later."""

    def place(start, tau):
        return torch.polar(torch.tensor(1.0), torch.tensor(start + math.pi * tau))

    assert torch.allclose(place(0.0, 0.5), place(math.pi / 2, 0.0))  # one place, two times
    taus = torch.linspace(0, 1, 11).tolist()
    assert min((place(0.0, t) - place(math.pi / 2, t)).abs() for t in taus) > 1


def loss_floor():
    """The best velocity for normal data, N(0, 1): its loss is the variance of the lines."""
    z, x, tau = torch.randn(100_000, 1), torch.randn(100_000, 1), torch.rand(100_000)

    def nu(y, tau):
        return ((2 * tau - 1) / ((1 - tau) ** 2 + tau**2))[..., None] * y

    best = flow_matching_loss(nu, x, z, tau)
    assert best.item() == pytest.approx(math.pi / 2, rel=0.02)  # of ∫ 1 / ((1 - τ)² + τ²)
    assert flow_matching_loss(lambda y, tau: 0.9 * nu(y, tau), x, z, tau) > best


def three_humps():
    """The density of the bell after a spline that is flat at three knots."""
    slopes = torch.log(torch.expm1(torch.full((3,), 0.25)))
    theta = torch.cat([torch.zeros(8), slopes])[:, None].expand(-1, 1001)
    z = torch.linspace(-3, 3, 1001)
    _, log_slope = SplineTransformer(4, 3.0).forward(z, theta)
    density = torch.exp(-(z**2) / 2 - log_slope)
    assert ((density[1:-1] > density[:-2]) & (density[1:-1] > density[2:])).sum() == 3


def lost_mode():
    """Two modes, at -8 and at 8; the flow is the one at 8."""
    x = 8 + torch.randn(10_000, dtype=double)
    log_q = Normal(8.0, 1.0).log_prob(x)
    log_w = torch.logaddexp(Normal(-8.0, 1.0).log_prob(x), log_q) - math.log(2) - log_q
    share = (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp() / len(x)
    assert share.item() == pytest.approx(1) and log_w.exp().mean().item() == pytest.approx(0.5)


CLAIMS = {
    f"quiz-{check.__name__.replace('_', '-')}": check
    for check in (
        *(twice_as_wide, negative_determinant, fold_round_trip),
        *(twice_w, when_to_search, one_of_two_modes),
        *(constant_network, enough_additive_layers, affine_factor),
        *(who_hears_whom, unlimited_cores, fast_samples),
        *(ten_layers, teacher_passes, which_divergence),
        *(running_phase, ten_times),
        *(crossing_paths, loss_floor),
        *(three_humps, lost_mode),
    )
}


def test_each_quiz_is_checked():
    assert [name for chapter in CHAPTERS for name in quizzes(chapter)] == list(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_quiz_claims(name):
    torch.manual_seed(0)
    CLAIMS[name]()
