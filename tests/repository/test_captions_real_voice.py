"""What the captions of the chapter on a real voice promise; the chapter checks what its student says."""

from __future__ import annotations

import pytest

from cells import caption, readings, run, sources


def test_what_notices_that_a_phase_starts_elsewhere():
    fig = run("real-voice", "imports", "settings", "phase-function", "phase-live").shown
    said = caption(sources("real-voice")["phase-live"])
    assert (
        readings(fig) == {"squares": "0.000", "power": "0.000"} and "200 Hz, and are equal" in said
    )
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
