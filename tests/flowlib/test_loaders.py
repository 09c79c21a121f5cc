"""No file makes flowlib run code: not weights with a pickle inside, not a checkpoint."""

from __future__ import annotations

import json
import pickle
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from flowlib.voice.pretrained import FOLDER, load_weights, pretrained, save_weights
from flowlib.voice.wavenet import Teacher
from tools import train_voice


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


@pytest.fixture
def struck(tmp_path):
    return tmp_path / "struck"


def test_the_bomb_goes_off_where_code_is_let_run(struck):
    pickle.loads(pickle.dumps(Bomb(struck)))
    assert struck.exists()


def write_array(path, struck):
    np.savez(path, model="{}", weight=np.array([Bomb(struck)], dtype=object))


def write_model(path, struck):
    np.savez(path, model=np.array(Bomb(struck), dtype=object))


def write_pickle(path, struck):
    path.write_bytes(pickle.dumps(Bomb(struck)))


def write_checkpoint(path, struck):
    torch.save({"weight": Bomb(struck)}, path)


def write_pickled_member(path, struck):
    save_weights(path, Teacher(3, layers=2), conditions=3, layers=2)
    with ZipFile(path, "a") as file:
        file.writestr("more.npy", pickle.dumps(Bomb(struck)))


@pytest.mark.parametrize(
    "write", [write_array, write_model, write_pickle, write_checkpoint, write_pickled_member]
)
def test_weights_with_code_in_them_are_refused_and_it_does_not_run(tmp_path, struck, write):
    path = tmp_path / "weights.npz"
    write(path, struck)
    with pytest.raises(ValueError):
        load_weights(path)
    assert not struck.exists()


@pytest.mark.parametrize(
    "about",
    ['{"class": "exec", "options": {}}', '{"class": "__import__", "options": {}}', "[]", "x"],
)
def test_weights_name_no_class_but_flowlibs(tmp_path, about):
    np.savez(tmp_path / "weights.npz", model=about)
    with pytest.raises(ValueError):
        load_weights(tmp_path / "weights.npz")


@pytest.mark.parametrize("options", [{"conditions": 10**15}, {"other": 1}, {"conditions": "6"}, 3])
def test_weights_ask_for_no_other_model_than_they_are(tmp_path, options):
    path = tmp_path / "weights.npz"
    np.savez(path, model=json.dumps({"class": "Teacher", "options": options}))
    with pytest.raises(ValueError):
        load_weights(path)


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.99])
def test_weights_that_are_cut_are_refused(tmp_path, part):
    whole = (FOLDER / "teacher.npz").read_bytes()
    (tmp_path / "weights.npz").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ValueError):
        load_weights(tmp_path / "weights.npz")


@pytest.mark.parametrize("name", ["../weights/teacher", "/etc/passwd", "teacher.npz"])
def test_pretrained_reads_no_other_folder(name):
    with pytest.raises(ValueError, match="pretrained expected one of"):
        pretrained(name)


def test_a_checkpoint_with_code_in_it_is_refused_and_it_does_not_run(tmp_path, struck, monkeypatch):
    torch.save({"model": Bomb(struck)}, tmp_path / "teacher.pt")
    command = ["train_voice.py", "teacher", "--folder", str(tmp_path)]
    small = ["--steps", "1", "--clips", "2", "--length", "320", "--batch", "2"]
    monkeypatch.setattr("sys.argv", command + small)
    with pytest.raises(pickle.UnpicklingError):
        train_voice.main()
    assert not struck.exists()
