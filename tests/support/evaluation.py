"""A page with the runtime's source files as modules, and graphs to evaluate there."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import torch

from flowlib.live.trace import ConstantPool, trace

SOURCES = Path(__file__).parents[2] / "flowlib" / "live" / "js"
EVALUATE = """([graph, data, inputs]) => {
    const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    const text = (array) => {
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        let out = "";
        for (const byte of bytes) out += String.fromCharCode(byte);
        return btoa(out);
    };
    const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, floats(value)]));
    const memory = new Memory();
    if (!memory.pages !== !window.WebAssembly) throw Error("not the kernels that this page has");
    const run = compile(graph, floats(data), memory);
    const doubled = Object.entries(given).map(([name, value]) => [name, value.map((x) => 2 * x)]);
    const [first] = Object.keys(given); // then what depends on it is computed again, and only that
    for (const others of [{}, first && { [first]: given[first] }]) {
        try {
            run({ ...Object.fromEntries(doubled), ...others });
        } catch {} // it may stop at an index or a whole number; the next run finds what it left
    }
    const outputs = Object.entries(run(given));
    return Object.fromEntries(outputs.map(([name, array]) => [name, text(array)]));
}"""

BARRIERS = {
    "loops": "delete window.WebAssembly",
    # The one module that needs relaxed SIMD is the small one.
    "no relaxed SIMD": """{
        const { Module } = WebAssembly;
        WebAssembly.Module = function (bytes) {
            if (bytes.length < 4000) throw new WebAssembly.CompileError();
            return new Module(bytes);
        };
    }""",
}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Runtime:
    """A page that has loaded memory.js, noise.js, operations.js and runtime.js."""

    def __init__(self, page):
        self.page = page
        self.graphs = []  # all that were evaluated

    def evaluate(self, fn, inputs: dict[str, torch.Tensor], at=None) -> dict[str, torch.Tensor]:
        """What the page computes for ``fn``, traced at ``inputs``, at the inputs ``at``."""
        pool = ConstantPool()
        graph = trace(fn, inputs, pool)
        self.graphs.append(graph)
        given = {name: encode(value) for name, value in (at or inputs).items()}
        outputs = self.page.evaluate(EVALUATE, [graph, encode(pool.tobytes()), given])
        return {
            name: torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").copy()).reshape(
                graph["shapes"][name]
            )
            for name, text in outputs.items()
        }


def encode(value) -> str:
    if isinstance(value, torch.Tensor):
        value = value.detach().float().contiguous().numpy().astype("<f4").tobytes()
    return base64.b64encode(value).decode()


@contextmanager
def runtime_page(browser, kernels):
    """A :class:`Runtime` in a page of its own, served from this machine."""
    handler = partial(QuietHandler, directory=str(SOURCES))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(BARRIERS.get(kernels, ""))
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.evaluate(
        """async () => {
            for (const file of ["memory", "noise", "operations", "runtime"]) {
                Object.assign(window, await import(`/${file}.js`));
            }
        }"""
    )
    yield Runtime(page)
    context.close()
    server.shutdown()
