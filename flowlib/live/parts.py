"""A figure with many choices in parts: the page fetches the graphs of a choice when it is chosen."""

from __future__ import annotations

import base64
import json
from math import prod

LARGEST = 600_000  # characters of graphs and constants that come with a figure, all at once


def split(figure: dict) -> tuple[dict, dict[str, dict]]:
    """A figure's state with the graphs of its first choice only, and the other graphs by their keys.

    Each graph has a ``data`` of its own.  A figure that is small enough stays as it is.

    Args:
        figure: ``spec``, ``graphs`` and ``data``, of :meth:`LiveFigure.book_data`.

    Example:
        >>> split({"spec": {}, "graphs": {"[]": {}}, "data": ""})
        ({'spec': {}, 'graphs': {'[]': {}}, 'data': ''}, {})
    """
    if len(json.dumps(figure["graphs"])) + len(figure["data"]) <= LARGEST:
        return figure, {}
    data = base64.b64decode(figure["data"])
    graphs = {key: _alone(graph, data) for key, graph in figure["graphs"].items()}
    first = {key: graphs.pop(key) for key in _first(figure["spec"])}
    return figure | {"graphs": first, "data": ""}, graphs


def _first(spec: dict) -> list[str]:
    """The keys of the graphs for the controls as they are at first."""
    discrete = {c["name"]: c["value"] for c in spec["controls"] if c["kind"] != "slider"}
    takes = spec["train"]["takes"] if "train" in spec else {"": list(discrete)}
    keys = []
    for role, names in takes.items():
        values = [value for name, value in discrete.items() if name in names]
        keys.append(role + json.dumps(values, separators=(",", ":"), ensure_ascii=False))
    return keys


def _alone(graph: dict, data: bytes) -> dict:
    """A graph with those of the constants that it reads."""
    consts, own = [], b""
    for shape, offset, width in graph["consts"]:
        chunk = data[4 * offset : 4 * offset + width * prod(shape)]
        consts.append([shape, len(own) // 4, width])
        own += chunk + bytes(-len(chunk) % 4)
    return graph | {"consts": consts, "data": base64.b64encode(own).decode()}
