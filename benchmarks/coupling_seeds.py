"""The several trainings that the chapter on coupling flows reports.

``python -m benchmarks.coupling_seeds`` runs the chapter's own cells, several seeds side by side under
``vmap``, and writes what the captions quote to ``results/coupling_seeds.json``.
"""

from __future__ import annotations

import json
import math

import torch
from torch.func import vmap
from torch.nn.utils import parameters_to_vector

from benchmarks.record import RESULTS, machine, write
from flowlib import Flow, alternate, standard_normal
from flowlib.live import Noise, with_parameters
from tools.book import ROOT

NOTEBOOK = json.loads((ROOT / "book" / "coupling.ipynb").read_text(encoding="utf-8"))
CELLS = {cell["id"]: "".join(cell["source"]) for cell in NOTEBOOK["cells"]}
SEEDS = 6  # of the figure's noise; the others take the first of them


def chapter(*names: str) -> dict:
    """What these cells of the chapter define."""
    defined = {"alternating": lambda n, layers: [alternate(n, k) for k in range(layers)]}
    for name in ("imports", "imports-flowlib", "settings", *names):
        exec(CELLS[name], defined)  # noqa: S102
    return defined


def together(step, states: dict, layers: int, batches) -> tuple[dict, torch.Tensor]:
    """States after a step on each batch, and the losses (steps, seeds)."""
    every = vmap(lambda *given: step(given[0], layers, *given[1:]), in_dims=(0, None, 0, 0))
    losses = []
    for log_lr, which, eps in batches:
        loss, states = every(states, torch.tensor(log_lr), which, eps)
        states = {name: value.detach() for name, value in states.items()}
        losses.append(loss.detach())
    return states, torch.stack(losses)


def copies(state: dict, count: int) -> dict:
    return {name: value.expand(count, *value.shape).clone() for name, value in state.items()}


def in_the_page(code: dict, layers: int, seeds: int = SEEDS, raised: int | None = None):
    """What the figure shows for its first seeds: nats above the floor, and the losses (steps, seeds).

    Args:
        raised: the step from which the step size is a tenth.
    """
    steps = code["STEPS"]
    noises = Noise(256, kind="uniform", seed=1), Noise(256, 2, seed=2)

    def draw(k):
        return [
            torch.stack([noise.realisation(seed * steps + k) for seed in range(seeds)])
            for noise in noises
        ]

    state = copies(code["start"](layers, "two moons"), seeds)
    change = steps if raised is None else raised
    batches = ((-2.3 if k < change else -1.0, *draw(k)) for k in range(steps))
    state, losses = together(code["step"], state, layers, batches)
    return (losses[-50:].mean(0) - state["entropy"]).tolist(), losses


def real_nvps(code: dict, steps: int = 1500, seeds: int = 4) -> list[Flow]:
    """The flow of the chapter's table, trained as there from several starts."""
    state = copies(code["start"](8, "two moons"), seeds)
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        rows.append(
            parameters_to_vector(Flow(standard_normal(2), *code["real_nvp"]()).parameters())
        )
    state["parameters"] = torch.stack(rows).detach()

    def log_lr(k):  # as fit has it
        return math.log10(5e-3 * (1 + math.cos(math.pi * k / steps)) / 2)

    torch.manual_seed(0)
    batches = (
        (log_lr(k), torch.rand(seeds, 256), torch.randn(seeds, 256, 2)) for k in range(steps)
    )
    state, _ = together(code["step"], state, 8, batches)
    return [with_parameters(code["blank"][8], row) for row in state["parameters"]]


@torch.no_grad()
def layer_by_layer(code: dict, flow: Flow) -> dict:
    """What the figure of the trained flow reads, at its defaults and at the temperature 0.05."""
    code["flows"] = {"RealNVP": (flow, 0.0)}
    exec(CELLS["layers-way"] + "\n" + CELLS["layers-outputs"], code)  # noqa: S102
    noise = Noise(400, 2).realisation(0)
    point = torch.zeros(2)  # of the cross-hair
    warm, cold = (
        code["after_layers"](torch.tensor(8.0), torch.tensor(T), *point, noise) for T in (1.0, 0.05)
    )
    moons, fresh = code["moons"], code["fresh"]
    middle = flow.bijection(torch.zeros(2))[0]
    return {
        "forward_kl": (moons.log_prob(fresh) - flow.log_prob(fresh)).mean().item(),
        "kl_after_layers": warm["kl"].tolist(),
        "kl_cold": cold["kl_now"].item(),
        "median_distance_cold": (cold["x"] - middle).norm(dim=-1).median().item(),
        "median_distance_warm": (warm["x"] - middle).norm(dim=-1).median().item(),
    }


def main():
    torch.set_num_threads(1)
    code = chapter("moons-train", "page-step")
    gaps = {str(layers): in_the_page(code, layers)[0] for layers in code["depths_offered"]}
    raised, losses = in_the_page(code, 8, seeds=3, raised=750)
    result = {
        "machine": machine(),
        "train-in-the-page": gaps,
        "raised": {"gaps": raised, "highest": losses[750:].amax(0).tolist()},
        "trained-realnvp": [layer_by_layer(code, flow) for flow in real_nvps(code)],
    }
    write(RESULTS / "coupling_seeds.json", result)


if __name__ == "__main__":
    main()
