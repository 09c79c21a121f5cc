"""Four sentences of recorded speech that come with flowlib; no training has seen them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from flowlib.voice.features import analyse
from flowlib.voice.speech import Speech, cut

FILE = Path(__file__).parent / "recordings.npz"
CREDIT = "Allison Smith, 2003 to 2010, CC BY-SA 3.0"  # NOTICE has it in full
SENTENCES = {
    "conf-now-unmuted": "The conference is now unmuted.",
    "vm-tocancelmsg": "Press star to cancel this message.",
    "options": "Press 1 to accept this call, or 2 to reject it.",
    "vm-newpassword": "Please enter your new password, followed by the pound key.",
}


def recordings() -> list[Speech]:
    """The four sentences, two to four seconds each, of the test part of :func:`flowlib.voice.speech.part_of`.

    They are of a real person: Allison Smith recorded them for Asterisk, the telephone exchange, and
    published them under CC BY-SA 3.0.  ``SENTENCES`` has the words by name.

    Example:
        >>> speech = recordings()[0]
        >>> SENTENCES[speech.name], tuple(speech.wave.shape), tuple(speech.frames.shape)
        ('The conference is now unmuted.', (16520,), (26, 414))
    """
    with np.load(FILE, allow_pickle=False) as file:
        sounds = {
            name: torch.from_numpy(file[name].astype(np.float32)) / 2**15 for name in SENTENCES
        }
    cuts = {name: cut(sound) for name, sound in sounds.items()}
    return [Speech(name, sound, analyse(sound)) for name, sound in cuts.items()]
