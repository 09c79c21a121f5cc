"""The type hints of flowlib hold, as mypy reads them with the settings of pyproject.toml."""

import subprocess
import sys

from tools.book import ROOT


def test_the_type_hints_hold():
    command = [sys.executable, "-m", "mypy", "--no-color-output"]
    mypy = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert mypy.returncode == 0, mypy.stdout + mypy.stderr


def test_the_package_says_that_it_has_type_hints():
    assert (ROOT / "flowlib" / "py.typed").is_file()
