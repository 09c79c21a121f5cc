"""Times a training step in the page, and holds its losses against torch's.

The flow has 8 affine couplings of width 32; a step is a batch of 256, the gradient and Adam.  The
page runs the graph that torch traced of that step, in headless Chromium:

* the losses of the first 70 steps, in the page and by torch in Python, from the same state on the
  same batches;
* then, alternating, steps in the page without drawing and steps by torch on one thread.  Torch's are
  the same function without a trace, as ``fig.run()`` runs it.

    .venv/bin/python -m benchmarks.training
"""

from __future__ import annotations

import statistics
import tempfile

import torch
from playwright.sync_api import sync_playwright

from benchmarks import quiet
from benchmarks.record import RESULTS, machine
from benchmarks.tab import open_tab

# isort: split
from benchmarks.moons import two_moons
from tools import chromium

COMPARED, ROUNDS, STEPS = 70, 5, 60
LR = 0.002
# Later, rounding decides on which side of 0 a unit is, and Adam makes a step of that: at 0.005, torch
# itself ends 2e-2 away after 100 steps when it sums a batch in another order.

ADVANCE = """(steps) => {
    const { training } = document.querySelector("figure").live;
    const times = [];
    for (let k = 0; k < steps; k++) {
        const start = performance.now();
        training.advance();
        times.push(performance.now() - start);
    }
    return [times, [...training.losses.slice(0, training.count)]];
}"""


def in_torch(figure, steps) -> list[float]:
    """Times of steps by torch, in ms."""
    return [quiet.timed(lambda: figure.run(1)) for _ in range(steps)]


def main():
    torch.set_num_threads(1)
    figure = two_moons(LR)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = chromium.launch(playwright)
        tab = open_tab(browser, folder, figure)

        def advance(steps):  # their times, and all losses
            return tab.evaluate(ADVANCE, steps)

        losses = torch.tensor(advance(COMPARED)[1])
        figure.run(COMPARED)
        difference = ((losses - figure.losses[:COMPARED]) / figure.losses[:COMPARED]).abs().max()
        took, product = {"page": [], "torch": [], quiet.REFERENCE: []}, quiet.reference()
        for _ in range(ROUNDS):
            took["page"] += advance(STEPS)[0]
            took["torch"] += in_torch(figure, STEPS)
            took[quiet.REFERENCE] += [quiet.timed(product) for _ in range(STEPS)]
        row = quiet.row("a training step", took)
        result = {
            "steps": len(took["page"]),
            "page_step_ms": round(row["median_ms"]["page"], 2),
            "page_step_ms_90": round(statistics.quantiles(took["page"], n=10)[-1], 2),
            "torch_step_ms": round(row["median_ms"]["torch"], 2),
            "spread": row["spread"],
            "learning_rate": LR,
            "steps_compared": COMPARED,
            "largest_relative_difference": float(f"{difference:.2g}"),
            "losses": [round(losses[0].item(), 3), round(losses[-1].item(), 3)],
            "machine": machine(chromium=browser.version),
        }
        browser.close()
    report(result)
    quiet.keep(RESULTS / "training.json", result, [row])


def report(result):
    print(f"{'a training step: 8 couplings of width 32, batch 256':54} {'median ms':>9}")
    print(f"{'the page, headless Chromium':54} {result['page_step_ms']:9.2f}")
    print(f"{'torch on one thread':54} {result['torch_step_ms']:9.2f}")
    first, last = result["losses"]
    print(
        f"losses of {result['steps_compared']} steps, {first} to {last}: at most "
        f"{result['largest_relative_difference']:.1e} apart, relatively"
    )


if __name__ == "__main__":
    main()
