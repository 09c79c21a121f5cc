"""A singing voice made from its source and its formants: nothing to download, and f0 is known."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

# Men's /u/, /ɔ/, /ɑ/, /ɛ/: their first two formants in Hz, with bandwidths.  All are below 2 kHz.
FORMANTS = np.array([[300.0, 870.0], [570.0, 840.0], [730.0, 1090.0], [530.0, 1840.0]])
BANDWIDTHS = np.array([60.0, 90.0])
BREATH = 0.1  # of the source, against pulses of harmonics 1/k
FLOOR = 0.06  # the noise of the room, against a voice of unit RMS
TURNS = 6  # of the phase, among the conditions: harmonics that a network need not make by itself
COARSE = 64  # samples from one point of a control track to the next


class Voice(NamedTuple):
    """Clips of a voice and what they were sung from: tensors of shape (B, T), float32.

    Attributes:
        wave: the sound; a loudness of 1 is a root mean square of 1.
        f0: how often the glottis closes, in Hz.
        loudness: the root mean square of the voice, without the noise of the room.
        vowel: 0 to 3, through u (who), ɔ (saw), ɑ (spa) and ɛ (bed); between them, between two.
        phase: cycles of the glottis since its last closure, in [0, 1).
        rate: samples a second.

    Example:
        >>> voice = sing(3, length=100)
        >>> voice.clips(slice(2)).wave.shape
        torch.Size([2, 100])
    """

    wave: Tensor
    f0: Tensor
    loudness: Tensor
    vowel: Tensor
    phase: Tensor
    rate: int

    def clips(self, index) -> Voice:
        """Some of the clips: anything that indexes the first dimension of a tensor."""
        return Voice(*(track[index] for track in self[:-1]), self.rate)  # type: ignore[arg-type, call-arg]


def sing(n: int, length: int = 2048, rate: int = 4000, seed: int = 0) -> Voice:
    """Clips of a voice that glides in pitch, swells, trembles, and moves from vowel to vowel.

    Each clip has a pitch of its own between 100 and 220 Hz, a glide of some semitones, vibrato, and
    two vowels.  Clips begin in the middle of the voice.  The same seed gives the same clips.

    Args:
        n: how many clips.
        length: of a clip, in samples.
        rate: samples a second, 4,000 or more.
        seed: of all that is random.

    Example:
        >>> voice = sing(2, length=4000)  # one second each
        >>> voice.wave.shape, bool((voice.f0 > 80).all())
        (torch.Size([2, 4000]), True)
    """
    random = np.random.default_rng(seed)
    seconds = np.arange(length) / rate

    def each(low: float, high: float) -> np.ndarray:
        """A number for each clip, (n, 1)."""
        return random.uniform(low, high, (n, 1))

    def wave(depth: np.ndarray, low: float, high: float) -> np.ndarray:
        """A sine for each clip, of a frequency between low and high, (n, length)."""
        return depth * np.sin(2 * np.pi * (each(low, high) * seconds + each(0, 1)))

    semitones = wave(each(0.5, 3), 0.3, 1) + wave(each(0.1, 0.4), 4.5, 6.5)
    f0 = each(math.log(110), math.log(200))
    f0 = np.exp(f0) * 2 ** (semitones / 12)
    loudness = np.exp(wave(each(0, 0.5), 0.5, 2) + each(-0.4, 0.2))
    start, end = each(0, 3), each(0, 3)
    when = each(0, length / rate)
    vowel = start + (end - start) / (1 + np.exp(-(seconds - when) / 0.04))
    return render(f0, loudness, vowel, rate, seed)


def render(
    f0: np.ndarray, loudness: np.ndarray, vowel: np.ndarray, rate: int = 4000, seed: int = 0
) -> Voice:
    r"""Sing given tracks: glottal pulses and breath, through two formants, plus a noise floor.

    .. math:: s_t = \sum_k \tfrac1k \cos(2 \pi k \varphi_t) + \text{breath}_t, \qquad
        \varphi_t = \sum_{\tau \le t} f_{0, \tau} / \text{rate}, \qquad
        y_t = g_t s_t + a_t y_{t-1} - b_t y_{t-2} \text{ for each formant}

    Harmonics fade out below half the rate.  The breath is louder after each closure of the glottis.

    Args:
        f0, loudness, vowel: the tracks of :class:`Voice`, arrays of shape (B, T).
        rate: samples a second.
        seed: of the breath, the floor, and the phase at the start.

    Raises:
        ValueError: tracks of other shapes; an f0 or a loudness that is not positive, an f0 of a
            quarter of the rate or more, a vowel outside [0, 3], a rate below 4,000.

    Source: Klatt 1980, `doi:10.1121/1.383940 <https://doi.org/10.1121/1.383940>`_, for the
        resonator; Peterson and Barney 1952,
        `doi:10.1121/1.1906875 <https://doi.org/10.1121/1.1906875>`_, for the formants.

    Example:
        >>> import numpy as np
        >>> track = np.ones((1, 4000))
        >>> voice = render(130 * track, track, 2 * track)  # one second of "ah"
        >>> round(voice.wave.square().mean().item(), 1)
        1.0
    """
    f0, loudness, vowel = (np.asarray(track, dtype=np.float64) for track in (f0, loudness, vowel))
    _check(f0, loudness, vowel, rate)
    random = np.random.default_rng([seed, 1])
    n, length = f0.shape
    phase = (random.random((n, 1)) + np.cumsum(f0 / rate, 1)) % 1
    pulses = _harmonics(phase, f0, rate)
    breath = random.standard_normal((n, length)) * BREATH * (1 + np.cos(2 * np.pi * phase))
    formants = _formants(vowel)
    source = (pulses + breath) * loudness / _level(f0, formants, rate)
    wave = _resonate(source, formants, rate) + FLOOR * random.standard_normal((n, length))
    tracks = (wave, f0, loudness, vowel, phase)
    return Voice(*(torch.from_numpy(track).float() for track in tracks), rate)  # type: ignore[arg-type, call-arg]


def conditions(voice: Voice, phase: bool) -> Tensor:
    r"""What conditions a network at each sample of a voice, in channels of size about one.

    The logarithms of f0 and of the loudness, and four channels for the vowel: one of them is
    1 at that vowel and falls to 0 at its neighbours.  With ``phase`` also the cosines and sines of
    the first six multiples of the phase, which give *where* the pulses are and not only how often.

    Args:
        voice: tracks of shape (B, T); its wave is not looked at.
        phase: whether the phase is among them.

    Returns:
        (B, 6, T), or (B, 18, T) with the phase.

    Example:
        >>> conditions(sing(3, length=100), phase=True).shape
        torch.Size([3, 18, 100])
    """
    vowels = [torch.relu(1 - (voice.vowel - k).abs()) for k in range(4)]
    channels = [3 * torch.log(voice.f0 / 150), 2 * torch.log(voice.loudness), *vowels]
    if phase:
        angles = [2 * math.pi * k * voice.phase for k in range(1, TURNS + 1)]
        channels += [f(angle) for angle in angles for f in (torch.cos, torch.sin)]
    return torch.stack(channels, 1)


def _harmonics(phase: np.ndarray, f0: np.ndarray, rate: int) -> np.ndarray:
    """The sum of cos(2πkφ)/k over the harmonics below half the rate, each fading out there."""
    pulses = np.zeros(phase.shape, np.float32)
    angle = (2 * np.pi * phase).astype(np.float32)
    for k in range(1, math.ceil(rate / 2 / f0.min())):
        pulses += _weight(k, f0, rate).astype(np.float32) * np.cos(k * angle)
    return pulses


def _weight(k: int, f0: np.ndarray, rate: int) -> np.ndarray:
    """The amplitude of harmonic k: 1/k, falling to 0 over the last fifth of the band."""
    return np.clip(5 * (1 - k * f0 / (rate / 2)), 0, 1) / k


def _formants(vowel: np.ndarray) -> np.ndarray:
    """Frequencies in Hz between those of the vowels beside, (2, B, T)."""
    return np.stack([np.interp(vowel, range(4), each) for each in FORMANTS.T])


def _coefficients(formant: np.ndarray, bandwidth: float, rate: int) -> tuple[np.ndarray, float]:
    """a and b of a resonator; its gain at 0 Hz is 1 with g = 1 - a + b."""
    radius = math.exp(-math.pi * bandwidth / rate)
    return 2 * radius * np.cos(2 * np.pi * formant / rate), radius**2


def _resonate(wave: np.ndarray, formants: np.ndarray, rate: int) -> np.ndarray:
    """Through one resonator after the other, all clips at once."""
    for formant, bandwidth in zip(formants, BANDWIDTHS, strict=True):
        a, b = _coefficients(formant, bandwidth, rate)
        y = np.ascontiguousarray(((1 - a + b) * wave).T)  # (T, B)
        a = np.ascontiguousarray(a.T)
        for t in range(2, len(y)):
            y[t] += a[t] * y[t - 1] - b * y[t - 2]
        wave = y.T
    return wave


def _level(f0: np.ndarray, formants: np.ndarray, rate: int) -> np.ndarray:
    """The root mean square of the voice at a steady pitch and vowel, breath included, (B, T)."""
    grid = np.arange(0, f0.shape[1] + COARSE, COARSE)
    last = np.minimum(grid, f0.shape[1] - 1)
    pitch, formants = f0[:, last], formants[..., last]

    def gain(frequency: np.ndarray) -> np.ndarray:
        """|H|² of the resonators."""
        turn = np.exp(-2j * np.pi * frequency / rate)
        power: Any = 1.0
        for formant, bandwidth in zip(formants, BANDWIDTHS, strict=True):
            a, b = _coefficients(formant, bandwidth, rate)
            power = power * np.abs((1 - a + b) / (1 - a * turn + b * turn**2)) ** 2
        return power

    harmonics = range(1, math.ceil(rate / 2 / pitch.min()))
    power = sum(_weight(k, pitch, rate) ** 2 / 2 * gain(k * pitch) for k in harmonics)
    band = (np.arange(64) + 0.5) * rate / 128
    power = power + 1.5 * BREATH**2 * sum(gain(frequency) for frequency in band) / len(band)
    return np.stack([np.interp(np.arange(f0.shape[1]), grid, row) for row in np.sqrt(power)])


def _check(f0: np.ndarray, loudness: np.ndarray, vowel: np.ndarray, rate: int) -> None:
    if not (f0.ndim == 2 and f0.shape == loudness.shape == vowel.shape):
        raise ValueError(
            "render expected f0, loudness and vowel of one shape (B, T); "
            f"got {f0.shape}, {loudness.shape} and {vowel.shape}"
        )
    if rate < 4000:
        raise ValueError(f"render expected a rate of 4,000 or more; got {rate}")
    for name, track, right, expected in (
        ("f0", f0, (f0 > 0) & (f0 < rate / 4), f"in (0, {rate / 4:g}) Hz"),
        ("loudness", loudness, loudness > 0, "above 0"),
        ("vowel", vowel, (vowel >= 0) & (vowel <= 3), "in [0, 3]"),
    ):
        if not right.all():
            raise ValueError(f"render expected {name} {expected}; got {track[~right].flat[0]}")
