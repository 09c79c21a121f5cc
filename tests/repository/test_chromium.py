"""Where a browser is looked for on each system."""

import pytest

from tools import chromium


def test_windows_keeps_chrome_where_it_is_found(tmp_path, monkeypatch):
    folder = tmp_path / "Google" / "Chrome" / "Application"
    folder.mkdir(parents=True)
    (folder / "chrome.exe").touch()
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(chromium, "NAMES", ())  # none is on the path there
    monkeypatch.setattr(chromium, "APPLICATIONS", ())
    monkeypatch.setenv("ProgramFiles", str(tmp_path))
    assert chromium.find() == str(folder / "chrome.exe")


def test_where_none_is_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "APPLICATIONS", ())
    with pytest.raises(FileNotFoundError, match="Windows: winget install Google.Chrome"):
        chromium.find()
