"""The several trainings that the chapter on splines and conditions reports.

The chapter prints one run of some of them.  What its tables claim about several is computed here, by
the chapter's own cells: the seed sets the first weights, the batches, the dropout and the noise.  The
points and images that judge a flow are the same for all seeds.  Rivals on the digits are those of the
chapter on autoregressive flows; here is what they cost.

It takes about ten minutes.  Stopped and started again, it goes on where it was.

    .venv/bin/python -m benchmarks.spline_seeds
"""

from __future__ import annotations

import ast
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn.functional import one_hot

from benchmarks.peers import Contender, training_step
from benchmarks.record import RESULTS, machine, write
from flowlib import (
    AffineCoupling,
    Flow,
    MaskedAutoregressive,
    bits_per_dim,
    dequantise,
    mlp,
)
from flowlib.data.digits import Digits
from tools.book import ROOT

OUT = RESULTS / "spline_seeds.json"
IMPORTS = ["imports", "imports-flowlib", "settings"]
SEEDS, ROUNDS = 3, 10


def run(chapter: str, *names: str) -> dict:
    """What these cells of a chapter define."""
    cells, found = source(chapter), {}
    for name in [*IMPORTS, *names]:
        exec(cells[name], found)  # noqa: S102
    return found


def source(chapter: str) -> dict[str, str]:
    """The text of each cell, by its name."""
    notebook = json.loads((ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def toys(kept: dict) -> None:
    """What is left of the KL in nats, by density and kind of flow."""
    found = run("splines", "couplings-gap", "couplings-densities")
    for name, density in found["densities"].items():
        for kind, *sizes in found["rivals"]:
            runs = kept.setdefault("toys", {}).setdefault(name, {}).setdefault(kind, [])
            for seed in range(len(runs), SEEDS):
                flow, seconds = found["learn"](density, kind, *sizes, seed)
                gap = found["gap"](density, flow)
                runs.append({"kl": round(gap, 4), "cpu_seconds": round(seconds, 2)})
                print(name, kind, runs[-1], flush=True)
                write(OUT, kept)


def in_the_page(kept: dict) -> None:
    """What the live training shows at its end on its first density: nats above the entropy."""
    cells = "couplings-gap", "couplings-densities", "page-step", "page-show"
    found = run("splines", *cells)
    call = ast.Expression(ast.parse(source("splines")["page-live"]).body[-1].value)
    figure = eval(compile(call, "page-live", "eval"), found)
    for figure.flow in found["learners"]:
        gaps = kept.setdefault("page", {}).setdefault(figure.flow, [])
        for figure.seed in range(len(gaps), SEEDS):
            figure.reset()
            figure.run(len(figure.losses))
            gaps.append(round(figure.evaluate()["gap"].item(), 4))
            print("in the page", figure.flow, gaps[-1], flush=True)
            write(OUT, kept)


def digits(kept: dict) -> None:
    """Bits per pixel, by layer, of flows of images and of images given the label."""
    found = run("splines", "digits-flow", "digits-recipe")
    for kind in ("couplings", "masked"):
        for context in (0, 10):
            name = f"{kind}, given the label" if context else kind
            runs = kept.setdefault("digits", {}).setdefault(name, [])
            for seed in range(len(runs), SEEDS):
                torch.manual_seed(seed)
                flow = found["digit_flow"](found[kind](context))
                found["train_on_digits"](flow, seed)
                splits = {split: found[split] for split in ("training", "validation", "test")}
                runs.append({split: bits(flow, images) for split, images in splits.items()})
                print(name, runs[-1], flush=True)
                write(OUT, kept)


def bits(flow: Flow, images: Digits) -> float:
    c = one_hot(images.labels, 10).float() if flow.context else None
    return round(bits_per_dim(lambda x: flow.log_prob(x, c), images.values).mean().item(), 4)


def costs(kept: dict) -> None:
    """Parameters, and the processor's milliseconds of a step and of sampling, in rounds of one call."""
    found = run("splines", "digits-flow", "digits-recipe")
    bends = run("autoregressive", "digits-flow", "digits-recipes")
    nets = [mlp(32, (80, 80), 64, dropout=0.2) for _ in found["masks"]]
    pairs = zip(found["masks"], nets, strict=True)
    layers = [MaskedAutoregressive(64, (128, 128), o, dropout=0.2) for o in bends["shuffled"]]
    flows = {
        "RealNVP": bends["digit_flow"]([AffineCoupling(64, keep, network=n) for keep, n in pairs]),
        "MAF": bends["digit_flow"](layers),
        "couplings": found["digit_flow"](found["couplings"](0)),
        "masked": found["digit_flow"](found["masked"](0)),
    }
    x = dequantise(found["training"].values[:256])
    trainings = {
        name: training_step(Contender(flow, flow.log_prob, flow.sample), x)
        for name, flow in flows.items()
    }
    steps, samples = {name: [] for name in flows}, {name: [] for name in flows}
    for _ in range(ROUNDS):
        for name, flow in flows.items():
            steps[name].append(cpu_ms(trainings[name]))
            samples[name].append(cpu_ms(lambda flow=flow: flow.sample((300,))))
    kept["cost"] = {
        name: {
            "parameters": sum(p.numel() for p in flow.parameters()),
            "step_ms": round(statistics.median(steps[name]), 1),
            "sampling_ms": round(statistics.median(samples[name]), 1),
        }
        for name, flow in flows.items()
    }
    write(OUT, kept)


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def main():
    torch.set_num_threads(1)
    kept = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {"machine": machine()}
    toys(kept)
    costs(kept)
    digits(kept)
    in_the_page(kept)


if __name__ == "__main__":
    main()
