"""What a hub installs for a seat: the pins of the book, and all that a chapter imports."""

import re
from importlib.metadata import requires

from book import ROOT
from pins import pins

HERE = 'python_version >= "3.11"'
SEAT = pins(".binder/requirements.txt", HERE)
OF_A_HUB = {"nbgitpuller"}  # it brings the chapters to a student; the book has no use for it


def test_a_seat_has_the_pins_of_the_book():
    pinned = pins("requirements.txt", HERE)
    assert {name: SEAT[name] for name in SEAT.keys() - OF_A_HUB}.items() <= pinned.items()


def test_a_seat_has_all_that_the_chapters_import():
    needed = {re.match(r"[\w-]+", each)[0] for each in requires("flowlib")}
    assert needed | {"scikit-learn", "ipywidgets"} <= SEAT.keys()


def test_a_seat_has_flowlib_itself():
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "./"


def test_a_seat_has_a_python_of_the_project():
    runtime = (ROOT / ".binder" / "runtime.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"python-3\.1[123]\n", runtime)  # the pins without a marker's other half
