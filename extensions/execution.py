"""Pages are executed side by side, one on each core.

myst-nb executes the notebook of a page when it reads the page, one after the other.  Here all those
that have to be executed begin before the first page is read, and myst-nb, which keeps the results and
reports errors, waits for the one that it reads.
"""

import os
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from jupyter_cache import get_cache
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.execute import cache as myst_nb_cache
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Those that take longest, longest first: begun last, one of them would run alone at the end.
LONG = (
    "parallel-wavenet",
    "coupling",
    "continuous",
    "real-voice",
    "splines",
    "autoregressive",
    "planar",
    "lab",
    "which-flow",
    "index",
)

running: dict[str, Future] = {}


def cores() -> int:
    """Those that this process may use; only Linux tells that it may not use all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begin(app, env, names):
    """Executes the pages that are not in the cache, and puts them behind those that are."""
    config = env.mystnb_config
    if config.execution_mode != "cache":
        return
    notebooks = {name: notebook for name in names if (notebook := to_execute(env, name))}
    order = sorted(notebooks, key=lambda name: LONG.index(name) if name in LONG else len(LONG))
    names.sort(key=lambda name: order.index(name) if name in notebooks else -1)
    waiting, done = SimpleQueue(), []
    running.clear()

    def execute():
        for name, future in iter(waiting.get, None):
            folder = str(Path(env.doc2path(name)).parent)
            logger.info("executing %s", name)
            try:
                result = single_nb_execution(
                    notebooks[name], folder, config.execution_timeout, config.execution_allow_errors
                )
            except Exception as error:  # noqa: BLE001, myst-nb raises it
                future.set_exception(error)
            else:
                done.append(name)
                what = f"{name} failed after" if result.err else f"executed {name} in"
                logger.info("%s %.0f s, %d of %d pages", what, result.time, len(done), len(order))
                future.set_result(result)

    for name in order:
        running[code(notebooks[name])] = future = Future()
        waiting.put((name, future))
    for _ in range(cores()):
        waiting.put(None)
        threading.Thread(target=execute, daemon=True).start()  # Ctrl-C does not wait for it


def to_execute(env, name):
    """The notebook of a page, where it has one that the cache has not."""
    path = Path(env.doc2path(name))
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    if reader is None:
        return None
    notebook = reader.read(text)
    try:
        get_cache(env.mystnb_config.execution_cache_path).match_cache_notebook(notebook)
    except KeyError:
        return notebook
    return None


def code(notebook) -> str:
    """What is executed: the text may have changed since, by its citations."""
    return "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def wait(notebook, *arguments, **options):
    """Stands for ``single_nb_execution`` where myst-nb calls it."""
    begun = running.pop(code(notebook), None)
    if begun is None:
        return single_nb_execution(notebook, *arguments, **options)
    result = begun.result()
    notebook.update(result.nb)
    return result


def wait_in_myst_nb():
    """Also says that a kernel has one thread: with one on each core, a second would only wait."""
    myst_nb_cache.single_nb_execution = wait
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
