"""What the captions of the first chapter promise, read off its figures."""

from __future__ import annotations

import pytest
import torch

from cells import readings, run


def chapter(*cells):
    return run("change-of-variables", "imports", "settings", *cells).shown


@pytest.fixture(scope="module")
def slices():
    return chapter("one-d-map", "one-d-outputs", "one-d-figure")


@pytest.mark.parametrize("scale", [0.4, 1.2, 2.0])
def test_without_the_factor_a_line_has_its_slope_as_total_mass(slices, scale):
    slices.scale, slices.skew, slices.tail = scale, 0.0, 1.0
    shown = readings(slices)
    assert shown["total"] == "1.000" and shown["total_naive"] == f"{scale:.3f}"
    assert "(The slope of the line, σ.)" in slices.spec["caption"]


@pytest.mark.parametrize("eighth", range(1, 9))
def test_each_eighth_changes_its_width_and_keeps_its_mass(slices, eighth):
    slices.scale, slices.skew, slices.tail, slices.eighth = 1.2, 0.6, 0.9, eighth
    shown = readings(slices)
    assert shown["mass_z"] == shown["mass_x"] == "0.125" and "0.125" in slices.spec["caption"]
    assert shown["width_z"] != shown["width_x"]


def test_a_leaning_square_keeps_its_area_and_equal_rows_have_none():
    fig = chapter("matrix-outputs", "matrix-figure")
    fig.a11, fig.a21, fig.a22 = 1.0, 0.0, 1.0
    for fig.a12 in (-2.0, 0.5, 2.0):
        assert readings(fig)["area"] == "1.000"
    fig.a11, fig.a12 = fig.a21, fig.a22
    shown = readings(fig)
    assert shown["area"] == "0.000" and shown["entropy"] == "−∞"
    x = fig.evaluate()["x"]
    assert torch.linalg.matrix_rank(x) == 1  # a line


def test_log_p_changes_by_log_det_at_every_point_of_the_noise():
    fig = chapter("matrix-outputs", "matrix-figure")
    for fig.p1, fig.p2 in ((-1.5, 1.0), (3.0, -4.0), (0.0, 0.0)):
        out = fig.evaluate()
        assert f"{out['log_pz'] - out['log_px']:.3f}" == readings(fig)["change"] == "0.811"
    for k, (row1, row2) in {1: ("a11", "a21"), 3: ("a12", "a22")}.items():  # the rings are corners
        assert [out["x1"][k], out["x2"][k]] == [getattr(fig, row1), getattr(fig, row2)]
    assert "(By 0.811 at every point: that is log |det A|.)" in fig.spec["caption"]


def test_two_layers_add_nothing_and_one_changes_its_sign():
    cells = "one-d-map", "volume-preserving-check", "composition-layers", "composition-journey"
    fig = chapter(*cells, "composition-outputs", "composition-live")
    names = next(p for p in fig.spec["panels"] if "log-det" in str(p.get("ylabel")))
    labels = names["marks"][0]["labels"]
    fig.step = 5.0
    silent = [n for n, bar in zip(labels, fig.evaluate()["log_dets"], strict=True) if bar == 0]
    assert silent == ["lift", "turn"] and "(lift and turn.)" in fig.spec["caption"]
    fig.step, signs = 4.0, set()
    for fig.z1 in (-2.0, -1.0, 1.0, 2.0):
        out = fig.evaluate()
        signs.add(out["log_dets"][labels.index("couple")].sign().item())
        assert out["total"].item() == pytest.approx(out["measured"].item(), abs=0.03)
    assert signs == {-1.0, 1.0}


def test_one_three_and_one_dots_and_no_loss_at_strength_one():
    fig = chapter("one-d-map", "fold-map", "fold-branches", "fold-outputs", "fold-live")
    dots = []
    for fig.x in (-1.5, 0.9, 2.5):
        dots.append(int(fig.evaluate()["roots"][:, 0].isfinite().sum()))
    assert dots == [1, 3, 1] and "one, three, one" in fig.spec["caption"]
    out = fig.evaluate()
    turn = out["f"].diff().sign().diff().nonzero()[:, 0] + 1  # where the curve turns
    peaks = out["x"][out["one_root"] > out["one_root"].max() / 2]
    assert any((peaks - out["f"][t]).abs().min() < 0.1 for t in turn)
    fig.kappa = 1.0
    out, shown = fig.evaluate(), readings(fig)
    assert shown["mass"] == shown["mass_one"] == "1.000"
    away = (out["x"] - 1).abs() > 0.1  # but for the column with the spike
    assert torch.allclose(out["three_roots"][away], out["one_root"][away], atol=0.03)
