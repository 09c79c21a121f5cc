"""Times the page's SIMD kernels beside its loops and beside torch, all in one run.

Two pages are open, one of them without WebAssembly; they alternate with torch (one thread):

* a training step: 8 affine couplings of width 32, a batch of 256, the gradient and Adam; the same by
  TensorFlow.js and by jax-js in tabs of their own;
* its picture: the flow's density on 40 x 40 points, 300 samples, evaluated and drawn;
* a training step on the digits: 6 couplings of 80-80, a batch of 256, and the validation images;
* its samples: 32 images and two curves, evaluated and drawn;
* how soon it is at 2.2 bits a pixel on the validation images, drawn as it learns, as fast as it goes;
* a second of the singing student, 4,096 samples, as the instrument of the last chapter evaluates it;
* each figure of the built book: the 95th percentile of a frame over the way of its first slider,
  evaluated and drawn; by the kernels also on a processor that is slowed down six times.

    .venv/bin/python -m benchmarks.kernels
"""

from __future__ import annotations

import re
import statistics
import threading
from functools import partial

import torch
from playwright.sync_api import sync_playwright

from benchmarks import quiet
from benchmarks.digits import learning_digits
from benchmarks.in_page import peers
from benchmarks.moons import two_moons
from benchmarks.reader import until
from benchmarks.record import RESULTS, machine
from benchmarks.training import in_torch
from tools import chromium
from tools.book import HTML, PAGES
from tools.page import page_of
from tools.serve import server

ROUNDS, FRAMES, LR = 7, 40, 0.002
SLOW = 6  # times slower: a phone, as Chromium imitates it
WITHOUT = "delete window.WebAssembly"
READY = "figure[data-state='ready']"
STEPS = """(count) => Array.from({ length: count }, () => {
    const start = performance.now();
    document.querySelector("figure").live.training.advance();
    return performance.now() - start;
})"""
SLIDE = """([name, count, part]) => {
    const { live, dataset } = document.getElementById(name);
    const slider = live.spec.controls.find(({ kind }) => kind === "slider");
    return Array.from({ length: count }, (_, i) => {
        if (slider) live.model.set(slider.name, slider.min + ((slider.max - slider.min) * i) / count);
        const start = performance.now();
        live[part]();
        return part === "update" ? Number(dataset.frameMs) : performance.now() - start;
    });
}"""


class Pair:
    """The same page twice: with the kernels, and without WebAssembly."""

    def __init__(self, browser, open_page):
        self.tabs = {}
        for name in ("simd", "loops"):
            context = browser.new_context(viewport={"width": 1200, "height": 900})
            if name == "loops":
                context.add_init_script(WITHOUT)
            tab = self.tabs[name] = context.new_page()
            open_page(tab)
            kernels = tab.locator(READY).first.get_attribute("data-kernels")
            if kernels != name:
                raise RuntimeError(f"expected a page that runs {name}; it runs {kernels}")

    def times(self, script, argument, rounds, **others) -> dict[str, list[float]]:
        """Times in ms, of the two pages and of the other functions, alternating; the first is left out."""
        sides = {
            name: lambda tab=tab: tab.evaluate(script, argument) for name, tab in self.tabs.items()
        }
        product = quiet.reference()
        others[quiet.REFERENCE] = lambda: [quiet.timed(product) for _ in range(10)]
        found: dict[str, list[float]] = {name: [] for name in [*sides, *others]}
        for k in range(rounds + 1):
            for name, side in (sides | others).items():
                times = side()
                found[name] += times if k else []
        return found

    def slowed(self, script, argument) -> list[float]:
        """Times in ms by the kernels, on a slow processor; what comes first is left out."""
        tab = self.tabs["simd"]
        session = tab.context.new_cdp_session(tab)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
        tab.evaluate(script, argument)
        times = tab.evaluate(script, argument)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        return times

    def close(self):
        for tab in self.tabs.values():
            tab.context.close()


def row(work: str, times: dict[str, list[float]]) -> dict:
    found = quiet.row(work, times)
    simd, *others = found["median_ms"].values()
    names = list(found["median_ms"])[1:]
    ratios = {name: round(ms / simd, 1) for name, ms in zip(names, others, strict=True)}
    return {**found, "times_faster_than": ratios}


def last_of_20(times: list[float]) -> float:
    """The 95th percentile."""
    return round(statistics.quantiles(times, n=20)[-1], 2)


def training(browser, work: str, figure, steps: int, **others):
    """A step of a figure that trains, and its picture."""

    def open_page(tab):
        tab.set_content(page_of(figure.book_data()))
        tab.wait_for_selector(READY)

    pair = Pair(browser, open_page)
    others["torch"] = partial(in_torch, figure, steps)
    yield row(f"a training step, {work}", pair.times(STEPS, steps, ROUNDS, **others))
    drawn = [figure.spec["name"], 10, "update"]
    yield row(f"its picture, {work}", pair.times(SLIDE, drawn, ROUNDS))
    pair.close()


def waited(browser, figure) -> dict[str, float]:
    tab = browser.new_page()
    tab.set_content(page_of(figure.book_data()))
    tab.wait_for_selector(READY)
    found = until(tab, "best", 2.2)
    tab.close()
    return found


def open_chapter(url: str, names: list[str], tab):
    tab.goto(url)
    for name in names:
        tab.evaluate("(name) => document.getElementById(name).scrollIntoView()", name)
        tab.wait_for_selector(f"#{name}[data-state='ready']")


def of_the_book(browser, own: str) -> tuple[dict, dict]:
    """A second of the student, and for each figure the 95th percentiles of a frame in ms."""
    second, frames = {}, {}
    for page in PAGES:
        html = (HTML / f"{page}.html").read_text(encoding="utf-8")
        names = re.findall('<figure class="live-figure" id="([^"]*)"', html)
        if not names:
            continue
        pair = Pair(browser, partial(open_chapter, f"{own}{page}.html", names))
        for name in names:
            times = pair.times(SLIDE, [name, FRAMES, "update"], 1)
            frames[name] = {side: last_of_20(times[side]) for side in pair.tabs}
            frames[name]["slowed"] = last_of_20(pair.slowed(SLIDE, [name, FRAMES, "update"]))
            if name == "instrument":
                second = row(
                    "a second of the singing student",
                    pair.times(SLIDE, [name, 3, "evaluate"], ROUNDS),
                )
                slowed = pair.slowed(SLIDE, [name, 3, "evaluate"])
                second["slowed_ms"] = round(statistics.median(slowed), 1)
        pair.close()
    return second, frames


def main():
    torch.set_num_threads(1)
    with sync_playwright() as playwright, server(HTML) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        browser = chromium.launch(playwright)
        with peers(browser, 10) as others:
            rows = [*training(browser, "8 couplings of 32", two_moons(LR), 40, **others)]
        rows += [
            *training(browser, "digits, 6 couplings of 80-80", learning_digits(), 10),
        ]
        soon = waited(browser, learning_digits())
        second, frames = of_the_book(browser, f"http://127.0.0.1:{serving.server_port}/")
        result = {
            "rows": [*rows, second],
            "digits_until_2.2_bits": soon,
            "frames_ms_95": frames,
            "machine": machine(chromium=browser.version),
        }
        browser.close()
        serving.shutdown()
    report(result)
    quiet.keep(RESULTS / "kernels.json", result, result["rows"])


def report(result):
    for each in result["rows"]:
        print(each["work"])
        for side, median in each["median_ms"].items():
            ratio = each["times_faster_than"].get(side, 1)
            print(f"  {side:8} {median:8.2f} ms {ratio:6.1f}   spread {each['spread'][side]:.2f}")
    print(
        "digits at 2.2 bits after {seconds} s, {steps} steps".format(
            **result["digits_until_2.2_bits"]
        )
    )
    print("95 of 100 frames take at most, in ms, by kernels, by loops, and by kernels slowed down:")
    for name, each in result["frames_ms_95"].items():
        print(f"  {name:24} " + " ".join(f"{ms:8.2f}" for ms in each.values()))


if __name__ == "__main__":
    main()
