"""What a reader moves in a picture itself: places, each of which is a pair of sliders.

``axes(probe=("z1", "z2"))`` draws a cross-hair at the two values, which goes to where a reader
presses; ``axes(drag=[("u1", "u2")])`` draws a handle there.  Both are sliders in all else: ``fn``
gets their values, a notebook has them as traits, a link carries them.  ``js/pointer.js`` draws and
moves them in the page.
"""

from __future__ import annotations

from flowlib.live.numbers import is_number, plain

RING, RIM, CROSS, HALO = 7, 2, 1, 1  # pixels, as in js/pointer.js


def hands(probe, drag) -> dict:
    """The part of a panel that names its places, as plain JSON."""
    probe, drag = plain(probe), plain(list(drag))
    if probe is not None and not (_is_pair(probe) and all(isinstance(n, str) for n in probe)):
        raise ValueError(f"axes expected probe as the names of two sliders; got {probe!r}")
    for pair in drag:
        if not _is_pair(pair) or not any(isinstance(each, str) for each in pair):
            raise ValueError(
                "axes expected drag as pairs of sliders' names, or of a name and a number that "
                f"stays; got {pair!r}"
            )
    return {"probe": probe, "drag": drag}


def _is_pair(pair) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(each, str) or is_number(each) for each in pair)
        and pair[0] != pair[1]
    )


def pairs(panel: dict) -> list[list]:
    """The places of a panel; the probe's is the last, over all handles."""
    return [*panel["drag"], *([panel["probe"]] if panel["probe"] else [])]


def check_hands(panels: list[dict], controls: list[dict]) -> None:
    """Raise ValueError unless each place is of sliders that do not leave the axes."""
    sliders = {each["name"]: each for each in controls if each["kind"] == "slider"}
    for panel in (each for each in panels if each["kind"] == "axes"):
        for axis, name in ((axis, name) for pair in pairs(panel) for axis, name in zip("xy", pair)):
            if isinstance(name, str) and name not in sliders:
                raise ValueError(
                    f"axes expected a slider named {name!r}, to be moved in the picture; "
                    f"the sliders are {', '.join(sliders) or 'none'}"
                )
            ends = [sliders[name][end] for end in ("min", "max")] if name in sliders else [name]
            low, high = sorted(panel[axis])
            if not all(low <= end <= high for end in ends):
                raise ValueError(
                    f"axes expected {axis} to hold all that {name!r} can be, "
                    f"{' to '.join(map(str, ends))}; got {axis}=({low}, {high})"
                )


def place(pair: list, values: dict) -> list[float]:
    """Where a pair is, by the present values of the controls."""
    return [values[each] if isinstance(each, str) else each for each in pair]
