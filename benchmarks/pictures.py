"""Two live pictures of one slider each: the functions, the panels, and the same by matplotlib.

Both show a density on a grid, by the inverse, and a grid and samples carried forward.  The slider
reaches every layer: nothing of a redraw is the same for all its positions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import torch
from matplotlib.collections import LineCollection
from torch import Tensor

from flowlib import AffineCoupling, Flow, Planar, alternate, standard_normal
from flowlib.live import axes, grid, heat, points

LOW, HIGH = -4.0, 4.0
NOISE = torch.randn(256, 2, generator=torch.Generator().manual_seed(0))


def plane(size: int) -> Tensor:
    """A grid of points (size, size, 2), rows from low y."""
    line = torch.linspace(LOW, HIGH, size)
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)


def planar_layer(u1):
    """One planar layer on a 60 x 60 grid."""
    u = torch.stack([u1, torch.as_tensor(0.5)])
    planar = Planar(2, u=u, w=torch.tensor([1.0, 0.5]), b=torch.tensor(0.0))
    density = Flow(standard_normal(2), planar).log_prob(plane(60)).exp()  # (60, 60)
    return {"density": density, "mesh": planar(plane(60)[::3, ::3])[0], "x": planar(NOISE)[0]}


def _eight_couplings() -> Flow:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [AffineCoupling(2, alternate(2, k), hidden=(32, 32)) for k in range(8)]
        flow = Flow(standard_normal(2), *layers).requires_grad_(False)
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # a new coupling is the identity
    return flow


COUPLINGS = _eight_couplings()


def coupling_flow(turn):
    """Eight affine couplings of width 32 on a 40 x 40 grid, seen in axes turned by an angle."""
    cos, sin = torch.cos(turn), torch.sin(turn)
    rotation = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])

    def move(z):
        return COUPLINGS.bijection(z @ rotation.T)[0] @ rotation.T

    density = COUPLINGS.log_prob(plane(40) @ rotation).exp()  # (40, 40)
    return {"density": density, "mesh": move(plane(40)[::2, ::2]), "x": move(NOISE)}


@dataclass(frozen=True)
class Picture:
    fn: Callable[[Tensor], dict[str, Tensor]]
    control: str
    low: float
    high: float


PICTURES = {
    "one planar layer, 60 x 60": Picture(planar_layer, "u1", -3.0, 3.0),
    "8 couplings of width 32, 40 x 40": Picture(coupling_flow, "turn", -3.0, 3.0),
}


def panel():
    """What a live figure shows of either."""
    square = {"x": (LOW, HIGH), "y": (LOW, HIGH), "equal": True}
    marks = heat("density"), grid("mesh"), points("x", role="data")
    return axes(*marks, xlabel="x₁", ylabel="x₂", alt="A density, a grid and samples.", **square)


def redraw(picture: Picture, value: float):
    """What a chapter would write for ``interact``: the same marks, by matplotlib."""
    with torch.no_grad():
        outputs = picture.fn(torch.tensor(value))
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
