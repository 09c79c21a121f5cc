"""The singing voice: its level, its pitch, its formants, its phase; and the conditions."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from flowlib.live.trace import ConstantPool, trace
from flowlib.voice.singing import FLOOR, FORMANTS, Voice, conditions, render, sing


@pytest.fixture(scope="module")
def choir():
    return sing(200, length=1024, seed=3)


def steady(f0=125.0, loudness=1.0, vowel=2.0, length=8000, rate=4000, clips=1):
    """Clips that hold one note on one vowel."""
    tracks = (np.full((clips, length), value) for value in (f0, loudness, vowel))
    return render(*tracks, rate=rate)


def spectrum(wave, rate=4000):
    """Frequencies in Hz and the power at each, through a Hann window."""
    power = torch.fft.rfft(wave * torch.hann_window(wave.shape[-1])).abs().square()
    return torch.arange(power.shape[-1]) * rate / wave.shape[-1], power.mean(0)


# -- the sound


def test_the_voice_has_unit_rms_and_each_clip_the_loudness_of_its_track(choir):
    assert choir.wave.square().mean().item() == pytest.approx(1, abs=0.15)
    level = (choir.wave.square().mean(1) / choir.loudness.square().mean(1)).sqrt()
    assert level.median().item() == pytest.approx(1, abs=0.02)
    assert level.min() > 0.85 and level.max() < 1.25


@pytest.mark.parametrize("vowel", [0.0, 0.7, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("f0, loudness", [(110.0, 1.0), (200.0, 0.5)])
def test_a_steady_note_has_its_loudness_whatever_the_vowel(f0, loudness, vowel):
    voice = steady(f0, loudness, vowel, length=16_000)
    power = voice.wave.square().mean().item() - FLOOR**2
    assert math.sqrt(power) == pytest.approx(loudness, rel=0.03)


@pytest.mark.parametrize("rate", [4000, 8000])
@pytest.mark.parametrize("f0", [125.0, 160.0])
def test_all_lines_of_a_steady_note_are_multiples_of_f0(f0, rate):
    frequency, power = spectrum(steady(f0, length=2 * rate, rate=rate).wave, rate)
    off = (frequency / f0 - (frequency / f0).round()).abs() * f0  # Hz from the nearest harmonic
    assert power[off <= 1.5].sum() > 0.9 * power.sum()  # the rest is breath
    first = power[(frequency - f0).abs() <= 1.5].max()
    assert first > 100 * power[(frequency - f0 / 2).abs() <= 1.5].max()


@pytest.mark.parametrize("vowel", range(4))
def test_the_spectrum_has_its_peaks_at_the_formants(vowel):
    """Of a note so low that harmonics lie closer than a formant is wide."""
    frequency, power = spectrum(steady(f0=31.25, vowel=float(vowel), length=4096, clips=20).wave)
    smooth = power.unfold(0, 33, 1).mean(-1)  # over one harmonic
    centre = frequency[16:-16]
    first, second = FORMANTS[vowel]
    for formant in (first, second):
        around = (centre - formant).abs() < 100
        # The source falls by 6 dB an octave, which is put back before the peak is sought.
        peak = centre[around][(smooth[around] * centre[around] ** 2).argmax()]
        assert abs(peak - formant) < 45


def test_the_phase_is_the_running_sum_of_f0_and_its_pulses_are_where_it_wraps(choir):
    step = torch.diff(choir.phase.double()) % 1
    assert_close(step, choir.f0[:, 1:].double() / 4000, rtol=0, atol=1e-6)
    assert choir.phase.min() >= 0 and choir.phase.max() <= 1
    voice = steady(f0=50.0, vowel=2.0)
    since = (voice.phase[0] * 80).floor().long()  # samples since the closure
    energy = torch.stack([voice.wave[0, since == k].square().mean() for k in range(80)])
    assert energy[:16].sum() > 0.5 * energy.sum()


def test_the_noise_differs_from_clip_to_clip_and_is_small():
    """What is left of a steady note when the mean over its periods is taken away."""
    waves = steady(clips=50).wave.unflatten(1, (-1, 32))  # 4,000 / 125 samples a period
    noise = (waves - waves.mean(1, keepdim=True)).flatten(1)
    assert FLOOR < noise.std() < 0.4
    assert torch.corrcoef(noise).fill_diagonal_(0).abs().max() < 0.2


# -- the tracks


def test_the_tracks_are_in_their_ranges_and_they_move(choir):
    for track, low, high in ((choir.f0, 85, 250), (choir.loudness, 0.3, 2.5), (choir.vowel, 0, 3)):
        assert low <= track.min() and track.max() <= high
        assert (track.std(1) > 0).float().mean() > 0.99
        assert torch.diff(track).abs().max() < 0.02 * (high - low)
    assert choir.f0.mean(1).std() > 15, "clips have pitches of their own"
    assert torch.histc(choir.vowel, 3, 0, 3).min() > 0.2 * choir.vowel.numel()
    assert all(track.dtype == torch.float32 and track.shape == (200, 1024) for track in choir[:-1])


def test_the_same_seed_gives_the_same_clips_and_another_gives_others():
    first, again, other = sing(3, length=200), sing(3, length=200), sing(3, length=200, seed=1)
    for a, b, c in zip(first[:-1], again[:-1], other[:-1]):
        assert torch.equal(a, b) and not torch.equal(a, c)


def test_a_voice_can_be_sung_again_from_its_own_tracks(choir):
    few = choir.clips([5, 1])
    again = render(few.f0.numpy(), few.loudness.numpy(), few.vowel.numpy())
    for track in ("f0", "loudness", "vowel"):
        assert_close(getattr(again, track), getattr(few, track))
    loud = [(wave.square().unflatten(1, (-1, 256)).mean(-1)) for wave in (few.wave, again.wave)]
    assert_close(loud[0].sqrt(), loud[1].sqrt(), rtol=0.5, atol=0.1)


def test_a_different_rate_sings_the_same_seconds():
    slow, fast = sing(20, length=1000, rate=4000), sing(20, length=2000, rate=8000)
    assert_close(fast.f0[:, ::2], slow.f0, rtol=1e-4, atol=0)
    assert_close(fast.wave.std(), slow.wave.std(), rtol=0.1, atol=0)


def test_clips_takes_what_indexes_a_tensor(choir):
    assert torch.equal(choir.clips(slice(2)).wave, choir.wave[:2])
    assert torch.equal(choir.clips(torch.tensor([7, 7])).vowel, choir.vowel[[7, 7]])
    assert choir.clips([0]).rate == 4000 and isinstance(choir.clips([0]), Voice)


# -- the conditions


def test_the_channels_are_what_the_docstring_lists(choir):
    told = conditions(choir, phase=True)
    assert told.shape == (200, 18, 1024)
    assert torch.equal(conditions(choir, phase=False), told[:, :6])
    f0, loudness, vowels, turns = told.split([1, 1, 4, 12], 1)
    assert_close(150 * torch.exp(f0[:, 0] / 3), choir.f0)
    assert_close(torch.exp(loudness[:, 0] / 2), choir.loudness)
    assert_close(vowels.sum(1), torch.ones(200, 1024))
    assert (vowels >= 0).all()
    weighted = (vowels * torch.arange(4)[:, None]).sum(1)
    assert_close(weighted, choir.vowel, rtol=0, atol=1e-5)
    for k in range(1, 7):
        turn = torch.polar(torch.ones(200, 1024), 2 * math.pi * k * choir.phase)
        told_turn = torch.complex(*turns[:, 2 * k - 2 : 2 * k].unbind(1))
        assert_close(told_turn, turn, rtol=0, atol=1e-5)
    assert told.std((0, 2)).min() > 0.2 and told.abs().max() < 3


def test_conditions_hold_only_what_is_known_before_the_voice_sings(choir):
    silent = choir._replace(wave=torch.full_like(choir.wave, math.nan))
    assert torch.equal(conditions(silent, phase=True), conditions(choir, phase=True))


def test_the_page_can_tell_a_network_of_sliders():
    time = torch.arange(50.0)

    def tracks(f0, vowel, loudness):
        one = torch.ones(1, 50)
        phase = (f0 / 4000 * time)[None] % 1
        voice = Voice(one, f0 * one, loudness * one, vowel * one, phase, 4000)
        return {"c": conditions(voice, phase=True)}

    sliders = {"f0": 130.0, "vowel": 1.5, "loudness": 1.0}
    graph = trace(
        tracks, {name: torch.tensor(value) for name, value in sliders.items()}, ConstantPool()
    )
    assert graph["shapes"] == {"c": [1, 18, 50]}


# -- bad input


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("f0", 0.0, r"f0 in \(0, 1000\) Hz; got 0.0"),
        ("f0", 1000.0, r"f0 in \(0, 1000\) Hz; got 1000.0"),
        ("f0", math.nan, r"f0 in \(0, 1000\) Hz; got nan"),
        ("loudness", 0.0, "loudness above 0; got 0.0"),
        ("vowel", 3.1, r"vowel in \[0, 3\]; got 3.1"),
        ("vowel", -0.1, r"vowel in \[0, 3\]; got -0.1"),
        ("rate", 2000, "rate of 4,000 or more; got 2000"),
    ],
)
def test_a_voice_that_cannot_be_sung_is_refused(name, value, expected):
    with pytest.raises(ValueError, match=f"render expected (a )?{expected}"):
        steady(length=10, **{name: value})


@pytest.mark.parametrize("shapes", [[(5,)] * 3, [(1, 5), (1, 5), (1, 6)], [(1, 5), (2, 5), (1, 5)]])
def test_tracks_of_unlike_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match=r"one shape \(B, T\); got"):
        render(*map(np.ones, shapes))
