"""Numbers and states as words: one set of rules for the page, the static picture and its alt text.

``js/words.js`` keeps the same rules; a test holds one against the other.
"""

from __future__ import annotations

import math

from flowlib.live.guess import hidden


def number(value: float, digits: int) -> str:
    """Fixed decimals, a true minus sign, no negative zero; very large or small as a power of ten."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1e6:
        text = f"{value:.{digits}e}".replace("e+0", "e").replace("e+", "e")
    else:
        text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def readout(item: dict, value: float) -> str:
    """The value of a readout: its word where it has words, else the number."""
    words = item.get("words", [])
    return words[int(value)] if value in range(len(words)) else number(value, item["digits"])


def decimals(step: float) -> int:
    """How many decimals a slider's value needs: 2 for a step of 0.05."""
    return next((n for n in range(8) if abs(round(step, n) - step) < 1e-9 * step), 8)


def control_value(control: dict, value) -> str:
    if control["kind"] == "checkbox":
        return "on" if value else "off"
    return number(value, decimals(control["step"])) if control["kind"] == "slider" else str(value)


def describe(spec: dict, values: dict, outputs: dict) -> str:
    """The text alternative of a whole figure: what is drawn, then its state."""
    alts = [panel["alt"] for panel in spec["panels"] if panel["kind"] == "axes"]
    return " ".join([*alts, state(spec, values, outputs)]).strip()


def state(spec: dict, values: dict, outputs: dict) -> str:
    """The controls and the readouts as one sentence."""
    said = [f"{c['label']} = {control_value(c, values[c['name']])}" for c in spec["controls"]]
    unsaid = hidden(spec["panels"])
    for panel in spec["panels"]:
        for item in panel.get("items", []):
            if item["name"] in unsaid:
                continue
            value = readout(item, float(outputs[item["name"]]))
            said.append(f"{item['label']}: {value}")
    return ", ".join(said) + "." if said else ""


def ticks(low: float, high: float, most: int) -> list[float]:
    """About ``most`` round numbers, 1, 2 or 5 times a power of ten apart; three at least."""
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [m * power for m in (0.2, 0.5, 1, 2, 5, 10)]
    at = next(i for i, step in enumerate(steps) if step >= rough * (1 - 1e-9))
    while len(values := _multiples(low, high, steps[at])) < 3:
        at -= 1
    return values


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def panel_ticks(panel: dict, width: float, height: float) -> tuple[list[float], list[float]]:
    """Ticks about 60 pixels apart across and 44 up; one step both ways where units are equal.

    A matrix counts its columns and rows, where its axes have a label.
    """
    if has_cells(panel):
        columns, rows = (max(panel[axis]) - 0.5 for axis in "xy")
        counted = _counts(columns, int(width // 20)) if panel["xlabel"] else []
        return counted, _counts(rows, int(height // 20)) if panel["ylabel"] else []
    across, up = int(width // 60), int(height // 44)
    if panel["equal"]:
        across = up = min(across, up)
    (left, right), (low, high) = panel["x"], panel["y"]
    return ticks(left, right, across), ticks(low, high, up)


def has_cells(panel: dict) -> bool:
    return any(mark["kind"] == "matrix" for mark in panel["marks"])


def _counts(last: float, most: int) -> list[float]:
    """About ``most`` of the whole numbers from 1 to ``last``."""
    return [value for value in ticks(0.5, last + 0.5, most) if value == round(value)]


def tick_text(values: list[float]) -> list[str]:
    step = values[1] - values[0] if len(values) > 1 else abs(values[0]) if values else 1.0
    return [number(v, decimals(float(f"{step:.6g}") or 1.0)) for v in values]
