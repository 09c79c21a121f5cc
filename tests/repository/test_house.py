"""The house rules: notebooks as they are committed, one address for the repository, no dead words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from extensions.citations import citations
from tools.book import CONFIG, NOTEBOOKS, PAGES, ROOT

URL = CONFIG["repository"]["url"]
FIRST_CELL = f"""\
# In Colab, this cell installs flowlib. Anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "flowlib @ git+{URL}\""""
OWNER, REPOSITORY = URL.split("/")[3:]
IN_COLAB = f"https://colab.research.google.com/github/{OWNER}/{REPOSITORY}/blob/main/book"
LONGEST_CELL = 30

CITATIONS = citations(ROOT / "book" / "references.bib")
in_every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


@in_every_notebook
def test_a_notebook_is_committed_without_outputs(path):
    for cell in code_cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None, cell["id"]
    assert "widgets" not in read(path)["metadata"]


@in_every_notebook
def test_a_notebooks_cells_have_names_of_their_own(path):
    names = [cell["id"] for cell in read(path)["cells"]]
    assert len(set(names)) == len(names)


@in_every_notebook
def test_a_notebook_first_makes_itself_run_in_colab(path):
    first = code_cells(path)[0]
    assert "".join(first["source"]) == FIRST_CELL
    assert "remove-cell" in first["metadata"]["tags"]


@in_every_notebook
def test_a_notebook_has_a_badge_that_opens_it_in_colab(path):
    title = "".join(read(path)["cells"][0]["source"]).splitlines()
    assert title[0].startswith("# ")
    assert title[2] == f"[![Open in Colab](assets/colab.svg)]({IN_COLAB}/{path.name})"
    assert (ROOT / "book" / "assets" / "colab.svg").is_file()


@in_every_notebook
def test_a_notebooks_cells_are_short(path):
    lengths = {cell["id"]: "".join(cell["source"]).count("\n") + 1 for cell in code_cells(path)}
    assert {name: n for name, n in lengths.items() if n > LONGEST_CELL} == {}


@in_every_notebook
def test_a_notebook_has_outputs_that_are_checked(path):
    assert any("# NBVAL_CHECK_OUTPUT" in "".join(cell["source"]) for cell in code_cells(path))


def test_every_page_is_in_the_table_of_contents():
    book = ROOT / "book"
    texts = [path for path in book.rglob("*") if path.suffix in (".md", ".ipynb")]
    written = {path.relative_to(book).with_suffix("").as_posix() for path in texts}
    assert written == set(PAGES)


def committed_texts():
    names = subprocess.run(
        ["git", "ls-files"], check=True, cwd=ROOT, capture_output=True, text=True
    )
    for name in names.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".md", ".ipynb", ".toml", ".yml", ".py", ".js", ".css", ".txt", ".cff"}:
            yield name, path.read_text(encoding="utf-8")


def test_each_source_has_a_key_of_its_own_and_each_citation_a_source():
    keys = re.findall(
        r"^@\w+\{([^,]+),", (ROOT / "book/references.bib").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(keys) == len(set(keys)), sorted(key for key in set(keys) if keys.count(key) > 1)
    pages = [*(ROOT / "book").rglob("*.md"), *NOTEBOOKS]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for written in re.findall(r"\(\[[^]]+, \d{4}\]\(\S*?\)\)", text):
            assert written in CITATIONS, f"{page.name} cites {written}"
        for citation in CITATIONS:
            _, address = citation.rstrip(")").split("](")
            assert text.count(address) == text.count(citation), f"{page.name} links to {address}"


@in_every_notebook
def test_a_notebook_has_no_roles_that_only_the_book_can_read(path):
    texts = [cell["source"] for cell in json.loads(path.read_text("utf-8"))["cells"]]
    assert re.findall(r"\{\w[\w:-]*\}`", "".join("".join(text) for text in texts)) == []


def test_the_repository_has_one_address():
    host = f"{OWNER}.github.io".lower()
    pages = f"https://{host}/" if REPOSITORY.lower() == host else f"https://{host}/{REPOSITORY}/"
    assert CONFIG["html"]["baseurl"] == pages
    for name, text in committed_texts():
        for found in re.findall(rf"https://github\.com/{OWNER}/[\w.-]*\w", text):
            assert found == URL, f"{name} says {found}"
        for found in re.findall(r"https://colab\.research\.google\.com/github/\w[^\s)\"]*", text):
            assert found.startswith(IN_COLAB), f"{name} says {found}"
        for found in re.findall(rf"https://{OWNER}\.github\.io/[\w.-]*/?", text, re.IGNORECASE):
            assert found.startswith(pages), (
                f"{name} says {found}"
            )  # a user's own site: a page follows
        for found in re.findall(r"https://mybinder\.org/v2/gh/(\w[\w.-]*/[\w.-]*)", text):
            assert found == f"{OWNER}/{REPOSITORY}", f"{name} says {found}"
        for found in re.findall(r"lab%2Ftree%2F(\w[\w.-]*)%2F", text):  # a folder on a hub
            assert found == REPOSITORY, f"{name} says {found}"
    for name in ("README.md", "pyproject.toml", "CONTRIBUTING.md"):
        assert URL in (ROOT / name).read_text(encoding="utf-8"), f"{name} does not say {URL}"
    for name in ("README.md", "book/index.md"):
        assert f"\ncd {REPOSITORY}\n" in (ROOT / name).read_text(encoding="utf-8")


def test_no_folder_of_the_book_is_called_static():
    assert not (ROOT / "book" / "_static").exists()


def test_files_of_tests_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))  # pytest reads no second module of one name


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/index.md"])
def test_commands_that_are_promised_exist(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(
        r"^make ([a-z]+)|`make ([a-z]+)`", (ROOT / name).read_text("utf-8"), re.MULTILINE
    ):
        target = "".join(target)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name} promises `make {target}`"


def test_readme_installs_the_torch_that_is_pinned():
    pinned = re.search(
        r"^torch==.*$", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE
    )[0]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"torch==[\d.]*\d", readme) == [pinned]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_code_is_tidy(command):
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--quiet", "."],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ruff.returncode == 0, ruff.stdout


@in_every_notebook
def test_a_notebook_that_cites_lists_its_sources(path):
    text = path.read_text(encoding="utf-8")
    assert any(each in text for each in CITATIONS) == ("```{bibliography}" in text)
