"""What a hub installs for a seat: the pins of the book, and all that a chapter imports."""

import re
from importlib.metadata import requires

from tools.book import ROOT

OF_A_HUB = {"nbgitpuller"}  # it brings the chapters to a student; the book has no use for it


def requirements(name: str) -> dict[str, str]:
    """The line of each package."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {re.match(r"[\w-]+", line)[0]: line for line in lines if re.match(r"\w", line)}


def test_a_seat_has_the_pins_of_the_book():
    pinned = set((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    seat = requirements(".binder/requirements.txt")
    assert {line for name, line in seat.items() if name not in OF_A_HUB} <= pinned


def test_a_seat_has_all_that_the_chapters_import():
    needed = {re.match(r"[\w-]+", each)[0] for each in requires("flowlib")}
    seat = requirements(".binder/requirements.txt")
    assert needed | {"scikit-learn", "ipywidgets"} <= seat.keys()


def test_a_seat_has_flowlib_itself():
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "./"


def test_a_seat_has_a_python_of_the_project():
    runtime = (ROOT / ".binder" / "runtime.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"python-3\.1[123]\n", runtime)  # the pins without a marker's other half
