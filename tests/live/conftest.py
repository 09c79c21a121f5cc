"""What the tests of live figures may ask for besides a browser: the runtime, in a page."""

import pytest
from evaluation import runtime_page


@pytest.fixture(scope="session")
def runtime(browser):
    """One page for all graphs of the session; see ``evaluation.Runtime``."""
    with runtime_page(browser) as page:
        yield page
