"""A benchmark that was disturbed says where, and keeps nothing."""

import json

import pytest

from benchmarks import quiet


def row(work="sampling", took=(10.0, 10.1, 10.2, 10.3), own=(2.0, 2.0, 2.1, 2.1)):
    return quiet.row(work, {"flowlib": list(took), quiet.REFERENCE: list(own)})


def test_a_row_has_medians_and_spreads_without_the_reference():
    assert row() == {
        "work": "sampling",
        "median_ms": {"flowlib": 10.15},
        "spread": {"flowlib": 1.01},
        "reference_ms": 2.05,
    }


def test_a_quiet_run_is_kept(tmp_path):
    rows = [row(), row("scoring")]
    quiet.keep(tmp_path / "figures.json", {"rows": rows}, rows)
    assert json.loads((tmp_path / "figures.json").read_text("utf-8")) == {"rows": rows}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            row("scoring", took=(10, 10, 30, 30)),
            "scoring: the upper quartile of flowlib is 3.0 times the lower",
        ),
        (row("scoring", own=(3.0, 3.0, 3.0, 3.0)), "scoring: the reference took 1.46 times"),
    ],
)
def test_a_disturbed_run_is_refused(tmp_path, other, said):
    rows = [row(), row("training"), other]
    with pytest.raises(SystemExit, match=said):
        quiet.keep(tmp_path / "figures.json", {"rows": rows}, rows)
    assert list(tmp_path.iterdir()) == []
