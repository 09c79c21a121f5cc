"""What the captions and the text of the chapter on autoregressive flows promise, in figures."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import torch

from cells import caption, run, scalars, sources
from tools.book import ROOT

CELLS = sources("autoregressive")
BEST_LAYER = ("two-orders-picture", "order-moments", "order-check", "order-densities")
SEEDS = json.loads((ROOT / "benchmarks" / "results" / "maf_seeds.json").read_text("utf-8"))


def chapter(*cells: str, names: dict | None = None):
    start = "imports", "imports-flowlib", "settings"
    return run("autoregressive", *start, *cells, names=names)


def test_the_jacobian_is_a_triangle_in_two_orders_and_at_last_the_identity():
    fig = chapter("map-functions", "jacobian-live").shown
    shapes, sums = {}, set()
    for fig.order in ("3 1 5 2 4", "1 2 3 4 5", "5 4 3 2 1"):
        out = fig.evaluate()
        shapes[fig.order] = [
            torch.equal(out["stored"], cut(out["stored"])) for cut in (torch.tril, torch.triu)
        ]
        assert out["log_det"].item() == pytest.approx(out["total"].item(), abs=1e-5)
        assert torch.equal(out["sorted"], out["sorted"].tril())
        sums.add(round(out["total"].item(), 2))
    assert shapes == {
        "3 1 5 2 4": [False, False],
        "1 2 3 4 5": [True, False],
        "5 4 3 2 1": [False, True],
    }
    assert len(sums) == 3  # it depends on the order
    fig.strength = 0.0
    assert torch.equal(fig.evaluate()["stored"], torch.eye(5))
    assert caption(CELLS["jacobian-live"]).endswith("(The identity.)")


def test_the_best_layer_agrees_at_the_bottom_and_pays_until_the_banana_is_straight():
    fig = chapter(*BEST_LAYER, "order-function", "order-live").shown

    def gap():
        out = fig.evaluate()
        return ((out["truth"] - out["bell"]).abs().max() / out["truth"].max()).item()

    humps = fig.evaluate()["truth"]
    assert ((humps[1:-1] > humps[:-2]) & (humps[1:-1] > humps[2:])).sum() == 2
    assert gap() > 0.8
    fig.cut = -3.0
    assert gap() < 0.05
    for fig.bend, shown in ((0.5, "0.88"), (0.1, "0.06"), (0.0, "0.00")):
        assert f"{abs(scalars(fig)['kl']):.2f}" == shown
    assert "At bend 0.1 the KL is still 0.06." in caption(CELLS["order-live"])
    fig.bend, fig.order = 0.5, "x₁ first"
    for fig.cut in (-3.0, 0.0, 1.5, 3.0):
        assert abs(scalars(fig)["kl"]) < 1e-4 and gap() < 1e-5


def test_three_units_are_enough_and_off_by_one_three_of_four_coordinates_see_themselves():
    fig = chapter("made-function", "made-live").shown
    found = {}
    for fig.units in range(1, 7):
        shown = scalars(fig)
        found[fig.units] = shown["paths"]
        assert shown["first"] == 0
    assert found == {1: 3, 2: 5, 3: 6, 4: 6, 5: 6, 6: 6}
    fig.order = "3 1 4 2"
    assert (fig.evaluate()["J"] == 0).all(1).tolist() == [False, False, True, False]
    fig.outputs = "i, off by one"
    assert (fig.evaluate()["J"].diagonal() > 0).tolist() == [True, False, True, True]  # x₂ is last
    fig.order = "1 2 3 4"
    assert (fig.evaluate()["J"].diagonal() > 0).tolist() == [True, True, True, False]


def test_about_half_of_the_random_degrees_keep_all_dependencies():
    fig = chapter("made-function", "made-live").shown
    fig.degrees = "drawn at random"
    complete = []
    for fig.seed in range(150):
        complete.append(scalars(fig)["paths"] == 6)
    both_layers = ((3**6 - 3 * 2**6 + 3) / 3**6) ** 2  # all three degrees among six units, twice
    assert sum(complete) / 150 == pytest.approx(both_layers, abs=0.1)
    assert 0.45 < both_layers < 0.55 and "In about half of the draws" in caption(CELLS["made-live"])


def test_one_layer_ends_at_the_upper_line_and_the_other_flows_at_the_lower():
    names, _, fig = chapter(*BEST_LAYER, "stack-train", "train-start", "train-live")
    bound = names["cost_of_order"]
    fig.run(600)
    out = fig.evaluate()
    assert abs(out["losses"][-100:].mean() - out["wrong"][0]) < 0.05
    assert abs(out["kl"] - bound) < 2 * out["error"]  # within its error of the least possible
    up = out["density"][40]  # the row at x₂ = 4.2: one bell, where the banana has nothing
    assert up.argmax() in (24, 25) and names["shape"].log_prob(names["PLANE"][40, 24]).exp() < 1e-6
    fig.model = "one layer, x₁ first"
    fig.run(600)
    assert 0 < scalars(fig)["kl"] < 0.1 and "below 0.1" in caption(CELLS["train-live"])


def test_undoing_some_layers_leads_away_and_other_data_are_not_round():
    paths = [each["kl_after_layers_undone"] for each in SEEDS["toys"]]
    for kl in paths:
        assert any(later > earlier for earlier, later in pairwise(kl))
        assert min(kl) == kl[-1]
    names = chapter("stack-train").names
    torch.manual_seed(0)
    flow = names["maf"](8)
    names["maximum_likelihood"](flow, names["TwoMoons"]().sample((20_000,)), steps=100)
    fig = chapter(
        "scrub-function", "scrub-live", names=names | {"fits": {("two moons", 8): flow}}
    ).shown
    before, ends = scalars(fig), []
    for fig.p1, fig.p2 in ((1.0, -2.5), (3.0, 2.0)):  # on a moon, and towards a corner
        out = fig.evaluate()
        torch.testing.assert_close(out["log_q"], flow.log_prob(torch.tensor([fig.p1, fig.p2])))
        torch.testing.assert_close(out["way2"][-1], out["end"][0, 1])
        ends.append(out["end"].norm().item())
    assert ends[0] < 2.5 and ends[1] > 5
    fig.aside = 0.5
    after = scalars(fig)
    assert after["kl_now"] > 2 * before["kl_now"]


def test_the_counters_of_the_two_samplers():
    before = ("made-function", "made-check", "maf-check", "stepper-network", "stepper-function")
    fig = chapter(*before, "stepper-live").shown
    right = {}
    for fig.k in range(4):
        out = fig.evaluate()
        right[fig.k] = torch.isclose(out["after_k"], out["end"]).tolist()
    assert right[1] == [True, False, False] and right[2][:2] == [True, True]
    assert right[3] == [True, True, True]
    shown = scalars(fig)
    counters = ("passes_units", "units", "passes_wires", "cached_wires")
    assert [shown[name] for name in counters] == [21, 7, 36, 12]
    assert "21 units against 7, and 36 connections against 12" in caption(CELLS["stepper-live"])


# -- the text


def test_the_ranges_over_five_seeds():
    for K, said in ((2, "two layers end between {} and {}"), (4, "four layers between {} and {}")):
        assert said.format(*ends(K)) in CELLS["stack-after"]
    assert "eight layers between {} and {}".format(*ends(8)) in CELLS["stack-after"]
    assert len(SEEDS["toys"]) == 5 and "From five seeds" in CELLS["stack-after"]


def ends(K: int) -> list[str]:
    kl = [each["kl_in_nats"][f"two moons, K = {K}"] for each in SEEDS["toys"]]
    return [f"{end:.2f}" for end in (min(kl), max(kl))]


def test_the_lead_over_realnvp_from_five_seeds():
    leads = [each["RealNVP"] - each["MAF"] for each in SEEDS["bits_per_pixel"]]
    assert len(leads) == 5 and "From five seeds" in CELLS["digits-after"]
    assert f"each time, by {min(leads):.3f} to {max(leads):.3f} bits" in CELLS["digits-after"]
    assert min(leads) > 0 and f"{sum(leads) / 5:.2f}" == "0.01"  # one hundredth


def test_what_is_read_in_the_papers_table():
    rows = [line.split("|")[1:-1] for line in CELLS["literature"].splitlines() if "±" in line]
    table = {
        name.strip(): [
            [float(number.strip(" *").replace("−", "-")) for number in cell.split("±")]
            for cell in cells
        ]
        for name, *cells in rows
    }
    for k in range(5):
        assert min(table, key=lambda name: table[name][k]) == "MADE"
        assert table["MAF (10)"][k][0] > table["RealNVP (10)"][k][0]
    overlap = {
        pair: [a - b < sa + sb for (a, sa), (b, sb) in zip(table[pair[0]], table[pair[1]])]
        for pair in (("MAF (10)", "RealNVP (10)"), ("MAF (5)", "MAF (10)"))
    }
    assert overlap["MAF (10)", "RealNVP (10)"] == [False, False, False, False, True]
    ahead = [a > b for (a, _), (b, _) in zip(table["MAF (5)"], table["MAF (10)"])]
    assert ahead == [False, False, True, True, True]
    assert overlap["MAF (5)", "MAF (10)"][2:] == [True, True, False]
    for k in (0, 2):
        assert max(table, key=lambda name: table[name][k]) == "MADE MoG"
