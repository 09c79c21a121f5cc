"""The script that a page loads is that of its modules."""

import shutil
import subprocess

import pytest

from tools import js


def test_the_script_is_made_of_the_modules_as_they_are():
    first = js.SCRIPT.read_text(encoding="utf-8").partition("\n")[0]
    assert f"{first}\n" == js.first_line(), "a file of flowlib/live/js has changed: run make js"


def test_the_script_is_what_esbuild_makes_of_them():
    npx = shutil.which("npx")
    if not npx or subprocess.run([npx, *js.ESBUILD, "--version"], check=False).returncode:
        pytest.skip("esbuild comes from npm")
    assert js.SCRIPT.read_text(encoding="utf-8") == js.made()
