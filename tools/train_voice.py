"""Train the WaveNets that come with flowlib: of the voice that sings, and of one that speaks.

    python tools/train_voice.py teacher   # conditioned on f0 and on no phase, like its students
    python tools/train_voice.py whisper   # a student by the divergence only
    python tools/train_voice.py student   # by the divergence and the power loss

    apt-get download asterisk-core-sounds-en-wav && dpkg -x asterisk-core-sounds-en-wav_*.deb speech
    python tools/train_voice.py spoken-teacher --speech speech
    python tools/train_voice.py spoken-whisper --speech speech
    python tools/train_voice.py spoken-student --speech speech

One process on a CPU, or on a GPU where there is one; or many, which share each batch:

    torchrun --nproc-per-node 2 tools/train_voice.py teacher

Started again it goes on from its last checkpoint, and ends with the same weights as if it had never
been stopped: each step draws its clips and its noise from the step's number only.  To ship what it
wrote, copy the .npz files from build/wavenet to flowlib/voice/weights.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from flowlib.training import one_cycle
from flowlib.voice import features, singing, speech
from flowlib.voice.distill import kl, power_loss
from flowlib.voice.logistic import logit
from flowlib.voice.pretrained import load_weights, save_weights
from flowlib.voice.singing import sing
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher

DRAWS = 8  # of each sample, for the cross-entropy


class Recipe(NamedTuple):
    """What a model is trained by, unless the command changes it."""

    cycles: tuple[tuple[int, float], ...]  # each of so many steps, to a highest rate of learning
    batch: int  # clips a step, over all processes
    length: int  # of a clip, in samples
    sizes: dict[str, int]  # of the model
    teacher: str | None = None  # of a student
    power: float = 0.0  # weight of the power loss


SUNG = {"conditions": 6}
SPOKEN_TEACHER = {"conditions": 26, "mixtures": 5, "channels": 56, "layers": 8}
SPOKEN = {"conditions": 42, "channels": 20, "layers": 8}
RECIPES = {
    "teacher": Recipe(((1400, 1.2e-2),), 8, 2048, SUNG),
    "whisper": Recipe(((500, 8e-3),), 4, 1024, SUNG, "teacher"),
    "student": Recipe(((2600, 8e-3),), 4, 1024, SUNG, "teacher", power=100.0),
    "spoken-teacher": Recipe(((18_000, 8e-4), (9_000, 4e-4)), 3, 2400, SPOKEN_TEACHER),
    "spoken-whisper": Recipe(((600, 3e-3),), 4, 1600, SPOKEN, "spoken-teacher"),
    "spoken-student": Recipe(((1400, 3e-3),), 4, 1600, SPOKEN, "spoken-teacher", power=40.0),
}
FLOORS = (0.0, -7.0)  # of the teacher's log-scale, while a student learns from it
SAVE = 20  # steps between two checkpoints


class Likelihood(nn.Module):
    """The teacher's loss: what each sample costs, in nats."""

    def __init__(self, sizes: dict[str, int]):
        super().__init__()
        self.model = Teacher(**sizes)

    def forward(self, wave: Tensor, c: Tensor, z: Tensor, noise: Tensor, progress: float) -> Tensor:
        return -self.model.log_prob(wave, c).mean()


class Distillation(nn.Module):
    """A student's loss: the divergence from the teacher, which grows sharper, and the power loss."""

    def __init__(self, teacher: Teacher, sizes: dict[str, int], power: float):
        super().__init__()
        self.model, self.teacher, self.power = Student(**sizes), teacher, power

    def forward(self, wave: Tensor, c: Tensor, z: Tensor, noise: Tensor, progress: float) -> Tensor:
        first, last = FLOORS
        self.teacher.floor = first + (last - first) * min(1.0, progress / 0.8)
        mean, log_scale = self.model.conditional(z, c)
        x = mean + log_scale.exp() * z
        weight = min(1.0, 3 * progress)
        told = c[:, : self.teacher.net.conditions]  # no teacher is conditioned on the phase
        loss = weight * kl(self.teacher, x, told, mean, log_scale, noise).mean()
        return loss + self.power * power_loss(x, wave) if self.power else loss


class Sung:
    """Clips of the voice that sings."""

    def __init__(self, options):
        self.voice = sing(options.clips, options.length, options.rate, options.seed)
        self.places = options.clips

    def clips(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Waves and their conditions, (B, T) and (B, C, T)."""
        voice = self.voice.clips(rows)
        return voice.wave, singing.conditions(voice, phase=False)


class Spoken:
    """Clips of all recorded sentences, one after the other; a student is given the phase too."""

    def __init__(self, options):
        sentences = speech.read_speech(options.speech, "train")
        ends = [sentence.frames[:, :-1] for sentence in sentences]
        self.wave = torch.cat([sentence.wave for sentence in sentences])
        self.frames = torch.cat([*ends, sentences[-1].frames[:, -1:]], 1)
        self.spans = options.length // features.HOP
        self.places = self.frames.shape[1] - self.spans
        self.phase = RECIPES[options.model].teacher is not None

    def clips(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Waves and their conditions, (B, T) and (B, C, T)."""
        samples = [self.wave[features.HOP * row :][: features.HOP * self.spans] for row in rows]
        frames = [self.frames[:, row : row + self.spans + 1] for row in rows]
        return torch.stack(samples), features.conditions(torch.stack(frames), self.phase)


def batch(source: Sung | Spoken, step: int, options, part: slice) -> tuple[Tensor, ...]:
    """One process's part of a step's clips and noise, which are the same for any number of processes."""
    generator = torch.Generator().manual_seed(1_000_003 * options.seed + step)
    rows = torch.randint(source.places, (options.batch,), generator=generator)
    z = torch.rand(options.batch, options.length, generator=generator)
    noise = torch.rand(DRAWS, options.batch, options.length, generator=generator)
    return *source.clips(rows[part]), logit(z[part]), noise[:, part]


def learning_rate(step: int, cycles: tuple[tuple[int, float], ...]) -> float:
    """It rises to the highest of each cycle, and falls to zero."""
    for steps, highest in cycles:
        if step < steps:
            return highest * one_cycle(step, steps, rise=steps // 5)
        step -= steps
    return 0.0


def save_whole(state: dict, path: Path) -> None:
    """A kill leaves either the old file or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def train(options) -> list[float]:
    """The losses of all steps, in nats; writes NAME.pt along the way and NAME.npz at the end."""
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    if options.batch % processes:
        raise ValueError(f"expected a batch that {processes} processes share; got {options.batch}")
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    recipe = RECIPES[options.model]
    torch.manual_seed(options.seed)
    source = Spoken(options) if options.model.startswith("spoken") else Sung(options)
    if recipe.teacher is None:
        loss = Likelihood(recipe.sizes)
    else:
        teacher = load_weights(options.folder / f"{recipe.teacher}.npz")
        loss = Distillation(teacher, recipe.sizes, recipe.power)
    loss.to(device)
    parameters = list(loss.model.parameters())
    optimizer = torch.optim.Adam(parameters, fused=True)
    checkpoint, losses = options.folder / f"{options.model}.pt", []
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        loss.model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        losses = state["losses"]
    shared = DistributedDataParallel(loss) if dist.is_initialized() else loss
    part = slice(rank * options.batch // processes, (rank + 1) * options.batch // processes)
    for step in range(len(losses), options.steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, options.cycles)
        tensors = (tensor.to(device) for tensor in batch(source, step, options, part))
        value = shared(*tensors, progress=step / options.steps)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        value = value.detach()
        if dist.is_initialized():
            dist.all_reduce(value)
        losses.append(value.item() / processes)
        if rank == 0 and ((step + 1) % SAVE == 0 or step + 1 == options.steps):
            state = {"model": loss.model.state_dict(), "optimizer": optimizer.state_dict()}
            save_whole({**state, "losses": losses}, checkpoint)
            print(
                f"{options.model}: step {step + 1} of {options.steps}, {losses[-1]:.3f}", flush=True
            )
    if rank == 0:
        save_weights(options.folder / f"{options.model}.npz", loss.model, **recipe.sizes)
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/wavenet"), help="of checkpoints and weights"
    )
    parser.add_argument("--steps", type=int, help="of training in all, in one cycle")
    parser.add_argument("--batch", type=int, help="clips a step, over all processes")
    parser.add_argument("--clips", type=int, default=1500)
    parser.add_argument("--length", type=int, help="of a clip, in samples")
    parser.add_argument("--rate", type=int, default=4000, help="samples a second")
    parser.add_argument("--speech", type=Path, help="folder of the wav files of a spoken voice")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recipe = RECIPES[options.model]
    for name in ("batch", "length"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    if options.steps is None:
        options.cycles = recipe.cycles
    else:
        options.cycles = ((options.steps, recipe.cycles[0][1]),)
    options.steps = sum(steps for steps, _ in options.cycles)
    if options.model.startswith("spoken") and options.speech is None:
        parser.error(f"{options.model} needs --speech, the folder of its wav files")
    options.folder.mkdir(parents=True, exist_ok=True)
    if "RANK" in os.environ:  # set by torchrun
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        train(options)
    except ValueError as error:  # such as a folder without speech: one sentence is enough
        sys.exit(str(error))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
