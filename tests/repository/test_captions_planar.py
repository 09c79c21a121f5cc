"""What the planar chapter's captions promise, and what its text quotes from many fits."""

from __future__ import annotations

import json
import math
import statistics

import pytest
import torch

from cells import readings, run, sources
from tools.book import ROOT

MEASURED = json.loads((ROOT / "benchmarks" / "results" / "planar.json").read_text("utf-8"))
FITS = MEASURED["planar"].values()


def chapter(*cells):
    return run("planar", "imports", "imports-flowlib", "settings", *cells).shown


def direction(fig) -> float:
    u1, u2 = fig.evaluate()["u_hat"][0, 1].tolist()
    return math.degrees(math.atan2(u2, u1))


def test_turning_w_turns_the_direction_only_where_u_is_corrected():
    fig = chapter("one-layer-outputs", "one-layer-function", "one-layer-panels", "one-layer-live")
    start = fig.value
    turned = [f"{direction(fig):.0f}°"]
    growth = {}
    for fig.p1 in (-4.0, -1.0, 0.0, 1.0, 4.0):
        for fig.p2 in (-2.0, 3.0):
            growth.setdefault(fig.p1, set()).add(readings(fig)["log_det"])
    assert growth == {-4: {"0.000"}, -1: {"0.022"}, 0: {"0.273"}, 1: {"0.022"}, 4: {"0.000"}}
    assert "On the plane: there its log-det is 0.273." in " ".join(fig.spec["caption"].split())
    fig.w2 = -3.0
    turned.append(f"{direction(fig):.0f}°")
    assert turned == ["86°", "44°"] and "from 86° to 44°" in fig.spec["caption"]
    fig.keep = False
    assert direction(fig) == pytest.approx(math.degrees(math.atan2(fig.u2, fig.u1)))
    for name, value in start.items():  # Reset
        setattr(fig, name, value)
    fig.u1, fig.keep = -1.5, False
    shown = readings(fig)
    assert shown["wu"] == "−3.000" and shown["mass"] == "0.135"
    assert fig.evaluate()["band_x"].isfinite().all()  # it folds
    assert "only 0.135 of the mass" in fig.spec["caption"]


def test_bisection_gains_five_bits_where_newton_and_fixed_point_jump():
    fig = chapter("scalar-inverse-outputs", "scalar-inverse-function", "scalar-inverse-live")
    widths = []
    for fig.k in (2, 7):
        widths.append(fig.evaluate()["width"].item())
    assert widths[0] / widths[1] == 32 and "(By 2⁵ = 32.)" in fig.spec["caption"]
    fig.wu, fig.y, fig.method, guesses = 6.0, 3.0, "Newton", []
    for fig.k in (9, 10, 11, 12):
        guesses.append(fig.evaluate()["guess"].item())
    assert [round(guess, 1) for guess in guesses] == [-3.0, 8.3, -3.0, 8.3]
    assert "between −3.0 and 8.3" in fig.spec["caption"]
    fig.method, errors = "fixed point", {}
    for fig.wu in (2.4, 2.6, 6.0):
        errors[fig.wu] = []
        for fig.k in (9, 10, 11, 12):
            errors[fig.wu].append(fig.evaluate()["error"].item())
    assert max(errors[2.4]) < 0.16 and min(errors[2.6]) > 0.4 and min(errors[6.0]) > 1
    assert "below about 2.5" in fig.spec["caption"]


def test_two_ways_to_be_wrong_in_the_states_that_the_caption_names():
    fig = chapter("two-ways-outputs", "two-ways-live")
    caption = fig.spec["caption"]
    assert readings(fig) == {"kl_qp": "0.692", "kl_pq": "10.419"}
    fig.mean, fig.spread = 0.0, 2.1
    assert readings(fig) == {"kl_qp": "1.254", "kl_pq": "0.555"}
    assert "from 10.419 to 0.555, but the reverse KL rises to 1.254" in caption

    def lowest(name):
        found = []
        for fig.mean in (0.0, 0.05, 0.5, 1.0, 1.5, 2.0):
            for spread in range(16, 60):
                fig.spread = 0.05 * spread
                value = fig.evaluate()[name].item()
                found.append((value, fig.mean, round(fig.spread, 2)))
        return min(found)[1:]

    assert lowest("kl_pq") == (0.0, 2.1) and "(Mean 0 and spread 2.1:" in caption
    fig.apart = 1.0
    assert lowest("kl_qp") == (0.0, 1.1) and "1.10 for the reverse KL" in caption
    assert lowest("kl_pq") == (0.0, 1.15) and "1.15 for the forward KL" in caption
    fig.apart = 1.5
    assert (
        lowest("kl_qp")[0] == 0.0
        and "at up to about $\\pm 1.5$" in sources("planar")["two-ways-after"]
    )
    fig.apart = 2.0
    assert lowest("kl_qp")[0] == 2.0


def test_the_table_of_ten_starts_is_the_one_that_was_measured():
    text, wins = sources("planar")["baseline-after"], []
    for i, name in enumerate(MEASURED["mixture"], start=1):
        mixture, planar = MEASURED["mixture"][name], MEASURED["planar"][name]["kl"]
        assert len(mixture) == len(planar) == 10
        cells = [
            ", ".join(f"{rank(kls):.3f}" for rank in (min, statistics.median, max))
            for kls in (mixture, planar)
        ]
        assert f"| $U_{i}$ | {cells[0]} | {cells[1]} |" in text
        assert statistics.median(mixture) < statistics.median(planar)
        wins.append(sum(ours < theirs for ours in mixture for theirs in planar))
    assert "the mixture wins {}, {}, {} and {} of the hundred pairs".format(*wins) in text


def test_what_a_trained_stack_does_on_the_way():
    text = sources("planar")["trained-stack-after"]
    lower = [count for fit in FITS for count in fit["layers_that_lower"]]
    assert len(lower) == 40 and f"{min(lower)} to {max(lower)} of the 32 layers" in text
    farther = sum(half > start for fit in FITS for start, half, _ in fit["kl_after_0_16_32"])
    assert f"In {farther} of the forty" in text
    spreads = torch.tensor([row for fit in FITS for row in fit["spread_at_0_25_200_400"]])
    early, late = spreads[:, 1] / spreads[:, 0], spreads[:, 2] / spreads[:, 0]
    assert f"{early.min():.1f} to {early.max():.1f} times as wide as the noise. After 200" in text
    assert f"it is {late.min():.1f} to {late.max():.1f} times as wide" in text
    assert (early > late).sum() > 35  # outwards, then in
