"""The fixtures of the tests of the built book: the address where it is served."""

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
