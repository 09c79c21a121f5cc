"""Times continuous flows: flowlib, torchcfm and zuko on the same network and data, in one run.

The network is flowlib's ``Velocity`` of 3 x 64 in the plane, one for all; torchcfm brings its pairs,
times and targets, zuko its solver.  Rows:

* a step of flow matching on 256 pairs, with Adam: flowlib and torchcfm;
* sampling 256 points without a log-determinant, by an adaptive solver of fifth order, to the same
  tolerance: flowlib and zuko, with how often each evaluates the network and the error that it makes;
* log_prob of 256 points with the exact trace, likewise.  zuko lets the trace's error be a hundred
  times as large, so it takes fewer steps: read times beside evaluations and errors.

A round is one call of each, and who goes first rotates; the ratio is taken round by round, and its
median and quartiles are kept.  One thread, float32.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/pip install --no-deps torchcfm==1.0.7 POT==0.9.7.post1
    .venv/bin/python -m benchmarks.continuous
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import torch
import zuko
from torch import Tensor
from torchcfm import ConditionalFlowMatcher

from benchmarks import quiet
from benchmarks.peers import table
from benchmarks.record import RESULTS, machine
from flowlib import (
    ContinuousFlow,
    Flow,
    TwoMoons,
    Velocity,
    fit,
    flow_matching_loss,
    standard_normal,
)
from flowlib.solvers import dormand_prince

BATCH, SECONDS, WARM_UP, TOLERANCE = 256, 8, 5, 1e-5


def race(work: str, contenders: dict[str, Callable], gradients=False, **more) -> dict:
    """One row: median milliseconds, and flowlib's as a multiple of the other's, with quartiles."""
    (other,) = (name for name in contenders if name != "flowlib")
    contenders = contenders | {quiet.REFERENCE: quiet.reference()}
    names, took = list(contenders), {name: [] for name in contenders}
    with torch.set_grad_enabled(gradients):
        for call in contenders.values():
            for _ in range(WARM_UP):
                call()
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            names = [*names[1:], names[0]]
            for name in names:
                took[name].append(quiet.timed(contenders[name]))
    ratios = [a / b for a, b in zip(took["flowlib"], took[other], strict=True)]
    return {
        **quiet.row(work, took),
        "rounds": len(ratios),
        "ratio_quartiles": [round(each, 3) for each in statistics.quantiles(ratios, n=4)],
        **more,
    }


def step_of(network: Velocity, loss: Callable[[], Tensor]) -> Callable[[], None]:
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step():
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    return step


def matching(network: Velocity, x: Tensor) -> dict:
    own, theirs, matcher = copy.deepcopy(network), copy.deepcopy(network), ConditionalFlowMatcher()

    def by_torchcfm():
        tau, place, line = matcher.sample_location_and_conditional_flow(torch.randn_like(x), x)
        return (theirs(place, tau) - line).square().sum(-1).mean()

    def by_flowlib():
        return flow_matching_loss(own, x, torch.randn_like(x), torch.rand(len(x)))

    steps = {"flowlib": step_of(own, by_flowlib), "torchcfm": step_of(theirs, by_torchcfm)}
    return race(f"a step of flow matching, batch {BATCH}", steps, gradients=True)


def solving(network: Velocity) -> list[dict]:
    calls, z = [], torch.randn(BATCH, 2)
    network.register_forward_hook(lambda *_: calls.append(1))

    def own():
        (x,) = dormand_prince(lambda tau, s: (network(s[0], tau),), (z,), TOLERANCE, 10_000)
        return x

    transform = zuko.transforms.FreeFormJacobianTransform(
        lambda t, y: network(y, t), 0.0, 1.0, atol=TOLERANCE, rtol=TOLERANCE
    )

    def theirs():
        return transform(z)

    fine = copy.deepcopy(network).double()
    exact = ContinuousFlow(2, fine, 1e-9)
    ends = exact(z.double())[0]

    def counted(call: Callable[[], Tensor], truth: Tensor) -> tuple[int, float]:
        """How often it evaluates the network, and its largest error."""
        calls.clear()
        error = (call() - truth).abs().max().item()
        return len(calls), float(f"{error:.1g}")

    def row(work: str, contenders: dict[str, Callable], truth: Tensor) -> dict:
        seen = {name: counted(call, truth) for name, call in contenders.items()}
        evaluations, errors = ({name: each[k] for name, each in seen.items()} for k in (0, 1))
        more = {"evaluations": evaluations, "largest_error": errors}
        return race(f"{work}, to a tolerance of {TOLERANCE:g}", contenders, **more)

    x, base = own().detach(), standard_normal(2)
    flow = Flow(base, ContinuousFlow(2, network, TOLERANCE))

    def log_prob():
        z, log_det = transform.inv.call_and_ladj(x)
        return base.log_prob(z) + log_det

    by_flowlib = Flow(standard_normal(2), exact).double().log_prob(x.double())
    scores = {"flowlib": lambda: flow.log_prob(x), "zuko": log_prob}
    return [
        row(f"sampling {BATCH}", {"flowlib": own, "zuko": theirs}, ends),
        row(f"log_prob of {BATCH}, exact trace", scores, by_flowlib),
    ]


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Velocity(2)
    moons = TwoMoons()

    def loss():
        x, z = moons.sample((BATCH,)), torch.randn(BATCH, 2)
        return flow_matching_loss(network, x, z, torch.rand(BATCH))

    fit(loss, network.parameters(), steps=500)
    x = moons.sample((BATCH,))
    rows = [matching(network, x), *solving(network.requires_grad_(False))]
    libraries = {name: version(name) for name in ("torchcfm", "zuko")}
    head = ["median ms", "flowlib", "the other", "ratio, quartiles", "rounds"]
    lines = [
        [each["work"], *each["median_ms"].values(), each["ratio_quartiles"], each["rounds"]]
        for each in rows
    ]
    print(table(head, lines))
    for each in rows[1:]:
        print(each["work"], each["evaluations"], each["largest_error"])
    quiet.keep(RESULTS / "continuous.json", {"machine": machine(**libraries), "rows": rows}, rows)


if __name__ == "__main__":
    main()
