"""Asks Lighthouse about each chapter of the built book: performance, accessibility, best practices.

Lighthouse comes from npm (``npx``, Node.js 18 or newer).  A page is loaded several times from the
book's own server, as a desktop computer and as a phone would; medians are kept.  The phone is
simulated, of the middle range and on a slow network.  The performance is of this machine too: run it
when nothing else does.

    .venv/bin/python -m benchmarks.lighthouse
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import threading

from tqdm import tqdm

from benchmarks.record import RESULTS, machine, write
from tools import chromium
from tools.book import CHAPTERS, HTML, ROOT
from tools.serve import server

LIGHTHOUSE, LOADS = "lighthouse@12.8.2", 3
DEVICES = {"desktop": ["--preset=desktop"], "phone": []}
CATEGORIES = {"performance": 90, "accessibility": 95, "best-practices": 95}  # wanted at least
SECONDS = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
}


def main():
    with server(HTML) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{serving.server_port}"
        loads = tqdm([*itertools.product(DEVICES, CHAPTERS)], desc="chapters", disable=None)
        rows = {device: {} for device in DEVICES}
        for device, name in loads:
            rows[device][name] = medians(f"{address}/{name}.html", DEVICES[device])
        serving.shutdown()
    for device, chapters in rows.items():
        columns = next(iter(chapters.values()))
        print(f"{device:20}" + "".join(f"{column:>16}" for column in columns))
        for name, row in chapters.items():
            print(f"{name:20}" + "".join(f"{value:16g}" for value in row.values()))
    about = machine(lighthouse=LIGHTHOUSE, loads=str(LOADS))
    result = {"machine": about, "wanted_at_least": CATEGORIES, **rows}
    write(RESULTS / "lighthouse.json", result)


def medians(url: str, device: list[str]) -> dict[str, float]:
    """The median score of each category, 0 to 100, and of each time, in seconds."""
    reports = [report(url, device) for _ in range(LOADS)]
    scores = {
        name: statistics.median(round(100 * r["categories"][name]["score"]) for r in reports)
        for name in CATEGORIES
    }
    times = {
        name: statistics.median(round(r["audits"][key]["numericValue"] / 1000, 2) for r in reports)
        for key, name in SECONDS.items()
    }
    return scores | times


def report(url: str, device: list[str]) -> dict:
    flags = " ".join(["--headless", *chromium.flags()])
    command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", *device, "--output=json"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={flags}"]
    environment = os.environ | {"CHROME_PATH": chromium.find()}
    done = subprocess.run(
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
