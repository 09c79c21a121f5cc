"""``live``: an ordinary torch function and a few controls become a figure that needs no kernel.

``fn`` is traced once for each combination of checkboxes and dropdowns; sliders and noise stay
inputs of the trace.  The graphs and their constants travel with the figure, and the page evaluates
them.  In Jupyter the figure is a widget: each control is a trait that ``ipywidgets.link``,
``observe`` and, through ``value``, ``interactive_output`` reach.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
from functools import partial

import anywidget
import torch
import traitlets
from torch import Tensor

from flowlib.live import bundle, saved, static, words
from flowlib.live.controls import ControlError, ControlTrait, Noise, as_control, control_spec, given
from flowlib.live.drawing import Drawn, check_when, paper_of, realisations
from flowlib.live.guess import check_guess
from flowlib.live.hands import check_hands
from flowlib.live.panels import check_outputs, outputs_read, place
from flowlib.live.trace import ConstantPool, trace

BOOK_MIME = "application/vnd.flowlib.figure+json"
MOST_TRACES = 64


class LiveFigure(anywidget.AnyWidget):
    """A figure made by :func:`live`; every control is a trait of its own name.

    ``fig.u1 = 2.0`` moves the slider, ``fig.evaluate()`` computes the outputs in torch,
    ``fig.draw()`` is the picture by matplotlib, ``fig.value`` all the controls as one dict.
    """

    _esm = bundle.esm()
    _css = bundle.css()
    _ipython_display_ = None  # that of ipywidgets 7, Colab's, would leave the picture out

    spec = traitlets.Dict().tag(sync=True)
    graphs = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    seed = traitlets.Int(0, min=0, help="which realisation of the noise").tag(sync=True)
    drawing = traitlets.Any([], help="points that the reader drew, a list of [x, y]").tag(sync=True)
    value = traitlets.Dict(read_only=True)

    def __init__(self, fn, controls: dict, noises: dict[str, Noise | Drawn], **traits):
        self._fn, self._controls, self._noises = fn, controls, noises
        self._paper = paper_of(traits["spec"]["panels"], noises)
        super().__init__(**traits)
        if controls:
            self.observe(self._collect, names=list(controls))
        if self._paper:
            self.drawing = self._paper.shape(self._paper.start)
        self._collect()

    def _collect(self, change=None):
        self.set_trait("value", {name: getattr(self, name) for name in self._controls})

    @traitlets.validate("drawing")
    def _on_paper(self, proposal):
        try:
            if self._paper is None:
                raise ValueError(f"figure {self.spec['name']} has no axes with drawing=")
            return self._paper.check(proposal["value"])
        except ValueError as error:
            raise ControlError(str(error)) from None

    def evaluate(self) -> dict[str, Tensor]:
        """What ``fn`` returns for the present controls."""
        with torch.no_grad():
            outputs = self._fn(**self._arguments(self.seed))
        return {name: out.detach() for name, out in outputs.items()}

    def _arguments(self, k: int) -> dict:
        """The present controls, and realisation k of the noise and of the drawing's rows."""
        values = {
            name: given(control, self.value[name]) for name, control in self._controls.items()
        }
        return values | realisations(self._noises, k, self._paper, self.drawing)

    def draw(self):
        """The figure in its present state, as a ``matplotlib.figure.Figure``: for print, PDF and PNG."""
        return static.picture(self.spec, self.value, self.shown())

    def save(self, path: str | os.PathLike):
        """Write the figure in its present state to a file: a page that runs it, or a picture.

        Args:
            path: ends in ``.html``, for one file that runs from disk and requests nothing, in which
                training starts anew; or in ``.png`` or ``.svg``, for :meth:`draw`.

        Raises:
            ValueError: another ending.
            OSError: a folder that is missing or cannot be written to.
        """
        saved.save(self, path)

    def shown(self) -> dict[str, Tensor]:
        """The outputs that the panels show.  Raises ValueError on a NaN, as the page does."""
        outputs = self.evaluate()
        for name in {name for panel in self.spec["panels"] for name, *_ in outputs_read(panel)}:
            if outputs[name].isnan().any():
                raise ValueError(
                    f"figure {self.spec['name']}: expected numbers in output {name!r}; got "
                    f"{int(outputs[name].isnan().sum())} NaN at {self.value}"
                )
        return outputs

    def book_data(self) -> dict:
        """What a page needs to begin in the present state, as plain JSON."""
        outputs = self.shown()
        controls = [entry | {"value": self.value[entry["name"]]} for entry in self.spec["controls"]]
        png, width, height = static.to_png(static.picture(self.spec, self.value, outputs))
        return {
            "spec": self.spec | {"controls": controls, "seed": self.seed},
            "graphs": self.graphs,
            "data": base64.b64encode(self.data).decode(),
            "png": base64.b64encode(png).decode(),
            "width": width,
            "height": height,
            "alt": words.describe(self.spec, self.value, outputs),
        }

    def open(self):
        """Open the channel to the notebook's page; a built book has none."""
        if not _in_book():
            super().open()

    def _repr_mimebundle_(self, **kwargs):
        text = f"LiveFigure({self.spec['name']!r})"
        if _in_book():
            book = self.book_data()
            return {BOOK_MIME: book, "image/png": book["png"], "text/plain": text}, {}
        png, *_ = static.to_png(self.draw())
        widget, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        widget |= {"image/png": base64.b64encode(png).decode(), "text/plain": text}
        return widget, metadata


def live(fn, *panels: dict, name: str, caption: str = "", **controls) -> LiveFigure:
    """A figure that redraws ``fn``'s outputs as a reader moves its controls.

    Args:
        fn: a torch function of the controls, by name, that returns a dict of tensors.  Sliders
            reach it as 0-d float32 tensors, noise as float32 tensors, checkboxes and dropdowns as
            plain Python values.
        panels: what :func:`axes`, :func:`readouts` and :func:`sound` return.
        name: lower case with hyphens; unique on the page, and the address of a shared state.
        caption: what to predict, what to move, and what should happen.
        controls: see :mod:`flowlib.live.controls`.

    Raises:
        ValueError: an output that a panel shows is missing, of another shape, or NaN at the
            defaults; a control that makes no sense.
        TraceError: ``fn`` does what a page cannot repeat.  The message names it and its line.

    Example:
        >>> import torch
        >>> from flowlib.live import axes, curve, live
        >>> def line(slope):
        ...     x = torch.linspace(-1, 1, 50)
        ...     return {"x": x, "y": slope * x}
        >>> picture = axes(curve("x", "y"), x=(-1, 1), y=(-2, 2), alt="A straight line.")
        >>> fig = live(line, picture, name="line", slope=(-2.0, 2.0, 1.0))
        >>> fig.slope = 0.5
        >>> fig.evaluate()["y"][-1]
        tensor(0.5000)
    """
    moved, noises = sort_controls(LiveFigure, controls)
    inputs, pool = example_inputs(moved, noises, panels), ConstantPool()
    check_traces(len(choices(moved)))
    graphs = {
        graph_key(choice): trace(partial(fn, **choice), inputs, pool) for choice in choices(moved)
    }
    shapes = [graph["shapes"] for graph in graphs.values()]
    spec = figure_spec(name, caption, moved, noises, panels, shapes)
    figure = with_traits(LiveFigure, moved)(
        fn, moved, noises, spec=spec, graphs=graphs, data=pool.tobytes()
    )
    figure.shown()
    return figure


def sort_controls(kind: type, controls: dict) -> tuple[dict, dict[str, Noise | Drawn]]:
    """What a reader moves, and the noise, from the abbreviations given to ``live``."""
    every = {key: as_control(key, value) for key, value in controls.items()}
    for key in every:
        if hasattr(kind, key) or key in kind.__annotations__ or key.startswith("_"):
            raise ValueError(f"a widget has a {key!r} of its own; give the control another name")
    noises = {key: c for key, c in every.items() if isinstance(c, (Noise, Drawn))}
    return {key: c for key, c in every.items() if key not in noises}, noises


def example_inputs(moved: dict, noises: dict[str, Noise | Drawn], panels) -> dict[str, Tensor]:
    """The sliders at their defaults, the first realisation of the noise and of the first drawing."""
    sliders = {k: given(c, c.value) for k, c in moved.items() if not c.discrete}
    paper = paper_of(panels, noises)
    return sliders | realisations(noises, 0, paper, paper.shape(paper.start) if paper else [])


def choices(moved: dict) -> list[dict]:
    """Every combination of checkboxes and dropdowns."""
    discrete = {key: control.options for key, control in moved.items() if control.discrete}
    return [dict(zip(discrete, values)) for values in itertools.product(*discrete.values())]


def check_traces(count: int):
    """Refuse so many combinations of checkboxes and dropdowns that tracing would take minutes."""
    if count > MOST_TRACES:
        raise ValueError(
            f"live expected at most {MOST_TRACES} combinations of checkboxes and dropdowns, each "
            f"of which is a trace of its own; got {count}"
        )


def graph_key(choice: dict) -> str:
    """The name of a choice's graph, as the page writes it."""
    return json.dumps(list(choice.values()), separators=(",", ":"), ensure_ascii=False)


def figure_spec(name: str, caption: str, moved: dict, noises: dict, panels, shapes: list) -> dict:
    """What the page needs besides the graphs; refuses panels that outputs do not fit."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"live expected a name such as 'planar-layer'; got {name!r}")
    if not panels or not all(isinstance(p, dict) and "kind" in p for p in panels):
        raise ValueError(f"live expected panels such as axes(...) or readouts(...); got {panels}")
    if all(panel["kind"] == "sound" for panel in panels):
        raise ValueError(f"live expected a picture or a number with a sound; got {panels}")
    for each in shapes:
        check_outputs(panels, each)
    controls = [control_spec(key, control) for key, control in moved.items()]
    panels = place(list(panels), shapes[0])
    check_hands(panels, controls)
    check_guess(panels)
    check_when(noises, moved)
    paper = paper_of(panels, noises)
    return {
        "name": name,
        "caption": caption,
        "controls": controls,
        "noise": [control_spec(key, noise) for key, noise in noises.items()],
        "panels": panels,
        **({"drawing": paper.spec()} if paper else {}),
    }


def with_traits(kind: type, moved: dict) -> type:
    """A kind of figure with a trait for each control."""
    traits = {key: ControlTrait(key, c).tag(sync=True) for key, c in moved.items()}
    return type(kind.__name__, (kind,), {"__module__": kind.__module__, **traits})


def _in_book() -> bool:
    return os.environ.get("FLOWLIB_BOOK") == "1"
