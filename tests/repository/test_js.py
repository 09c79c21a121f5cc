"""The scripts that a page loads are those of their modules."""

import shutil
import subprocess

import pytest

from tools import js


@pytest.mark.parametrize("path", js.SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_made_of_the_modules_as_they_are(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert f"{first}\n" == js.first_line(), "a file of flowlib/live/js has changed: run make js"


@pytest.mark.parametrize("path", js.SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_what_esbuild_makes_of_them(path):
    npx = shutil.which("npx")
    if not npx or subprocess.run([npx, *js.ESBUILD, "--version"], check=False).returncode:
        pytest.skip("esbuild comes from npm")
    assert path.read_text(encoding="utf-8") == js.made(*js.SCRIPTS[path])
