"""Writes the chapters that the build executed to _build/executed, with the outputs as they came.

The build's own copies, in _build/jupyter_execute, repeat what a cell printed: myst-nb merges the
pieces of it for the page, in place.  The cache has the pieces, and how long each notebook took.
"""

import shutil
from pathlib import Path

import nbformat
from jupyter_cache import get_cache

BOOK = Path(__file__).parents[1] / "book"
BUILD = BOOK.parent / "_build"
EXECUTED = BUILD / "executed"


def main():
    shutil.rmtree(EXECUTED, ignore_errors=True)
    EXECUTED.mkdir()
    (folder,) = (BUILD / ".jupyter_cache").iterdir()
    cache = get_cache(folder)
    for chapter in BOOK.glob("*.ipynb"):
        path = BUILD / "jupyter_execute" / chapter.name
        _, notebook = cache.merge_match_into_notebook(nbformat.read(path, as_version=4))
        nbformat.write(notebook, EXECUTED / path.name)
    for record in cache.list_cache_records():
        print(f"{Path(record.uri).name} ran in {record.data['execution_seconds']:.0f} s")


if __name__ == "__main__":
    main()
