"""Times neural spline flows: flowlib, zuko, nflows and normflows on the same work.

Every library builds the same layers, splines of eight bins on [-5, 5] with the identity outside, by
its own layers: couplings that keep one half and change the other, alternating, or masked layers in
the order of the variables. Networks have the same widths, ReLU and random weights, and as many
parameters; the least width, height and slope of a bin are each library's own.

Rounds, ratios, threads and batches are those of ``benchmarks.coupling``, with fewer seconds for each
piece of work: on a quiet machine it takes less than three minutes.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python -m benchmarks.splines [--out PATH]
"""

from __future__ import annotations

from functools import partial

import nflows.transforms
import normflows
import torch
import zuko
from normflows.flows.neural_spline.autoregressive import (
    MaskedPiecewiseRationalQuadraticAutoregressive,
)
from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling
from torch import nn
from zuko.transforms import MonotonicRQSTransform

from benchmarks.coupling import AT_MOST, BATCH, NflowsMLP, race, tables
from benchmarks.peers import Contender, main, same_flow, training_step
from benchmarks.record import RESULTS
from benchmarks.stacks import of_flowlib, of_nflows, of_normflows, of_zuko
from flowlib import Autoregressive, Coupling, SplineTransformer, alternate

BINS, BOX = 8, 5.0
COUPLINGS, HIDDEN = 8, {2: (32, 32), 64: (128, 128)}  # of each D
MASKED, MASKED_HIDDEN = 5, (256, 256)  # for D = 64
SECONDS = {"coupling": 8, "autoregressive": 12}
SAMPLING_AT_MOST = 1 / 6  # of masked layers
SPLINE = {"univariate": MonotonicRQSTransform, "shapes": [(BINS,), (BINS,), (BINS - 1,)]}  # zuko's
BINNED = {"num_bins": BINS, "tails": "linear", "tail_bound": BOX}  # nflows' and normflows'


def at_random(layers: list, dim: int) -> Contender:
    """flowlib's flow, whose layers start at random as the peers' do."""
    for layer in layers:
        network = layer.network
        last = network[-1] if isinstance(network, nn.Sequential) else network.layers[-1]
        last.reset_parameters()
    return of_flowlib(layers, dim)


# -- couplings


def flowlib_coupling(dim: int, hidden: tuple[int, ...]) -> Contender:
    spline = SplineTransformer(BINS, BOX)
    return at_random(
        [Coupling(dim, spline, alternate(dim, k), hidden) for k in range(COUPLINGS)], dim
    )


def zuko_coupling(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        zuko.flows.GeneralCouplingTransform(
            dim, mask=alternate(dim, k), hidden_features=hidden, **SPLINE
        )
        for k in reversed(range(COUPLINGS))
    ]
    return of_zuko(layers, dim)


def nflows_coupling(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        nflows.transforms.PiecewiseRationalQuadraticCouplingTransform(
            ~alternate(dim, k),  # True: it changes
            lambda inputs, outputs: NflowsMLP([inputs], [outputs], hidden),
            **BINNED,
        )
        for k in reversed(range(COUPLINGS))
    ]
    return of_nflows(layers, dim)


def normflows_coupling(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = []
    for k in range(COUPLINGS):
        layer = normflows.flows.CoupledRationalQuadraticSpline(dim, 1, 1)
        # Its own has a residual network, and splines for the half that is kept.
        layer.prqct = PiecewiseRationalQuadraticCoupling(
            ~alternate(dim, k),
            lambda inputs, outputs: NflowsMLP([inputs], [outputs], hidden),
            **BINNED,
        )
        layers.append(layer)
    return of_normflows(layers, dim)


# -- masked layers


def flowlib_masked(dim: int, hidden: tuple[int, ...]) -> Contender:
    spline = SplineTransformer(BINS, BOX)
    return at_random([Autoregressive(dim, spline, hidden) for _ in range(MASKED)], dim)


def zuko_masked(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        zuko.flows.MaskedAutoregressiveTransform(dim, hidden_features=hidden, **SPLINE)
        for _ in range(MASKED)
    ]
    return of_zuko(layers, dim)


def nflows_masked(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = [
        nflows.transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
            dim,
            hidden[0],
            **BINNED,
            num_blocks=len(hidden) - 1,
            use_residual_blocks=False,
        )
        for _ in range(MASKED)
    ]
    return of_nflows(layers, dim)


def normflows_masked(dim: int, hidden: tuple[int, ...]) -> Contender:
    layers = []
    for _ in range(MASKED):
        layer = normflows.flows.AutoregressiveRationalQuadraticSpline(dim, 1, 1)
        layer.mprqat = MaskedPiecewiseRationalQuadraticAutoregressive(
            dim,
            hidden[0],
            **BINNED,
            num_blocks=len(hidden) - 1,
            use_residual_blocks=False,
            init_identity=False,
        )
        made = layer.mprqat.autoregressive_net  # as it is, no ReLU follows its first layer
        made.initial_layer = nn.Sequential(made.initial_layer, nn.ReLU())
        layers.append(layer)
    return of_normflows(layers, dim)


LIBRARIES = {
    "coupling": (flowlib_coupling, zuko_coupling, nflows_coupling, normflows_coupling),
    "autoregressive": (flowlib_masked, zuko_masked, nflows_masked, normflows_masked),
}


def rows(kind: str, what: str, dim: int, hidden: tuple[int, ...], sampling_at_most: float):
    names = ["flowlib", "zuko", "nflows", "normflows"]
    flows = same_flow(dict(zip(names, LIBRARIES[kind], strict=True)), dim, hidden)
    x, long = torch.randn(BATCH, dim), {"seconds": SECONDS[kind]}
    steps = {name: training_step(flow, x) for name, flow in flows.items()}
    yield race(f"{what}: training step, batch {BATCH}", steps, gradients=True, **long)
    scores = {name: partial(flow.log_prob, x) for name, flow in flows.items()}
    yield race(f"{what}: log_prob, batch {BATCH}", scores, **long)
    samples = {name: partial(flow.sample, BATCH) for name, flow in flows.items()}
    yield race(f"{what}: sampling {BATCH}", samples, at_most=sampling_at_most, **long)


def measure() -> dict:
    result = []
    for dim, hidden in HIDDEN.items():
        what = f"spline couplings, D = {dim}, {COUPLINGS} of {'-'.join(map(str, hidden))}"
        result += rows("coupling", what, dim, hidden, AT_MOST)
    what = f"masked spline layers, D = 64, {MASKED} of {'-'.join(map(str, MASKED_HIDDEN))}"
    result += rows("autoregressive", what, 64, MASKED_HIDDEN, SAMPLING_AT_MOST)
    return {"rows": result}


if __name__ == "__main__":
    main(__doc__.splitlines()[0], RESULTS / "splines.json", measure, tables)
