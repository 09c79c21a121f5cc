"""Weights as small files that hold only numbers, and those that come with flowlib."""

from __future__ import annotations

import json
import os
from operator import index
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher

MODELS = {"Teacher": Teacher, "Student": Student}
FOLDER = Path(__file__).parent / "weights"


def save_weights(path: str | os.PathLike, model: nn.Module, **options: int) -> None:
    """Write a model's weights in half precision: a zip of arrays, no code in it.

    The file appears whole or not at all.

    Args:
        path: ends in .npz.
        model: a :class:`Teacher` or a :class:`Student`.
        options: what the model was made with, such as ``conditions=6``.

    Raises:
        ValueError: a model of another class; options that do not make a model of these weights; a
            weight too large for half precision.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp(), "teacher.npz")
        >>> save_weights(path, Teacher(6, layers=3), conditions=6, layers=3)
        >>> load_weights(path).net.receptive_field
        8
    """
    name = type(model).__name__
    if type(model) is not MODELS.get(name):
        raise ValueError(f"save_weights expected one of {sorted(MODELS)}; got a {name}")
    arrays = {key: value.half().cpu().numpy() for key, value in model.state_dict().items()}
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"save_weights expected weights within ±65,504; got more in {key}")
    about = {"class": name, "options": options}
    with torch.random.fork_rng():  # a new model draws its start
        _rebuilt(about, arrays, path)
    path = Path(path)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, model=json.dumps(about, default=index), **arrays)
    partial.replace(path)


def load_weights(path: str | os.PathLike) -> nn.Module:
    """The model that :func:`save_weights` wrote, in single precision; its parameters need no gradient.

    Raises:
        ValueError: a file that holds anything but numbers, or not those of its model.

    Example:
        >>> load_weights(FOLDER / "teacher.npz").net.conditions
        6
    """
    try:
        with np.load(path, allow_pickle=False) as file:  # anything pickled is a ValueError
            arrays = {key: file[key] for key in file.files}
    except (EOFError, BadZipFile, TypeError) as error:  # TypeError: an array and no zip
        raise ValueError(f"expected {path} to be a whole zip of arrays; got {error}") from error
    about = json.loads(str(arrays.pop("model", "{}")))
    if not isinstance(about, dict) or about.get("class") not in MODELS:
        raise ValueError(f"expected {path} to name one of {sorted(MODELS)}; got {about}")
    return _rebuilt(about, arrays, path).requires_grad_(False).eval()


def pretrained(name: str) -> nn.Module:
    """A model that comes with flowlib: "teacher", "whisper" or "student", or "spoken-teacher" and so on.

    The teacher was trained by maximum likelihood; the whisper is the student that minimised the
    divergence from it only; the student minimised the power loss as well.  Those that sing are
    conditioned on f0 and on no phase.  Those that speak were trained on recordings of Allison Smith,
    and are under their licence, CC BY-SA 3.0; the students among them are given a running phase.

    Raises:
        ValueError: another name.

    Example:
        >>> pretrained("teacher").net.conditions
        6
    """
    names = sorted(path.stem for path in FOLDER.glob("*.npz"))
    if name not in names:
        raise ValueError(f"pretrained expected one of {names}; got {name!r}")
    return load_weights(FOLDER / f"{name}.npz")


def _rebuilt(about: dict, arrays: dict[str, np.ndarray], path: str | os.PathLike) -> nn.Module:
    """The model that a file names, with the file's weights."""
    try:
        model = MODELS[about["class"]](**about["options"])
        model.load_state_dict({key: torch.from_numpy(a).float() for key, a in arrays.items()})
    except (RuntimeError, TypeError, KeyError) as error:
        raise ValueError(f"expected the weights of {about} in {path}; got others") from error
    return model
