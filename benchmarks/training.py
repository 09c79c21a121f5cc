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
import time

import torch
from playwright.sync_api import sync_playwright

from benchmarks.record import RESULTS, machine, write
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
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        figure.run(1)
        times.append(1000 * (time.perf_counter() - start))
    return times


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
        page_ms, torch_ms = [], []
        for _ in range(ROUNDS):
            page_ms += advance(STEPS)[0]
            torch_ms += in_torch(figure, STEPS)
        result = {
            "steps": len(page_ms),
            "page_step_ms": round(statistics.median(page_ms), 2),
            "page_step_ms_90": round(statistics.quantiles(page_ms, n=10)[-1], 2),
            "torch_step_ms": round(statistics.median(torch_ms), 2),
            "learning_rate": LR,
            "steps_compared": COMPARED,
            "largest_relative_difference": float(f"{difference:.2g}"),
            "losses": [round(losses[0].item(), 3), round(losses[-1].item(), 3)],
            "machine": machine(chromium=browser.version),
        }
        browser.close()
    write(RESULTS / "training.json", result)
    report(result)


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
