"""A notebook's home that is like Google Colab: its versions, its module, and our first cell.

    .venv/bin/python -m tools.colab

runs every chapter there, whole, with the torch that Colab has (on Linux several gigabytes, into
_build/colab).  The tests borrow the torch of the environment that they run in.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from subprocess import run

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tools.book import CONFIG, NOTEBOOKS, ROOT
from tools.scratch import copy_of_the_repository

VERSIONS = {"numpy": "2.1.3", "ipywidgets": "7.7.1", "anywidget": "0.9.21"}  # Colab's, 2026-08
PYTHON, TORCH = "3.13", "2.11"
BESIDE = ["ipykernel", "ipython_genutils", "matplotlib", "scikit-learn", "tqdm"]  # Colab has them
VIEW = "application/vnd.jupyter.widget-view+json"


def say(*command) -> str:
    """What a command prints.  Where it fails, an assertion with its error."""
    done = run([*map(str, command)], check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


class Colab:
    """A virtual environment whose every kernel finds ``google.colab`` loaded, as Colab's do."""

    def __init__(self, folder: Path, repository: Path, python: str = sys.executable):
        self.folder, self.repository = folder, repository
        say(python, "-m", "venv", "--clear", folder / "venv")
        self.python = str(folder / "venv" / "bin" / "python")
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(say(self.python, "-c", where).strip())
        (self.packages / "google" / "colab").mkdir(parents=True)
        (self.packages / "google" / "colab" / "__init__.py").touch()
        (self.packages / "colab.pth").write_text("import google.colab\n", encoding="utf-8")

    def install(self, *what: str):
        say(self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *what)

    def borrow(self, site: Path):
        """Finds there what is not installed here, flowlib excepted."""
        borrowed = self.folder / "borrowed"
        borrowed.mkdir()
        for path in site.iterdir():
            if "flowlib" not in path.name and path.suffix != ".pth":
                (borrowed / path.name).symlink_to(path)
        (self.packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")

    def client(self, notebook) -> NotebookClient:
        """What runs a notebook in a kernel of this environment, where it has the checkout for URL."""
        kernel = AsyncKernelManager()
        argv = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        kernel._kernel_spec = KernelSpec(argv=argv, language="python", display_name="Colab")
        (self.folder / "content").mkdir(exist_ok=True)
        resources = {"metadata": {"path": str(self.folder / "content")}}
        return NotebookClient(notebook, km=kernel, timeout=900, resources=resources)

    def environment(self) -> dict[str, str]:
        """git fetches the repository from here; all else is as in a fresh shell."""
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{self.repository.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": CONFIG["repository"]["url"],
        }


def python_of_colab() -> str:
    """Colab's where there is one that starts (pyenv has names of others, too); else this one."""
    python = shutil.which(f"python{PYTHON}")
    starts = python and run([python, "-c", ""], check=False, capture_output=True).returncode == 0
    return python if starts else sys.executable


def main():
    folder = ROOT / "_build" / "colab"
    with tempfile.TemporaryDirectory() as scratch:
        colab = Colab(folder, copy_of_the_repository(Path(scratch)), python_of_colab())
        print(colab.python, flush=True)
        colab.install(f"torch=={TORCH}.*", *(f"{k}=={v}" for k, v in VERSIONS.items()), *BESIDE)
        os.environ.update(colab.environment())
        for path in NOTEBOOKS:
            start = time.perf_counter()
            notebook = nbformat.read(path, as_version=4)
            colab.client(notebook).execute()  # raises on the first cell that fails
            outputs = [each for cell in notebook.cells for each in cell.get("outputs", [])]
            figures = sum(VIEW in each.get("data", {}) for each in outputs)
            took = time.perf_counter() - start
            print(f"{path.name} ran in {took:.0f} s, with {figures} live figures", flush=True)


if __name__ == "__main__":
    sys.exit(main())
