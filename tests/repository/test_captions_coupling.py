"""What the captions of the chapter on coupling flows promise, read off its figures."""

from __future__ import annotations

import json
import math

import pytest
import torch

from cells import caption, run, scalars, sources
from tools.book import ROOT

CELLS = sources("coupling")
SEEDS = json.loads((ROOT / "benchmarks" / "results" / "coupling_seeds.json").read_text("utf-8"))


def figure(*cells: str):
    return run("coupling", "imports", "imports-flowlib", "settings", *cells).shown


def straight(lines: torch.Tensor) -> bool:
    """Whether each of the lines (lines, points, 2) lies along an axis."""
    return bool(((lines - lines[:, :1]).abs().amax(1).amin(-1) < 1e-5).all())


def test_a_shear_keeps_the_discs_area_and_the_lines_along_it():
    fig = figure("additive-outputs", "additive-live")
    fig.bend, fig.wiggles = 3.0, 6.0
    shown, out = scalars(fig), fig.evaluate()
    assert f"{shown['area_z']:.2f}" == f"{shown['area']:.2f}" == "1.54"
    assert "(1.54, as before" in caption(CELLS["additive-live"])
    assert shown["length"] > 5 * 2 * math.pi * 0.7  # a thread
    assert straight(out["mesh"].transpose(0, 1)) and not straight(out["mesh"])
    fig.stays = "z₂"
    out = fig.evaluate()
    assert straight(out["mesh"]) and not straight(out["mesh"].transpose(0, 1))
    assert torch.equal(out["mesh"][:, 0, 1], out["mesh"][:, -1, 1])  # the horizontal ones


def test_after_two_layers_12_pairs_are_missing_and_after_three_none():
    fig = figure(
        *("additive-check", "triangle-check", "alternate-check", "alternate-count"),
        *("sparsity-outputs", "sparsity-live"),
    )
    two = fig.evaluate()
    assert two["missing"] == 12 and (two["entries"][4:, 4:] == 0).sum() == 12  # lower right
    assert "At two layers 12 pairs are missing" in caption(CELLS["sparsity-live"])
    fig.seed = 1
    other = fig.evaluate()["entries"]
    assert torch.equal(other == 0, two["entries"] == 0) and not torch.equal(other, two["entries"])
    fig.layers = 3
    assert fig.evaluate()["missing"] == 0
    fig.parts = "always the same half"
    reached = fig.evaluate()["reached"]
    assert (reached[1:] == reached[1]).all()


def test_the_tilt_moves_the_bright_spot_the_push_no_area_and_the_level_the_entropy():
    fig = figure("additive-outputs", "additive-live", "affine-outputs", "affine-live")
    default = fig.evaluate()
    columns = default["density"].amax(0)
    assert columns.argmax() > 30  # of 60: on the right
    fig.tilt = 0.9
    assert fig.evaluate()["density"].amax(0).argmax() < 30
    assert "(Left.)" in caption(CELLS["affine-live"])
    fig.tilt, changes = -0.9, {}
    for name in ("level", "tilt", "push"):
        before = getattr(fig, name)
        setattr(fig, name, before + 0.5)
        moved = scalars(fig)
        setattr(fig, name, before)
        changes[name] = [
            abs(moved[key] - default[key].item()) > 1e-3 for key in ("log_det", "gained")
        ]
    for fig.disc2 in (-2.0, 0.0, 2.0):
        assert scalars(fig)["log_det"] == default["log_det"].item()
    assert "(Upwards: s depends on z₁ only.)" in caption(CELLS["affine-live"])
    assert changes == {"level": [True, True], "tilt": [True, False], "push": [False, False]}


@pytest.mark.parametrize("layers", [8, 4, 2])
def test_the_caption_gives_the_range_of_several_trainings(layers):
    gaps = SEEDS["train-in-the-page"][str(layers)]
    assert len(gaps) == 6
    assert f"{min(gaps):.2f} to {max(gaps):.2f}" in caption(CELLS["page-live"])


def test_a_step_size_of_a_tenth_throws_the_loss_off_the_axes():
    raised = SEEDS["raised"]
    assert f"{min(raised['gaps']):.0f} to {max(raised['gaps']):.0f} nats" in caption(
        CELLS["page-live"]
    )
    assert min(raised["highest"]) > 1e6 and "millions of nats or more" in caption(
        CELLS["page-live"]
    )


def test_not_every_layer_helps_and_cold_samples_gather_around_f_of_0():
    for fit in SEEDS["trained-realnvp"]:
        kl = torch.tensor(fit["kl_after_layers"])
        assert (kl.diff() > 0).any() and kl.argmin() == 8
        assert fit["kl_cold"] > 10 * kl[-1]
        assert fit["median_distance_cold"] < fit["median_distance_warm"] / 5


def test_the_text_gives_the_range_of_several_real_nvps():
    gaps = [run["forward_kl"] for run in SEEDS["trained-realnvp"]]
    assert len(gaps) == 4
    assert f"{min(gaps):.3f} to {max(gaps):.3f} nat" in CELLS["moons-check-text"]


def test_the_caption_says_when_the_validation_images_turn_and_where_they_end():
    runs = json.loads((ROOT / "benchmarks" / "results" / "digits.json").read_text("utf-8"))
    said = caption(CELLS["digits-page-live"])

    def spread(key: str, of: str, digits: int = 2) -> str:
        values = [each[key] for each in runs[of]]
        assert len(values) == 3 and "three runs" in said
        return f"{min(values):.{digits}f} to {max(values):.{digits}f}"

    assert f"at {spread('lowest', 'none')} bits" in said
    assert all(140 <= each["lowest_at"] <= 210 for each in runs["none"]) and "150 to 200" in said
    assert f"ends at {spread('last', 'none')}" in said
    assert all(each["batch"] < 1.85 for each in runs["none"]) and "falls below 1.85" in said
    assert f"end at {spread('last', 'dropout')}" in said
    assert all(each["last"] - each["lowest"] < 0.005 for each in runs["dropout"])
