"""Times RealNVP: flowlib and five other libraries on the same work, in two and 64 dimensions.

Every library builds eight affine couplings that keep one half and change the other, alternating, with
ReLU networks of the same widths, by its own layers and its own network: as many parameters.  What
differs is the bound on the log-scale, each library's own: flowlib a tanh, zuko a softsign, nflows a
sigmoid, FlowJAX a softplus of the scale, Pyro a clip, normflows none.

One row of the table is one piece of work, in batches of 256, done for fifteen seconds.  A round is
one call of each library; who goes first rotates.  A slow moment of the machine lasts longer than a
round, so the ratio is taken round by round, flowlib's time by that of the peer with the smallest
median, and its median counts.  That peer is one in torch, whose operations run one after the other
as flowlib's do; FlowJAX's are compiled into one, and have a ratio of their own.  Two threads, float32;
only the training step (the loss, its gradient, Adam) has gradients.  Run nothing else meanwhile: on
two cores, another busy process makes two threads wait for each other, a hundred times longer than
they compute.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python -m benchmarks.coupling [--out PATH]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import nflows.nn.nets
import nflows.transforms
import normflows
import torch
import zuko

from benchmarks import quiet
from benchmarks.other_peers import flowjax_real_nvp, pyro_real_nvp
from benchmarks.peers import (
    COMPILED,
    MORE_PEERS,
    Contender,
    fastest_peer,
    main,
    same_flow,
    table,
    training_step,
)
from benchmarks.record import RESULTS
from benchmarks.stacks import of_flowlib, of_nflows, of_normflows, of_zuko
from flowlib import AffineCoupling, alternate

LAYERS, BATCH, SECONDS = 8, 256, 15
WARM_UP = 10  # calls of each, before the clock starts
HIDDEN = {2: (32, 32), 64: (128, 128)}  # of each D
AT_MOST = 1.05  # times the fastest peer

# -- the same flow, six times


def flowlib_real_nvp(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [AffineCoupling(dim, alternate(dim, k), hidden) for k in range(LAYERS)]
    return of_flowlib(layers, dim)


def zuko_real_nvp(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        zuko.flows.GeneralCouplingTransform(dim, mask=alternate(dim, k), hidden_features=hidden)
        for k in reversed(range(LAYERS))
    ]
    return of_zuko(layers, dim)


class NflowsMLP(nflows.nn.nets.MLP):
    """Its couplings pass a context, which its plain network does not take."""

    def forward(self, inputs, context):
        return super().forward(inputs)


def nflows_real_nvp(dim: int, hidden: tuple[int, ...]) -> Contender:
    def network(inputs, outputs):
        return NflowsMLP([inputs], [outputs], hidden)

    layers = [
        nflows.transforms.AffineCouplingTransform(~alternate(dim, k), network)  # True: it changes
        for k in reversed(range(LAYERS))
    ]
    return of_nflows(layers, dim)


def normflows_real_nvp(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        normflows.flows.AffineCouplingBlock(
            normflows.nets.MLP([dim // 2, *hidden, dim]),
            split_mode="channel_inv" if k % 2 else "channel",
        )
        for k in range(LAYERS)
    ]
    return of_normflows(layers, dim)


LIBRARIES = {
    "flowlib": flowlib_real_nvp,
    "zuko": zuko_real_nvp,
    "nflows": nflows_real_nvp,
    "normflows": normflows_real_nvp,
    "FlowJAX": lambda dim, hidden: flowjax_real_nvp(dim, LAYERS, hidden),
    "Pyro": lambda dim, hidden: pyro_real_nvp(dim, LAYERS, hidden),
}


# -- the work


def race(
    work: str,
    contenders: dict[str, Callable],
    gradients=False,
    seconds: float = SECONDS,
    at_most: float = AT_MOST,
) -> dict:
    """One row: the median milliseconds of each, and flowlib's as a multiple of the fastest peer's."""
    contenders = {**contenders, quiet.REFERENCE: quiet.reference()}
    names, took = list(contenders), {name: [] for name in contenders}
    with torch.set_grad_enabled(gradients):
        for call in contenders.values():
            end = time.perf_counter() + seconds / 2
            for _ in range(WARM_UP):
                if time.perf_counter() < end:
                    call()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(took["flowlib"]) < 3:
            names = [*names[1:], names[0]]
            for name in names:
                took[name].append(quiet.timed(contenders[name]))
    found = quiet.row(work, took)
    rivals = {"fastest_peer": fastest_peer(found["median_ms"])}
    if COMPILED in took:
        rivals[COMPILED] = COMPILED
    ratios = {
        name: statistics.median(a / b for a, b in zip(took["flowlib"], took[rival], strict=True))
        for name, rival in rivals.items()
    }
    return {
        **found,
        "rounds": len(took["flowlib"]),
        "ratio_to": {name: round(ratio, 4) for name, ratio in ratios.items()},
        "wanted_at_most": {"fastest_peer": round(at_most, 4)},
        "reached": ratios["fastest_peer"] <= at_most,
    }


def rows(dim: int):
    """The three rows of one D."""
    flows = same_flow(LIBRARIES, dim, HIDDEN[dim])
    x = torch.randn(BATCH, dim)
    what = f"RealNVP, D = {dim}, {LAYERS} couplings of {'-'.join(map(str, HIDDEN[dim]))}"
    steps = {name: training_step(flow, x) for name, flow in flows.items()}
    yield race(f"{what}: training step, batch {BATCH}", steps, gradients=True)
    yield race(
        f"{what}: log_prob, batch {BATCH}",
        {name: partial(f.log_prob, x) for name, f in flows.items()},
    )
    yield race(
        f"{what}: sampling {BATCH}", {name: partial(f.sample, BATCH) for name, f in flows.items()}
    )


def tables(result: dict) -> list[str]:
    names = result["rows"][0]["median_ms"]
    compiled = [COMPILED] if COMPILED in names else []
    beside = [f"times {name}" for name in compiled]
    head = ["median ms", *names, "times the fastest peer", "at most", *beside, "rounds"]
    lines = [
        [
            each["work"],
            *each["median_ms"].values(),
            each["ratio_to"]["fastest_peer"],
            each["wanted_at_most"]["fastest_peer"],
            *(each["ratio_to"][name] for name in compiled),
            each["rounds"],
        ]
        for each in result["rows"]
    ]
    return [table(head, lines)]


def measure() -> dict:
    return {"rows": [each for dim in HIDDEN for each in rows(dim)]}


if __name__ == "__main__":
    main(__doc__.splitlines()[0], RESULTS / "coupling.json", measure, tables, MORE_PEERS)
