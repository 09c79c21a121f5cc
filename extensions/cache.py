"""When notebooks are executed again.

What a page shows depends on flowlib as much as on the notebook, and jupyter-cache sees only the
notebook.  So the folder of executed notebooks is named after flowlib's code and weights and the pinned
requirements: where one of them changed, every notebook is executed again, and every page is read again.
The benchmarks' figures are quoted by few pages: a new one drops those pages only.
"""

import hashlib
import json
import shutil
from pathlib import Path

from jupyter_cache import get_cache

ROOT = Path(__file__).parents[1]
SEEN = "results.json"  # in the folder of executed notebooks: the digest of each file of figures


def name_the_folder(app, config):
    """Gives myst-nb's setting a value for each state: a new one marks every page as outdated."""
    config.nb_execution_cache_path = str(cache_of_notebooks(Path(app.outdir).parent))


def read_again_with_new_figures(app, name, content):
    """A page is outdated where a file of figures that it quotes is newer."""
    for path in quoted(content[0]):
        app.env.note_dependency(str(path))


def cache_of_notebooks(build: Path) -> Path:
    """The folder of executed notebooks in the folder ``build`` of the book.  Drops older ones."""
    own = [*ROOT.glob("flowlib/**/*.py"), *ROOT.glob("flowlib/**/*.npz")]
    files = [*sorted(own), *ROOT.glob("requirements.txt")]
    folder = build / ".jupyter_cache" / digest(*files)
    for old in folder.parent.glob("*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    drop_old_figures(folder)
    return folder


def digest(*files: Path) -> str:
    contents = b"\0".join(file.read_bytes() for file in files)
    return hashlib.sha256(contents).hexdigest()[:16]


def drop_old_figures(folder: Path):
    """Drops the executed notebooks that quote a file of figures that has changed since the last time."""
    now, seen = {path.name: digest(path) for path in results()}, folder / SEEN
    before = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else {}
    if now == before:
        return
    changed = {name for name, _ in now.items() ^ before.items()}
    cache = get_cache(folder)
    for record in cache.list_cache_records():
        cells = cache.get_cache_bundle(record.pk).nb.cells
        if any(name in cell.source for name in changed for cell in cells):
            cache.remove_cache(record.pk)
    folder.mkdir(parents=True, exist_ok=True)
    seen.write_text(json.dumps(now), encoding="utf-8")


def results() -> list[Path]:
    return sorted(ROOT.glob("benchmarks/results/*.json"))


def quoted(text: str) -> list[Path]:
    """The files of figures that a page names."""
    return [path for path in results() if path.name in text]
