"""What makes a figure of the built book alive, in whichever browser."""

from __future__ import annotations

CONSERVED = {"area", "mass", "total_mass"}  # readouts whose point is that they stay what they are


def dead(figure, controls) -> list[str]:
    """Of these controls those that the picture or a readout does not follow, or Reset, in words."""
    found = []
    untouched = figure.picture()
    for control in controls:
        pictures, readouts = zip(*figure.sweep(control))
        if len(set(pictures)) == 1:
            found.append(f"{figure.name}: the picture does not follow {control['name']}")
        followers = figure.dependents(control) - CONSERVED
        if followers and all(len({r[n] for r in readouts}) == 1 for n in followers):
            found.append(f"{figure.name}: {followers} do not follow {control['name']}")
        figure.act("Reset")
        if figure.picture() != untouched:
            found.append(f"{figure.name}: Reset does not bring {control['name']} back")
    return found


def assert_trains(figure):
    """By single steps, on its own, not while it pauses; Reset brings the first state back."""
    untouched = figure.picture()
    figure.act("Step")
    assert figure.steps() == 1 and figure.picture() != untouched
    figure.act("Start")
    figure.page.wait_for_function("(f) => f.dataset.step > 5", arg=figure.handle)
    figure.act("Pause")
    steps, picture = figure.steps(), figure.picture()
    figure.settle()
    assert (figure.steps(), figure.picture()) == (steps, picture)
    figure.act("Reset")
    assert figure.steps() == 0 and figure.picture() == untouched
