"""Makes the page's script, flowlib/live/live.js, from the modules in flowlib/live/js: ``make js``.

esbuild joins the modules, drops what only a reader of the source needs and shortens the names of
variables, never those of properties.  It comes from npm (``npx``, Node.js 18 or newer).  The result is
committed, so that nobody needs either to use flowlib; its first line tells which sources it is made of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "flowlib" / "live" / "js"
SCRIPT = SOURCES.parent / "live.js"
ESBUILD = ("--yes", "--prefer-offline", "esbuild@0.28.2")
FLAGS = (
    *("main.js", "--bundle", "--minify", "--charset=utf8", "--target=es2022"),
    *("--format=iife", "--global-name=live"),
)


def first_line() -> str:
    """The script's first line, for the sources as they are."""
    texts = b"\0".join(path.read_bytes() for path in sorted(SOURCES.glob("*.js")))
    return f"/* make js, of the modules {hashlib.sha256(texts).hexdigest()[:16]} */\n"


def made() -> str:
    """The script, made from the sources as they are."""
    npx = shutil.which("npx")  # on Windows, npx.cmd
    if not npx:
        raise SystemExit("make js needs npx: install Node.js 18 or newer.")
    done = subprocess.run(
        [npx, *ESBUILD, *FLAGS], check=False, cwd=SOURCES, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return first_line() + done.stdout


def main():
    SCRIPT.write_text(made(), encoding="utf-8", newline="\n")
    print(f"{SCRIPT.relative_to(ROOT)}: {SCRIPT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
