"""What a reader takes away from a training figure: its code, and the parameters it has learned."""

from __future__ import annotations

import os
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from flowlib.live.drawing import encode
from flowlib.live.trainer import TrainingFigure

COLAB = "https://colab.research.google.com/#create=true"  # an empty notebook


def offer_code(figure: TrainingFigure, text: str, **words: dict[str, str]) -> None:
    """Give a figure the buttons "Copy the code" and "Parameters", and fill the code by its state.

    A link next to them leads to an empty notebook in Colab, to paste the code there.

    Args:
        text: code with names in double angle brackets, as in ``lr=10**<<log_lr>>``: those of
            controls, ``seed``, or ``drawing``, the text of the drawing that a link has.
        words: for a checkbox or a dropdown, the code of each option.  It may have the names of
            controls in it whose words come later.

    Raises:
        ValueError: an option without code.

    Example:
        >>> from flowlib.live import curve, axes, train
        >>> picture = axes(curve("k", "k"), x=(0, 1), y=(0, 1), alt="A line.")
        >>> figure = train(
        ...     lambda: {"parameters": torch.zeros(1)},
        ...     lambda state, lr: (lr, state),
        ...     lambda state: {"k": state["parameters"]},
        ...     picture,
        ...     name="still",
        ...     lr=(0.0, 1.0, 0.5),
        ... )
        >>> offer_code(figure, "fit(loss, flow.parameters(), lr=<<lr>>)")
        >>> code_of(figure)
        'fit(loss, flow.parameters(), lr=0.5)'
    """
    for name, codes in words.items():
        options = figure._controls[name].options
        if missing := [option for option in options if option not in codes]:
            raise ValueError(f"offer_code expected code for each option of {name}; not {missing}")
    # Pairs: code may have the names of later words in it, and a notebook's file sorts what has names.
    code = {"text": text, "words": list(words.items()), "colab": COLAB}
    figure.spec = figure.spec | {"code": code}


def code_of(figure: TrainingFigure) -> str:
    """The code for a figure's present state, as the page fills it."""
    code, values = figure.spec["code"], {**figure.value, "seed": figure.seed}
    if figure._paper:
        values["drawing"] = encode(figure.drawing, figure._paper)
    text = code["text"]
    for name, codes in code["words"]:
        text = text.replace(f"<<{name}>>", codes[values[name]])
    for name, value in values.items():
        text = text.replace(
            f"<<{name}>>", f"{value:.12g}" if isinstance(value, float) else str(value)
        )
    return text


def load_parameters(path: str | os.PathLike) -> Tensor:
    """The parameters that a page's "Parameters" saved, one row (P,) for :func:`with_parameters`.

    Raises:
        ValueError: a file that is no zip of arrays, or has no finite row of parameters.

    Example:
        >>> import numpy as np
        >>> from tempfile import mkdtemp
        >>> path = f"{mkdtemp()}/flow-lab.npz"
        >>> np.savez(path, parameters=np.ones(3, np.float32))
        >>> load_parameters(path)
        tensor([1., 1., 1.])
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            row = file["parameters"]
    except (EOFError, BadZipFile, KeyError, TypeError) as error:
        raise ValueError(
            f"expected {path} to be a zip with an array parameters; got {error}"
        ) from None
    if row.ndim != 1 or row.dtype != np.float32 or not np.isfinite(row).all():
        raise ValueError(f"expected {path} to have one row of finite float32; got {row.shape}")
    return torch.from_numpy(row.copy())
