"""Two figures that together have every mark and every control, and the page that mounts them."""

import base64
import functools
import json
import math

import torch

from flowlib import Affine, Flow, standard_normal
from flowlib.live import (
    Checkbox,
    Noise,
    Slider,
    adam_start,
    adam_step,
    axes,
    bars,
    curve,
    grid,
    heat,
    live,
    marks,
    matrix,
    points,
    readouts,
    segments,
    train,
    with_parameters,
)

MARKS = {
    "heat": heat("density", label="density"),
    "matrix": matrix("cells", label="size"),
    "points": points("x", label="samples"),
    "grid": grid("mesh"),
    "curve": curve("t", "wave", role="truth", fill=True, dashed=True, label="wave"),
    "polygon": curve("px", "py", role="base", fill="inside", label="square"),
    "segments": segments("ab", role="wrong"),
    "arrows": segments("ab", role="wrong", arrow=True),
    "bars": bars("heights", role="base", label="one"),
    "more bars": bars("heights", labels=list("abcd"), role="data"),
}
NEW = {  # marks that are in no picture above, on numbers that only have their shape
    kind: reads
    for kind, reads in marks.SHAPES.items()
    if kind not in {mark["kind"] for mark in MARKS.values()}
}
MARKS |= {
    kind: getattr(marks, kind)(*(f"{kind}.{name}" for name in reads)) for kind, reads in NEW.items()
}
PLANE = {"x": (-3.0, 3.0), "y": (-3.0, 3.0), "xlabel": "x₁", "ylabel": "x₂"}
CELLS = {"xlabel": "j", "ylabel": "i"}


def example(shape):
    """From -2 to 2, in a shape of a mark, each letter of which is 12 long."""
    lengths = [12 if isinstance(n, str) else n for n in shape]
    return torch.linspace(-2.0, 2.0, math.prod(lengths)).reshape(lengths)


def everything(a, k, bent, shape, eps):
    """A density, a grid, samples, ...: each of them moves with every control."""
    line = torch.linspace(-3.0, 3.0, 30)
    plane = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # (30, 30, 2)
    scale = torch.exp(0.2 * a) * (1 + 0.1 * k)

    def move(z):
        return scale * z + (0.3 * torch.tanh(z.flip(-1)) if bent else 0.0)

    distance = (plane**2).sum(-1) if shape == "round" else plane.abs().sum(-1)
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    corners = move(square)
    height = scale + (0.5 if bent else 0.0) + (0.2 if shape == "round" else 0.0)
    new = {f"{k}.{name}": shape for k, reads in NEW.items() for name, shape in reads.items()}
    return {
        **{name: height * example(shape) for name, shape in new.items()},
        "density": torch.exp(-distance / scale) * (0.5 if bent else 1.0),
        "x": move(eps) if shape == "round" else move(eps).abs(),
        "cells": scale * (1 + bent) * torch.cat([torch.eye(4), torch.zeros(4, 2)], 1)
        + (torch.arange(4.0)[:, None] if shape == "round" else 0.0),
        "mesh": move(plane[::3, ::3]),
        "t": line,
        "wave": height * torch.sin(line),
        "px": corners[:, 0],
        "py": corners[:, 1],
        "ab": torch.stack([square, corners], 1),
        "heights": height * torch.arange(1.0, 5.0) / 5,
        "scale": height,
        "logs": torch.log(scale) + eps.mean(),
    }


def figure(name="everything"):
    controls = {
        "a": Slider(-2.0, 2.0, 0.5, play=True),
        "k": (0, 6, 2),
        "bent": Checkbox(True, label="bend it"),
        "shape": ["round", "square"],
        "eps": Noise(64, 2, seed=3),
    }
    plane = [MARKS[key] for key in ("heat", "grid", "points", "polygon")]
    panels = [
        axes(*plane, **PLANE, title="The plane", equal=True, alt="A grid and samples."),
        axes(MARKS["curve"], MARKS["segments"], **PLANE, alt="A wave."),
        readouts(scale="scale", logs="log scale (nats)"),
    ]
    return live(everything, *panels, name=name, caption="Move it.", **controls)


def learner(steps=30, name="learner"):
    """A flow of one affine map that learns a Gaussian, at a rate of 10 ** power: large ones break it.

    ``low`` begins again, ``wide`` changes the steps, ``size`` only the picture.
    """

    def flow_of(row):
        return with_parameters(Flow(standard_normal(2), Affine(2)), row)

    def start(low):
        return adam_start(torch.full((4,), -0.5 if low else 0.25))

    def step(state, power, wide, eps):
        x = (1.5 if wide else 0.5) * eps + 1

        def loss(row):
            return -flow_of(row).log_prob(x).mean()

        gradient, value = torch.func.grad_and_value(loss)(state["parameters"])
        return value, adam_step(state, gradient, 10**power)

    def show(state, losses, size, z):
        x = flow_of(state["parameters"]).bijection(z)[0]
        total = torch.where(losses.isfinite(), losses, 0).sum()
        return {"x": size * x, "k": torch.arange(float(steps)), "losses": losses, "total": total}

    panels = [
        axes(points("x"), **PLANE, alt="Samples."),
        axes(curve("k", "losses"), x=(0, steps), y=(0, 6), alt="The loss."),
        readouts(total="sum of the losses"),
    ]
    controls = {
        "power": Slider(-3.0, 30.0, -1.0, step=0.5), "low": False, "wide": False,
        "size": (0.5, 2.0, 1.0), "eps": Noise(64, 2, seed=1), "z": Noise(32, 2, seed=2),
    }  # fmt: skip
    return train(
        start, step, show, *panels, name=name, steps=steps, caption="Train it.", **controls
    )


def long_numbers():
    """Ticks from 0 to 20000 across, and up from −0.0001 to 0.0001: wider than the margins."""

    def line(a):
        t = torch.linspace(0.0, 1.0, 9)
        return {"x": 20_000 * t, "y": 1e-4 * a * t}

    panel = axes(curve("x", "y"), x=(0, 20_000), y=(-1e-4, 1e-4), alt="A line.")
    return live(line, panel, name="long-numbers", a=(-1.0, 1.0, 0.5))


@functools.cache
def gallery():
    """One mark to a picture, in the order of MARKS."""
    panels = [
        axes(mark, **(CELLS if name == "matrix" else PLANE), alt=f"Only {name}.")
        for name, mark in MARKS.items()
    ]
    controls = {"a": (-2.0, 2.0, 0.5), "k": (0, 6, 2), "bent": True, "shape": ["round", "square"]}
    return live(everything, *panels, name="gallery", **controls, eps=Noise(64, 2))


@functools.cache
def _book():
    return json.dumps(figure().book_data())


def book(name="everything", **control):
    """The data of the usual figure, traced once; ``control`` changes its first control."""
    data = json.loads(_book())
    data["spec"]["name"] = name
    data["spec"]["controls"][0].update(control)
    return data


def module_url(source):
    """A module that a page can import without a server."""
    return f"data:text/javascript;base64,{base64.b64encode(source.encode()).decode()}"
