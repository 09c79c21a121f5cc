"""Figures that run without a kernel: a torch function, traced once, that a page evaluates."""

from flowlib.live import marks
from flowlib.live.adam import adam_start, adam_step, with_parameters
from flowlib.live.controls import Checkbox, Choice, ControlError, Noise, Slider
from flowlib.live.drawing import Drawn
from flowlib.live.figure import LiveFigure, live
from flowlib.live.marks import *
from flowlib.live.panels import axes, readouts, sound
from flowlib.live.takeaway import code_of, load_parameters, offer_code
from flowlib.live.trace import TraceError
from flowlib.live.trainer import TrainingFigure, train

__all__ = [
    "Checkbox",
    "Choice",
    "ControlError",
    "Drawn",
    "LiveFigure",
    "Noise",
    "Slider",
    "TraceError",
    "TrainingFigure",
    "adam_start",
    "adam_step",
    "axes",
    "code_of",
    "live",
    "load_parameters",
    "offer_code",
    "readouts",
    "sound",
    "train",
    "with_parameters",
]
__all__ += marks.__all__
