"""Real servers that alerts are sent to: HTTP and SMTP, on this machine, each in its own thread."""

import http.server
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class Webhook:
    """What an HTTP server answers, and what it was sent."""

    status: int = 200
    location: str | None = None
    texts: list[str] = field(default_factory=list)
    url: str = ""


@dataclass
class Mailbox:
    """Whom an SMTP server refuses, and what it was sent."""

    refused: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def webhook(status: int = 200, location: str | None = None) -> Iterator[Webhook]:
    """Serve a webhook until the end of the block."""
    box = Webhook(status, location)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            box.texts.append(json.loads(content)["text"])
            self.send_response(box.status)
            if box.location is not None:
                self.send_header("Location", box.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        box.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        with _running(server):
            yield box


@contextmanager
def silent_server() -> Iterator[int]:
    """Accept connections and never answer, until the end of the block; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def mail_server(*refused: str) -> Iterator[Mailbox]:
    """Serve SMTP (RFC 5321, the commands that smtplib sends) until the end of the block."""
    box = Mailbox(refused)

    class Handler(_Smtp):
        mailbox = box

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        with _running(server):
            yield box


class _Smtp(socketserver.StreamRequestHandler):
    mailbox: ClassVar[Mailbox]

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            command = line.split(":")[0].upper()
            if command == "RCPT TO":
                self._recipient(line)
            elif command == "DATA":
                self._data()
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _recipient(self, line: str) -> None:
        address = line.split("<")[1].split(">")[0]
        if address in self.mailbox.refused:
            self._say("550 no such person")
            return
        self.mailbox.recipients.append(address)
        self._say("250 ok")

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.mailbox.messages.append("\n".join(lines))
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
