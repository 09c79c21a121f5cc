"""What a reader draws: points on the axes, and the rows of numbers that a trace gets from them.

A drawing is at most 500 points on a grid of 4096 x 4096 over the axes.  In a link it is text: two
characters for how many, then four for each point, twelve bits a coordinate.  From the points come
as many rows as the trace declares: chosen from a seed, with replacement, and shaken a little.
``js/cells.js`` does the same operations in the same order, so that the rows are the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from flowlib.live.noise import noise
from flowlib.live.numbers import is_number, plain

MOST, FEWEST = 500, 20  # points in a drawing; js/cells.js has these five too
STEPS = 4095  # of the grid, along each axis
APART = 0.02  # of an axis: a drawing that reaches no further along either is at one place
HELD_OUT, SPLIT = 4, 2024  # one point of each four in a row is held out; the seed that chooses it
JITTER = 2**31  # added to the seed, for the noise that shakes the rows
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # base64url

PARTS = (None, "train", "held out")
Points = list[list[float]]


@dataclass(frozen=True)
class Drawn:
    """Points that the reader draws, as ``fn`` gets them: ``n`` rows of the drawing, (n, 2) float32.

    The axes of one panel are the paper: ``axes(..., drawing="two moons")`` names the shape to start
    from.  Several of these in one figure share the drawing.  Realisation k, step k of a training,
    draws n rows anew, with replacement, and adds Gaussian noise of ``jitter`` times the axes' length.

    Args:
        n: how many rows.
        part: None for all points, "train" for three quarters of them, "held out" for the rest.  A
            point stays in its part while others are added after it.
        seed: from 0 to 2**32 - 1.
        jitter: the noise's standard deviation, as a fraction of the axes.
        when: a dropdown and the option of it that uses the drawing, as in ``("data", "yours")``:
            only then are the brushes shown.

    Raises:
        ValueError: no such part; a number out of range.
    """

    n: int
    part: str | None = None
    seed: int = 0
    jitter: float = 0.01
    when: tuple[str, str] | None = None

    kind = "drawn"

    def __post_init__(self):
        for name in ("n", "seed", "jitter"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        if type(self.n) is not int or self.n < 1:
            raise ValueError(f"Drawn expected a number of rows above 0; got {self.n!r}")
        if self.part not in PARTS:
            raise ValueError(f"Drawn expected part None, 'train' or 'held out'; got {self.part!r}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ValueError(f"Drawn expected a whole seed from 0 to 2**32 - 1; got {self.seed!r}")
        if not is_number(self.jitter) or not 0 <= self.jitter <= 1:
            raise ValueError(f"Drawn expected a jitter from 0 to 1; got {self.jitter!r}")

    @property
    def shape(self) -> tuple[int, int]:
        return self.n, 2


@dataclass(frozen=True)
class Paper:
    """The axes that a reader draws on: their ranges, and the shape to start from."""

    x: tuple[float, float]
    y: tuple[float, float]
    start: str

    def check(self, points) -> Points:
        """A drawing on the grid, from (N, 2) numbers in the axes' units or from the text of a link.

        Raises:
            ValueError: fewer points than 20 or more than 500; points that are not two finite
                numbers, or not on the axes; all of them at one place; text that is cut off.
        """
        xy = np.asarray(decode(points, self) if isinstance(points, str) else points, dtype=float)
        if xy.ndim != 2 or xy.shape[1] != 2 or not FEWEST <= len(xy) <= MOST:
            raise ValueError(
                f"drawing expected points (N, 2), N from {FEWEST} to {MOST}; got shape {xy.shape}"
            )
        low, length = self._corner()
        cells = (xy - low) / length * STEPS
        if not ((cells > -0.5) & (cells < STEPS + 0.5)).all():  # not of a NaN
            raise ValueError(f"drawing expected points with x in {self.x} and y in {self.y}")
        if (np.ptp(cells, axis=0) < APART * STEPS).all():
            raise ValueError("drawing expected points that differ; got all of them at one place")
        return (low + length * np.floor(cells + 0.5) / STEPS).tolist()

    def shape(self, name: str) -> Points:
        """A shape to start from, on these axes."""
        low, length = self._corner()
        return self.check(low + length * (1 + 0.8 * np.clip(SHAPES[name](), -1.2, 1.2)) / 2)

    def rows(self, drawn: Drawn, points: Points, k: int) -> Tensor:
        """Realisation k of what the trace gets, (n, 2) float32."""
        own = np.array(points)[part_of(len(points), drawn.part)]
        seed = (drawn.seed + 1009 * k) % 2**32
        picked = noise("uniform", (drawn.n,), seed).astype(float) * len(own)
        shaken = noise("normal", drawn.shape, (seed + JITTER) % 2**32).astype(float)
        _, length = self._corner()
        rows = own[picked.astype(int)] + drawn.jitter * length * shaken
        return torch.as_tensor(rows.astype(np.float32))

    def spec(self) -> dict:
        """What the page needs of it, as plain JSON: each shape as the text of a link."""
        shapes = {name: encode(self.shape(name), self) for name in SHAPES}
        return {"x": list(self.x), "y": list(self.y), "start": self.start, "shapes": shapes}

    def _corner(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.array([self.x, self.y], dtype=float).T
        return low, high - low


def paper_of(panels, inputs: dict) -> Paper | None:
    """The axes that are drawn on, if a figure has any; refuses them without a :class:`Drawn`, and
    one without them."""
    sheets = [panel for panel in panels if isinstance(panel, dict) and panel.get("drawing")]
    drawn = [name for name, each in inputs.items() if isinstance(each, Drawn)]
    if len(sheets) > 1 or bool(sheets) != bool(drawn):
        raise ValueError(
            "a figure with a Drawn input expected one panel with a shape to start from, as in "
            f"axes(..., drawing='two moons'); got {len(sheets)} such panels and inputs {drawn}"
        )
    if not sheets:
        return None
    (sheet,) = sheets
    return Paper(tuple(sheet["x"]), tuple(sheet["y"]), sheet["drawing"])


def check_when(inputs: dict, controls: dict):
    """Raise ValueError unless a drawing that is used for one option only names one."""
    for each in inputs.values():
        if isinstance(each, Drawn) and each.when is not None:
            control, option = each.when
            if option not in getattr(controls.get(control), "options", ()):
                raise ValueError(f"Drawn expected when=(dropdown, option of it); got {each.when}")


def realisations(inputs: dict, k: int, paper: Paper | None, points: Points) -> dict[str, Tensor]:
    """Realisation k of the noise and of what is drawn, by name."""
    return {
        name: paper.rows(each, points, k)
        if paper and isinstance(each, Drawn)
        else each.realisation(k)
        for name, each in inputs.items()
    }


def part_of(count: int, part: str | None) -> np.ndarray:
    """Which of ``count`` points are in a part, (count,) bool."""
    if part is None:
        return np.ones(count, dtype=bool)
    i = np.arange(count)
    chosen = noise("uniform", (-(-count // HELD_OUT),), SPLIT).astype(float) * HELD_OUT
    out = i % HELD_OUT == chosen.astype(int)[i // HELD_OUT]
    return out if part == "held out" else ~out


def encode(points: Points, paper: Paper) -> str:
    """The text of a drawing in a link; at most 2002 characters."""
    low, length = paper._corner()
    cells = np.floor((np.array(points) - low) / length * STEPS + 0.5).astype(int)
    numbers = [len(points), *cells.ravel().tolist()]
    return "".join(DIGITS[n >> 6] + DIGITS[n & 63] for n in numbers)


def decode(text: str, paper: Paper) -> Points:
    """The points of a drawing in a link.

    Raises:
        ValueError: text that is not whole, or not of a drawing.
    """
    digits = [DIGITS.find(letter) for letter in text]
    numbers = [64 * high + low for high, low in zip(digits[::2], digits[1::2])]
    if len(text) % 4 != 2 or -1 in digits or numbers[0] != len(numbers) // 2:
        raise ValueError(
            "drawing expected the whole text of a link; this one is cut off or altered"
        )
    low, length = paper._corner()
    return (low + length * np.array(numbers[1:]).reshape(-1, 2) / STEPS).tolist()


def _shape(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For a shape: numbers from 0 to 1 in order, numbers at random, and noise (count, 2)."""
    return (
        np.linspace(0, 1, count),
        noise("uniform", (count,), seed),
        noise("normal", (count, 2), seed),
    )


def _moons() -> np.ndarray:
    t, _, eps = _shape(240, 1)
    side = np.arange(240) % 2
    angle = np.pi * t
    x = np.where(side, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(side, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    return np.stack([x / 1.7, y / 1.1], -1) + 0.035 * eps


def _ring() -> np.ndarray:
    t, _, eps = _shape(240, 2)
    return _at(2 * np.pi * t, 0.85) + 0.04 * eps


def _spiral() -> np.ndarray:
    t, _, eps = _shape(280, 3)
    return _at(4.5 * np.pi * np.sqrt(t), 0.1 + 0.85 * np.sqrt(t)) + 0.02 * eps


def _gaussians() -> np.ndarray:
    _, _, eps = _shape(240, 4)
    return _at(np.pi / 4 * np.arange(240), 0.8) + 0.07 * eps


def _checkerboard() -> np.ndarray:
    _, u, _ = _shape(320, 5)
    across, up = np.arange(320) % 4, np.arange(320) // 4 % 2
    cell = np.stack([across, 2 * up + across % 2], -1)
    within = np.stack([u, noise("uniform", (320,), 6)], -1)
    return (cell + within) / 2 - 1


def _banana() -> np.ndarray:
    _, _, eps = _shape(240, 7)
    x = np.clip(0.42 * eps[:, 0], -1.05, 1.05)
    return np.stack([x, 1.5 * x**2 - 0.6 + 0.13 * eps[:, 1]], -1)


def _at(angle: np.ndarray, radius) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


# From -1.2 to 1.2, where they are cut off; -1 to 1 is the middle four fifths of the axes.
SHAPES: dict[str, Callable[[], np.ndarray]] = {
    "two moons": _moons,
    "ring": _ring,
    "spiral": _spiral,
    "eight Gaussians": _gaussians,
    "checkerboard": _checkerboard,
    "banana": _banana,
}
