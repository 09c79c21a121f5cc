"""The student of Parallel WaveNet sings in the page: what torch sings, sooner than it sounds."""

import numpy as np
import torch

from flowlib.live import Noise, Slider, axes, curve, heat, live, sound
from flowlib.voice.listening import magnitudes
from flowlib.voice.singing import Voice, conditions
from flowlib.voice.student import Student

RATE, LENGTH = 4000, 4096
TIMES = """(figure) => Array.from({ length: 5 }, (_, i) => {
  figure.live.model.set("f0", 120 + i);
  const start = performance.now();
  figure.live.evaluate();
  return performance.now() - start;
})"""


def steady(f0, vowel):
    """The student's conditions for one note, (channels, T)."""
    track = torch.ones(1, LENGTH)
    phase = torch.cumsum(f0 / RATE * track, -1) % 1
    voice = Voice(track, f0 * track, track, vowel * track, phase, RATE)
    return conditions(voice, phase=True)[0]


def singer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        channels = len(steady(torch.tensor(130.0), torch.tensor(1.0)))
        student = Student(channels).requires_grad_(False)
        for network in student.networks:
            torch.nn.init.normal_(network.head[-1].weight, std=0.2)

    def sing(f0, vowel, temperature, u):
        noise = temperature * torch.logit(u)
        wave = student.given(steady(f0, vowel))(noise)[0]
        decibels = 20 * torch.log10(magnitudes(wave, window=256)).mT
        return {"t": torch.arange(float(LENGTH)) / RATE, "wave": wave, "decibels": decibels}

    second = {"x": (0, LENGTH / RATE), "xlabel": "s"}
    return live(
        sing,
        axes(curve("t", "wave"), **second, y=(-9, 9), alt="A wave."),
        axes(heat("decibels", low=-30, high=20), **second, y=(0, RATE / 2), alt="Its spectrum."),
        sound("wave", rate=RATE),
        name="singer",
        f0=Slider(100.0, 200.0, 130.0),
        vowel=Slider(0.0, 3.0, 1.0, step=0.25),
        temperature=(0.0, 1.0, 0.7),
        u=Noise(LENGTH, kind="uniform", seed=1),
    )


def test_a_second_of_sound_takes_less_than_a_second(show):
    fig = singer()
    shown = show(fig.book_data())
    shown.set("vowel", 2.25)
    fig.vowel = 2.25
    expected = fig.evaluate()
    for name in ("wave", "decibels"):
        got = shown.figure.evaluate(f"(figure) => [...figure.live.outputs.{name}]")
        want = expected[name].numpy().ravel()
        assert np.abs(np.array(got) - want).max() < 3e-5 * np.abs(want).max(), name
    assert min(shown.figure.evaluate(TIMES)) < 1000 * LENGTH / RATE
