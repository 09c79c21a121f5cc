"""Fits flows to two moons from several seeds: on the density, by the annealed reverse KL, and on data,
by maximum likelihood or by flow matching.

The seeds of one kind are trained together, as one batched computation: each has weights and noise of
its own, and Adam treats every number by itself, so that none of them learns from another.

    .venv/bin/python -m benchmarks.reverse_kl
"""

from __future__ import annotations

from functools import partial
from itertools import count

import torch
from torch.func import functional_call, stack_module_state, vmap

from benchmarks.record import RESULTS, machine, write
from flowlib import (
    AffineCoupling,
    Bijection,
    ContinuousFlow,
    Coupling,
    Flow,
    Inverse,
    MaskedAutoregressive,
    Planar,
    SplineTransformer,
    TwoMoons,
    Velocity,
    alternate,
    fit,
    flow_matching_loss,
    standard_normal,
)

SEEDS, BATCH, POINTS = 6, 256, 10_000
COLDEST = 0.01  # the first β
MOONS, BASE = TwoMoons(), standard_normal(2)


def layers(kind: str) -> list[Bijection]:
    """The layers that "Which flow?" gives a flow of this name."""
    if kind == "planar":
        return [Planar(2) for _ in range(12)]
    if kind == "RealNVP":
        return [AffineCoupling(2, alternate(2, k), hidden=(32, 32)) for k in range(6)]
    if kind == "splines":
        spline = SplineTransformer(bins=8, box=5.0)
        return [Coupling(2, spline, alternate(2, k), hidden=(32, 32)) for k in range(6)]
    if kind == "continuous":
        return [ContinuousFlow(2, Velocity(2), steps=8)]
    mafs = [MaskedAutoregressive(2, (32, 32), range(2)[:: (-1) ** k]) for k in range(6)]
    return mafs if kind == "MAF" else [Inverse(maf) for maf in mafs]


def geometric(step: int, steps: int) -> float:
    """β, how much of the target is in force: rises by one factor a step, to 1 after four fifths."""
    return COLDEST ** max(0.0, 1 - step / (0.8 * steps))


def straight(step: int, steps: int) -> float:
    """β, rising along a line, to 1 after half of the steps."""
    return min(1.0, 0.02 + 1.96 * step / steps)


def trained(kind: str, steps: int, lr: float, beta=None) -> dict[str, list[float]]:
    """Both divergences, in nats, for each seed: trained on the density with β, without it on data."""
    flows = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        flows.append(Flow(BASE, *layers(kind)))
    modules = [flow.bijection if beta else flow for flow in flows]  # a flow's call is its log_prob
    if kind == "continuous":
        modules = [flow.bijection.bijections[0].velocity for flow in flows]
    state, buffers = stack_module_state(modules)
    state = {name: each.detach().requires_grad_() for name, each in state.items()}
    call = partial(vmap(lambda p, b, *x: functional_call(modules[0], (p, b), x)), state, buffers)
    step = count()

    def loss():
        if kind == "continuous":
            x, z = MOONS.sample((SEEDS, BATCH)), torch.randn(SEEDS, BATCH, 2)
            return flow_matching_loss(call, x, z, torch.rand(SEEDS, BATCH))
        if not beta:
            return -call(MOONS.sample((SEEDS, BATCH))).mean(-1).sum()
        z = torch.randn(SEEDS, BATCH, 2)
        x, log_det = call(z)
        log_q = BASE.log_prob(z) - log_det
        return (log_q - beta(next(step), steps) * MOONS.log_prob(x)).mean(-1).sum()

    fit(loss, state.values(), steps, lr=lr)
    result = {"on_data": [], "on_own_samples": [], "upper_moon": []}
    torch.manual_seed(100)
    fresh = MOONS.sample((POINTS,))
    for k, (flow, module) in enumerate(zip(flows, modules, strict=True)):
        module.load_state_dict(
            {name: each[k].detach() for name, each in state.items()}, strict=False
        )
        flow.requires_grad_(False)
        x, log_q = flow.rsample_and_log_prob((POINTS,))
        result["on_data"].append((MOONS.log_prob(fresh) - flow.log_prob(fresh)).mean().item())
        result["on_own_samples"].append((log_q - MOONS.log_prob(x)).mean().item())
        to_upper, to_lower = (torch.cdist(x, each).amin(-1) for each in MOONS.centres.chunk(2))
        result["upper_moon"].append((to_upper < to_lower).float().mean().item())
    return {name: [round(each, 3) for each in values] for name, values in result.items()}


RUNS = {
    "RealNVP, on the density": ("RealNVP", 1500, 0.005, geometric),
    "IAF, on the density": ("IAF", 1500, 0.005, geometric),
    "RealNVP, on data": ("RealNVP", 1500, 0.005),
    "MAF, on data": ("MAF", 1500, 0.005),
    "splines, on data": ("splines", 1500, 0.005),
    "continuous, on data": ("continuous", 1500, 0.01),
    "IAF, on the density, β along a line": ("IAF", 1500, 0.005, straight),
    "planar, on the density": ("planar", 1500, 0.02, geometric),
}


def main():
    runs = {}
    for name, run in RUNS.items():
        runs[name] = trained(*run)
        print(name, runs[name], flush=True)
        write(RESULTS / "reverse_kl.json", {"seeds": SEEDS, "runs": runs, "machine": machine()})


if __name__ == "__main__":
    main()
