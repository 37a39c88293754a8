"""Serves the home's reports to the browser, beside the Dagster UI that links to them.

A browser opens no local file from a page of a server, so links need an address.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from odyssey_assets.errors import SettingsError

LOCAL_HOST = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: the terminal belongs to Dagster."""

    def end_headers(self) -> None:
        """Let the browser ask again each time: a report is replaced under the same name."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def report_address(port: int, folder: Path, report: Path) -> str:
    """Return the address of a report in the served folder."""
    return f"http://{LOCAL_HOST}:{port}/{report.relative_to(folder).as_posix()}"


@contextmanager
def serve_reports(folder: Path, host: str, port: int) -> Iterator[int]:
    """Serve the folder, read-only, for the length of the block; yield the port.

    Args:
        folder: What is served, and nothing above it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        SettingsError: Another program listens there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = partial(_QuietHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise SettingsError(
            f"Reports cannot be served on {host}:{port}: {error}. Set another port with "
            "ODYSSEY_REPORTS_PORT."
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
