"""When notebooks are executed again.

What a page shows depends on flowlib as much as on the notebook, and jupyter-cache sees only the
notebook.  So the folder of executed notebooks is named after flowlib's code and weights, the pinned
requirements and the benchmarks' figures: where one of them changed, every notebook is executed again,
and every page is read again.
"""

import hashlib
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def name_the_folder(app, config):
    """Gives myst-nb's setting a value for each state: a new one marks every page as outdated."""
    config.nb_execution_cache_path = str(cache_of_notebooks(Path(app.outdir).parent))


def cache_of_notebooks(build: Path) -> Path:
    """The folder of executed notebooks in the folder ``build`` of the book.  Drops older ones."""
    own = [*ROOT.glob("flowlib/**/*.py"), *ROOT.glob("flowlib/**/*.npz")]
    others = [*ROOT.glob("requirements.txt"), *ROOT.glob("benchmarks/results/*.json")]
    contents = b"\0".join(file.read_bytes() for file in [*sorted(own), *sorted(others)])
    cache = build / ".jupyter_cache" / hashlib.sha256(contents).hexdigest()[:16]
    for old in cache.parent.glob("*"):
        if old != cache:
            shutil.rmtree(old, ignore_errors=True)
    return cache
