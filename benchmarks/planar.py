"""Fits the planar chapter's models ten times: 32 planar layers and 26 Gaussians, on its four targets.

The cells of the chapter run as they are, with ten starts where the page has three, or two.  Each
divergence is KL(q ‖ p) in nats on 20,000 fresh samples.  Of each
planar fit the script also keeps what the trained stack does on the way, on the same 500 points: how
many layers lower the divergence, what it is after 0, 16 and 32 of them, and how far the points are
spread (the root of the summed variances) after 0, 25, 200 and 400 steps of training.
``tests/repository/test_captions_planar.py`` compares the chapter's text with these figures.

    .venv/bin/python -m benchmarks.planar
"""

from __future__ import annotations

import json
import statistics
from itertools import pairwise
from pathlib import Path

import torch

from benchmarks.record import RESULTS, machine, write

STARTS, LAYERS, POINTS = 10, 32, 500
SPREAD_AT = (0, 25, 200, 400)
CHAPTER = Path(__file__).parents[1] / "book" / "planar.ipynb"
CELLS = [
    *(
        "imports",
        "imports-flowlib",
        "settings",
        "layer-check",
        "targets-normaliser",
        "training-loss",
    ),
    *("training-usual-layer", "fits-train", "baseline-models", "baseline-fit"),
]


def chapter() -> dict:
    """The names that the chapter's cells define."""
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    source = {cell["id"]: "".join(cell["source"]) for cell in cells}
    names: dict = {}
    for name in CELLS:
        exec(compile(source[name], name, "exec"), names)  # noqa: S102, the book's own code
    return names


def on_the_way(names: dict, target, weights: dict, row: int, z) -> tuple[list[float], float]:
    """The divergence after each layer, and the spread after the last."""
    x, log_q = z, names["standard_normal"](2).log_prob(z)
    kl = [(log_q - target.log_prob(x)).mean().item()]
    for k in range(LAYERS):
        given = {name: weights[f"bijections.{k}.{name}"][row] for name in ("u", "w", "b")}
        x, log_det = names["Planar"](2, **given)(x)
        log_q = log_q - log_det
        kl.append((log_q - target.log_prob(x)).mean().item())
    return kl, x.std(0).norm().item()


@torch.no_grad()
def stacks(names: dict) -> dict:
    """By target: the divergences of the ten fits, and what their stacks do on the way."""
    with torch.enable_grad():
        film, gaps = names["train"](LAYERS, STARTS)
    torch.manual_seed(0)
    z, result = torch.randn(POINTS, 2), {}
    for i, (name, target) in enumerate(names["targets"].items()):
        rows = range(STARTS * i, STARTS * (i + 1))
        layers = [on_the_way(names, target, film[-1], row, z)[0] for row in rows]
        moments = [film[step // 25] for step in SPREAD_AT]
        result[name] = {
            "kl": rounded(gaps[i].mean(-1).tolist()),
            "layers_that_lower": [sum(b < a for a, b in pairwise(kl)) for kl in layers],
            "kl_after_0_16_32": rounded([[kl[0], kl[16], kl[32]] for kl in layers]),
            "spread_at_0_25_200_400": rounded(
                [[on_the_way(names, target, at, row, z)[1] for at in moments] for row in rows]
            ),
        }
    return result


def mixtures(names: dict) -> dict:
    """By target: the divergences of ten mixtures, in half the steps."""
    strength, fit = names["annealed"][::2], names["fit_mixture"]
    return {
        name: rounded([fit(target.log_prob, 26, strength, seed)[0] for seed in range(STARTS)])
        for name, target in names["targets"].items()
    }


def rounded(numbers):
    if isinstance(numbers, list):
        return [rounded(each) for each in numbers]
    return round(numbers, 4)


if __name__ == "__main__":
    torch.set_num_threads(1)
    names = chapter()
    result = {"machine": machine(), "planar": stacks(names), "mixture": mixtures(names)}
    write(RESULTS / "planar.json", result)
    for name in result["mixture"]:
        for model, kl in (
            ("32 planar layers", result["planar"][name]["kl"]),
            ("26 Gaussians", result["mixture"][name]),
        ):
            low, middle, high = min(kl), statistics.median(kl), max(kl)
            print(f"{name}  {model:16}  best {low:.3f}, median {middle:.3f}, worst {high:.3f}")
