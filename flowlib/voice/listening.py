"""What an ear would notice, in numbers: the spectrum in time, pitch, energy, distance of spectra."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOWEST, HIGHEST = 70.0, 420.0  # Hz, of the pitches that are looked for
SPAN, HOP = 192, 64  # samples compared with a later copy of themselves; from frame to frame


def magnitudes(x: Tensor, window: int, hop: int | None = None) -> Tensor:
    r"""The magnitudes of the short-time Fourier transform, frames times a matrix of waves.

    .. math:: |X|_{m, k} = \Bigl| \sum_{n < N} w_n \, x_{m H + n} \, e^{-2 \pi i k n / N} \Bigr|,
        \qquad w_n \propto \sin^2(\pi n / N), \qquad \sum_n w_n^2 = 1

    White noise of unit power has E|X|² = 1 in each frame and bin.

    Args:
        x: a sound, shape (*, T).
        window: N, even, at most T.
        hop: H; None takes a quarter of the window.

    Returns:
        Shape (*, frames, N / 2 + 1), with 1 + (T - N) // H frames; bin k is at k / N of the rate.

    Raises:
        ValueError: a window that is odd, below 4 or longer than the sound; a hop below 1.

    Source: Oppenheim and Schafer 2010, section 10.3.

    Example:
        >>> wave = torch.sin(2 * torch.pi * torch.arange(256) / 8)
        >>> magnitudes(wave, window=64).mean(0).argmax()  # 64 / 8
        tensor(8)
    """
    hop = window // 4 if hop is None else hop
    if not 4 <= window <= x.shape[-1] or window % 2 or hop < 1:
        raise ValueError(
            f"magnitudes expected an even window from 4 to the sound's {x.shape[-1]} samples and a "
            f"hop of at least 1; got {window} and {hop}"
        )
    n = torch.arange(window, dtype=x.dtype, device=x.device)
    shape = torch.sin(torch.pi * n / window) ** 2 * math.sqrt(8 / (3 * window))
    bins = n[: window // 2 + 1]
    turns = (n[:, None] * bins).remainder(window) * (2 * torch.pi / window)  # (window, bins)
    frames = x.unfold(-1, window, hop)
    real, imaginary = (
        frames @ (shape[:, None] * turns.cos()),
        frames @ (shape[:, None] * turns.sin()),
    )
    return (real**2 + imaginary**2 + 1e-12).sqrt()  # a root of 0 has no derivative


@torch.no_grad()
def pitch(x: Tensor, rate: float) -> Tensor:
    r"""The pitch of each frame, found blindly: the lag at which the sound repeats itself best.

    .. math:: r(\tau) = \frac{\sum_t x_t \, x_{t + \tau}}
        {\sqrt{\sum_t x_t^2 \; \sum_t x_{t + \tau}^2}}, \qquad f_0 = \text{rate} / \tau

    Of the peaks of r between 70 and 420 Hz the first counts that reaches nine tenths of the
    highest: a sound repeats itself at each multiple of its period, too.  A parabola through the peak
    and its neighbours gives τ to a part of a sample.  Frames without a peak are NaN.

    Args:
        x: a sound, shape (*, T).
        rate: samples a second.

    Returns:
        Hz, shape (*, frames); :func:`on_frames` brings other tracks to the same frames.

    Raises:
        ValueError: a sound shorter than one frame.

    Source: Boersma 1993, the normalised autocorrelation; Rabiner 1977.

    Example:
        >>> wave = torch.sin(2 * torch.pi * 200 * torch.arange(1000) / 4000)
        >>> pitch(wave, rate=4000)[0].round(decimals=1)
        tensor(200.)
    """
    return repetition(x, rate, HOP)[0]


@torch.no_grad()
def repetition(x: Tensor, rate: float, hop: int) -> tuple[Tensor, Tensor]:
    """The pitch of each frame as :func:`pitch` finds it, and r there, from 0 to 1.

    Shapes: (*, T) -> (*, frames) each, a frame every ``hop`` samples.

    Example:
        >>> wave = torch.sin(2 * torch.pi * 200 * torch.arange(1000) / 4000)
        >>> repetition(wave, rate=4000, hop=64)[1][0].round(decimals=2)
        tensor(1.)
    """
    first, last = math.floor(rate / HIGHEST), math.ceil(rate / LOWEST)
    frames = _frames(x, rate, hop)  # (*, frames, SPAN + last + 1)
    here = frames[..., :SPAN]
    lags = []
    for lag in range(first - 1, last + 2):
        there = frames[..., lag : lag + SPAN]
        power = (here**2).sum(-1) * (there**2).sum(-1)
        lags.append((here * there).sum(-1) * power.clamp(min=1e-20).rsqrt())
    r = torch.stack(lags, -1)  # (*, frames, lags), one lag more at either end
    before, middle, after = r[..., :-2], r[..., 1:-1], r[..., 2:]
    peak = (middle > before) & (middle >= after) & (middle > 0)
    height = torch.where(peak, middle, 0).amax(-1, keepdim=True)
    chosen = (peak & (middle >= 0.9 * height)).byte().argmax(-1, keepdim=True)
    before, middle, after = (part.gather(-1, chosen) for part in (before, middle, after))
    between = 0.5 * (before - after) / (before - 2 * middle + after)
    found = rate / (first + chosen + between)
    return torch.where(height > 0, found, torch.nan)[..., 0], height[..., 0]


def on_frames(track: Tensor, rate: float) -> Tensor:
    """The mean of a track (*, T), such as f0 in Hz, over each frame of :func:`pitch`: (*, frames).

    Example:
        >>> on_frames(torch.full((1000,), 200.0), rate=4000)[0]
        tensor(200.)
    """
    return _frames(track, rate, HOP).mean(-1)


@torch.no_grad()
def in_tune(x: Tensor, f0: Tensor, rate: float, cents: float = 50.0) -> Tensor:
    r"""The share of a sound's frames whose pitch is within some cents of the intended pitch.

    .. math:: \lvert 1200 \log_2 (\text{pitch} / f_0) \rvert \le \text{cents}

    A hundred cents are a semitone.  Frames without a pitch count as wrong, and so do frames where
    a pitch was intended and only noise came.

    Args:
        x: a sound, shape (*, T).
        f0: the intended pitch, in Hz, shape (*, T); a frame where it is NaN is not counted.
        rate: samples a second.

    Returns:
        Shape (), between 0 and 1.

    Example:
        >>> wave = torch.sin(2 * torch.pi * 200 * torch.arange(1000) / 4000)
        >>> in_tune(wave, torch.full((1000,), 204.0), 4000), in_tune(wave, 2 * wave + 210, 4000)
        (tensor(1.), tensor(0.))
    """
    intended = on_frames(f0, rate)
    off = 1200 * (pitch(x, rate) / intended).log2().abs()  # NaN, and so not within, without a pitch
    return (off <= cents).sum() / (~intended.isnan()).sum()


def energy(x: Tensor, real: Tensor) -> Tensor:
    r"""How much louder a sound is than a real one, in dB, by the mean power of all samples.

    .. math:: 10 \log_{10} \frac{\overline{x^2}}{\overline{y^2}}

    Example:
        >>> energy(torch.full((5,), 0.1), torch.ones(5)).round(decimals=2)
        tensor(-20.)
    """
    return 10 * ((x**2).mean() / (real**2).mean()).log10()


def log_spectral_distance(x: Tensor, real: Tensor, window: int = 256) -> Tensor:
    r"""How far apart two sounds' spectra are, in dB: over the bins, the root mean square difference.

    .. math:: \overline{\sqrt{\frac1K \sum_k \Bigl( 10 \log_{10}
        \frac{\sum_m |X|_{m, k}^2}{\sum_m |Y|_{m, k}^2} \Bigr)^2}}

    Each sound's power in a bin is first taken together over the sound's frames, for between two
    frames of the same noise there would be 8 dB.  A sound 10 dB softer at every frequency is 10 dB
    away.  The mean runs over the sounds.

    Args:
        x, real: sounds, shape (*, T); row by row, they ought to sing the same.

    Example:
        >>> torch.manual_seed(0)  # doctest: +ELLIPSIS
        <torch...
        >>> noise = torch.randn(2, 1000)
        >>> log_spectral_distance(0.1 * noise, noise).round(decimals=2)
        tensor(20.)
    """
    powers = [(magnitudes(part, window) ** 2).mean(-2) for part in (x, real)]
    return (10 * (powers[0] / powers[1]).log10()).square().mean(-1).sqrt().mean()


def _frames(x: Tensor, rate: float, hop: int) -> Tensor:
    """The frames in which :func:`pitch` looks, (*, frames, SPAN + the longest lag + 1)."""
    length = SPAN + math.ceil(rate / LOWEST) + 1
    if x.shape[-1] < length:
        raise ValueError(f"expected a sound of at least {length} samples; got {tuple(x.shape)}")
    return x.unfold(-1, length, hop)
