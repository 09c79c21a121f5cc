"""Live figures in books that are not ours, each built as book/own-pages.md says."""

import re
import subprocess
import sys
from pathlib import Path

import torch

from tools.book import ROOT

PAGE = (ROOT / "book" / "own-pages.md").read_text(encoding="utf-8")
HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# A page\n\n"


def block(language, word):
    """The page's block of code that has the word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if word in text)
    return found


def build(folder, *command):
    done = subprocess.run(
        [sys.executable, *command], check=False, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def assert_alive(page, out):
    page.route("http*://**", lambda route: route.abort())  # what their theme asks of others
    for place in ("index.html", "embed/index/bend.html?bare#bend?u=2"):
        page.goto(f"{out.as_uri()}/{place}")
        page.wait_for_function("document.querySelector('figure').dataset.frameMs")
    assert "u = 2.0" in page.locator("canvas").get_attribute("aria-label")


def test_a_figure_is_live_in_a_jupyter_book_and_in_sphinx(tmp_path, page):
    theirs = tmp_path / "sphinx"
    theirs.mkdir()
    cell = f"```{{code-cell}}\n{block('python', 'def bend')}```\n"
    (tmp_path / "index.md").write_text(HEAD + cell, encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "_config.yml").write_text(
        "title: Another book\nonly_build_toc_files: true\nexecute:\n  execute_notebooks: force\n"
        + block("yaml", "sphinx:")
    )
    build(tmp_path, str(Path(sys.executable).with_name("jupyter-book")), "build", ".")
    assert_alive(page, tmp_path / "_build" / "html")

    executed = tmp_path / "_build" / "jupyter_execute" / "index.ipynb"
    (theirs / "index.ipynb").write_bytes(executed.read_bytes())
    (theirs / "conf.py").write_text(block("python", "extensions ="))
    build(theirs, "-m", "sphinx", "-W", "-D", "nb_execution_mode=off", ".", "out")
    assert_alive(page, theirs / "out")


def test_a_saved_figure_is_live_in_a_frame_of_a_plain_page(tmp_path, page):
    names = {}
    exec(block("python", "def bend").removesuffix("figure\n"), names)  # noqa: S102
    names["figure"].save(tmp_path / "bend.html")
    frame = f"<!doctype html><title>A page</title>{block('html', 'iframe')}"
    (tmp_path / "page.html").write_text(frame.replace("bend.html", "bend.html#bend?u=2"))
    page.goto((tmp_path / "page.html").as_uri())
    framed = page.frame_locator("iframe").locator("figure[data-frame-ms]")
    framed.wait_for()
    assert framed.locator("[name=u]").input_value() == "2"


def test_a_trained_flow_goes_into_a_figure():
    names = {}
    exec(block("python", "TwoMoons"), names)  # noqa: S102
    figure, flow = names["figure"], names["flow"]
    x = figure.evaluate()["x"]
    assert -flow.log_prob(x).mean() < 3.2 < names["moons"].entropy() + 1
    figure.width = 0.0
    torch.testing.assert_close(figure.evaluate()["x"][7], flow.bijection(torch.zeros(2))[0])
