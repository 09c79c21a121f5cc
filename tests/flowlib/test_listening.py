"""The ear's figures against sounds of which the answer is known."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from flowlib.voice.listening import (
    energy,
    in_tune,
    log_spectral_distance,
    magnitudes,
    on_frames,
    pitch,
)

RATE = 4000


def tone(f0, n=2048, harmonics=6, dtype=torch.float64):
    """Harmonics of a track or of a number, the second one stronger than the first."""
    phase = torch.cumsum(torch.as_tensor(f0, dtype=dtype).expand(n) / RATE, 0)
    weights = [0.5, 1.0, 0.7, 0.5, 0.3, 0.2]
    return sum(
        weight * torch.sin(2 * math.pi * k * phase + k)
        for k, weight in zip(range(1, harmonics + 1), weights)
    )


@pytest.mark.parametrize("window", [4, 64, 250])
def test_magnitudes_are_those_of_numpys_transform(window):
    x = torch.randn(3, 600, dtype=torch.float64)
    hop = window // 4
    shape = np.sin(np.pi * np.arange(window) / window) ** 2
    shape /= np.sqrt((shape**2).sum())
    starts = range(0, 600 - window + 1, hop)
    frames = np.stack([x.numpy()[:, s : s + window] * shape for s in starts], 1)
    expected = torch.from_numpy(np.abs(np.fft.rfft(frames)))
    assert_close(magnitudes(x, window), expected, rtol=1e-6, atol=1e-5)


def test_white_noise_of_unit_power_has_unit_power_in_every_bin():
    torch.manual_seed(0)
    power = (magnitudes(torch.randn(50, 4096), 64) ** 2).mean((0, 1))
    assert_close(power[1:-1], torch.ones(31), rtol=0.05, atol=0)


def test_magnitudes_have_a_gradient_in_silence():
    x = torch.zeros(64, requires_grad=True)
    magnitudes(x, 16).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("f0", [80.0, 123.4, 150.0, 220.0, 311.0, 400.0])
def test_the_pitch_of_a_steady_tone(f0):
    found = pitch(tone(f0), RATE)
    assert (1200 * (found / f0).log2()).abs().max() < 12


def test_the_pitch_of_a_tone_with_vibrato_and_noise():
    torch.manual_seed(0)
    f0 = 180 * 2 ** (0.5 / 12 * torch.sin(2 * math.pi * 5 * torch.arange(2048) / RATE).double())
    x = tone(f0) + 0.2 * torch.randn(2048)
    assert in_tune(x, f0, RATE) > 0.95
    assert in_tune(x, 1.06 * f0, RATE) < 0.1  # a semitone off
    assert in_tune(x, 2 * f0, RATE) == in_tune(x, f0 / 2, RATE) == 0


def test_noise_is_in_tune_by_chance_alone():
    torch.manual_seed(0)
    noise = torch.randn(20, 2048)
    assert in_tune(noise, torch.full_like(noise, 150.0), RATE) < 0.15


def test_silence_has_no_pitch_and_is_not_in_tune():
    silence = torch.zeros(2, 1000)
    assert pitch(silence, RATE).isnan().all()
    assert in_tune(silence, silence + 200, RATE) == 0


def test_frames_without_an_intended_pitch_do_not_count():
    f0 = torch.full((2048,), 200.0)
    x = tone(f0).float()
    x[1024:] = torch.randn(1024)
    f0[1024 - 300 :] = torch.nan
    assert in_tune(x, f0, RATE) == 1


def test_tracks_come_to_the_frames_of_the_pitch():
    x = torch.randn(2, 3, 1000)
    assert on_frames(x, RATE).shape == pitch(x, RATE).shape
    ramp = on_frames(torch.arange(1000.0), RATE)
    assert_close(ramp.diff(), torch.full_like(ramp.diff(), 64.0))


def test_energy_and_spectral_distance_of_a_softer_copy():
    torch.manual_seed(0)
    x = torch.randn(4, 2048)
    assert_close(energy(0.5 * x, x), torch.tensor(20 * math.log10(0.5)))
    assert_close(log_spectral_distance(0.5 * x, x), torch.tensor(-20 * math.log10(0.5)))
    assert log_spectral_distance(x, x) == 0
    assert log_spectral_distance(torch.randn(4, 2048), x) < 2.5
    assert log_spectral_distance(torch.randn(4, 2048), tone(200.0).float().expand(4, -1)) > 10


def test_what_cannot_be_heard_is_refused():
    with pytest.raises(ValueError, match="even window from 4 to the sound's 100 samples.*got 65"):
        magnitudes(torch.zeros(100), 65)
    with pytest.raises(ValueError, match="got 128"):
        magnitudes(torch.zeros(100), 128)
    with pytest.raises(ValueError, match="at least 251 samples"):
        pitch(torch.zeros(100), RATE)
