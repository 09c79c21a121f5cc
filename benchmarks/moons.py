"""A stack of couplings of width 32 that learns two moons: as a chapter trains it, and in the page."""

import torch
from torch.nn.utils import parameters_to_vector

from flowlib import Flow, TwoMoons, standard_normal
from flowlib.coupling import AffineCoupling, alternate
from flowlib.live import (
    Choice,
    Noise,
    adam_start,
    adam_step,
    axes,
    curve,
    heat,
    points,
    train,
    with_parameters,
)

STEPS, BATCH, SIZE, LOW, HIGH = 2000, 256, 40, -4.5, 4.5
MOONS = TwoMoons()
ENTROPY = MOONS.entropy().float()
LINE = torch.linspace(LOW, HIGH, SIZE)
PLANE = torch.stack(torch.meshgrid(LINE, LINE, indexing="xy"), -1)  # (40, 40, 2), rows from low y


def stack(layers):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        bijections = [AffineCoupling(2, alternate(2, k), hidden=(32, 32)) for k in range(layers)]
        return Flow(standard_normal(2), *bijections)


FLOWS = {layers: stack(layers) for layers in (8, 4)}


def start(layers):
    return adam_start(parameters_to_vector(FLOWS[layers].parameters()))


def step(state, layers, lr, which, eps):
    x = MOONS.centres[(which * len(MOONS.centres)).long()] + MOONS.width * eps  # (256, 2)

    def loss(row):
        return -with_parameters(FLOWS[layers], row).log_prob(x).mean()

    gradient, value = torch.func.grad_and_value(loss)(state["parameters"])
    return value, adam_step(state, gradient, lr)


def show(state, losses, layers, z):
    flow = with_parameters(FLOWS[layers], state["parameters"])
    return {
        "density": flow.log_prob(PLANE).exp(),
        "x": flow.bijection(z)[0],
        "k": torch.arange(float(STEPS)),
        "losses": losses,
        "ends": torch.tensor([0.0, STEPS]),
        "entropy": ENTROPY.expand(2),
    }


def two_moons(lr=0.005):
    square = {"x": (LOW, HIGH), "y": (LOW, HIGH), "xlabel": "x₁", "ylabel": "x₂", "equal": True}
    plane = [heat("density", high=0.15), points("x", size=1.5, label="samples of the flow")]
    known = curve("ends", "entropy", role="truth", dashed=True, label="entropy")
    loss = [curve("k", "losses", label="loss of a batch"), known]
    return train(
        start, step, show,
        axes(*plane, alt="The flow's density, and samples of it.", **square),
        axes(*loss, x=(0, STEPS), y=(2, 5), xlabel="step", ylabel="nats", alt="The loss."),
        name="two-moons", steps=STEPS, caption="Press Start.",
        layers=Choice(list(FLOWS)), lr=(0.0, 0.02, lr),
        which=Noise(BATCH, kind="uniform", seed=1), eps=Noise(BATCH, 2, seed=2),
        z=Noise(300, 2, seed=3),
    )  # fmt: skip
