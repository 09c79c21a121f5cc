"""Colours that everybody can tell apart, on a light page and on a dark one.

Colour-blind sight is simulated by the matrices of Machado, Oliveira and Fernandes 2009, "A
physiologically-based model for simulation of color vision deficiency", severity 1.0, which apply to
linear RGB.  Contrast is 3 for graphics, 4.5 for text.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from contrast import XYZ, channels, contrast, linear
from flowlib.live import bundle, static
from flowlib.plotting import OPACITY, PALETTE

SIGHT = {
    "everybody": np.eye(3),
    "no red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
APART = 20  # in CIELAB, where 2.3 is just noticed: far enough for small dots and thin lines
THEMES = [
    dict(re.findall(r"--live-([\w-]+): .*?(#\w+)\)*;", part))
    for part in bundle.css().split("}")[:2]
]
in_both_themes = pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])


def over(colour: str, page: str) -> str:
    """What a mark of this colour shows that lets the page through."""
    pairs = zip(channels(colour), channels(page))
    return "#" + "".join(f"{round(OPACITY * c + (1 - OPACITY) * p):02x}" for c, p in pairs)


def lab(rgb: np.ndarray) -> np.ndarray:
    part, edge = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(1), 6 / 29
    x, y, z = np.where(part > edge**3, np.cbrt(part), part / (3 * edge**2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_measures_are_the_standards():
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.1)
    assert all(np.sum(each, 1) == pytest.approx(1, abs=1e-5) for each in SIGHT.values())


@in_both_themes
def test_roles_and_words_stand_out_from_the_page(theme):
    for name in (*PALETTE, "line", "focus", "alert"):
        assert contrast(theme[name], theme["page"]) >= 3, name
    for name in ("ink", "quiet"):
        assert contrast(theme[name], theme["page"]) >= 4.5, name


@in_both_themes
def test_marks_that_let_the_page_through_stand_out_from_it(theme):
    for role in PALETTE:
        assert contrast(over(theme[role], theme["page"]), theme["page"]) >= 3, role


def test_the_pictures_of_print_stand_out_too():
    for colour in (*PALETTE.values(), static.LINE):
        assert contrast(colour, "#ffffff") >= 3
    for colour in (static.INK, static.QUIET):
        assert contrast(colour, "#ffffff") >= 4.5


@in_both_themes
@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_roles_differ_for_every_eye(theme, sight):
    seen = {role: lab(np.array(SIGHT[sight]) @ linear(theme[role])) for role in PALETTE}
    for one, other in itertools.combinations(PALETTE, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= APART, (one, other)
