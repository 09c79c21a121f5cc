"""Times masked autoregressive flows: flowlib and five other libraries on the same work.

Every library builds the same MAF: as many layers, hidden widths and parameters, ReLU, random weights,
the order of the variables reversed or permuted from layer to layer.  Sampling is timed with trained
weights, too.  One row of the table is one piece of work.  Those that do it alternate, a quarter of a
second each, so that a slow moment of the machine hits all of them, and the median of each counts.
Two threads, float32; only the training step has gradients.

FlowJAX's functions are compiled, the others run one operation of torch after the other, as flowlib
does: the fastest peer is one of those, and FlowJAX has a ratio of its own.

Beside them run the *matrix products*: a product with each of the network's weights, with no bias,
no mask and no ReLU.  No network of this shape can take less.

Then one layer of flowlib only, of more and more variables: sampling by n passes as in the papers,
sampling as flowlib does it without gradients, and log_prob.

    .venv/bin/pip install -r benchmarks/requirements.txt
    .venv/bin/python -m benchmarks.autoregressive [--out PATH]
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import quiet
from benchmarks.mafs import LIBRARIES, at_random
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
from flowlib import Flow, Inverse, MaskedAutoregressive, fit, optical_digits, standard_normal

TURN_MS = 250
STEPS = 300  # of a training
SIZES = [2**k for k in range(1, 11)]  # of the layer that grows

# -- the work


def matrix_products(module: nn.Module, batch: int) -> Callable[[], None]:
    """A product of a random batch with each weight matrix of the module."""
    weights = [p.detach() for p in module.parameters() if p.ndim == 2]
    inputs = [torch.randn(batch, weight.shape[1]) for weight in weights]

    def products():
        for x, weight in zip(inputs, weights, strict=True):
            x @ weight.T

    return products


def turn(work: Callable[[], object]) -> float:
    """The median milliseconds of the calls that fit in a turn; of one, where one takes longer."""
    times = []
    while sum(times) < TURN_MS:
        times.append(quiet.timed(work))
    return statistics.median(times)


def alternate(contenders: dict[str, Callable], turns: int, gradients=False) -> dict[str, list]:
    """Milliseconds of each in each turn; the first turn warms up and does not count."""
    contenders = {**contenders, quiet.REFERENCE: quiet.reference()}
    with torch.set_grad_enabled(gradients):
        took = [{name: turn(work) for name, work in contenders.items()} for _ in range(turns + 1)]
    return {name: [each[name] for each in took[1:]] for name in contenders}


def row(work: str, took: dict[str, list[float]], **wanted: float) -> dict:
    """One row: flowlib's time as a multiple of the fastest peer's and of the products'."""
    found = quiet.row(work, took)
    ms = found["median_ms"]
    rivals = {
        "fastest_peer": ms.get(fastest_peer(ms)),
        COMPILED: ms.get(COMPILED),
        "matrix_products": ms.get("matrix products"),
    }
    ratios = {name: ms["flowlib"] / rival for name, rival in rivals.items() if rival}
    return {
        **found,
        "ratio_to": {name: round(ratio, 4) for name, ratio in ratios.items()},
        "wanted_at_most": {name: round(ratio, 4) for name, ratio in wanted.items()},
        "reached": all(ratios[name] <= ratio for name, ratio in wanted.items()),
    }


def digits(side: int) -> torch.Tensor:
    """The training images of the book, enlarged and with noise, about from -2 to 2, (1297, side²)."""
    images = optical_digits()[0].values.view(-1, 1, 8, 8)
    grey = F.interpolate(images, (side, side), mode="bilinear").flatten(1)
    return (grey + torch.rand(grey.shape)) / 4 - 2


def sampling(what: str, flows: dict[str, Contender], count: int, x, turns: int, wanted: float):
    """Two rows, taken together: of flowlib's flow as it is at random, and of one that was trained.

    The weights do not change how long the others take: they make D passes.
    """
    trained = deepcopy(flows["flowlib"].module)
    fit(
        lambda: -trained.log_prob(x[torch.randint(len(x), (256,))]).mean(),
        trained.parameters(), STEPS, lr=1e-3, clip=1000.0,
    )  # fmt: skip
    work = {name: partial(flow.sample, count) for name, flow in flows.items()}
    took = alternate({**work, "trained": partial(trained.sample, (count,))}, turns)
    own = took.pop("trained")
    yield row(what, took, fastest_peer=wanted)
    yield row(f"{what}, trained", {**took, "flowlib": own}, fastest_peer=wanted)


def rows():
    small = same_flow(LIBRARIES, 64, 5, (256, 256))
    x = torch.randn(256, 64)
    what = "MAF, D = 64, 5 layers of 256-256"

    took = alternate({k: training_step(maf, x) for k, maf in small.items()}, 12, gradients=True)
    yield row(f"{what}: training step, batch 256", took, fastest_peer=1)

    work = {name: partial(maf.log_prob, x) for name, maf in small.items()}
    work["matrix products"] = matrix_products(small["flowlib"].module, 256)
    took = alternate(work, 12)
    yield row(f"{what}: log_prob, batch 256", took, fastest_peer=1, matrix_products=1.5)

    yield from sampling(f"{what}: sampling 256", small, 256, digits(8), 9, 1 / 15)

    large = same_flow(LIBRARIES, 784, 2, (1024, 1024))
    what = "D = 784, 2 layers of 1024-1024"
    yield from sampling(f"MAF, {what}: sampling 16", large, 16, digits(28), 2, 1 / 100)

    layers = large["flowlib"].module.bijection.bijections
    iaf = Flow(standard_normal(784), *map(Inverse, layers))
    for batch in (16, 256):
        products = matrix_products(iaf, batch)
        took = alternate(
            {"flowlib": partial(iaf.sample, (batch,)), "matrix products": products}, 12
        )
        yield row(f"IAF, {what}: sampling {batch}", took, matrix_products=1.5)


def by_n_passes(layer: MaskedAutoregressive, z: torch.Tensor) -> torch.Tensor:
    """Sampling as in the papers: n passes, also where ``forward_by_passes`` could stop earlier."""
    x = torch.zeros_like(z)
    for _ in range(layer.dim):
        log_scale, shift = layer.log_scale_and_shift(layer.network(x))
        x = z * torch.exp(log_scale) + shift
    return x


def scaling() -> dict:
    """One layer of flowlib for n variables, 512-512, batch 64: milliseconds for each n."""
    took = []
    for n in SIZES:
        torch.manual_seed(0)
        layer, points = at_random(n, (512, 512)), torch.randn(64, n)
        work = {
            "sampling by passes": partial(by_n_passes, layer, points),
            "sampling": partial(layer, points),
            "scoring": partial(layer.inverse, points),
        }
        took.append(alternate(work, turns=3))
    lines = {name: [round(statistics.median(each[name]), 3) for each in took] for name in work}
    return {"hidden": [512, 512], "batch": 64, "n": SIZES, "median_ms": lines}


def tables(result: dict) -> list[str]:
    names = [*LIBRARIES, "matrix products"]
    rivals = {
        "fastest_peer": "times the fastest peer in torch",
        COMPILED: "times FlowJAX, which is compiled",
        "matrix_products": "times the products",
    }
    lines = []
    for each in result["rows"]:
        ratios, wanted = each["ratio_to"], each["wanted_at_most"]
        lines.append(
            [
                each["work"],
                *(each["median_ms"].get(name, "") for name in names),
                *(
                    f"{ratios[k]:.3f}" + (f", at most {wanted[k]:.3f}" if k in wanted else "")
                    if k in ratios
                    else ""
                    for k in rivals
                ),
                "yes" if each["reached"] else "no",
            ]
        )
    by_n = result["scaling"]["median_ms"]
    return [
        table(["median ms", *names, *rivals.values(), "reached"], lines),
        table(["one layer, n =", *by_n], list(zip(SIZES, *by_n.values(), strict=True))),
    ]


def measure() -> dict:
    return {"rows": list(rows()), "scaling": scaling()}


if __name__ == "__main__":
    main(__doc__.splitlines()[0], RESULTS / "autoregressive.json", measure, tables, MORE_PEERS)
