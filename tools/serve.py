"""Serves a folder on 127.0.0.1, on the first free port from 8000, and prints the address."""

import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """A reader's terminal stays quiet."""


def server(folder, first_port=8000):
    """A server bound to the first free port from ``first_port`` on."""
    handler = functools.partial(Handler, directory=str(folder))
    for port in range(first_port, first_port + 1000):
        try:
            return ThreadingHTTPServer(("127.0.0.1", port), handler)
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
