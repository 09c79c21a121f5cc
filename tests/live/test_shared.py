"""What Python, the page's script and its style all have: colours, margins, measures, limits, rules."""

import json
import random
import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from flowlib import plotting
from flowlib.live import axes, builder, bundle, curve, hands, marks, matrix, static, words
from pages import module_url

CSS = bundle.css()
LIGHT = CSS.split("}")[0]  # the first block: colours on a light page
SCRIPTS = {
    path.name: path.read_text(encoding="utf-8") for path in (bundle.HERE / "js").glob("*.js")
}
MARGINS = {
    "left": static.LEFT,
    "right": static.RIGHT,
    "top": static.TOP,
    "bottom": static.BOTTOM,
}


def const(script: str, name: str):
    """The value of a constant in a file of js/."""
    (value,) = re.findall(rf"^(?:export )?const {name} = (.*?);", SCRIPTS[script], re.MULTILINE)
    if power := re.fullmatch(r"(\d+) \*\* (\d+)", value):
        return int(power[1]) ** int(power[2])
    return json.loads(re.sub(r"(\w+):", r'"\1":', value))


def rule(selector: str) -> dict[str, str]:
    """The declarations of live.css under a selector that has one rule of its own."""
    (body,) = re.findall(rf"^{re.escape(selector)} \{{(.*?)\}}", CSS, re.MULTILINE | re.DOTALL)
    return {key: value.strip() for key, value in re.findall(r"([\w-]+):([^;]*);", body)}


def test_colours_mean_the_same_on_the_page_and_in_print():
    page = dict(re.findall(r"--live-([\w-]+): (?:var\(.*)?(#\w+)\)*;", LIGHT))
    page = {name: to_hex(colour) for name, colour in page.items()}
    assert {role: page[role] for role in plotting.PALETTE} == {
        role: colour.lower() for role, colour in plotting.PALETTE.items()
    }
    assert [page[f"heat-{i}"] for i in (1, 2, 3, 4)] == [c.lower() for c in marks.HEAT[1:]]
    source = Path(plotting.__file__).read_text(encoding="utf-8").split("\nHEAT = ")[1]
    assert re.findall(r'"(#\w{6})"', source)[1:5] == marks.HEAT[1:]
    inks = {"ink": static.INK, "quiet": static.QUIET, "line": static.LINE}
    assert {name: page[name] for name in inks} == {n: c.lower() for n, c in inks.items()}


def test_roles_are_the_same_everywhere():
    assert const("theme.js", "ROLES") == list(plotting.PALETTE)
    assert const("marks.js", "OPACITY") == plotting.OPACITY


def test_margins_around_a_plot():
    assert const("axes.js", "MARGIN") == MARGINS
    across, up = static.LEFT + static.RIGHT, static.TOP + static.BOTTOM
    padding = f"calc((100% - {across}px) / var(--aspect) + {up}px)"
    assert rule(".live-plot")["padding-top"].startswith(padding)
    assert rule(".live-panel")["flex"] == f"var(--aspect) 1 {across}px"
    assert rule(".live-panel")["max-width"].endswith(f"+ {across}px)")
    handle = rule(".live-handle")
    assert handle["left"] == f"calc({static.LEFT}px + var(--across) * (100% - {across}px))"
    assert handle["bottom"] == f"calc({static.BOTTOM}px + var(--up) * (100% - {up}px))"
    for selector in (".live-title", ".live-legend", ".live-side", ".live-alert > .live-error"):
        _, right, _, left = rule(selector)["margin"].split()
        assert (left, right) == (f"{static.LEFT}px", f"{static.RIGHT}px"), selector
    _, right, _, left = rule(".live-figure figcaption")["margin"].split()
    assert (left, right) == (f"{static.LEFT}px", f"{static.RIGHT}px")


def test_a_static_picture_has_the_width_that_the_page_gives_it():
    assert rule(".live-static")["max-width"] == f"{static.WIDTH}px"
    assert rule(".live-panels")["gap"].split()[1] == f"{static.GAP / 16}rem"


@pytest.mark.parametrize("name", ["SHADE", "GRID", "SEGMENT", "CURVE", "DASH", "BARS", "BAR"])
def test_a_mark_has_the_same_measures(name):
    ours = getattr(marks, name)
    assert const("marks.js", name) == (list(ours) if isinstance(ours, tuple) else ours)


@pytest.mark.parametrize("name", ["RING", "RIM", "CROSS", "HALO"])
def test_a_place_that_is_moved_has_the_same_measures(name):
    assert const("pointer.js", name) == getattr(hands, name)


def test_a_value_has_the_same_most_numbers():
    assert const("reader.js", "MAX_FLOATS") == builder.LARGEST


def test_the_page_looks_for_nan_in_every_output_that_is_shown():
    shown = {name for reads in marks.SHAPES.values() for name in reads} | {"name", "wave"}
    assert set(const("figure.js", "OUTPUTS")) == shown


def test_ticks_of_a_panel_by_one_rule(page):
    rng = random.Random(2)
    plain = axes(curve("x", "y"), x=(-3, 5), y=(-0.2, 0.7), alt="A line.")
    cells = axes(matrix("m"), xlabel="j", ylabel="i", alt="Cells.")
    kinds = [plain, {**plain, "equal": True}]
    for rows, columns in ((3, 12), (40, 7)):
        cells = {**cells, "x": [0.5, columns + 0.5], "y": [rows + 0.5, 0.5]}
        kinds += [cells, {**cells, "xlabel": ""}, {**cells, "ylabel": ""}]
    sizes = [(rng.uniform(60, 700), rng.uniform(60, 400)) for _ in range(40)]
    cases = [(kind, *size) for kind in kinds for size in sizes]
    said = page.evaluate(
        """async ([url, cases]) => {
          const { panelTicks } = await import(url);
          return cases.map((each) => panelTicks(...each));
        }""",
        [module_url(SCRIPTS["words.js"]), cases],
    )
    assert said == [list(words.panel_ticks(*each)) for each in cases]
