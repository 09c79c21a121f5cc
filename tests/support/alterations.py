"""Random alterations of a piece of JSON, for tests of what reads it."""

from __future__ import annotations

import copy

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings

NUMBERS = st.sampled_from(
    [-1, 0, 1, 2, 3, 5, 60, 0.5, 1e308, *(2**k for k in (10, 16, 24, 31, 32, 53))]
)


def tried(times):
    """Decorates a test that runs on so many alterations, the same each time."""
    return settings(
        max_examples=times,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def changes_at(paths, words=("x",)):
    """One to three changes: where, what is done there, and with what value."""
    values = st.one_of(
        NUMBERS,
        st.lists(NUMBERS, max_size=4),
        st.builds(lambda v: {"v": v}, NUMBERS),
        st.sampled_from([None, True, "", "x", "__proto__", "constructor", {}, []]),
        st.sampled_from(list(words)),
    )
    change = st.tuples(st.sampled_from(paths), st.sampled_from(["set", "drop", "copy"]), values)
    return st.lists(change, min_size=1, max_size=3)


def places(part, path=()):
    """The paths of everything in a piece of JSON."""
    if not isinstance(part, (dict, list)):
        return
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        yield from places(value, (*path, key))


def alter(whole, changes):
    """A copy with these changes; one whose place an earlier change took away is left out."""
    whole = copy.deepcopy(whole)
    for path, change, value in changes:
        part, last = reach(whole, path), path[-1]
        if part is None or (
            isinstance(part, list) and not (isinstance(last, int) and last < len(part))
        ):
            continue
        if change == "set":
            part[last] = copy.deepcopy(value)
        elif change == "drop" and (isinstance(part, list) or last in part):
            del part[last]
        elif change == "copy" and isinstance(part, list):
            part.insert(last, copy.deepcopy(part[last]))
    return whole


def reach(part, path):
    """The part that holds the end of a path, if it is still there."""
    for step in path[:-1]:
        try:
            part = part[step]
        except (KeyError, IndexError, TypeError):
            return None
    return part if isinstance(part, (dict, list)) else None
