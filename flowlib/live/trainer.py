"""``train``: a flow that learns in the page, by the very step that torch traced.

The whole step is traced, gradient and optimiser included; the page runs it again and again.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import torch
from torch import Tensor

from flowlib.live.builder import Builder, ConstantPool, TraceError, Value
from flowlib.live.figure import (
    LiveFigure,
    check_traces,
    choices,
    example_inputs,
    figure_spec,
    graph_key,
    sort_controls,
    with_traits,
)
from flowlib.live.numbers import plain
from flowlib.live.trace import trace

State = dict[str, Tensor]


class TrainingFigure(LiveFigure):
    """A figure made by :func:`train`.  Its page trains by itself, and ``fig.run(100)`` in Python.

    ``fig.state`` is the present state of the training in Python, ``fig.losses`` (steps,) the loss at each
    step so far, and infinite after that, ``fig.count`` the number of steps done.
    """

    state: State
    losses: Tensor
    count: int

    def __init__(self, start, step, show, moved: dict, noises: dict, **traits):
        self._start, self._step = start, step
        super().__init__(show, moved, noises, **traits)
        if restarting := traits["spec"]["train"]["takes"]["start"]:
            self.observe(lambda change: self.reset(), names=restarting)
        self.reset()

    def reset(self):
        """Back to step 0."""
        choice = {name: self.value[name] for name in _takes(self._start)}
        self.state, self.count = _begin(self._start, choice), 0
        self.losses = torch.full((self.spec["train"]["steps"],), torch.inf)

    def run(self, steps: int = 1):
        """Train in Python, as the page does: the same steps on the same noise.

        Raises:
            FloatingPointError: a loss or a state that is not finite.  It names the step; the state
                is left as it was when the loss was last finite.
        """
        before = None
        for k in range(self.count, min(self.count + steps, len(self.losses))):
            given = self._arguments(self.seed * len(self.losses) + k)
            loss, state = _call(self._step, self.state, **given)
            if not all(value.isfinite().all() for value in (loss, *state.values())):
                if before and not math.isfinite(loss):
                    self.state, self.count = before, k - 1
                    self.losses[k - 1] = torch.inf
                raise FloatingPointError(
                    f"the loss is {loss.item()} at step {k}, or a number of the state after it is "
                    "not finite; the state is back where the loss was last finite"
                )
            before, self.state = self.state, {name: v.detach() for name, v in state.items()}
            self.losses[k], self.count = loss.detach(), k + 1

    def evaluate(self) -> dict[str, Tensor]:
        """What ``show`` returns for the present state and controls."""
        given = self._arguments(self.seed * len(self.losses)) | {"losses": self.losses.clone()}
        with torch.no_grad():
            outputs = _call(self._fn, self.state, **given)
        return {name: out.detach() for name, out in outputs.items()}


def train(
    start: Callable[..., State],
    step: Callable[..., tuple[Tensor, State]],
    show: Callable[..., dict[str, Tensor]],
    *panels: dict,
    name: str,
    steps: int = 2000,
    caption: str = "",
    **controls,
) -> TrainingFigure:
    """A figure in which a reader trains a flow: with Start, Pause, Step and Reset.

    Each function takes those of the controls that it names: sliders as 0-d tensors, noise as
    tensors, checkboxes and dropdowns as plain values.  It is traced once for each value of the
    checkboxes and dropdowns that it names itself.

    Args:
        start: returns the state before the first step, a dict of finite tensors.  It takes
            checkboxes and dropdowns only.  When one of them changes, or one that ``step`` takes as
            a number, training begins again.
        step: of the state, the loss (a scalar, in nats) and the next state: the same names and
            shapes.  Step k gets realisation k of the noise.
        show: of the state, the outputs that the panels show, as in :func:`live`.  It may take
            ``losses`` too, shape (steps,): the loss at each step, infinite where none was done yet,
            which a curve does not draw.
        panels, name, caption, controls: as in :func:`live`.
        steps: where the training stops.

    Raises:
        ValueError: as :func:`live`; a step that changes the state's names or shapes, or whose loss
            is no scalar, or not finite at the defaults; a control that no function takes.
        TraceError: a function does what a page cannot repeat.

    Example:
        >>> import torch
        >>> from flowlib.live import curve, axes, train
        >>> def step(state, lr):
        ...     gradient, loss = torch.func.grad_and_value(torch.square)(state["x"])
        ...     return loss, {"x": state["x"] - lr * gradient}
        >>> def show(state, losses):
        ...     return {"k": torch.arange(50.0), "loss": losses}
        >>> picture = axes(curve("k", "loss"), x=(0, 50), y=(0, 10), alt="The loss falls.")
        >>> begin = lambda: {"x": torch.tensor(3.0)}
        >>> fig = train(begin, step, show, picture, name="descent", steps=50, lr=(0.0, 0.5, 0.1))
        >>> fig.run(2)
        >>> fig.losses[:3]
        tensor([9.0000, 5.7600,    inf])
    """
    steps = plain(steps)
    moved, noises = sort_controls(TrainingFigure, controls)
    roles = {"start": start, "step": step, "show": show}
    takes = {role: _takes(fn) for role, fn in roles.items()}
    _check_names(takes, moved, noises)
    inputs = example_inputs(moved, noises, panels) | {"losses": torch.full((steps,), torch.inf)}

    for role in ("step", "show"):
        check_traces(len(choices({k: v for k, v in moved.items() if k in takes[role]})))
    pool = ConstantPool()
    graphs: dict[str, dict] = {}
    for choice in choices(moved):
        own = {role: {k: v for k, v in choice.items() if k in takes[role]} for role in roles}
        keys = {role: role + graph_key(own[role]) for role in roles}
        state = _begin(start, own["start"])
        graphs.setdefault(keys["start"], _constants(state, pool))
        for role in ("step", "show"):
            given = {f"state.{k}": v for k, v in state.items()}
            given |= {k: v for k, v in inputs.items() if k in takes[role]}
            if keys[role] not in graphs:
                graphs[keys[role]] = trace(_flat(roles[role], role, own[role]), given, pool)
            _check_state(role, choice, graphs[keys[role]], state)

    shapes = [graph["shapes"] for key, graph in graphs.items() if key.startswith("show")]
    spec = figure_spec(name, caption, moved, noises, panels, shapes)
    named = {role: list(own[role]) for role in roles}
    named["start"] += [n for n in takes["step"] if getattr(moved.get(n), "as_number", False)]
    spec["train"] = {"steps": steps, "takes": named}
    figure = with_traits(TrainingFigure, moved)(
        start, step, show, moved, noises, spec=spec, graphs=graphs, data=pool.tobytes()
    )
    figure.shown()
    try:
        figure.run(1)
    except FloatingPointError as error:
        raise ValueError(f"train expected a finite loss at the defaults; {error}") from None
    figure.reset()
    return figure


def _takes(fn: Callable) -> list[str]:
    """The names of what a function takes, the state among them."""
    return list(inspect.signature(fn).parameters)


def _call(fn: Callable, *state: State, **given):
    """``fn`` of the state and of what else it names."""
    names = _takes(fn)
    return fn(*state, **{name: value for name, value in given.items() if name in names})


def _begin(start: Callable[..., State], choice: dict) -> State:
    """The state before the first step, as copies."""
    state = start(**choice)
    tensors = isinstance(state, dict) and all(isinstance(v, Tensor) for v in state.values())
    if not tensors or not all(value.isfinite().all() for value in state.values()):
        raise ValueError(f"start expected to return a dict of finite tensors; got {state}")
    return {name: value.detach().clone() for name, value in state.items()}


def _constants(state: State, pool: ConstantPool) -> dict:
    """A graph that has the state for its outputs."""
    return Builder({}, pool).finish({f"state.{k}": Value.constant(v) for k, v in state.items()})


def _flat(fn: Callable, role: str, choice: dict) -> Callable[..., dict[str, Tensor]]:
    """``step`` or ``show`` as a function of named tensors that returns named tensors."""

    def flat(**inputs):
        state = {k.removeprefix("state."): v for k, v in inputs.items() if k.startswith("state.")}
        rest = {k: v for k, v in inputs.items() if not k.startswith("state.")}
        outputs = fn(state, **rest, **choice)
        if role == "show":
            return outputs
        if not (isinstance(outputs, tuple) and len(outputs) == 2 and isinstance(outputs[1], dict)):
            kind = type(outputs).__name__
            raise TraceError(f"step expected to return (loss, state); got {kind}")
        loss, state = outputs
        return {"loss": loss} | {f"state.{k}": v for k, v in state.items()}

    return flat


def _check_names(takes: dict[str, list[str]], moved: dict, noises: dict):
    """Refuse a function that takes what there is not, and a control that no function takes."""
    discrete = [name for name, control in moved.items() if control.discrete]
    there = {
        "start": discrete,
        "step": [takes["step"][0], *moved, *noises],
        "show": [takes["show"][0], "losses", *moved, *noises],
    }
    for role, names in takes.items():
        for name in names:
            if name not in there[role]:
                what = "checkboxes and dropdowns" if role == "start" else "controls"
                raise ValueError(f"{role} expected {what} by name; it takes {name!r}")
    for name in [*moved, *noises]:
        if not any(name in names for names in takes.values()):
            raise ValueError(f"no function takes the control {name!r}")


def _check_state(role: str, choice: dict, graph: dict, state: State):
    """Refuse a state of other names or shapes than a graph was traced for, or returns."""
    expected = {f"state.{name}": list(value.shape) for name, value in state.items()}

    def states(shapes: dict) -> dict:
        return {name: shape for name, shape in shapes.items() if name.startswith("state.")}

    traced = states(dict(zip(graph["inputs"], graph["input_shapes"])))
    if traced != expected:
        raise ValueError(
            f"{role} expected a state of one shape for each of its own choices: {traced}; at "
            f"{choice}, start gives {expected}. Let {role} name what the shapes depend on"
        )
    if role == "step" and states(graph["shapes"]) != expected:
        raise ValueError(
            "step expected to return a state of the names and shapes that it got, "
            f"{expected}; got {states(graph['shapes'])}"
        )
    if role == "step" and graph["shapes"]["loss"] != []:
        raise ValueError(f"step expected a scalar loss; got shape {graph['shapes']['loss']}")
