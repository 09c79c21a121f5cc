"""One command gives a fork its address everywhere, and the house rules hold there too."""

import subprocess
import sys

import pytest

from tools.book import CONFIG
from tools.scratch import copy_of_the_repository, git

URL = CONFIG["repository"]["url"]
GITHUB = "https://github.com"  # apart from the rest: the command changes this file as well
HOUSE = "tests/repository/test_house.py"
FORK = f"{GITHUB}/Some-One/my.flows_2"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return copy_of_the_repository(tmp_path_factory.mktemp("fork"))


@pytest.fixture(autouse=True)
def restored(copy):
    """Each test begins with the copy as it was."""
    yield
    git("reset", "--hard", "--quiet", cwd=copy)


def fork(copy, *urls):
    return subprocess.run(
        [sys.executable, "tools/fork.py", *urls],
        check=False,
        cwd=copy,
        capture_output=True,
        text=True,
    )


def changes(copy):
    return git("status", "--porcelain", cwd=copy)


@pytest.mark.parametrize("url", [FORK, f"{GITHUB}/some-one/Some-One.github.io"])
def test_a_fork_has_its_address_everywhere(copy, url):
    assert fork(copy, url).returncode == 0
    old = "/".join(URL.split("/")[3:]).lower().encode()
    names = git("ls-files", "-z", cwd=copy).split("\0")[:-1]
    assert [name for name in names if old in (copy / name).read_bytes().lower()] == []
    house = subprocess.run(
        [sys.executable, "-m", "pytest", "--noconftest", "-k", "not tidy", HOUSE],
        check=False,
        cwd=copy,
        capture_output=True,
        text=True,
    )
    assert house.returncode == 0, house.stdout


def test_there_and_back_changes_nothing(copy):
    for url, said in ((FORK, "_config.yml"), (f"{URL}.git", "_config.yml"), (URL, "nothing")):
        done = fork(copy, url)
        assert done.returncode == 0 and said in done.stdout
        assert bool(changes(copy)) == (url == FORK)


@pytest.mark.parametrize(
    "urls",
    [
        [],
        [""],
        ["me/my-flows"],
        ["http://github.com/me/my-flows"],
        ["https://gitlab.com/me/my-flows"],
        ["https://github.com/me"],
        ["https://github.com/me/my-flows/tree/main"],
        ["https://github.com/me/my flows"],
        ['https://github.com/me/my-flows"; import os'],
    ],
)
def test_another_address_is_refused_and_nothing_is_written(copy, urls):
    done = fork(copy, *urls)
    assert done.returncode == 1
    assert (
        done.stderr.startswith("fork: expected") and "https://github.com/me/my-flows" in done.stderr
    )
    assert changes(copy) == ""


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(copy):
    (copy / "README.md.fork").mkdir()  # where the new text would be first
    done = fork(copy, FORK)
    assert done.returncode == 1 and "README.md.fork" in done.stderr
    (copy / "README.md.fork").rmdir()
    assert changes(copy) == ""
