"""Runs the training cells of the autoregressive chapter again, from several seeds.

The chapter prints one run of each flow. What its text claims about more than one run is computed here,
by the chapter's own cells with another number in ``torch.manual_seed``: the seed sets the first
weights, the batches, the dropout, the noise and the random orders. The points and images that judge
a flow are the same for all seeds.

    .venv/bin/python -m benchmarks.maf_seeds [--out PATH]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from benchmarks.record import RESULTS, machine, write

CHAPTER = Path(__file__).parent.parent / "book" / "autoregressive.ipynb"
SEEDS = 5
IMPORTS = ["imports", "imports-flowlib", "settings"]


def run(cells: dict[str, str], names: list[str], seed: int, found: dict) -> None:
    """Run the cells named, with this seed in place of 0."""
    for name in names:
        exec(cells[name].replace("manual_seed(0)", f"manual_seed({seed})"), found)  # noqa: S102


def toys(cells: dict[str, str], seed: int) -> dict:
    """The forward KL in nats of K layers, by density and K; and as the 8 layers are undone."""
    found: dict = {}
    run(cells, [*IMPORTS, "stack-train", "stack-run", "scrub-function"], seed, found)
    densities = {name: density for name, density, _ in found["shapes"]}
    kl = {
        f"{name}, K = {K}": round(found["forward_kl"](densities[name], flow), 4)
        for (name, K), flow in found["fits"].items()
    }
    with torch.no_grad():
        undone = found["normalise"](torch.tensor(8.0), *torch.zeros(3))["kl"].tolist()
    return {"kl_in_nats": kl, "kl_after_layers_undone": [round(each, 3) for each in undone]}


def digits(cells: dict[str, str], seed: int) -> dict[str, float]:
    """Bits per pixel of the test images, by the chapter's MAF and by RealNVP."""
    found: dict = {}
    run(cells, [*IMPORTS, "digits-flow", "digits-recipes"], seed, found)
    found["recipes"] = {"MAF": found["recipes"]["and bends"]}
    run(cells, ["digits-train", "digits-rivals"], seed, found)
    flows = {**found["candidates"], "RealNVP": found["real_nvp"]}
    return {name: round(found["bits"](f.log_prob, found["test"]), 4) for name, f in flows.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS / "maf_seeds.json")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    notebook = json.loads(CHAPTER.read_text(encoding="utf-8"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    result = {
        "machine": machine(),
        "toys": [toys(cells, seed) for seed in range(SEEDS)],
        "bits_per_pixel": [digits(cells, seed) for seed in range(SEEDS)],
    }
    write(out, result)
    print(json.dumps(result, indent=2))
