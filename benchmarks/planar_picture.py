"""One planar layer as a picture: the function, the live panels, and the same by matplotlib."""

import matplotlib.pyplot as plt
import torch
from matplotlib.collections import LineCollection

from flowlib import Flow, Planar, standard_normal
from flowlib.live import axes, grid, heat, points

SIZE = 60
LOW, HIGH = -4.0, 4.0
LINE = torch.linspace(LOW, HIGH, SIZE)
PLANE = torch.stack(torch.meshgrid(LINE, LINE, indexing="xy"), -1)  # (60, 60, 2), rows from low y
MESH = PLANE[::3, ::3]
NOISE = torch.randn(256, 2, generator=torch.Generator().manual_seed(0))


def layer(u1):
    """The density on a 60 x 60 grid, by the inverse, and a grid and samples carried forward."""
    u = torch.stack([u1, torch.as_tensor(0.5)])
    planar = Planar(2, u=u, w=torch.tensor([1.0, 0.5]), b=torch.tensor(0.0))
    density = Flow(standard_normal(2), planar).log_prob(PLANE).exp()  # (60, 60)
    return {"density": density, "mesh": planar(MESH)[0], "x": planar(NOISE)[0]}


def panels():
    square = {"x": (LOW, HIGH), "y": (LOW, HIGH), "equal": True}
    marks = heat("density"), grid("mesh"), points("x", role="data")
    return (axes(*marks, xlabel="x₁", ylabel="x₂", alt="One planar layer.", **square),)


def redraw(u1):
    """What a chapter would write for ``interact``: the same marks, by matplotlib."""
    with torch.no_grad():
        outputs = layer(torch.tensor(u1))
    _fig, ax = plt.subplots(figsize=(5, 5))
    extent = (LOW, HIGH, LOW, HIGH)
    ax.imshow(
        outputs["density"], extent=extent, origin="lower", cmap="Blues", interpolation="bilinear"
    )
    lines = [*outputs["mesh"].numpy(), *outputs["mesh"].transpose(0, 1).numpy()]
    ax.add_collection(LineCollection(lines, colors="#767676", linewidths=0.6))
    ax.scatter(*outputs["x"].T, s=9, color="#C4500A")
    ax.set(xlim=(LOW, HIGH), ylim=(LOW, HIGH), xlabel="x₁", ylabel="x₂")
    plt.show()
