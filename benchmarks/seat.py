"""Measures what a seat in a class takes: each chapter's kernel, and the JupyterLab around it.

Each chapter runs whole, in a kernel of its own, on one thread.  At its end the kernel prints how much
memory it held at most, and how many seconds of a core it used, both by the system's own count.
Then JupyterLab opens an empty notebook in Chromium: what its server holds is without the kernel's.

    .venv/bin/python -m benchmarks.seat
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import nbformat
from nbclient import NotebookClient
from playwright.sync_api import sync_playwright

from benchmarks.record import RESULTS, machine, write

# isort: split
from tools import chromium, lab
from tools.book import NOTEBOOKS

USED = """
import resource, sys
_used = resource.getrusage(resource.RUSAGE_SELF)
print(_used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), _used.ru_utime + _used.ru_stime)
"""


def of_a_kernel(path: Path) -> dict[str, float]:
    """Megabytes held at most, and seconds of a core, of a chapter run whole."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(USED))
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": path.parent}}).execute()
    said = "".join(each.text for each in notebook.cells[-1].outputs)  # it may come in pieces
    peak, cpu = map(float, said.split())
    return {"peak_mb": round(peak / 1e6), "cpu_s": round(cpu)}


def of_a_server() -> int:
    """The megabytes of a JupyterLab server with a notebook open; its kernel counts elsewhere."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        book = Path(folder) / "book"
        book.mkdir()
        empty = nbformat.v4.new_notebook(metadata=nbformat.read(NOTEBOOKS[0], 4).metadata)
        nbformat.write(empty, book / "empty.ipynb")
        browser = chromium.launch(playwright)
        with lab.open_lab(browser, book) as (visit, process):
            lab.Notebook(visit.page, "empty.ipynb")
            ps = ["ps", "-o", "rss=", "-p", str(process.pid)]
            kilobytes = subprocess.run(ps, check=True, capture_output=True, text=True).stdout
        browser.close()
    return round(int(kilobytes) * 1024 / 1e6)


def main():
    result = {
        "kernels": {path.stem: of_a_kernel(path) for path in NOTEBOOKS},
        "server_mb": of_a_server(),
        "machine": machine(),
    }
    write(RESULTS / "seat.json", result)
    print(f"{'chapter':22} {'peak MB':>8} {'CPU s':>6}")
    for name, each in result["kernels"].items():
        print(f"{name:22} {each['peak_mb']:8} {each['cpu_s']:6}")
    print(f"{'JupyterLab, its server':22} {result['server_mb']:8}")


if __name__ == "__main__":
    main()
