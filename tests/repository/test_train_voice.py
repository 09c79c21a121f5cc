"""The script that trained the shipped WaveNets: in one process, in two, killed and started again."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from flowlib.voice.pretrained import load_weights
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "train_voice.py"
SMALL = ["--clips", "6", "--length", "320", "--batch", "4"]


def command(model, folder, steps, processes=1):
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    start = [sys.executable, *(launch if processes > 1 else [])]
    return [*start, str(SCRIPT), model, "--folder", str(folder), "--steps", str(steps), *SMALL]


def run(*arguments, **options):
    done = subprocess.run(
        command(*arguments, **options), check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def checkpoint(folder, model):
    return torch.load(folder / f"{model}.pt", weights_only=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A teacher and a student, trained for a few steps by one process."""
    folder = tmp_path_factory.mktemp("alone")
    run("teacher", folder, 4)
    run("student", folder, 4)
    return folder


@pytest.mark.parametrize("model", ["teacher", "student"])
def test_two_processes_have_the_losses_of_one(alone, model, tmp_path):
    if model == "student":
        (tmp_path / "teacher.npz").write_bytes((alone / "teacher.npz").read_bytes())
    run(model, tmp_path, 4, processes=2)
    one, two = checkpoint(alone, model), checkpoint(tmp_path, model)
    assert len(one["losses"]) == 4 and len(set(one["losses"])) == 4
    assert_close(torch.tensor(two["losses"]), torch.tensor(one["losses"]), rtol=0, atol=1e-4)


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run("teacher", whole, 60)
    process = subprocess.Popen(
        command("teacher", killed, 60), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (killed / "teacher.pt").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(checkpoint(killed, "teacher")["losses"]) < 60
    assert not (killed / "teacher.npz").exists()
    run("teacher", killed, 60)
    one, two = checkpoint(whole, "teacher"), checkpoint(killed, "teacher")
    assert one["losses"] == two["losses"]
    assert (whole / "teacher.npz").read_bytes() == (killed / "teacher.npz").read_bytes()


@pytest.mark.parametrize(("model", "kind"), [("teacher", Teacher), ("student", Student)])
def test_the_script_writes_the_format_of_the_shipped_weights(alone, model, kind):
    with np.load(alone / f"{model}.npz", allow_pickle=False) as file:
        about = json.loads(str(file["model"]))
        assert about == {"class": kind.__name__, "options": {"conditions": 6}}
        assert {file[name].dtype.name for name in file.files if name != "model"} == {"float16"}
    trained = checkpoint(alone, model)["model"]
    loaded = load_weights(alone / f"{model}.npz").state_dict()
    assert loaded.keys() == trained.keys()
    for name, value in trained.items():
        assert_close(loaded[name], value, rtol=1e-3, atol=1e-7)


def test_a_batch_that_processes_cannot_share_is_refused(tmp_path):
    done = subprocess.run(
        [*command("teacher", tmp_path, 1, processes=2), "--batch", "3"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "expected a batch that 2 processes share; got 3" in done.stderr
