"""What the captions of the chapter on a real voice promise; the chapter checks what its student says."""

from __future__ import annotations

import pytest

from cells import caption, readings, run, sources


def test_what_notices_that_a_phase_starts_elsewhere():
    fig = run("real-voice", "imports", "settings", "phase-function", "phase-live").shown
    said = caption(sources("real-voice")["phase-live"])
    assert readings(fig) == {"squares": "0.000", "power": "0.000"} and "200 Hz, and equal" in said
    powers = {}
    for fig.start, fig.f0, shown in (
        (0.5, 200, ("squares", "power")),
        (0, 203, ("power",)),
        (0, 210, ("power",)),
    ):
        powers[fig.f0] = readings(fig)["power"]
        assert all(readings(fig)[name] in said for name in shown), readings(fig)
    assert float(powers[200]) < float(powers[203]) < float(powers[210])
    fig.start, fig.f0 = 0.5, 200
    out = fig.evaluate()
    alone = out["real"].square().mean() + out["x"].square().mean()
    assert out["squares"].item() == pytest.approx(alone.item(), abs=0.05)  # as of unrelated sounds
