"""A copy of the repository in its present state, to change and to install from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.book import ROOT


def git(*arguments: str, cwd: Path) -> str:
    """git's output.  Raises with git's own words where it refuses."""
    who = ("-c", "user.name=A reader", "-c", "user.email=reader@example.org")
    done = subprocess.run(
        ["git", *who, *arguments], check=False, cwd=cwd, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def copy_of_the_repository(folder: Path) -> Path:
    """All that git tracks or would take, in its present state, as one commit of a new repository."""
    copy = folder / "copy"
    for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).split(
        "\0"
    )[:-1]:
        if (ROOT / name).is_file():  # and not just deleted
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    git("init", "--quiet", "--initial-branch=main", cwd=copy)
    git("add", "--all", "--force", cwd=copy)
    git("commit", "--quiet", "--message=A copy", cwd=copy)
    return copy
