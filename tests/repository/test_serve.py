"""The server of the built book does not depend on what the system says of files."""

import mimetypes
import threading
from urllib.request import Request, urlopen

import pytest

from tools.serve import server


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_script_is_one_also_where_windows_calls_it_plain_text(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(mimetypes, "_db", mimetypes.MimeTypes())
    mimetypes.add_type("text/plain", ".js")
    (tmp_path / "live.js").write_text("1", encoding="utf-8")
    with server(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{serving.server_port}/live.js"
        with urlopen(Request(url, headers={"Accept-Encoding": encoding}), timeout=60) as answer:
            assert answer.headers["Content-Type"] == "text/javascript"
        serving.shutdown()
