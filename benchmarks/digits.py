"""The trainings on digits that the coupling chapter's figure reports, from the chapter's own cells.

``python -m benchmarks.digits`` trains with dropout and without, on three noises each, by the step that
the page repeats, and writes what the caption quotes to ``results/digits.json``.
"""

from __future__ import annotations

import ast

import torch

from benchmarks.coupling_seeds import CELLS, chapter
from benchmarks.record import RESULTS, machine, write

SEEDS = 3


def learning_digits():
    """The figure."""
    names = chapter("digits-picture", "recipe-flow", "digits-page-flow", "digits-page-step")
    call = ast.Expression(ast.parse(CELLS["digits-page-live"]).body[-1].value)
    return eval(compile(call, "digits-page-live", "eval"), names)


def main():
    torch.set_num_threads(1)
    figure, result = learning_digits(), {"machine": machine()}
    for dropout in (True, False):
        runs = result["dropout" if dropout else "none"] = []
        for seed in range(SEEDS):
            figure.dropout, figure.seed = dropout, seed
            figure.reset()
            figure.run(len(figure.losses))
            curve = figure.state["curve"]
            runs.append(
                {
                    "last": curve[-1].item(),
                    "lowest": curve.min().item(),
                    "lowest_at": int(curve.argmin()),
                    "batch": figure.losses[-50:].mean().item(),
                }
            )
            print(f"dropout {dropout}, seed {seed}: {runs[-1]}")
    write(RESULTS / "digits.json", result)


if __name__ == "__main__":
    main()
