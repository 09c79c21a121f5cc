"""What a figure shows: axes with marks on them, and numbers; and what it lets one hear.

Each function here returns a small dict of plain JSON, which both ``static.py`` (matplotlib) and the
page read; ``marks.py`` has the marks.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowlib.live.drawing import SHAPES as SHAPES_TO_DRAW
from flowlib.live.guess import guessed
from flowlib.live.hands import hands
from flowlib.live.marks import SHAPES
from flowlib.live.numbers import is_number, plain


def axes(
    *marks: dict,
    x: tuple[float, float] | None = None,
    y: tuple[float, float] | None = None,
    alt: str,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    equal: bool = False,
    probe: tuple[str, str] | None = None,
    drag: Iterable[tuple] = (),
    drawing: str | None = None,
    guess: str | Iterable[str] | None = None,
):
    """A picture with an x and a y range, and marks drawn in the order given.

    Args:
        marks: what :func:`heat`, :func:`points`, ... return.
        x: the range; left out where there are bars or a matrix.
        y: the range; left out where there is a matrix.  It never follows the data: a reader could
            not see a change of scale.
        alt: one sentence for people who cannot see the picture.  The state of the controls and
            the readouts follow it, so describe what is drawn, not which values it has now.
        equal: one unit of x is as long as one of y, as planes need.
        probe: two sliders that a reader moves by pointing at a place in the picture.  A cross-hair
            is drawn there; the two have no rows among the controls.
        drag: pairs of sliders, each with a handle in the picture, to be dragged; a number in place
            of one of the two stays.
        drawing: the shape that a reader's drawing on these axes starts from, for a control that is
            :class:`Drawn`: "two moons", "ring", "spiral", "eight Gaussians", "checkerboard" or
            "banana".
        guess: the y of a curve that the reader draws before seeing it, and after it other outputs
            that would give it away: what shows them is hidden until then.
    """
    if not marks or not all(isinstance(m, dict) and m.get("kind") in SHAPES for m in marks):
        raise ValueError(f"axes expected marks such as heat(...) or points(...); got {marks}")
    if not alt.strip():
        raise ValueError("axes expected alt, one sentence on what is drawn; got nothing")
    kinds = [m["kind"] for m in marks]
    if "matrix" in kinds and (kinds.count("matrix") > 1 or x or y):
        raise ValueError(f"axes expected one matrix, and no x and y with it; got {kinds, x, y}")
    if drawing is not None and (drawing not in SHAPES_TO_DRAW or not (x and y)):
        shapes = ", ".join(SHAPES_TO_DRAW)
        raise ValueError(f"axes expected drawing to be {shapes}, and x and y; got {drawing!r}")
    panel = plain({"x": x, "y": y, "marks": marks})
    for name in ("x", "y"):
        pair = panel[name]
        if pair is None and ("matrix" in kinds or (name == "x" and "bars" in kinds)):
            continue
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(is_number, pair)):
            raise ValueError(f"axes expected {name}=(low, high), two finite numbers; got {pair!r}")
        if not pair[0] < pair[1]:
            raise ValueError(f"axes expected {name}=(low, high) with low < high; got {pair!r}")
    return {
        "kind": "axes",
        **panel,
        "xlabel": xlabel,
        "ylabel": ylabel,
        "title": title,
        "alt": alt.strip(),
        "equal": equal,
        **hands(probe, drag),
        **({"drawing": drawing} if drawing else {}),
        **guessed(guess, marks),
    }


def readouts(digits: int = 3, words: dict[str, Iterable[str]] | None = None, **labels: str):
    """Numbers under the picture: ``readouts(mass="total mass")`` shows the 0-d output ``mass``.

    Args:
        digits: after the point.
        words: by name, what to show in place of the numbers 0, 1, ...

    Example:
        >>> readouts(words={"sign": ("below zero", "above")}, sign="the sum is")["items"]
        [{'name': 'sign', 'label': 'the sum is', 'digits': 3, 'words': ['below zero', 'above']}]
    """
    if not labels:
        raise ValueError("readouts expected at least one name=label; got none")
    words = words or {}
    if unknown := [name for name in words if name not in labels]:
        raise ValueError(f"readouts expected words for {', '.join(labels)}; got {unknown}")
    items = [
        {"name": name, "label": text, "digits": plain(digits)}
        | ({"words": list(words[name])} if name in words else {})
        for name, text in labels.items()
    ]
    return {"kind": "readouts", "items": items}


def sound(wave: str, rate: float, label: str = "sound"):
    """A button that plays output ``wave`` (T,) as it is: ``rate`` numbers make a second.

    A wave of RMS 1 plays at a tenth of full scale, and none louder than a half; so two waves
    keep their difference in loudness, and none startles.  It ends with the last number that is not 0.
    ``label`` follows "Play".

    Raises:
        ValueError: a rate that is not from 1,000 to 96,000.
    """
    if not 1_000 <= rate <= 96_000:
        raise ValueError(f"sound expected a rate from 1000 to 96000 numbers a second; got {rate}")
    return {"kind": "sound", "wave": wave, "rate": plain(rate), "label": label}


def outputs_read(panel: dict) -> list[tuple[str, tuple, str]]:
    """Every output that a panel shows: its name, the shape expected, and who reads it."""
    if panel["kind"] == "readouts":
        return [(item["name"], (), "readouts") for item in panel["items"]]
    if panel["kind"] == "sound":
        return [(panel["wave"], ("T",), "sound")]
    return [
        (mark[argument], shape, f"{mark['kind']}({argument})")
        for mark in panel["marks"]
        for argument, shape in SHAPES[mark["kind"]].items()
    ]


def check_outputs(panels: list[dict], shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless ``shapes`` has every output that is shown, with the right shape."""
    for panel in panels:
        for name, expected, reader in outputs_read(panel):
            if name not in shapes:
                raise ValueError(
                    f"{reader} expected an output {name!r} of fn; got {', '.join(sorted(shapes))}"
                )
            if not _fits(shapes[name], expected):
                wanted = f"({', '.join(map(str, expected))})" if expected else "(), a 0-d tensor"
                raise ValueError(
                    f"{reader} expected output {name!r} of shape {wanted}; got {tuple(shapes[name])}"
                )
        for mark in panel.get("marks", []):
            if mark["kind"] == "curve" and tuple(shapes[mark["x"]]) != tuple(shapes[mark["y"]]):
                raise ValueError(
                    f"curve expected x and y of one length; got {mark['x']!r} "
                    f"{tuple(shapes[mark['x']])} and {mark['y']!r} {tuple(shapes[mark['y']])}"
                )
            count = shapes[mark["heights"]][0] if mark["kind"] == "bars" else 0
            if count and mark["labels"] and len(mark["labels"]) != count:
                raise ValueError(
                    f"bars expected {count} labels, one for each bar; got {mark['labels']}"
                )


def place(panels: list[dict], shapes: dict[str, tuple[int, ...]]) -> list[dict]:
    """Panels with what follows from shapes and neighbours: ranges left out, the plots' proportions."""
    count = sum(panel["kind"] == "axes" for panel in panels)
    usual = {1: 2.4, 2: 1.3}.get(count, 1.0)  # width over height
    return [_placed(panel, shapes, usual) if panel["kind"] == "axes" else panel for panel in panels]


def _placed(panel: dict, shapes: dict, usual: float) -> dict:
    for mark in panel["marks"]:
        if mark["kind"] == "matrix":
            rows, columns = shapes[mark["value"]]
            ranges = {"x": [0.5, columns + 0.5], "y": [rows + 0.5, 0.5]}  # row 1 at the top
            return {**panel, **ranges, "aspect": round(columns / rows, 4)}
    bars_here = [mark for mark in panel["marks"] if mark["kind"] == "bars"]
    x = panel["x"] or [-0.6, max(shapes[mark["heights"]][0] for mark in bars_here) - 0.4]
    width, height = x[1] - x[0], panel["y"][1] - panel["y"][0]
    aspect = width / height if panel["equal"] else usual
    return {**panel, "x": x, "aspect": round(aspect, 4)}


def _fits(shape, expected) -> bool:
    return len(shape) == len(expected) and all(
        isinstance(want, str) or have == want for have, want in zip(shape, expected)
    )
