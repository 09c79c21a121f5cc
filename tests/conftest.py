"""What every test shares: one thread for torch, and a browser."""

import os

import matplotlib
import pytest
import torch

from tools import chromium

matplotlib.use("Agg")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for the whole session (Playwright's sync API)."""
    from playwright.sync_api import sync_playwright

    try:
        chromium.find()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with sync_playwright() as playwright:
        without = ["--js-flags=--noexpose-wasm"] if os.environ.get("WITHOUT_WASM") else []
        browser = chromium.launch(playwright, *without)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """An empty page in a context of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
