"""Builds the page's SIMD kernels from their source in C: ``make simd``.

The compiler is clang, as the package ziglang carries it for pip to install; the Makefile pins it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.book import ROOT

SOURCE = ROOT / "flowlib" / "live" / "js" / "simd"
MODULE = SOURCE.parent / "module.js"
FLAGS = (
    *("-target", "wasm32-freestanding"),
    *("-std=c11", "-Os", "-nostdlib", "-Wall", "-Wextra", "-Werror"),
    *("-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--strip-all", "-Wl,-z,stack-size=1024"),
)
MODULES = {  # by the name in js/module.js: the processor, its own room in the memory, the sources
    "MODULE": ("generic+simd128+bulk_memory", 1024, "*.c"),
    "FUSED": ("generic+simd128+bulk_memory+relaxed_simd", 32768, "product.c"),
}


def compiled(processor: str, room: int, sources: str) -> bytes:
    """A module, by the compiler that is installed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "simd.wasm"
        caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), folder)
        files = sorted(path.name for path in SOURCE.glob(sources))
        own = (f"-mcpu={processor}", f"-Wl,--global-base={room}", "-o", str(out))
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *own, *files]
        subprocess.run(command, check=True, cwd=SOURCE, env=os.environ | caches)
        return out.read_bytes()


def text() -> str:
    """The source file that carries the modules: a letter a byte, from "#" on: one has a backslash.

    Compressed, it is a fifth smaller than in base64.
    """
    lines = ["/** The kernels of js/simd, as `make simd` compiles them. */"]
    for name, of in MODULES.items():
        encoded = "".join(chr(ord("#") + byte) for byte in compiled(*of)).replace("\\", r"\\")
        lines.append(f'export const {name} = "{encoded}";')
    return "\n".join(lines) + "\n"


def main():
    MODULE.write_text(text(), encoding="utf-8", newline="\n")
    print(f"{MODULE.relative_to(ROOT)}: {MODULE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
