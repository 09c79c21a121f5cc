"""What the captions and tables of the chapter on splines promise; the chapter checks what it trains."""

from __future__ import annotations

import json
from statistics import mean, stdev

import pytest

from cells import caption, run, scalars, sources
from tools.book import ROOT

CELLS = sources("splines")
SEEDS, OF_MAF = (
    json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    for name in ("spline_seeds", "maf_seeds")
)


def test_a_density_at_a_knot_is_that_of_the_bell_by_the_slope():
    cells = "imports", "imports-flowlib", "settings", "one-function", "one-live"
    fig = run("splines", *cells).shown
    said, before = caption(CELLS["one-live"]), scalars(fig)
    assert before["mass"] == pytest.approx(1, abs=1e-3)
    fig.middle = 0.6
    assert scalars(fig)["at_middle"] == pytest.approx(before["at_middle"], rel=1e-3)
    fig.slope_middle = fig.slope_middle / 2
    assert scalars(fig)["at_middle"] == pytest.approx(2 * before["at_middle"], rel=1e-3)
    assert "(It doubles.)" in said and "(No: it is that of the bell" in said
    for at, name in fig.spec["panels"][0]["drag"]:  # a handle is on the curve
        z, x = (fig.evaluate()[axis] for axis in "zx")
        assert x[(z - at).abs().argmin()].item() == pytest.approx(getattr(fig, name), abs=1e-4)
    for fig.left, fig.middle, fig.right in ((-2.8, -0.8, 1.0), (-1.0, 0.8, 2.8)):
        assert (fig.evaluate()["x"].diff() > 0).all()


def row(cell: str, name: str) -> list[str]:
    """The columns of a line of the table in this cell, after its name."""
    (line,) = (line for line in CELLS[cell].splitlines() if line.startswith(f"| {name} |"))
    return [column.strip(" *") for column in line.split("|")[2:-1]]


def over(runs: list[float]) -> str:
    return f"{mean(runs):.3f} ± {stdev(runs):.3f}"


@pytest.mark.parametrize("density", SEEDS["toys"])
def test_what_splines_and_affine_couplings_leave(density):
    runs = {
        kind: [each["kl"] for each in SEEDS["toys"][density][kind]] for kind in ("affine", "spline")
    }
    assert row("couplings-after", density) == [over(each) for each in runs.values()]
    assert (
        len(runs["affine"]) == len(runs["spline"]) == 3
        and "three seeds" in CELLS["couplings-after"]
    )
    assert max(runs["spline"]) < min(runs["affine"])  # from every seed
    seconds = [mean(each["cpu_seconds"] for each in SEEDS["toys"][density][kind]) for kind in runs]
    assert seconds[0] == pytest.approx(seconds[1], rel=0.25)  # about as much time


def test_the_table_of_digits():
    for name, key in (("RealNVP, with bends", "RealNVP"), ("MAF, with bends", "MAF")):
        runs = [each[key] for each in OF_MAF["bits_per_pixel"]]
        assert row("digits-table", name) == [over(runs), "", *costs(key)] and len(runs) == 5
    names = "couplings", "couplings, given the label", "masked"
    runs = {name: [each["test"] for each in SEEDS["digits"][name]] for name in names}
    assert [len(each) for each in runs.values()] == [3, 3, 2]
    without, given, masked = map(over, runs.values())
    assert row("digits-table", "spline couplings") == [without, given, *costs("couplings")]
    assert row("digits-table", "masked splines, two seeds") == [masked, "", *costs("masked")]
    assert max(runs["couplings"]) < 1.93 and max(runs["masked"]) < min(runs["couplings"])


def costs(key: str) -> list[str]:
    cost = SEEDS["cost"][key]
    return [
        f"{round(cost['parameters'], -3):,}",
        *(f"{cost[k]:.0f}" for k in ("step_ms", "sampling_ms")),
    ]


@pytest.mark.parametrize("flow", SEEDS["page"])
def test_where_the_live_training_ends(flow):
    gaps = SEEDS["page"][flow]
    assert f"{min(gaps):.2f} to {max(gaps):.2f}" in caption(CELLS["page-live"])
    assert len(gaps) == 3 and "three runs" in caption(CELLS["page-live"])
