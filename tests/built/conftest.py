"""The fixtures of the tests of the built book: where it is served, and what a missing browser means."""

import os
import threading

import pytest

from tools.book import HTML
from tools.serve import server


@pytest.fixture(scope="session")
def address():
    """Where the built book is served."""
    if not (HTML / "index.html").is_file():
        pytest.fail("There is no built book: run `make html` first.", pytrace=False)
    with server(HTML) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


@pytest.fixture(scope="session")
def absent():
    """Skips what needs a browser that is not installed; CI has them all."""

    def end(name, packages):
        sentence = f"{name} is not installed (Debian: sudo apt-get install {packages})."
        if os.environ.get("CI"):
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)

    return end


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """What shares a visit to a page goes to one process; all else of a module does, too."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            page = item.callspec.params.get("visit", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__} {page}"))
