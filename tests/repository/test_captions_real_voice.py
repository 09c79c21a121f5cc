"""What the captions of the chapter on a real voice promise; the chapter checks what its student says."""

from __future__ import annotations

import json
import math

import pytest

from cells import caption, readings, run, sources
from tools.book import ROOT

SPOKEN = json.loads((ROOT / "benchmarks" / "results" / "spoken.json").read_text("utf-8"))


def test_what_notices_that_a_phase_starts_elsewhere():
    fig = run("real-voice", "imports", "settings", "phase-function", "phase-live").shown
    said = caption(sources("real-voice")["phase-live"])
    assert "200 Hz, and are equal" in said
    assert readings(fig) == {"squares": "0.000", "power": "0.000"}
    out = fig.evaluate()
    assert out["pitches"][out["losses"].argmin()] == 200
    for f0 in (203, 210):
        fig.f0 = f0
        power = readings(fig)["power"]
        assert f"{power} at {f0} Hz" in " ".join(said.split())
        at = out["losses"][out["pitches"] == f0].item()
        assert at == pytest.approx(float(power), abs=1e-3)  # the curve is what the readout shows
    fig.start, fig.f0 = 0.5, 200
    assert all(value in said for value in readings(fig).values())
    out = fig.evaluate()
    alone = out["real"].square().mean() + out["x"].square().mean()
    assert out["squares"].item() == pytest.approx(alone.item(), abs=0.05)  # as of unrelated sounds
    wrong = out["losses"][out["pitches"] != 200]
    assert (wrong > out["power"]).all() and wrong.max() > 1.4
    fig.f0 = 202
    assert f"at 202 Hz, with {readings(fig)['power']}, only" in said


def test_the_figures_of_all_test_sentences():
    said, voices = sources("real-voice")["all-sentences"].replace("−", "-"), SPOKEN["voices"]
    shown = {"kl_bits": ".2f", "mel": ".2f", "pitch": ".0%", "voicing": ".0%", "energy": ".1f"}
    for name, each in voices.items():
        own = {} if name == "recording" else each  # a recording is not compared with itself
        row = [f"{own[figure]:{form}}" if figure in own else "" for figure, form in shown.items()]
        assert f"| {name} | {' | '.join(row)} | {each['recognised']:.0%} |" in said
    sentences, seconds, bits = (SPOKEN[name] for name in ("sentences", "seconds", "bits"))
    assert f"all {sentences} test sentences, {seconds:.0f} seconds" in said
    assert f"{bits['teacher']:.2f} bits per sample; a linear prediction" in said
    assert f"to the training sentences takes {bits['linear']:.2f}" in said

    def spread(*names):
        return math.ceil(100 * max(each["±"].get(n, 0) for n in names for each in voices.values()))

    assert f"at most {spread('kl_bits', 'mel', 'energy') / 100:.2f} for bits and dB" in said
    assert f"and {spread('pitch', 'voicing', 'recognised')} points for the shares" in said
    heard = {name: each["recognised"] for name, each in voices.items()}
    assert abs(heard["student"] - heard["recording"]) < 0.03  # as well as the recordings
    assert heard["whisper"] > 0.5  # more often than not
