"""RealNVP that learns the optical digits in the page: the coupling chapter's recipe, without bends.

Six couplings of 80-80 with dropout, batches of 256.  At each step the flow is also scored on the 200
validation images, without dropout: the state holds that curve.
"""

import math

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from flowlib import Affine, Flow, dequantise, optical_digits, standard_normal, to_grey
from flowlib.coupling import AffineCoupling
from flowlib.live import (
    Noise,
    Slider,
    adam_start,
    adam_step,
    axes,
    curve,
    matrix,
    readouts,
    train,
    with_parameters,
)
from flowlib.network import mlp

STEPS, BATCH, DROPOUT, COLUMNS = 1000, 256, 0.2, 8
BITS = 64 * math.log(2)  # nats in a bit per pixel
TRAINING, VALIDATION, _ = optical_digits()
ROW, COLUMN = torch.arange(64) // 8, torch.arange(64) % 8


class Conditioner(nn.Module):
    """Two hidden layers; ``stay`` holds, for each of them, the factors of its units."""

    stay = None

    def __init__(self):
        super().__init__()
        self.layers = mlp(32, (80, 80), 64)

    def forward(self, x):
        first, relu, second, _, last = self.layers
        one, two = self.stay or (1, 1)
        return last(relu(second(relu(first(x)) * one)) * two)


def realnvp():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        logits = to_grey().inverse(dequantise(TRAINING.values))[0]
        patterns = (ROW + COLUMN) % 2 == 0, ROW % 2 == 0, COLUMN % 2 == 0
        masks = [keep for pattern in patterns for keep in (pattern, ~pattern)]
        couplings = [AffineCoupling(64, keep, network=Conditioner()) for keep in masks]
        unit_scale = Affine(64, logits.std(0).log(), logits.mean(0)).requires_grad_(False)
        return Flow(standard_normal(64), *couplings, unit_scale, to_grey())


FLOW = realnvp()
UNSEEN = dequantise(VALIDATION.values)


def start():
    row = parameters_to_vector(FLOW.parameters()).half().float()  # two bytes a number in the page
    return adam_start(row) | {"validation": torch.zeros(STEPS)}


def step(state, log_lr, which, eta, drops):
    x = TRAINING.values[(which * len(TRAINING.values)).long()] + eta
    factors = (drops > DROPOUT).float() / (1 - DROPOUT)  # (256, 6 * 2 * 80)

    def loss(row):
        flow = with_parameters(FLOW, row)
        nets = [each for each in flow.modules() if isinstance(each, Conditioner)]
        for net, stay in zip(nets, factors.chunk(len(nets), -1), strict=True):
            net.stay = stay.chunk(2, -1)
        return -flow.log_prob(x).mean() / BITS

    gradient, value = torch.func.grad_and_value(loss)(state["parameters"])
    unseen = -with_parameters(FLOW, state["parameters"]).log_prob(UNSEEN).mean() / BITS
    here = torch.arange(STEPS) == state["count"]
    adam = {name: state[name] for name in ("parameters", "mean", "square", "count")}
    found = torch.where(here, unseen, state["validation"])
    cosine = (1 + torch.cos(math.pi * state["count"] / STEPS)) / 2  # as fit lets the rate fall
    return value, adam_step(adam, gradient, 10**log_lr * cosine) | {"validation": found}


def show(state, losses, z):
    flow = with_parameters(FLOW, state["parameters"])
    images = flow.bijection(z)[0].floor().clamp(0, 16).reshape(-1, COLUMNS, 8, 8)
    latest = torch.where(torch.arange(STEPS) == state["count"] - 1, state["validation"], 0.0)
    return {
        "sheet": images.permute(0, 2, 1, 3).reshape(-1, 8 * COLUMNS),
        "k": torch.arange(float(STEPS)),
        "losses": losses,
        "validation": torch.where(state["validation"] > 0, state["validation"], torch.inf),
        "bits": latest.sum(),
    }


def learning_digits():
    return train(
        start, step, show,
        axes(matrix("sheet", high=16), title="samples of the flow", alt="Images made by the flow."),
        axes(
            curve("k", "losses", role="data", label="a batch, with dropout"),
            curve("k", "validation", role="truth", label="validation"),
            x=(0, STEPS), y=(1.8, 4), xlabel="step", ylabel="bits per pixel",
            alt="Bits per pixel of a batch and of the validation images, at each step so far.",
        ),
        readouts(bits="validation, bits per pixel"),
        log_lr=Slider(-4.0, -2.0, -2.5, step=0.1, label="log₁₀ of the step size"),
        which=Noise(BATCH, kind="uniform", seed=1), eta=Noise(BATCH, 64, kind="uniform", seed=2),
        drops=Noise(BATCH, 960, kind="uniform", seed=3), z=Noise(4 * COLUMNS, 64, seed=4),
        name="digits", steps=STEPS, caption="Press Start.",
    )  # fmt: skip
