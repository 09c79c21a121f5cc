"""A guess before the truth: what a figure hides until its reader has guessed it.

``axes(curve("x", "p"), ..., guess="p")`` asks for the curve of output ``p``.  The reader drags a curve
in the page and presses *Compare*; then the page draws the truth, and shows the area between the two
as a number.  ``js/guess.js`` does that.  Until then, and in the static picture, the curve is hidden, and
so is all that shows one of the other outputs named.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowlib.live.marks import SHAPES


def guessed(guess: str | Iterable[str] | None, marks) -> dict:
    """The names of a guess as part of a panel; the first is the y of the curve to guess."""
    names = [guess] if isinstance(guess, str) else list(guess or ())
    if not names:
        return {}
    curves = [m["y"] for m in marks if m["kind"] == "curve" and m["fill"] != "inside"]
    if names[0] not in curves:
        raise ValueError(
            f"axes expected guess to name the y of one of its curves; got {names[0]!r}"
        )
    return {"guess": names}


def check_guess(panels: list[dict]) -> None:
    """Raise ValueError unless a figure asks for one curve at most, and shows all that it hides."""
    asked = [panel["guess"] for panel in panels if panel.get("guess")]
    if len(asked) > 1:
        raise ValueError(f"a figure expected one guess at most; got {asked}")
    shown = {name for panel in panels for mark in panel.get("marks", []) for name in reads(mark)}
    shown |= {item["name"] for panel in panels for item in panel.get("items", [])}
    for name in hidden(panels):
        if name not in shown:
            raise ValueError(f"axes expected guess to name outputs that are shown; got {name!r}")


def hidden(panels: list[dict]) -> set[str]:
    """The outputs that would give the guess away."""
    return {name for panel in panels for name in panel.get("guess", [])}


def reads(mark: dict) -> set[str]:
    """The outputs that a mark shows."""
    return {mark[argument] for argument in SHAPES[mark["kind"]]}
