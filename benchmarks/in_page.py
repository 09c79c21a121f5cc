"""The libraries for a page that do the same training step, each in a tab of its own, from npm.

page/ has the step: TensorFlow.js and jax-js, both on one thread of WebAssembly, as the book's page is.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tools.book import ROOT
from tools.serve import server

PAGE = Path(__file__).parent / "page"
BUILT = ROOT / "_build" / "peers"
PEERS = {"TensorFlow.js": "tfjs", "jax-js": "jaxjs"}
WARM_UP = 20
STEPS = """(count) => Array.from({ length: count }, () => {
    const start = performance.now();
    const loss = peer.step();
    if (!Number.isFinite(loss)) throw Error(`the loss is ${loss}`);
    return performance.now() - start;
})"""


def build():
    """Installs the two from npm, and makes a script of each."""
    shutil.copytree(PAGE, BUILT, dirs_exist_ok=True)
    npm, npx = shutil.which("npm"), shutil.which("npx")
    if not npm or not npx:
        raise SystemExit("These benchmarks need Node.js 18 or newer.")
    run = partial(subprocess.run, check=True, cwd=BUILT)
    run([npm, "install", "--silent", "--no-audit", "--no-fund"])
    flags = ("--bundle", "--minify", "--format=iife", "--global-name=peer", "--log-level=error")
    for file in PEERS.values():
        run([npx, "esbuild", f"{file}.js", *flags, f"--outfile={file}.bundle.js"])
        html = f'<!doctype html><title>{file}</title><script src="{file}.bundle.js"></script>'
        (BUILT / f"{file}.html").write_text(html, encoding="utf-8")
    for wasm in (BUILT / "node_modules/@tensorflow/tfjs-backend-wasm/dist").glob("*.wasm"):
        shutil.copy(wasm, BUILT)


@contextmanager
def peers(browser, steps: int) -> Iterator[dict[str, Callable[[], list[float]]]]:
    """Of each: a function that trains a few steps more and returns their times in ms."""
    build()
    tabs = {}
    with server(BUILT) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        for name, file in PEERS.items():
            tab = tabs[name] = browser.new_page()
            tab.goto(f"http://127.0.0.1:{serving.server_port}/{file}.html")
            if (backend := tab.evaluate("peer.start()")) != "wasm":
                raise RuntimeError(f"expected {name} on wasm; it is on {backend}")
            tab.evaluate(STEPS, WARM_UP)
        yield {name: partial(tab.evaluate, STEPS, steps) for name, tab in tabs.items()}
        for tab in tabs.values():
            tab.close()
        serving.shutdown()
