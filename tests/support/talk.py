"""Sounds that pass for speech, and a folder of them as wav files."""

import torch

from flowlib.voice.features import RATE
from flowlib.voice.singing import sing
from flowlib.voice.speech import write_wave


def talk(seed=0):
    """Half a second of a voice that glides, then a hiss, then a silence: shape (8000,)."""
    generator = torch.Generator().manual_seed(seed)
    sound = sing(1, 8000, RATE, seed).wave[0]
    hiss = torch.randn(8001, generator=generator).diff()
    place = torch.arange(8000)
    sound = torch.where(place < 4800, sound, 0.2 * hiss)
    return torch.where(place < 6800, sound, 0.001 * hiss)


def write(path, sound):
    """A wav file whose largest sample is three quarters of what it can hold."""
    write_wave(path, sound / sound.abs().max().clamp(min=1e-6) * 0.75)
