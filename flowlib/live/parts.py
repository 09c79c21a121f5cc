"""A figure with many choices in parts: the page fetches the graphs of a choice when it is chosen."""

from __future__ import annotations

import base64
import json
from math import prod

LARGEST = 600_000  # characters of graphs and constants that come with a figure, all at once
SHARED = 1000  # bytes of a constant: states whose largest one is the same come together


def split(figure: dict) -> tuple[dict, list[dict]]:
    """A figure's state with the graphs of its first choice only, and the others in parts.

    A part has the ``data`` of its ``graphs``.  It is one graph, or those of ``start`` whose largest
    constant is the same: the parameters of a flow.  A figure that is small enough stays as it is.

    Args:
        figure: ``spec``, ``graphs`` and ``data``, of :meth:`LiveFigure.book_data`.

    Example:
        >>> split({"spec": {}, "graphs": {"[]": {}}, "data": ""})
        ({'spec': {}, 'graphs': {'[]': {}}, 'data': ''}, [])
    """
    if len(json.dumps(figure["graphs"])) + len(figure["data"]) <= LARGEST:
        return figure, []
    data, first = base64.b64decode(figure["data"]), _first(figure["spec"])
    groups: dict[str, dict] = {}
    for key, graph in figure["graphs"].items():
        size, offset = max(((_size(entry), entry[1]) for entry in graph["consts"]), default=(0, 0))
        shares = not graph["inputs"] and size > SHARED  # it is a state
        group = "first" if key in first else str(offset) if shares else key
        groups.setdefault(group, {})[key] = graph
    home = _alone(groups.pop("first"), data)
    return figure | home, [_alone(group, data) for group in groups.values()]


def _first(spec: dict) -> list[str]:
    """The keys of the graphs for the controls as they are at first."""
    discrete = {
        control["name"]: control["value"]
        for control in spec["controls"]
        if control["kind"] != "slider" and "as_number" not in control
    }
    takes = spec["train"]["takes"] if "train" in spec else {"": list(discrete)}
    keys = []
    for role, names in takes.items():
        values = [value for name, value in discrete.items() if name in names]
        keys.append(role + json.dumps(values, separators=(",", ":"), ensure_ascii=False))
    return keys


def _size(entry: list) -> int:
    """The bytes of a constant."""
    shape, _, width = entry
    return width * prod(shape)


def _alone(graphs: dict[str, dict], data: bytes) -> dict:
    """Graphs with those of the constants that they read."""
    places: dict[tuple[int, int], int] = {}  # an empty one begins where the next one does
    own, moved = b"", {}
    for key, graph in graphs.items():
        for entry in graph["consts"]:
            offset = entry[1]
            if (offset, _size(entry)) not in places:
                places[offset, _size(entry)] = len(own) // 4
                chunk = data[4 * offset : 4 * offset + _size(entry)]
                own += chunk + bytes(-len(chunk) % 4)
        consts = [[entry[0], places[entry[1], _size(entry)], entry[2]] for entry in graph["consts"]]
        moved[key] = graph | {"consts": consts}
    return {"graphs": moved, "data": base64.b64encode(own).decode()}
