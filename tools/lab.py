"""JupyterLab as a reader sees it: a server with settings of its own, and a notebook open in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tools.book import ROOT, Visit

QUIET = [  # it would look for newer versions at its makers' and for extensions
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
NEWS = "@jupyterlab/apputils-extension:announcements"  # it would ask a reader, at each start
FIGURES = """
import json
from flowlib.live.figure import LiveFigure
figures = {
    each.spec["name"]: each
    for each in [*globals().values(), *Out.values()] if isinstance(each, LiveFigure)
}
"""
ASK = """async (code) => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    let said = "";
    const future = kernel.requestExecute({ code, store_history: false });
    future.onIOPub = ({ header, content }) => {
        if (header.msg_type === "stream") said += content.text;
        if (header.msg_type === "error") said += content.traceback.join("\\n");
    };
    await future.done;
    return said;
}"""
READY = """(path) => {
    const { context, sessionContext } = window.jupyterapp.shell.currentWidget ?? {};
    return context?.path === path && sessionContext?.session?.kernel?.status === "idle";
}"""
OPEN = "async (path) => { await window.jupyterapp.commands.execute('docmanager:open', { path }); }"
RUN = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
CLOSE = """async () => {
    await window.jupyterapp.shell.currentWidget.sessionContext.shutdown();
    await window.jupyterapp.commands.execute("docmanager:save");
    await window.jupyterapp.commands.execute("application:close");
}"""
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
SCROLL = """async (index) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    await content.scrollToItem(index, "center");
    return content.widgets[index].node;
}"""
VIEW = "application/vnd.jupyter.widget-view+json"


class Notebook:
    """A notebook in a page where JupyterLab is open."""

    def __init__(self, page, name: str):
        self.page = page
        page.evaluate(OPEN, name)
        page.wait_for_function(READY, arg=name)

    def run(self):
        """Runs all cells; an assertion with the notebook's error where one of them fails."""
        done = self.page.evaluate(RUN)
        assert done, [each.get("evalue") for _, each in self.outputs() if "evalue" in each]

    def outputs(self) -> list[tuple[int, dict]]:
        """Every output with the place of its cell."""
        cells = enumerate(self.page.evaluate(CELLS))
        return [(index, each) for index, cell in cells for each in cell.get("outputs", [])]

    def figures(self):
        """One live figure after the other, each scrolled to and drawn."""
        for index, output in self.outputs():
            if VIEW in output.get("data", {}):
                cell = self.page.evaluate_handle(SCROLL, index).as_element()
                yield cell.wait_for_selector("figure.live-figure[data-state=ready]")

    def ask(self, code: str) -> str:
        """What the notebook's own kernel prints."""
        return self.page.evaluate(ASK, FIGURES + code).strip()

    def values(self, figure: str) -> dict:
        """A figure's controls as Python has them."""
        return json.loads(self.ask(f"print(json.dumps(figures[{figure!r}].value))"))

    def close(self):
        self.page.evaluate(CLOSE)


@contextmanager
def open_lab(browser, folder: Path):
    """A visit with JupyterLab open over a folder, and the server's process."""
    with (
        server(folder) as (process, address, token),
        Visit(browser, address, viewport={"width": 1300, "height": 1000}) as visit,
    ):
        visit.page.set_default_timeout(600_000)  # a chapter may run for minutes
        visit.page.goto(f"{address}lab?token={token}")
        visit.page.wait_for_function("window.jupyterapp?.shell.currentWidget")
        yield visit, process


@contextmanager
def server(folder: Path):
    """JupyterLab over a folder: its process and its address; settings go to a folder next to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, own = secrets.token_hex(16), folder.with_name(f"{folder.name}-settings")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "PYTHONPATH": str(ROOT),
    }
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += [f"--ServerApp.root_dir={folder}", f"--ServerApp.port={port}", *root, *QUIET]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    page_config = own / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"disabledExtensions": {NEWS: True}}), encoding="utf-8")
    with open(own / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_for(process, f"{address}api/status?token={token}", own / "log")
        yield process, address, token
    finally:
        stop(process)


def stop(process: subprocess.Popen, seconds: float = 20):
    """End a server and its kernels; by force where it hangs, as Jupyter's extensions at times do."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()  # a kernel ends by itself once its server is gone
        process.wait()


def wait_for(process, url: str, log: Path, seconds: float = 60):
    """Until the server answers.  Raises with its log where it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            urlopen(url, timeout=seconds).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start: {log.read_text(encoding='utf-8')}")
