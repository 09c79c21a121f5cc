"""What the benchmarks against other libraries share: the same flow of each, and the same work."""

from __future__ import annotations

import argparse
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import quiet
from benchmarks.record import machine

PEERS = ["zuko", "nflows", "normflows"]  # packages
MORE_PEERS = [*PEERS, "pyro-ppl", "flowjax"]
COMPILED = "FlowJAX"  # the others run one operation of torch after the other, as flowlib does
THREADS, LR = 2, 1e-4

# What takes a training step itself is no flow of torch.
Contender = namedtuple("Contender", "module log_prob sample train", defaults=(None,))


def same_flow(builders: dict[str, Callable[..., Contender]], *sizes) -> dict[str, Contender]:
    """The flow of each library; an error where one has more parameters than another."""
    torch.manual_seed(0)
    flows = {name: build(*sizes) for name, build in builders.items()}
    counts = {
        name: sum(p.numel() for p in flow.module.parameters()) for name, flow in flows.items()
    }
    assert len(set(counts.values())) == 1, f"not the same flow: {counts}"
    return flows


def fastest_peer(median_ms: dict[str, float]) -> str | None:
    """The one in torch, of those that did the work."""
    rivals = median_ms.keys() - {"flowlib", "matrix products", COMPILED}
    return min(rivals, key=median_ms.get, default=None)


def training_step(flow: Contender, x: Tensor) -> Callable[[], None]:
    if flow.train:
        return partial(flow.train, x)
    optimiser = torch.optim.Adam(flow.module.parameters(), lr=LR)

    def step():
        optimiser.zero_grad()
        (-flow.log_prob(x).mean()).backward()
        optimiser.step()

    return step


def table(head: list[str], lines: list[list]) -> str:
    """Markdown: the first column to the left, figures to the right."""
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in [head, rule, *lines])


def main(
    what: str,
    results: Path,
    measure: Callable[[], dict],
    tables: Callable[[dict], list],
    peers: list[str] = PEERS,
    threads: int = THREADS,
):
    """Measure, print the figures under a line about the machine, keep them."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--out", type=Path, default=results, help="where the figures go, as JSON")
    out = parser.parse_args().out
    torch.set_num_threads(threads)
    result = {"machine": machine(**{name: version(name) for name in peers}), **measure()}
    line = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    print("\n\n".join([line, *tables(result)]))
    quiet.keep(out, result, result["rows"])
