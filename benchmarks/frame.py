"""Times one redraw of a planar layer: in the page, and by ipywidgets and matplotlib in a kernel.

Both sides draw the same picture from the same torch function for the same 200 positions of one
slider, in turns, on this machine:

* the page: ``data-frame-ms``, which a live figure measures itself, is evaluate + draw.  Chromium
  may put pixels off until later, so a second column waits for them: evaluate + draw + read a pixel.
* the kernel: the callback of ``ipywidgets.interact``, timed in a real kernel from the slider's new
  value to the finished message: torch's evaluation, matplotlib's drawing and the PNG as the inline
  backend makes it.  The way from the browser to the kernel and back is not counted.

Then the built book, if there is one: seconds from navigation to the first live control, and bytes.

    .venv/bin/python benchmarks/frame.py
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import matplotlib
import torch
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "benchmarks")]
os.environ["FLOWLIB_BOOK"] = "1"

from planar_picture import SIZE, layer, panels
from playwright.sync_api import sync_playwright

import chromium
from book import HTML, PAGES, Visit
from flowlib.live import Slider, bundle, live
from serve import server

RESULTS = ROOT / "benchmarks" / "results" / "frame.json"
ROUNDS, POSITIONS, LOADS = 5, 40, 5

DRAG = """async (positions) => {
    const figure = document.querySelector("figure.live-figure");
    const input = figure.querySelector("input[name=u1]");
    const canvas = figure.querySelector("canvas");
    const frame = () => new Promise((go) => requestAnimationFrame(go));
    const times = [];
    for (const position of positions) {
        input.value = position;
        input.dispatchEvent(new Event("input"));
        await frame();
        await frame();
        const own = Number(figure.dataset.frameMs);
        const start = performance.now();
        figure.live.update();
        canvas.getContext("2d").getImageData(0, 0, 1, 1);
        times.push([own, performance.now() - start]);
    }
    return times;
}"""
READY = """() => {
    const look = () => {
        const figure = document.querySelector("figure.live-figure");
        if (figure?.dataset.state === "ready") window.firstControl = performance.now() / 1000;
        else requestAnimationFrame(look);
    };
    look();
}"""
INTERACT = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
%matplotlib inline
from ipywidgets import FloatSlider, interact
from planar_picture import redraw
slider = FloatSlider(min=-3, max=3, step=0.01, value=1.5)
interact(redraw, u1=slider)
"""


def in_the_page(browser, folder):
    """A page with one live figure, as a function from slider positions to times in ms."""
    figure = live(layer, *panels(), name="planar-layer", u1=Slider(-3.0, 3.0, 1.5, step=0.01))
    data = figure.book_data()
    image = f'<img class="live-static" src="data:image/png;base64,{data.pop("png")}" alt="">'
    text = json.dumps(data).replace("<", "\\u003c")
    page = Path(folder) / "figure.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><style>{bundle.css()}</style>'
        f'<body style="width: 720px"><figure class="live-figure" id="planar-layer" '
        f'data-state="static">{image}<figcaption></figcaption>'
        f'<script type="application/json" class="live-data">{text}</script></figure>'
        f"<script>{bundle.classic()}</script>",
        encoding="utf-8",
    )
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.goto(page.as_uri())
    tab.wait_for_selector('figure[data-state="ready"]')
    return lambda positions: tab.evaluate(DRAG, positions)


def in_a_kernel():
    """The same redraw by ipywidgets and matplotlib, as a function from positions to times in ms."""
    manager, client = start_new_kernel(kernel_name="python3")

    def execute(code: str) -> str:
        said = []
        reply = client.execute_interactive(
            code, timeout=120, output_hook=lambda m: said.append(m["content"].get("text", ""))
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"]["traceback"]))
        return "".join(said)

    def times(positions):
        execute(
            f"times = []\nfor position in {positions}:\n    start = time.perf_counter()\n"
            "    slider.value = position\n    times.append(1000 * (time.perf_counter() - start))"
        )
        return json.loads(execute("print(times)"))

    execute(INTERACT)
    return times, lambda: manager.shutdown_kernel(now=True)


def of_the_book(browser):
    """For each page with figures: seconds to the first live control, bytes, bytes of our script.

    The clock runs from the navigation to the first figure's address until that figure is drawn.
    """
    found = {}
    with server(HTML) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        own = f"http://127.0.0.1:{serving.server_port}/"
        for name in PAGES:
            html = (HTML / f"{name}.html").read_text(encoding="utf-8")
            figure = re.search('<figure class="live-figure" id="([^"]*)"', html)
            if not figure:
                continue
            seconds = []
            for _ in range(LOADS):  # each in a context of its own: nothing is cached
                with Visit(browser, own, viewport={"width": 1200, "height": 900}) as visit:
                    visit.context.add_init_script(f"({READY})()")
                    visit.page.goto(f"{own}{name}.html#{figure[1]}")
                    visit.page.wait_for_function("window.firstControl")
                    seconds.append(visit.page.evaluate("window.firstControl"))
                    weight = visit.weight()
            found[name] = {
                "first_live_control_s": round(statistics.median(seconds), 3),
                "page_bytes": weight,
                "live_js_bytes": (HTML / "_static" / "live.js").stat().st_size,
            }
        serving.shutdown()
    return found


def main():
    positions = [round(-3 + 6 * k / (POSITIONS - 1), 2) for k in range(POSITIONS)]
    page_ms, pixels_ms, kernel_ms = [], [], []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = chromium.launch(playwright)
        drag = in_the_page(browser, folder)
        interact, stop = in_a_kernel()
        drag(positions), interact(positions)  # once each to warm up, not counted
        for _ in range(ROUNDS):
            for own, pixels in drag(positions):
                page_ms.append(own)
                pixels_ms.append(pixels)
            kernel_ms += interact(positions)
        stop()
        result = {
            "grid": SIZE,
            "redraws": len(page_ms),
            "page_frame_ms": round(statistics.median(page_ms), 2),
            "page_frame_and_pixels_ms": round(statistics.median(pixels_ms), 2),
            "kernel_redraw_ms": round(statistics.median(kernel_ms), 2),
            "book": of_the_book(browser) if HTML.is_dir() else {},
            "machine": {
                "cores": os.cpu_count(),
                "system": f"{platform.system()} {platform.machine()}",
                "python": platform.python_version(),
                "torch": torch.__version__,
                "matplotlib": matplotlib.__version__,
                "chromium": browser.version,
            },
        }
        browser.close()
    result["times_faster"] = round(result["kernel_redraw_ms"] / result["page_frame_ms"], 1)
    result["times_faster_with_pixels"] = round(
        result["kernel_redraw_ms"] / result["page_frame_and_pixels_ms"], 1
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    report(result)


def report(result):
    kernel = result["kernel_redraw_ms"]
    rows = [
        ("the page: evaluate + draw", result["page_frame_ms"]),
        ("the page: evaluate + draw + pixels", result["page_frame_and_pixels_ms"]),
        ("a kernel: interact + matplotlib + PNG", kernel),
    ]
    print(
        f"{'one planar layer, ' + str(SIZE) + ' x ' + str(SIZE):40} {'median ms':>9} {'ratio':>6}"
    )
    for name, ms in rows:
        print(f"{name:40} {ms:9.2f} {kernel / ms:6.1f}")
    for name, page in result["book"].items():
        print(
            f"{name}: first live control after {page['first_live_control_s']:.2f} s, "
            f"page {page['page_bytes'] / 1e6:.2f} MB, live.js {page['live_js_bytes'] / 1e3:.1f} kB"
        )


if __name__ == "__main__":
    main()
