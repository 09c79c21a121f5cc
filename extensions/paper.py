"""On paper, cells that only import are left out: they are whole pages of names."""

import ast

from docutils import nodes

LEFT_OUT = "only-imports"  # print.css has it


def mark_imports(app, doctree):
    for cell in doctree.findall(nodes.container):
        sources = [part for part in cell if part.get("nb_element") == "cell_code_source"]
        if cell.get("nb_element") == "cell_code" and sources and only_imports(sources[0].astext()):
            cell["classes"].append(LEFT_OUT)
            sources[0]["classes"].append(LEFT_OUT)  # which another cell's fold may take in


def only_imports(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a command of IPython's
        return False
    return bool(body) and all(isinstance(each, ast.Import | ast.ImportFrom) for each in body)
