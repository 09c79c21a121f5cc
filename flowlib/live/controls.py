"""What a reader can move: sliders, checkboxes, dropdowns, the noise behind a sample, a drawing.

``live(fn, ..., u1=(-3.0, 3.0, 1.5))`` takes abbreviations, as ``ipywidgets.interact`` does, with one
difference: the third number of a slider is its *value*, because the picture a reader sees first
matters more than the step.

=====================  ======================================  ==========================
you write              the reader gets                         ``fn`` gets
=====================  ======================================  ==========================
``(-3.0, 3.0, 1.5)``   a slider                                a 0-d float32 tensor
``(0, 12, 4)``         a slider over whole numbers             a 0-d float32 tensor
``True``               a checkbox                              ``True`` or ``False``
``["U1", "U2"]``       a dropdown; the first is the default    ``"U1"`` or ``"U2"``
``Noise(256, 2)``      a button, "New noise"                   a (256, 2) float32 tensor
``Drawn(256)``         brushes, on the axes with ``drawing=``  a (256, 2) float32 tensor
=====================  ======================================  ==========================

With ``as_number=True`` a checkbox or a dropdown is no reason for another trace: it reaches ``fn`` as a
slider does, as 0.0 or 1.0, as its whole number, or as the place of its text among the options.

A scalar of numpy and a 0-d tensor or array do as well as Python's own numbers and bools.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from traitlets import TraitError, TraitType

from flowlib.live.drawing import Drawn
from flowlib.live.noise import noise
from flowlib.live.numbers import is_number, plain


class ControlError(ValueError, TraitError):
    """A control was given a value that it cannot take."""


@dataclass(frozen=True)
class Slider:
    """A number from ``min`` to ``max``; over whole numbers where all of the numbers are ints.

    ``play`` adds a button that sweeps the slider from left to right.
    """

    min: float
    max: float
    value: float
    step: float | None = None
    label: str | None = None
    play: bool = False

    kind = "slider"
    discrete = False

    def __post_init__(self):
        for name in ("min", "max", "value", "step"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        numbers = [self.min, self.max, self.value, *([] if self.step is None else [self.step])]
        if not all(is_number(v) for v in numbers):
            raise ValueError(f"Slider expected finite numbers (min, max, value); got {numbers}")
        if not self.min <= self.value <= self.max or self.min == self.max:
            raise ValueError(
                "Slider expected min <= value <= max and min < max; "
                f"got min {self.min}, max {self.max}, value {self.value}"
            )
        if self.step is None:
            step = 1 if all(isinstance(v, int) for v in numbers) else _round_step(self)
            object.__setattr__(self, "step", step)
        if self.step is None or self.step <= 0:
            raise ValueError(f"Slider expected a step above 0; got {self.step}")

    @property
    def whole(self) -> bool:
        return all(isinstance(v, int) for v in (self.min, self.max, self.value, self.step))

    def check(self, value) -> float:
        value = plain(value)
        if not is_number(value) or not self.min <= value <= self.max:
            raise ControlError(f"expected a number from {self.min} to {self.max}; got {value!r}")
        if not self.whole:
            return float(value)
        if value != int(value):
            raise ControlError(f"expected a whole number; got {value!r}")
        return int(value)


@dataclass(frozen=True)
class Checkbox:
    """Yes or no; ``fn`` is traced once for each, unless it takes them as numbers."""

    value: bool
    label: str | None = None
    as_number: bool = False

    kind = "checkbox"
    options = (False, True)

    @property
    def discrete(self) -> bool:
        return not self.as_number

    def __post_init__(self):
        object.__setattr__(self, "value", self.check(self.value))

    def check(self, value) -> bool:
        value = plain(value)
        if not isinstance(value, bool):
            raise ControlError(f"expected True or False; got {value!r}")
        return value


@dataclass(frozen=True)
class Choice:
    """One of several, at first the first; ``fn`` is traced for each, unless it takes them as numbers."""

    options: list
    value: object = None
    label: str | None = None
    as_number: bool = False

    kind = "choice"

    @property
    def discrete(self) -> bool:
        return not self.as_number

    def __post_init__(self):
        object.__setattr__(self, "options", plain(list(self.options)))
        if not self.options or not all(type(o) in (str, int) for o in self.options):
            raise ValueError(f"Choice expected strings or whole numbers; got {self.options}")
        if self.as_number and len({type(o) for o in self.options}) > 1:
            raise ValueError(f"Choice expected options of one kind as numbers; got {self.options}")
        if len(set(self.options)) < len(self.options):
            raise ValueError(f"Choice expected options that differ; got {self.options}")
        if self.value is None:
            object.__setattr__(self, "value", self.options[0])
        object.__setattr__(self, "value", self.check(self.value))

    def check(self, value):
        value = plain(value)
        if type(value) not in (str, int) or value not in self.options:
            raise ControlError(f"expected one of {self.options}; got {value!r}")
        return value


@dataclass(frozen=True, init=False)
class Noise:
    """Random numbers that the page draws from a seeded generator: the same ones as in Python."""

    shape: tuple[int, ...]
    seed: int
    kind: str

    def __init__(self, *shape: int, seed: int = 0, kind: str = "normal"):
        lengths, seed = plain(shape), plain(seed)
        if not lengths or not all(type(n) is int and n > 0 for n in lengths):
            raise ValueError(f"Noise expected lengths above 0, as in Noise(256, 2); got {shape}")
        if kind not in ("normal", "uniform"):
            raise ValueError(f"Noise expected kind 'normal' or 'uniform'; got {kind!r}")
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise ValueError(f"Noise expected a whole seed from 0 to 2**32 - 1; got {seed!r}")
        for name, value in (("shape", tuple(lengths)), ("seed", seed), ("kind", kind)):
            object.__setattr__(self, name, value)

    def realisation(self, k: int) -> Tensor:
        """Realisation k of this noise; 0 is the first.  The page mixes the seeds likewise."""
        seed = (self.seed + 1009 * k) % 2**32
        return torch.as_tensor(noise(self.kind, self.shape, seed)).reshape(self.shape)


class ControlTrait(TraitType):
    """The value of a control as a trait: any control checks, and its error states what it expected."""

    def __init__(self, name: str, control: Slider | Checkbox | Choice):
        self.control_name, self.control = name, control
        super().__init__(control.value)

    def validate(self, obj, value):
        try:
            return self.control.check(value)
        except ControlError as error:
            raise ControlError(f"{self.control_name} {error}") from None


def as_control(name: str, value) -> Slider | Checkbox | Choice | Noise | Drawn:
    """The control of an abbreviation."""
    try:
        if isinstance(value, (Slider, Checkbox, Choice, Noise, Drawn)):
            return value
        if isinstance(plain(value), bool):
            return Checkbox(value)
        if isinstance(value, list):
            return Choice(value)
        if isinstance(value, tuple) and len(value) == 3:
            return Slider(*value)
    except ValueError as error:
        raise ValueError(f"control {name}: {error}") from None
    raise ValueError(
        f"control {name}: expected (min, max, value), True or False, a list of options, or "
        f"Slider, Checkbox, Choice, Noise or Drawn; got {value!r}"
    )


def given(control: Slider | Checkbox | Choice, value):
    """What ``fn`` gets for a value of a control."""
    if control.discrete:
        return value
    if isinstance(control, Choice) and isinstance(value, str):
        value = control.options.index(value)
    return torch.tensor(float(value))


def control_spec(name: str, control) -> dict:
    """What the page needs of one control, as plain JSON."""
    if isinstance(control, (Noise, Drawn)):
        own = {"kind": control.kind, "shape": list(control.shape)}
        return {"name": name, **asdict(control), **own}
    spec = {"name": name, "kind": control.kind, **asdict(control)}
    if not spec.get("as_number"):
        spec.pop("as_number", None)  # the page reads it where it is
    return {**spec, "label": control.label or default_label(name)}


def default_label(name: str) -> str:
    """``u1`` reads u₁ and ``log_scale`` reads log scale."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :] if len(stem) == 1 else ""
    stem = stem if digits else name
    return stem.replace("_", " ") + digits.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _round_step(slider: Slider) -> float:
    """About 200 steps from end to end, a 1, 2 or 5 times a power of ten, that also lands on the value and the end."""
    rough = (slider.max - slider.min) / 200
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda m: abs(math.log(m * power / rough)))
    while step > (slider.max - slider.min) / 1e4 and not _lands(slider, step):
        step /= 10
    return float(f"{step:.6g}")


def _lands(slider: Slider, step: float) -> bool:
    counts = [(end - slider.min) / step for end in (slider.value, slider.max)]
    return all(abs(count - round(count)) < 1e-6 for count in counts)
