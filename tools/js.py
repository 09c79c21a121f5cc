"""Makes the page's two scripts of the modules in flowlib/live/js: ``make js``.

``flowlib/live/live.js`` is main.js with all that it imports, what every figure needs;
``flowlib/live/live-more.js`` is more.js, what some need and what saves one: see js/second.js.

esbuild joins the modules, drops what only a reader of the source needs and shortens the names of
variables, never those of properties.  It comes from npm (``npx``, Node.js 18 or newer).  The results are
committed, so that nobody needs either to use flowlib; their first line tells which sources they are
made of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "flowlib" / "live" / "js"
SCRIPTS = {  # by file: the module to begin with, and what the script defines
    SOURCES.parent / "live.js": ("main.js", "live"),
    SOURCES.parent / "live-more.js": ("more.js", "liveMore"),
}
ESBUILD = ("--yes", "--prefer-offline", "esbuild@0.28.2")
FLAGS = ("--bundle", "--minify", "--charset=utf8", "--target=es2022", "--format=iife")


def first_line() -> str:
    """The scripts' first line, for the sources as they are."""
    texts = b"\0".join(path.read_bytes() for path in sorted(SOURCES.glob("*.js")))
    return f"/* make js, of the modules {hashlib.sha256(texts).hexdigest()[:16]} */\n"


def made(module: str, name: str) -> str:
    """The script that defines ``name``, from ``module`` and what it imports."""
    npx = shutil.which("npx")  # on Windows, npx.cmd
    if not npx:
        raise SystemExit("make js needs npx: install Node.js 18 or newer.")
    done = subprocess.run(
        [npx, *ESBUILD, module, *FLAGS, f"--global-name={name}"],
        check=False,
        cwd=SOURCES,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return first_line() + done.stdout


def main():
    for path, of in SCRIPTS.items():
        path.write_text(made(*of), encoding="utf-8", newline="\n")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
