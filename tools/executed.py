"""A pytest plugin: what nbval executes, the book's build does not execute again.

nbval runs the chapters cell by cell.  One whose cells all pass goes, with its outputs, to the cache in
which the build looks first.  The next run of the same state compares the output of the cells marked
NBVAL_CHECK_OUTPUT with their earlier output.
"""

import os
from collections import Counter
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from ipykernel.ipkernel import IPythonKernel
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from extensions.cache import cache_of_notebooks

failed, seconds = set(), Counter()


def pytest_configure():
    os.environ["FLOWLIB_BOOK"] = "1"  # figures are shown as the build wants them


def execute(kernel, source, allow_stdin=None):
    """Without a history, as nbval would have it, a cell that ends in ``;`` shows its last value."""
    return kernel.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute


def cache():
    return get_cache(cache_of_notebooks(Path(__file__).parents[1] / "_build"))


def notebooks(session):
    """Each collected notebook with its cells of code."""
    cells = [item for item in session.items if isinstance(item, IPyNbCell)]
    return [(file, list(group)) for file, group in groupby(cells, key=lambda cell: cell.parent)]


def pytest_collection_finish(session):
    for file, cells in notebooks(session):
        with suppress(KeyError):  # its first run
            _, earlier = cache().merge_match_into_notebook(file.nb)
            ran = [cell for cell in earlier.cells if cell.cell_type == "code"]
            for cell, before in zip(cells, ran, strict=True):
                cell.cell.update(outputs=before.outputs, execution_count=before.execution_count)


def pytest_exception_interact(node):
    failed.add(node.parent)


def pytest_runtest_logreport(report):
    seconds[report.nodeid.split("::")[0]] += report.duration


def pytest_sessionfinish(session):
    for file, cells in notebooks(session):
        if file not in failed and all(cell.test_outputs is not None for cell in cells):
            for count, cell in enumerate(cells, 1):
                cell.cell.update(outputs=cell.test_outputs, execution_count=count)
            file.nb.metadata.language_info = IPythonKernel.language_info
            took = {"execution_seconds": seconds[file.nodeid]}
            cache().cache_notebook_bundle(
                CacheBundleIn(file.nb, file.path, data=took), overwrite=True
            )


def pytest_terminal_summary(terminalreporter):
    for name, took in seconds.items():
        terminalreporter.write_line(f"{name} ran in {took:.0f} s")
