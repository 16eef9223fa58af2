"""Drives a headless Chromium over its DevTools pipe, with nothing but the standard library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
PATIENCE_SECONDS = 300
_FIRST_FREE_DESCRIPTOR = 10
# Chromium reads commands from descriptor 3 and writes answers to 4; subprocess cannot renumber descriptors.
_LAUNCHER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or ``None``."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Pipe:
    """DevTools messages over a pair of pipes; each ends with a zero byte."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its result; what happens meanwhile is kept in `events`."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        text = json.dumps(command | ({"sessionId": session} if session else {}))
        os.write(self._writing, text.encode() + b"\0")
        while True:
            message = self._receive()
            if "method" in message:
                self.events.append(message)
            elif message["id"] != self._number:
                continue  # the late answer to a command that was given up
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']}")
            else:
                return dict(message["result"])

    def wait_for(self, method: str, session: str) -> None:
        """Wait until an event of a kind has come in a session."""
        while not any(event["method"] == method and event.get("sessionId") == session for event in self.events):
            message = self._receive()
            if "method" in message:
                self.events.append(message)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], PATIENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"Chromium gave no answer within {PATIENCE_SECONDS} seconds")
            chunk = os.read(self._reading, 1 << 20)
            if not chunk:
                raise EOFError("Chromium ended")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))


class Page:
    """A tab with one document: what it shows, logs and asks for."""

    def __init__(self, pipe: Pipe, path: Path) -> None:
        self._pipe = pipe
        self.url = path.as_uri()
        target = pipe.call("Target.createTarget", None, {"url": "about:blank"})["targetId"]
        attached = pipe.call("Target.attachToTarget", None, {"targetId": target, "flatten": True})
        self._session = str(attached["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.show(1280)
        self.call("Page.navigate", url=self.url)
        pipe.wait_for("Page.loadEventFired", self._session)
        self._settle()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this tab."""
        return self._pipe.call(method, self._session, parameters)

    def show(self, width: int, *, scheme: str = "light", media: str = "") -> None:
        """Turn to the tab and set the width of the window, the preferred colour scheme, and ``print`` or nothing."""
        self.call("Page.bringToFront")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", media=media, features=[preference])
        self._settle()

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, awaited where it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_until(self, condition: str, *, frames: int = 120) -> bool:
        """Look at every frame whether a function returns true, for at most so many frames."""
        return bool(
            self.evaluate(
                f"new Promise(done => {{ let left = {frames}; const look = () => {{ if (({condition})()) done(true);"
                " else if (left-- > 0) requestAnimationFrame(look); else done(false); }; look(); })"
            )
        )

    def print_pdf(self) -> bytes:
        """Print the page as the reader would, on the paper it asks for."""
        printed = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(printed["data"])

    def screenshot(self, height: int, scale: float = 1.0) -> bytes:
        """Return a picture of the upper part of the page as PNG."""
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(picture["data"])

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, uncaught exceptions and refusals of the content policy."""
        return [text for event in self._events() if (text := _complaint(event["method"], event["params"]))]

    @property
    def requests(self) -> list[str]:
        """Addresses the page asked for; what lies within the page has none."""
        sent = [event["params"] for event in self._events() if event["method"] == "Network.requestWillBeSent"]
        urls = [str(parameters["request"]["url"]) for parameters in sent]
        return [url for url in urls if not url.startswith("data:")]

    def _events(self) -> Iterator[dict[str, Any]]:
        return (event for event in self._pipe.events if event.get("sessionId") == self._session)

    def _settle(self) -> None:
        """Wait until two frames have been drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")


def _complaint(method: str, parameters: dict[str, Any]) -> str:
    """Return what an event complains of, empty where it does not."""
    if method == "Runtime.exceptionThrown":
        return json.dumps(parameters["exceptionDetails"])
    if method == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning", "assert"}:
        return json.dumps(parameters["args"])
    if method == "Log.entryAdded" and parameters["entry"]["level"] in {"error", "warning"}:
        return str(parameters["entry"]["text"])
    return ""


@contextmanager
def start_chromium(chromium: str) -> Iterator[Callable[[Path], Page]]:
    """Start a Chromium of its own, give a function that opens a file in a tab, and end all its processes."""
    command_out, command_in = _open_pipe()
    answer_out, answer_in = _open_pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        launcher = [sys.executable, "-ISc", _LAUNCHER, str(command_out), str(answer_in)]
        process = subprocess.Popen(
            [*launcher, chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(command_out, answer_in),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(command_out)
        os.close(answer_in)
        try:
            pipe = Pipe(answer_out, command_in)
            yield lambda path: Page(pipe, path)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(command_in)
            os.close(answer_out)


def _open_pipe() -> tuple[int, int]:
    """Open a pipe whose descriptors lie above those that Chromium wants."""
    raised = []
    for descriptor in os.pipe():
        raised.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR))
        os.close(descriptor)
    return raised[0], raised[1]
