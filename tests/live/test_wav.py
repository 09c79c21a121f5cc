"""A reader saves the sound that a figure plays as a wav file."""

import torch

from flowlib.live import axes, curve, live, sound
from flowlib.voice.speech import read_wave


def test_the_wave_that_is_shown_is_saved(show):
    def tone(a):
        t = torch.arange(4000.0) / 8000
        wave = a * torch.sin(2 * torch.pi * 440 * t)
        return {"t": t, "wave": torch.cat([wave[:3000], torch.zeros(1000)])}

    picture = axes(curve("t", "wave"), x=(0, 1), y=(-3, 3), alt="A wave.")
    figure = live(tone, picture, sound("wave", 8000, "the tone"), name="tone", a=(0.0, 2.0, 2.0))
    shown = show(figure.book_data())
    shown.press("Save or embed")
    with shown.page.expect_download() as download:
        shown.press("WAV of the tone")
    assert download.value.suggested_filename == "tone-wave.wav"
    saved = read_wave(download.value.path())
    wave = 0.1 * figure.evaluate()["wave"][:3080]  # as loud as it plays, and with little silence
    inside = slice(80, -80)  # it is faded in and out
    torch.testing.assert_close(saved[inside], wave[inside], rtol=0, atol=1e-4)
    assert len(saved) == 3080 and saved[0] == 0
