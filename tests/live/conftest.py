"""The fixtures of the tests of live figures, besides a browser: the runtime, in a page."""

import pytest

from evaluation import runtime_page
from pages import book
from shown import Shown


@pytest.fixture(scope="session", params=["simd", "loops"])
def runtime(browser, request):
    """One page for all graphs of the session, with WebAssembly or without; see ``evaluation.Runtime``."""
    with runtime_page(browser, request.param) as page:
        yield page


@pytest.fixture
def show(page, tmp_path):
    """Opens figures on a page; at the end, nothing may have been written on the console."""
    opened = []

    def open_page(*books, **options):
        opened.append(Shown(page, tmp_path, *books or [book()], **options))
        return opened[-1]

    yield open_page
    for shown in opened:
        assert shown.errors == []
