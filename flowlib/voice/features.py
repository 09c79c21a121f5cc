"""What conditions a network that speaks: a sound's spectrum in mel bands, its pitch, its voicing."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from flowlib.voice.listening import magnitudes, repetition

RATE = 8000  # samples a second
HOP = 40  # samples from frame to frame, 5 ms
WINDOW = 256  # samples, of a frame's spectrum
BANDS, LOWEST, HIGHEST = 24, 80.0, 3900.0  # the mel bands, and where they begin and end, in Hz
CENTRE = 116  # samples to the middle of two periods of a voice, in a frame of the pitch
QUIET = 1e-4  # the power in a band, added before the logarithm; a voice has a power of 1
PEAK = 0.5  # a frame that repeats itself better than this is voiced
TURNS = 8  # of the phase, among a student's conditions
SPEAKER = 200.0  # Hz, about her median pitch, relative to which f0 is given


@torch.no_grad()
def analyse(sound: Tensor) -> Tensor:
    r"""What a network is conditioned on, every 5 ms of a sound: its spectrum in mel bands, f0, and voicing.

    .. math:: \ln(10^{-4} + P_{m, b}), \qquad \ln f_{0, m}, \qquad v_m \in \{0, 1\}

    The power P in band b is that of a window of 256 samples around sample 40 m.  A frame is voiced if
    it repeats itself at a pitch; ln f0 is interpolated where it does not, and is the median
    of seven frames.

    Args:
        sound: shape (T,), of 256 samples or more, of unit root mean square.

    Returns:
        Shape (26, T // 40 + 1): the 24 bands from 80 to 3,900 Hz, ln f0 in ln Hz, and the voicing.

    Source: Shen et al. 2018, `arXiv:1712.05884 <https://arxiv.org/abs/1712.05884>`_, section 2.1, for
        mel bands as a WaveNet's conditions; the pitch is :func:`flowlib.voice.listening.pitch`'s.

    Example:
        >>> frames = analyse(torch.sin(2 * torch.pi * 200 * torch.arange(4000) / 8000))
        >>> frames.shape, round(frames[24, 50].exp().item())
        (torch.Size([26, 101]), 200)
    """
    count = len(sound) // HOP + 1
    bands = log_mel(sound, count)
    padded = F.pad(sound, (CENTRE, 3 * CENTRE))
    found, height = (track[:count] for track in repetition(padded, RATE, HOP))
    loud = bands.logsumexp(0) > math.log(BANDS * QUIET) + 1.5
    voiced = (found.isfinite() & (height > PEAK) & loud).float()
    voiced = _median(voiced, 5)
    known = (voiced > 0) & found.isfinite()
    if known.any():
        places = torch.arange(count)
        track = np.interp(places, places[known], found[known].log())
        log_f0 = _median(torch.from_numpy(track).float(), 7)
    else:
        log_f0 = torch.full((count,), math.log(SPEAKER))
    return torch.cat([bands, log_f0[None], voiced[None]])


def log_mel(sound: Tensor, count: int) -> Tensor:
    """The logarithm of the power in each mel band, shape (*, 24, count) of sounds (*, T).

    Example:
        >>> log_mel(torch.zeros(2, 400), 11).shape
        torch.Size([2, 24, 11])
    """
    padded = F.pad(sound, (WINDOW // 2, WINDOW))
    power = magnitudes(padded, WINDOW, HOP)[..., :count, :].square()
    return (power @ _mel_bands(power) + QUIET).log().mT


def conditions(frames: Tensor, phase: bool) -> Tensor:
    r"""What conditions a network at each sample, in channels of size about one.

    .. math:: \varphi_t = \sum_{\tau < t} f_{0, \tau} / 8000, \qquad
        v_t \cos(2 \pi k \varphi_t), \; v_t \sin(2 \pi k \varphi_t), \qquad k = 1, \dots, 8

    The frames are interpolated linearly.  With ``phase`` come the cosines and sines of the running phase
    of f0, which starts at 0: it gives *when* the glottis closes, though not when it did in the recording.

    Args:
        frames: shape (*, 26, F), as :func:`analyse` returns them.
        phase: whether the phase is among the conditions.

    Returns:
        (*, 26, 40 (F - 1)), or (*, 42, 40 (F - 1)) with the phase.

    Example:
        >>> conditions(torch.zeros(3, 26, 11), phase=True).shape
        torch.Size([3, 42, 400])
    """
    share = torch.arange(HOP, dtype=frames.dtype, device=frames.device) / HOP
    ends = torch.stack([frames[..., :-1], frames.diff()], -1)
    lines = ends @ torch.stack([torch.ones_like(share), share])  # a product takes the least memory
    bands, log_f0, voiced = lines.flatten(-2).split((BANDS, 1, 1), -2)
    channels = [(bands + 4) / 3, 3 * (log_f0 - math.log(SPEAKER)), voiced]
    if phase:
        step = (log_f0.exp() / RATE).unflatten(-1, (-1, HOP))
        within, frame = step.cumsum(-1) - step, step.sum(-1)  # apart, so that float32 is enough
        turns = (within + (frame.cumsum(-1) - frame)[..., None]).flatten(-2).remainder(1)
        angles = 2 * math.pi * turns * torch.arange(1, TURNS + 1).to(frames)[:, None]
        channels += [voiced * angles.cos(), voiced * angles.sin()]
    return torch.cat(channels, -2)


def _mel_bands(like: Tensor) -> Tensor:
    """The weight of each bin of a spectrum in each band, (129, 24): triangles, each of sum 1."""
    edges = torch.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2, dtype=torch.float64)
    bins = torch.arange(WINDOW // 2 + 1, dtype=torch.float64) * RATE / WINDOW
    place = 2595 * torch.log10(1 + bins / 700)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (place - low) / (middle - low), (high - place) / (high - middle)
    weights = torch.minimum(rising, falling).clamp(min=0)
    return (weights / weights.sum(0)).to(like)


def _median(track: Tensor, width: int) -> Tensor:
    """The median over ``width`` frames around each, an odd number, the ends repeated."""
    padded = F.pad(track[None], (width // 2, width // 2), mode="replicate")[0]
    return padded.unfold(0, width, 1).median(-1).values


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
