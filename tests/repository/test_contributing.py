"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.scratch import copy_of_the_repository

RECIPE = re.compile(
    r"^(?:(New file|At the end of|In) `([^`]+)`(?:, before `([^`]+)`)?:\n\n)?"
    r"(`{3,4})(\w+)\n(.*?)^\4$",
    re.MULTILINE | re.DOTALL,
)
STEP = re.compile(r"^(?:New file|At the end of|In) `.*:$", re.MULTILINE)
NEXT = "Versions, and what runs where"  # the part after the recipes
SUITES = {
    "A bijection": ("leaky", "flowlib/test_bijections.py", "flowlib/test_docstrings.py"),
    "An operation of the page": (
        "signbit or modules",
        "live/test_runtime.py",
        "repository/test_js.py",
    ),
    "A mark": (
        "rug or every_mark",
        "live/test_static.py",
        "live/test_panels.py",
        "live/test_widget.py",
    ),
    "A chapter": ("rotation or table_of_contents or tidy", "repository/test_house.py"),
}


def run(copy, *command):
    names = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        cwd=copy,
        env=names,
        capture_output=True,
        text=True,
    )


def made(copy, text):
    """A command of the Makefile, by the Python that runs the tests."""
    assert text == "make js\n"
    if not shutil.which("npx"):
        pytest.skip("make js needs Node.js")
    python = f"PYTHON={sys.executable}"
    return subprocess.run(
        ["make", "js", python], check=False, cwd=copy, capture_output=True, text=True
    )


def follow(copy, recipe):
    """Does each step of a recipe: writes files, inserts lines, runs what names no file."""
    steps = RECIPE.findall(recipe)
    assert steps and sum(bool(step[0]) for step in steps) == len(STEP.findall(recipe))
    for where, name, line, _, language, text in steps:
        if where == "New file":
            assert not (copy / name).exists(), f"{name} is there already"
            (copy / name).write_text(text, encoding="utf-8")
        elif where:
            before = (copy / name).read_text(encoding="utf-8")
            if line:
                assert f"\n{line}" in before, f"{name} has no line that begins with {line!r}"
                after = before.replace(f"\n{line}", f"\n{text}{line}", 1)
            else:
                after = before + text
            (copy / name).write_text(after, encoding="utf-8")
        else:
            done = run(copy, "-c", text) if language == "python" else made(copy, text)
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository with all recipes followed."""
    copy = copy_of_the_repository(tmp_path_factory.mktemp("contributing"))
    text = (copy / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for title, after in zip(SUITES, [*list(SUITES)[1:], NEXT]):
        follow(copy, text.split(f"\n## {title}\n")[1].split(f"\n## {after}\n")[0])
    return copy


@pytest.fixture(scope="module")
def suite(copy):
    """What the suite says of them, each in its files; one start of pytest for all."""
    words = " or ".join(words for words, *_ in SUITES.values())
    paths = [f"tests/{file}" for _, *files in SUITES.values() for file in files]
    return run(copy, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", words, *paths)


@pytest.mark.parametrize("title", SUITES)
def test_a_recipe_leads_to_what_the_suite_accepts(suite, title):
    assert suite.returncode == 0, suite.stdout
    words, *files = SUITES[title]
    new, *_ = words.split(" or ")
    passed = re.findall(r"^tests/(\S+?)::(.+) PASSED", suite.stdout, re.MULTILINE)
    for file in files:
        assert any(file == where for where, _ in passed), f"no test of {file} ran"
    assert any(new in name and where in files for where, name in passed), f"no test of {new}"


def test_the_new_chapter_is_executed_and_built(copy):
    (copy / "book" / "start.md").write_text("# A book of one chapter\n", encoding="utf-8")
    toc = "format: jb-book\nroot: start\nchapters:\n- file: rotation\n"
    (copy / "toc.yml").write_text(toc, encoding="utf-8")
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    done = run(copy, jupyter_book, "build", "book", "--toc", str(copy / "toc.yml"), "-W")
    assert done.returncode == 0, done.stderr
    page = (copy / "_build" / "html" / "rotation.html").read_text(encoding="utf-8")
    assert "<title>Rotations" in page and "<pre><span></span>1.0\n</pre>" in page
