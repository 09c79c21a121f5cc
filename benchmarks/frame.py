"""Times one redraw of two figures: in the page, and by ipywidgets and matplotlib in a kernel.

Both sides draw the same picture from the same torch function for the same 200 positions of one
slider, alternating, on this machine:

* the page: ``data-frame-ms``, which a live figure measures itself, is evaluate + draw.  Chromium
  may put pixels off until later, so a second column waits for them: evaluate + draw + read a pixel.
* the kernel: the callback of ``ipywidgets.interact``, timed in a real kernel from the slider's new
  value to the finished message: torch's evaluation, matplotlib's drawing and the PNG as the inline
  backend makes it.  The way from the browser to the kernel and back is not counted.

Then the built book, if there is one: seconds from navigation to the first live control, and bytes.

    .venv/bin/python -m benchmarks.frame
"""

from __future__ import annotations

import json
import os
import re
import statistics
import tempfile
import threading

os.environ["FLOWLIB_BOOK"] = "1"

import matplotlib
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import sync_playwright

from benchmarks import quiet
from benchmarks.pictures import PICTURES, panel
from benchmarks.record import RESULTS, machine
from benchmarks.tab import open_tab
from flowlib.live import Slider, live
from tools import chromium
from tools.book import HTML, PAGES, ROOT, Visit
from tools.serve import server

ROUNDS, POSITIONS, LOADS = 5, 40, 5

DRAG = """async (positions) => {
    const figure = document.querySelector("figure.live-figure");
    const input = figure.querySelector("input[type=range]");
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
INTERACT = """
import time
%matplotlib inline
from ipywidgets import FloatSlider, interact
from benchmarks.pictures import PICTURES, redraw
picture = PICTURES[{name!r}]
slider = FloatSlider(min=picture.low, max=picture.high, step=0.01, value=1.5)
interact(lambda value: redraw(picture, value), value=slider)
"""


def in_the_page(browser, folder, picture):
    """A page with one live figure, as a function from slider positions to times in ms."""
    slider = Slider(picture.low, picture.high, 1.5, step=0.01)
    figure = live(picture.fn, panel(), name="picture", **{picture.control: slider})
    tab = open_tab(browser, folder, figure)
    return lambda positions: tab.evaluate(DRAG, positions)


def in_a_kernel(name):
    """The same redraw by ipywidgets and matplotlib, as a function from positions to times in ms."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))

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

    execute(INTERACT.format(name=name))
    return times, lambda: manager.shutdown_kernel(now=True)


def redraws(browser, folder, name, picture):
    """Both sides alternating, after once each to warm up: medians in ms, and ratios."""
    span = picture.high - picture.low
    positions = [round(picture.low + span * k / (POSITIONS - 1), 2) for k in range(POSITIONS)]
    drag = in_the_page(browser, folder, picture)
    interact, stop = in_a_kernel(name)
    drag(positions), interact(positions)
    page, kernel, own, product = [], [], [], quiet.reference()
    for _ in range(ROUNDS):
        page += drag(positions)
        kernel += interact(positions)
        own += [quiet.timed(product) for _ in positions]
    stop()
    frames, pixels = map(list, zip(*page))
    took = {"frame": frames, "frame and pixels": pixels, "kernel": kernel, quiet.REFERENCE: own}
    found = quiet.row(name, took)
    frame, pixels, redraw = found["median_ms"].values()
    return {
        "redraws": len(page),
        "page_frame_ms": round(frame, 2),
        "page_frame_and_pixels_ms": round(pixels, 2),
        "kernel_redraw_ms": round(redraw, 2),
        "times_faster": round(redraw / frame, 1),
        "times_faster_with_pixels": round(redraw / pixels, 1),
        **{key: found[key] for key in ("work", "spread", "reference_ms")},
    }


def of_the_book(browser):
    """For each page with figures: seconds to the first live control, bytes, bytes of its script.

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
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = chromium.launch(playwright)
        result = {
            "pictures": {
                name: redraws(browser, folder, name, each) for name, each in PICTURES.items()
            },
            "book": of_the_book(browser) if HTML.is_dir() else {},
            "machine": machine(matplotlib=matplotlib.__version__, chromium=browser.version),
        }
        browser.close()
    report(result)
    quiet.keep(RESULTS / "frame.json", result, result["pictures"].values())


def report(result):
    for name, each in result["pictures"].items():
        print(f"{name:40} {'median ms':>9} {'ratio':>6}")
        rows = {
            "the page: evaluate + draw": "page_frame_ms",
            "the page: evaluate + draw + pixels": "page_frame_and_pixels_ms",
            "a kernel: interact + matplotlib + PNG": "kernel_redraw_ms",
        }
        for words, key in rows.items():
            print(f"{words:40} {each[key]:9.2f} {each['kernel_redraw_ms'] / each[key]:6.1f}")
    for name, page in result["book"].items():
        print(
            f"{name}: first live control after {page['first_live_control_s']:.2f} s, "
            f"page {page['page_bytes'] / 1e6:.2f} MB, live.js {page['live_js_bytes'] / 1e3:.1f} kB"
        )


if __name__ == "__main__":
    main()
