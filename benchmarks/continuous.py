"""Times continuous flows: flowlib, zuko, torchcfm and flow_matching on the same network and work.

The network is flowlib's ``Velocity`` of 3 x 64 in the plane, trained on two moons and copied for all;
torchcfm and flow_matching bring their pairs, times and targets, flow_matching (by torchdiffeq) and
zuko their solvers.  zuko's solver chooses its steps only, and torchcfm leaves solving to others.

A tolerance is each library's own promise, and they do not keep it alike: at the same one their
errors lie two orders of magnitude apart.  So the last rows compare them at the same error, each with
the greatest tolerance that reaches it.  The rows of solvers have how often each evaluates the
network, and the largest error that it makes.

Rounds and ratios are those of ``benchmarks.coupling``, on one thread: the tensors are small.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/pip install --no-deps -r benchmarks/without_dependencies.txt
    .venv/bin/python -m benchmarks.continuous [--out PATH]
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import torch
import zuko
from flow_matching.path import CondOTProbPath
from flow_matching.solver import ODESolver
from torch import Tensor
from torchcfm import ConditionalFlowMatcher, ExactOptimalTransportConditionalFlowMatcher

from benchmarks.coupling import race
from benchmarks.peers import main, table
from benchmarks.record import RESULTS
from flowlib import (
    ContinuousFlow,
    Flow,
    TwoMoons,
    Velocity,
    fit,
    flow_matching_loss,
    pair_by_transport,
    standard_normal,
)

PEERS = ["zuko", "torchcfm", "flow_matching"]
BATCH, SECONDS, STEPS, ERROR = 256, 10, 8, 1e-4
timed = partial(race, seconds=SECONDS)


def trained() -> Velocity:
    network, moons = Velocity(2), TwoMoons()

    def loss():
        x, z = moons.sample((BATCH,)), torch.randn(BATCH, 2)
        return flow_matching_loss(network, x, z, torch.rand(BATCH))

    fit(loss, network.parameters(), steps=500)
    return network


# -- a step of training: the loss, its gradient, Adam


def step_of(network: Velocity, loss: Callable[[Velocity], Tensor]) -> Callable[[], None]:
    network = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step():
        optimiser.zero_grad()
        loss(network).backward()
        optimiser.step()

    return step


def matching(network: Velocity, x: Tensor) -> list[dict]:
    path = CondOTProbPath()

    def by_flowlib(own: Velocity):
        return flow_matching_loss(own, x, torch.randn_like(x), torch.rand(len(x)))

    def by_flowlib_in_pairs(own: Velocity):
        z = pair_by_transport(x, torch.randn_like(x))
        return flow_matching_loss(own, x, z, torch.rand(len(x)))

    def by_torchcfm(own: Velocity, matcher: ConditionalFlowMatcher):
        tau, place, line = matcher.sample_location_and_conditional_flow(torch.randn_like(x), x)
        return (own(place, tau) - line).square().sum(-1).mean()

    def by_flow_matching(own: Velocity):
        way = path.sample(t=torch.rand(len(x)), x_0=torch.randn_like(x), x_1=x)
        return (own(way.x_t, way.t) - way.dx_t).square().sum(-1).mean()

    alone = {
        "flowlib": by_flowlib,
        "torchcfm": partial(by_torchcfm, matcher=ConditionalFlowMatcher()),
        "flow_matching": by_flow_matching,
    }
    in_pairs = {
        "flowlib": by_flowlib_in_pairs,
        "torchcfm": partial(by_torchcfm, matcher=ExactOptimalTransportConditionalFlowMatcher()),
    }
    return [
        timed(work, {name: step_of(network, loss) for name, loss in losses.items()}, gradients=True)
        for work, losses in (
            (f"a step of flow matching, batch {BATCH}", alone),
            (f"the same, in pairs by optimal transport, batch {BATCH}", in_pairs),
        )
    ]


# -- solving: what each makes of noise, or the log-density of data, as a function of its tolerance


def draws(network: Velocity, z: Tensor) -> dict[str, Callable[[float], Tensor]]:
    def by_zuko(tolerance: float):
        return transform_of(network, tolerance)(z)

    def by_flow_matching(tolerance: float):
        return ODESolver(lambda x, t: network(x, t)).sample(z, **adaptive(tolerance))

    return {
        "flowlib": lambda tolerance: ContinuousFlow(2, network, tolerance).push(z),
        "zuko": by_zuko,
        "flow_matching": by_flow_matching,
    }


def scores(network: Velocity, x: Tensor) -> dict[str, Callable[[float], Tensor]]:
    base = standard_normal(2)

    def by_zuko(tolerance: float):
        z, log_det = transform_of(network, tolerance).inv.call_and_ladj(x)
        return base.log_prob(z) + log_det

    def by_flow_matching(tolerance: float):
        solver = ODESolver(lambda x, t: network(x, t))
        return solver.compute_likelihood(
            x, base.log_prob, exact_divergence=True, **adaptive(tolerance)
        )[1]

    return {
        "flowlib": lambda tolerance: Flow(base, ContinuousFlow(2, network, tolerance)).log_prob(x),
        "zuko": by_zuko,
        "flow_matching": by_flow_matching,
    }


def transform_of(network: Velocity, tolerance: float):
    return zuko.transforms.FreeFormJacobianTransform(
        lambda t, y: network(y, t), 0.0, 1.0, atol=tolerance, rtol=tolerance
    )


def adaptive(tolerance: float) -> dict:
    return {"step_size": None, "method": "dopri5", "atol": tolerance, "rtol": tolerance}


def solving(network: Velocity, z: Tensor) -> list[dict]:
    calls: list[int] = []
    fine = copy.deepcopy(network).double()
    exact = Flow(standard_normal(2), ContinuousFlow(2, fine, 1e-9)).double()
    network.register_forward_hook(lambda *_: calls.append(1))

    def error(call: Callable[[], Tensor], truth: Tensor) -> float:
        return (call() - truth).abs().max().item()

    def at_error(each: Callable[[float], Tensor], truth: Tensor) -> Callable[[], Tensor]:
        for k in range(5, 30):
            call = partial(each, 10 ** (-k / 4))
            if error(call, truth) <= ERROR:
                return call
        raise RuntimeError(f"no tolerance reaches an error of {ERROR}")

    def row(work: str, contenders: dict[str, Callable[[], Tensor]], truth: Tensor) -> dict:
        evaluations, errors = {}, {}
        for name, call in contenders.items():
            calls.clear()
            errors[name] = float(f"{error(call, truth):.1g}")
            evaluations[name] = len(calls)
        return timed(work, contenders) | {"evaluations": evaluations, "largest_error": errors}

    by_steps, solver = (
        ContinuousFlow(2, network, steps=STEPS),
        ODESolver(lambda x, t: network(x, t)),
    )
    in_steps = {
        "flowlib": lambda: by_steps.push(z),
        "flow_matching": lambda: solver.sample(z, step_size=1 / STEPS, method="rk4"),
    }
    x = ContinuousFlow(2, network, ERROR).push(z)
    ends, log_p = exact.bijection.push(z.double()), exact.log_prob(x.double())
    draw, score = draws(network, z), scores(network, x)
    drawn = {name: at_error(each, ends) for name, each in draw.items()}
    scored = {name: at_error(each, log_p) for name, each in score.items()}
    return [
        row(f"sampling {BATCH}, {STEPS} steps of fourth order", in_steps, ends),
        row(f"sampling {BATCH}, error {ERROR:g} at most", drawn, ends),
        row(f"log_prob of {BATCH}, exact trace, error {ERROR:g} at most", scored, log_p),
    ]


def measure() -> dict:
    torch.manual_seed(0)
    network = trained()
    x, z = TwoMoons().sample((BATCH,)), torch.randn(BATCH, 2)
    rows = matching(network, x)
    return {"rows": rows + solving(network.requires_grad_(False), z)}


def tables(result: dict) -> list[str]:
    names = ["flowlib", *PEERS]
    head = ["median ms", *names, "times the fastest peer", "at most", "rounds"]
    lines, more = [], []
    for each in result["rows"]:
        ratio, wanted = (each[key]["fastest_peer"] for key in ("ratio_to", "wanted_at_most"))
        times = [each["median_ms"].get(name, "") for name in names]
        lines.append([each["work"], *times, ratio, wanted, each["rounds"]])
        for name, count in each.get("evaluations", {}).items():
            per = round(each["median_ms"][name] / count, 4)
            more.append([each["work"], name, count, each["largest_error"][name], per])
    head_more = ["", "library", "evaluations", "largest error", "ms for each evaluation"]
    return [table(head, lines), table(head_more, more)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], RESULTS / "continuous.json", measure, tables, PEERS, threads=1)
