"""Serves a folder on 127.0.0.1, on the first free port from 8000, and prints the address.

Texts travel compressed, as from the places where books are published.
"""

import functools
import gzip
import io
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TEXTS = {".html", ".css", ".js", ".svg", ".xml"}


class Handler(SimpleHTTPRequestHandler):
    # On Windows any program may have made scripts plain text, which no browser runs.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}
    protocol_version = "HTTP/1.1"  # a connection serves for more than one file

    def log_message(self, *args):
        """A reader's terminal stays quiet."""

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.endswith("/"):
            path /= "index.html"
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (accepted and path.suffix in TEXTS and path.is_file()):
            return super().send_head()
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return io.BytesIO(body)


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A reader who leaves while a page is on its way is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def server(folder, first_port=8000):
    """A server bound to the first free port from ``first_port`` on."""
    handler = functools.partial(Handler, directory=str(folder))
    for port in range(first_port, first_port + 1000):
        try:
            return Server(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise OSError(f"no free port from {first_port} to {port}")


if __name__ == "__main__":
    with server(sys.argv[1]) as serving:
        print(
            f"The book is at http://127.0.0.1:{serving.server_port}/ (Ctrl-C stops it)", flush=True
        )
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print()
