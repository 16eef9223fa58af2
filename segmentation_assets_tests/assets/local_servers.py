"""A web server and a mail server on this machine that keep what they are sent."""

from __future__ import annotations

import base64
import email
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"


@dataclass
class WebServer:
    """Answers every post with `status`, after `release` is set; keeps paths, headers and bodies."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    content_types: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        """Address with a secret path."""
        return f"http://{HOST}:{self.port}/services/t0p-s3cret"


@dataclass
class MailServer:
    """Speaks enough SMTP to take mails; `answers` replaces the answer to a command."""

    extensions: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)
    port: int = 0


@contextmanager
def web_server(**options: Any) -> Iterator[WebServer]:
    """Run a web server while the block runs."""
    state = WebServer(**options)
    if "release" not in options:
        state.release.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.paths.append(self.path)
            state.content_types.append(self.headers["Content-Type"])
            state.posts.append(json.loads(body))
            state.release.wait(30)
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            state.paths.append(f"GET {self.path}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with _running(ThreadingHTTPServer((HOST, 0), Handler)) as port:
        state.port = port
        try:
            yield state
        finally:
            state.release.set()


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    """Run a mail server while the block runs."""
    state = MailServer(**options)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.reply("220 ready")
            for line in iter(self.rfile.readline, b""):
                words = line.decode("ascii", "replace").strip()
                command = words.split(" ")[0].upper()
                state.commands.append(command)
                self.reply(state.answers.get(command) or _SMTP.get(command, _accept)(self, words, state))
                if command == "QUIT":
                    return

        def reply(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _running(socketserver.ThreadingTCPServer((HOST, 0), Handler)) as port:
        state.port = port
        yield state


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _accept(*_: Any) -> str:
    return "250 ok"


def _hello(_handler: Any, _words: str, state: MailServer) -> str:
    lines = ["here", *state.extensions]
    return "\r\n".join(f"250{'-' if line != lines[-1] else ' '}{line}" for line in lines)


def _recipient(_handler: Any, words: str, state: MailServer) -> str:
    address = words.partition(":")[2].strip("<>")
    if address.startswith("unknown"):
        return "550 no such mailbox"
    state.recipients.append(address)
    return "250 ok"


def _data(handler: Any, _words: str, state: MailServer) -> str:
    handler.reply("354 go on")
    lines = list(iter(handler.rfile.readline, b".\r\n"))
    state.mails.append(email.message_from_bytes(b"".join(lines), policy=default))
    return "250 taken"


def _auth(_handler: Any, words: str, state: MailServer) -> str:
    state.logins.append(base64.b64decode(words.split(" ")[2]).decode().strip("\0"))
    return "235 welcome"


_SMTP: dict[str, Callable[..., str]] = {
    "EHLO": _hello,
    "RCPT": _recipient,
    "DATA": _data,
    "AUTH": _auth,
    "QUIT": lambda *_: "221 bye",
}
